"""Every kind of predictor: how it is described, written and loaded."""

from collections.abc import Mapping
from types import MappingProxyType

from models_store.predictors import combination
from models_store.predictors.predictor import PredictorKind
from models_store.predictors.single import SINGLE_KINDS

KINDS: Mapping[str, PredictorKind] = MappingProxyType(
    {**SINGLE_KINDS, "combination": combination.KIND}
)
