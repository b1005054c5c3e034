"""What is written in a store: which fields there must be, what the others are, what each may be."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

import models_store
from models_store.manifest import (
    CompanionData,
    Evaluation,
    HorizonRecord,
    IntervalCalibration,
    LossHistory,
    Manifest,
    Margin,
    TrainingData,
)
from models_store.pointers import Champion, Pointer
from models_store.predictors.combination import CombinedPredictorSpec, MemberRecord, MemberSpec
from models_store.predictors.network import OnnxPredictorSpec
from models_store.predictors.pooled import PooledPredictorSpec
from models_store.universal.manifest import KindRecord, PanelAsset, UniversalManifest
from volatility.seasonality import DAY_CLASSES


def schemas() -> Iterator[type[BaseModel]]:
    """Every pydantic model that the room defines."""
    for module in walk_packages(models_store.__path__, "models_store."):
        for _, kind in inspect.getmembers(import_module(module.name), inspect.isclass):
            if issubclass(kind, BaseModel) and kind.__module__ == module.name:
                yield kind


SCHEMAS = tuple(schemas())

# What a field is that an artifact does not have, such as one written before there was the field.
OPTIONAL: dict[str, dict[str, object]] = {
    "Evaluation": {"selection_start": None, "qlike_loss_by_seed": (), "margins": {}},
    "HorizonRecord": {"learned": {}},
    "Manifest": {
        "schema_version": 1,
        "minimum_sessions": None,
        "columns": (),
        "horizons": (1,),
        "by_horizon": {},
        "sources": (),
        "companions": (),
        "stand_in": None,
        "calendar_effects": None,
        "rv_medians": None,
        "learned": {},
        "histories": {},
        "seeds": (),
    },
    "Pointer": {"previous": ()},
    "UniversalManifest": {
        "schema_version": 1,
        "kind_scales": {},
        "by_kind": {},
        "short_histories": {},
    },
    "LinearPredictorSpec": {"kind": "linear"},
    "OnnxPredictorSpec": {
        "kind": "onnx",
        "horizon": 1,
        "input": "log_rv",
        "output": "log_rv_next",
        "further": {},
        "diagnostics": (),
    },
    "PooledPredictorSpec": {"kind": "pooled", "kind_scales": {}},
    "CombinedPredictorSpec": {"kind": "combination"},
}

MEASURE = ("garman_klass", "realized_variance"), ("garman", "", "tests")
INFINITE, NO_NUMBER = float("inf"), float("nan")
DIGEST = (
    ("0123456789abcdef" * 4,),
    ("0" * 63, "0" * 65, "F" * 64, "g" * 64, "0" * 64 + "\n0"),
)
MODEL = ("log_har", "a" * 48), ("Har", "champion", "", "a" * 49)
FINITE = (-1.5, 0.0, 1e9), (INFINITE, -INFINITE, NO_NUMBER)
COUNT = (1, 10_000), (0, -1, 1.5)
SHARE = (0.0, 0.5, 1.0), (-1e-9, 1 + 1e-9, NO_NUMBER)
PAIR = ((1e-6, 1e-2), (0.5, 0.5)), ((1e-6,), (1e-6, 1e-3, 1e-2), None)
EFFECTS = dict.fromkeys(DAY_CLASSES, 0.1)
ALL_EFFECTS: tuple[tuple[object, ...], tuple[object, ...]] = (
    (EFFECTS,),
    ({}, {**EFFECTS, "monday": INFINITE}, {**EFFECTS, "sunday night": 0.0}),
)
RESIDUAL_VARIANCE = (0.0, 0.3), (-1e-9, INFINITE, NO_NUMBER)
MEAN_RV = (1e-12, 1.0), (0.0, -1e-4, INFINITE, NO_NUMBER)
VALUES: dict[tuple[type[BaseModel], str], tuple[tuple[object, ...], tuple[object, ...]]] = {
    (TrainingData, "asset"): (("SPX", "A^9=_.-Z"), ("", "a/b", ".hidden", "A" * 33)),
    (TrainingData, "nobs"): COUNT,
    (TrainingData, "missing_sessions"): ((0, 5), (-1, 0.5)),
    (TrainingData, "sha256"): DIGEST,
    (CompanionData, "bar_interval"): COUNT,
    (LossHistory, "training_losses"): (((), (0.5, -0.5)), ((INFINITE,), (0.5, NO_NUMBER))),
    (LossHistory, "validation_losses"): (((), (0.5, -0.5)), ((INFINITE,), (0.5, NO_NUMBER))),
    (LossHistory, "best_epoch"): ((0, 7), (-1, 0.5)),
    (IntervalCalibration, "level"): ((1e-9, 1 - 1e-9), (0.0, 1.0, NO_NUMBER)),
    (IntervalCalibration, "lower"): FINITE,
    (IntervalCalibration, "upper"): FINITE,
    (IntervalCalibration, "calibration_nobs"): COUNT,
    (IntervalCalibration, "coverage_observed"): SHARE,
    (IntervalCalibration, "nobs"): COUNT,
    (Margin, "qlike_ratio"): FINITE,
    (Margin, "dm_pvalue"): SHARE,
    (Evaluation, "refit_every"): COUNT,
    (Evaluation, "nobs"): COUNT,
    (Evaluation, "qlike_loss"): FINITE,
    (Evaluation, "rmse_volatility"): FINITE,
    (Evaluation, "mae_volatility"): FINITE,
    (Evaluation, "r_squared_log"): FINITE,
    (Evaluation, "correlation_log"): FINITE,
    (Evaluation, "qlike_loss_by_seed"): (((), (0.2, 0.3)), ((0.2, NO_NUMBER), (INFINITE,))),
    (HorizonRecord, "residual_variance"): RESIDUAL_VARIANCE,
    (HorizonRecord, "clip"): PAIR,
    (HorizonRecord, "mean_rv"): MEAN_RV,
    (HorizonRecord, "learned"): (({}, {"alpha": -0.5}), ({"alpha": INFINITE}, None)),
    (Manifest, "schema_version"): ((1,), (0, 2)),
    (Manifest, "asset"): (("SPX",), ("a b",)),
    (Manifest, "model"): MODEL,
    (Manifest, "scale"): (("levels", "logs"), ("log", None)),
    (Manifest, "lookback"): (COUNT[0], (*COUNT[1], 10_001)),
    (Manifest, "minimum_sessions"): ((None, 1, 22), (0, -1)),
    (Manifest, "periods_per_year"): COUNT,
    (Manifest, "bar_interval"): COUNT,
    (Manifest, "measure"): MEASURE,
    (Manifest, "calendar"): (("24/7", "XNYS", "24/5", "XLON"), ("", "XNOWHERE")),
    (Manifest, "horizons"): (((1,), (5, 1), (250,)), ((), (0,), (1, -1), (1, 251))),
    (Manifest, "by_horizon"): (({},), ({0: None}, {1: None})),
    (Manifest, "calendar_effects"): ((None, *ALL_EFFECTS[0]), ALL_EFFECTS[1]),
    (Manifest, "residual_variance"): RESIDUAL_VARIANCE,
    (Manifest, "clip"): PAIR,
    (Manifest, "mean_rv"): MEAN_RV,
    (Manifest, "rv_medians"): ((None, *PAIR[0]), PAIR[1][:2]),
    (Manifest, "hyperparameters"): (({"lags": (1, 5), "name": "a", "rate": 0.1},), ({"x": {}},)),
    (Manifest, "learned"): (({}, {"alpha": -0.5}), ({"alpha": INFINITE}, None)),
    (PanelAsset, "kind"): (("stock", "crypto"), ("share", "")),
    (KindRecord, "assets"): COUNT,
    (KindRecord, "log_har_change"): FINITE,
    (KindRecord, "error_size"): ((1e-9, 2.0), (0.0, -1.0, INFINITE, NO_NUMBER)),
    (KindRecord, "error_quantiles"): (((), (-1.0, 1.0)), ((NO_NUMBER,),)),
    (UniversalManifest, "schema_version"): ((1,), (0, 2)),
    (UniversalManifest, "horizons"): (((1,), (1, 250)), ((), (0,), (251,))),
    (UniversalManifest, "minimum_sessions"): COUNT,
    (UniversalManifest, "lookback"): (COUNT[0], (*COUNT[1], 10_001)),
    (UniversalManifest, "measures"): (((), MEASURE[0]), (MEASURE[1],)),
    (UniversalManifest, "assets"): ((), ((),)),
    (UniversalManifest, "calendar_effects"): (
        ({"stock": EFFECTS}, {}),
        ({"share": EFFECTS}, {"stock": {}}),
    ),
    (UniversalManifest, "capped_means"): (((0.9,), ()), ((INFINITE,),)),
    (UniversalManifest, "kind_scales"): (
        ({}, {"crypto": (0.2,)}),
        ({"share": (0.2,)}, {"crypto": (NO_NUMBER,)}),
    ),
    (UniversalManifest, "clip"): PAIR,
    (UniversalManifest, "rv_medians"): PAIR,
    (UniversalManifest, "by_kind"): (({}, {"fx": {}}), ({"share": {}}, {"fx": {0: None}})),
    (UniversalManifest, "short_histories"): (
        ({}, {"fx": {22: {}}}),
        ({"share": {}}, {"fx": {0: {}}}, {"fx": {22: {0: None}}}),
    ),
    (OnnxPredictorSpec, "horizon"): COUNT,
    (OnnxPredictorSpec, "further"): (({}, {5: "five"}), ({0: "none"},)),
    (PooledPredictorSpec, "horizons"): (((1, 5),), ((0,), (1, -5))),
    (PooledPredictorSpec, "effects"): (({"monday": -0.1},), ({"monday": INFINITE},)),
    (PooledPredictorSpec, "kind_scales"): (({}, {1: 0.2}), ({0: 0.1}, {1: NO_NUMBER})),
    (PooledPredictorSpec, "log_scales"): (({1: -0.5},), ({0: 0.1}, {1: NO_NUMBER})),
    (MemberRecord, "residual_variance"): RESIDUAL_VARIANCE,
    (MemberRecord, "clip"): PAIR,
    (MemberRecord, "mean_rv"): FINITE,
    (MemberSpec, "lookback"): COUNT,
    (MemberSpec, "calendar_effects"): ((None, {"monday": 0.1}), ({"monday": NO_NUMBER},)),
    (MemberSpec, "by_horizon"): (({},), ({0: None},)),
    (CombinedPredictorSpec, "members"): ((), ((),)),
    (Pointer, "version"): COUNT,
    (Pointer, "sha256"): DIGEST,
    (Pointer, "previous"): (((), (1, 3)), ((0,), (-1,))),
    (Champion, "model"): MODEL,
}


def of_field(schema: type[BaseModel], name: str) -> TypeAdapter[Any]:
    field = schema.model_fields[name]
    kind: Any = field.annotation
    return TypeAdapter(Annotated[(kind, *field.metadata)] if field.metadata else kind)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_field_is_there_or_has_what_it_stands_for(schema: type[BaseModel]) -> None:
    """One that comes to be needed would refuse the artifacts of before."""
    found = {
        name: field.get_default(call_default_factory=True, validated_data={})
        for name, field in schema.model_fields.items()
        if not field.is_required()
    }
    assert found == OPTIONAL.get(schema.__name__, {})


@pytest.mark.parametrize("schema", SCHEMAS)
def test_what_is_written_is_not_changed_and_nothing_unknown_is_passed_over(
    schema: type[BaseModel],
) -> None:
    assert schema.model_config["frozen"]
    assert schema.model_config["extra"] == "forbid"


@pytest.mark.parametrize(("schema", "name"), VALUES)
def test_what_a_field_may_be(schema: type[BaseModel], name: str) -> None:
    accepted, refused = VALUES[schema, name]
    field = of_field(schema, name)
    for value in accepted:
        assert field.validate_python(value) == value
    for value in refused:
        with pytest.raises(ValidationError):
            field.validate_python(value)


def test_every_range_is_tried_on_both_sides() -> None:
    """Of a field that a schema inherits, where it is defined."""
    tried = {(schema.__name__, name) for schema, name in VALUES}
    bounded = {
        (schema.__name__, name)
        for schema in SCHEMAS
        for name in inspect.get_annotations(schema)
        if name in schema.model_fields and schema.model_fields[name].metadata
    }
    assert bounded - tried == set()
