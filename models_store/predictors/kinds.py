"""Every kind of predictor: how it is described, written and loaded."""

from collections.abc import Mapping
from types import MappingProxyType

from models_store.predictors import (
    combination,
    linear,
    network,
    pooled,
)
from models_store.predictors.predictor import PredictorKind

KINDS: Mapping[str, PredictorKind] = MappingProxyType(
    {
        "linear": linear.KIND,
        "onnx": network.KIND,
        "pooled": pooled.KIND,
        "combination": combination.KIND,
    }
)
