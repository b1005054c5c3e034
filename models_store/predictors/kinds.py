"""Every kind of predictor: how it is described, written and loaded."""

from collections.abc import Mapping
from types import MappingProxyType

from models_store.predictors.linear import LINEAR
from models_store.predictors.network import NETWORK
from models_store.predictors.predictor import PredictorKind

KINDS: Mapping[str, PredictorKind] = MappingProxyType(
    {
        "linear": LINEAR,
        "onnx": NETWORK,
    }
)
