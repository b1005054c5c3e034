"""A model for every asset that was fitted on nothing: a graph with known weights, as files."""

from datetime import date
from functools import cache

import numpy as np
from onnx import TensorProto, helper

from models_store.manifest import Evaluation
from models_store.predictors.pooled_graph import (
    DEVIATION,
    INTERCEPTS,
    LIMIT,
    MEAN,
    SLOPES,
    PooledGraph,
)
from models_store.universal import artifact
from models_store.universal.manifest import KindRecord, PanelAsset, UniversalManifest
from models_store.universal.model import UniversalModel
from volatility.arrays import DAY, Windows
from volatility.calendars import get_calendar
from volatility.evaluation.intervals import LEVELS
from volatility.scale_free import CHANNELS, ENCODED, KINDS, MINIMUM, REGRESSORS
from volatility.seasonality import DAY_CLASSES
from volatility.trailing import SESSIONS

HORIZONS = (1, 5, 10, 22)
SHORT = (22, 60)  # sessions of histories with records of their own
END = date(2019, 12, 31)  # of what it has seen
WEIGHTS = {"mean_1": 0.3, "mean_5": 0.3, "mean_25": 0.2, "fall_1": -0.1, "range_1": 0.1}


@cache
def small_files(weight: float = 1.0, serves: bool = True) -> dict[str, bytes]:
    """The files of a version.

    Parameters
    ----------
    weight : what its regressors count; another one makes another model.
    serves : whether it tells how it does, without which it does not serve.
    """
    manifest = small_manifest(serves)
    graph = small_graph(weight)
    reference = _reference()
    model = UniversalModel(manifest, 1, "", PooledGraph.of(graph))
    said = artifact.reference_forecasts(model, reference)
    return artifact.encode(manifest, graph, reference, said)


def small_manifest(serves: bool = True) -> UniversalManifest:
    records = {
        kind: {horizon: _record(place, horizon) for horizon in HORIZONS}
        for place, kind in enumerate(KINDS)
    }
    short = {
        kind: {
            sessions: {horizon: _record(place, horizon, sessions) for horizon in HORIZONS}
            for sessions in SHORT
        }
        for place, kind in enumerate(KINDS)
    }
    return UniversalManifest(
        horizons=HORIZONS,
        minimum_sessions=MINIMUM,
        lookback=SESSIONS,
        columns=("overnight_return", "range_ratio", "return"),
        measures=("garman_klass", "parkinson"),
        training_end=END,
        assets=(_asset("SHARE", "stock", "XNYS"), _asset("COIN", "crypto", "24/7")),
        calendar_effects={
            kind: {name: 0.02 * place + 0.001 * row for place, name in enumerate(DAY_CLASSES)}
            for row, kind in enumerate(KINDS)
        },
        capped_means=(0.9, 0.91, 0.92, 0.93),
        kind_scales={"crypto": (0.2, 0.1, 0.05, 0.0)},
        clip=(1e-8, 1.0),
        rv_medians=(1e-5, 1e-2),
        by_kind=records if serves else {},
        short_histories=short if serves else {},
        hyperparameters={},
        seed=1,
        seeds=(1,),
        code_version="0.1.0",
    )


def small_graph(weight: float) -> bytes:
    """Regressors times known weights, and a little of the sequence, for every horizon.

    In the form of a trained one: standardized, here by nothing, and clipped.
    """
    weights = np.zeros((len(REGRESSORS), len(HORIZONS)))
    for name, value in WEIGHTS.items():
        weights[REGRESSORS.index(name)] = weight * value / np.sqrt(HORIZONS)
    flat = weights.ravel().tolist()
    nodes = [
        helper.make_node("Sub", ["regressors", MEAN], ["centred"]),
        helper.make_node("Div", ["centred", DEVIATION], ["scaled"]),
        helper.make_node("Clip", ["scaled", "least", "most"], ["clipped"]),
        helper.make_node("MatMul", ["clipped", SLOPES], ["product"]),
        helper.make_node("Add", ["product", INTERCEPTS], ["linear"]),
        helper.make_node("ReduceMean", ["sequence", "axes"], ["of_sequence"], keepdims=0),
        helper.make_node("Mul", ["of_sequence", "tenth"], ["little"]),
        helper.make_node("Unsqueeze", ["little", "last"], ["column"]),
        helper.make_node("Add", ["linear", "column"], ["log_rv"]),
    ]
    shapes: dict[str, list[str | int | None]] = {
        "regressors": ["batch", len(REGRESSORS)],
        "sequence": ["batch", ENCODED, len(CHANNELS)],
    }
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in shapes.items()
    ]
    outputs = [helper.make_tensor_value_info("log_rv", TensorProto.FLOAT, ["batch", len(HORIZONS)])]
    constants = [
        helper.make_tensor(MEAN, TensorProto.FLOAT, [len(weights)], [0.0] * len(weights)),
        helper.make_tensor(DEVIATION, TensorProto.FLOAT, [len(weights)], [1.0] * len(weights)),
        helper.make_tensor("least", TensorProto.FLOAT, [], [-LIMIT]),
        helper.make_tensor("most", TensorProto.FLOAT, [], [LIMIT]),
        helper.make_tensor(SLOPES, TensorProto.FLOAT, list(weights.shape), flat),
        helper.make_tensor(INTERCEPTS, TensorProto.FLOAT, [len(HORIZONS)], [0.0] * len(HORIZONS)),
        helper.make_tensor("axes", TensorProto.INT64, [2], [1, 2]),
        helper.make_tensor("tenth", TensorProto.FLOAT, [1], [0.1]),
        helper.make_tensor("last", TensorProto.INT64, [1], [1]),
    ]
    graph = helper.make_graph(nodes, "small", inputs, outputs, constants)
    opset = [helper.make_opsetid("", 18)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return content


def _record(place: int, horizon: int, sessions: int = SESSIONS) -> KindRecord:
    return KindRecord(
        assets=20,
        log_har_change=-0.07 if sessions == SESSIONS else -sessions / 2_000,
        evaluation=Evaluation(
            protocol="simulated",
            refit_every=252,
            test_start=date(2015, 1, 2),
            test_end=END,
            nobs=20_000 + sessions,
            qlike_loss=0.2,
            rmse_volatility=0.01,
            mae_volatility=0.01,
            r_squared_log=0.1,
            correlation_log=0.3,
        ),
        error_size=0.4 + 0.05 * place + (SESSIONS - sessions) / 1_000,
        error_quantiles=tuple(np.linspace(-3.0, 3.0, 400).tolist()),
        coverage_observed={str(level): level for level in LEVELS},
    )


def _asset(name: str, kind: str, calendar: str) -> PanelAsset:
    return PanelAsset(
        asset=name,
        source="simulated",
        start=date(2010, 1, 4),
        end=END,
        nobs=2_500,
        missing_sessions=0,
        sha256="0" * 64,
        kind=kind,
        measure="garman_klass",
        calendar=calendar,
    )


def _reference() -> Windows:
    """Histories of a stock in New York, of 22 to 250 sessions; (20, 250) by column."""
    rng = np.random.default_rng(0)
    days = get_calendar("XNYS").sessions(np.datetime64("2015-01-02"), np.datetime64("2016-12-30"))
    shape = (20, SESSIONS)
    log_rv = rng.normal(-9.0, 0.5, shape)
    histories = {
        "rv": np.exp(log_rv),
        "return": np.exp(log_rv / 2) * rng.normal(size=shape),
        "overnight_return": 0.4 * np.exp(log_rv / 2) * rng.normal(size=shape),
        "range_ratio": rng.normal(0.0, 0.3, shape),
        DAY: np.tile(days[:SESSIONS].astype(np.float64), (shape[0], 1)),
    }
    lengths = np.linspace(MINIMUM, SESSIONS, shape[0]).astype(np.int64)
    there = np.arange(SESSIONS) >= SESSIONS - lengths[:, None]
    return {name: np.where(there, values, np.nan) for name, values in histories.items()}
