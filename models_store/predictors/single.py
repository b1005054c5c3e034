"""The kinds of predictor that are one model: any of them can be a member of a combination."""

from collections.abc import Mapping
from types import MappingProxyType

from models_store.predictors import (
    linear,
    network,
    pooled,
)
from models_store.predictors.predictor import PredictorKind

SINGLE_KINDS: Mapping[str, PredictorKind] = MappingProxyType(
    {
        "linear": linear.KIND,
        "onnx": network.KIND,
        "pooled": pooled.KIND,
    }
)
