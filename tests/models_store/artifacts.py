"""Small real artifacts for tests: a HAR with known coefficients on simulated rv."""

from collections.abc import Mapping
from datetime import date

import numpy as np
from onnx import TensorProto, helper

from models_store import LoadedModel, Shelf, Store, artifact
from models_store.manifest import (
    Evaluation,
    HorizonRecord,
    IntervalCalibration,
    Manifest,
    TrainingData,
)
from models_store.predictors import linear
from models_store.predictors.linear import LinearPredictorSpec
from models_store.predictors.network import OnnxPredictorSpec
from volatility.arrays import Windows
from volatility.evaluation.tracks import ForecastTrack
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor
from volatility.series import DatedSeries

HAR = {"mean_1": 0.4, "mean_5": 0.3, "mean_22": 0.2}
LEVERAGE = {**HAR, "negative_mean_1:return": -1e-3}  # a loss of 1 % adds 1e-5
INTERCEPT = 1e-5
CLIP = (1e-6, 0.01)
MEAN_RV = 2e-4


def make_series(nobs: int = 400, seed: int = 0, measure: str = "garman_klass") -> DatedSeries:
    rng = np.random.default_rng(seed)
    rv = np.exp(-9 + 0.5 * rng.standard_normal(nobs))
    rv = np.clip(rv, *CLIP)
    dates = np.datetime64("2020-01-01") + np.arange(nobs)
    returns = np.sqrt(rv) * rng.standard_normal(nobs)
    return DatedSeries(rv=rv, measure=measure, dates=dates, columns={"return": returns})


def make_manifest(asset: str = "TEST", model: str = "har", **changes: object) -> Manifest:
    series = make_series()
    fields: dict[str, object] = {
        "asset": asset,
        "model": model,
        "predictor": LinearPredictorSpec(regressors=tuple(HAR)),
        "scale": "levels",
        "lookback": 22,
        "measure": series.measure,
        "calendar": "24/7",
        "periods_per_year": 365,
        "bar_interval": 86_400,
        "training": TrainingData(
            asset=asset,
            source="simulated",
            start=series.dates[0].item(),
            end=series.dates[-1].item(),
            nobs=len(series),
            missing_sessions=0,
            sha256=series.sha256,
        ),
        "residual_variance": 0.0,
        "clip": CLIP,
        "mean_rv": MEAN_RV,
        "intervals": tuple(
            IntervalCalibration(
                level=level,
                lower=-width,
                upper=width,
                calibration_nobs=250,
                coverage_observed=level,
                nobs=100,
            )
            for level, width in [(0.8, 0.5), (0.95, 1.0)]
        ),
        "evaluation": Evaluation(
            protocol="walk-forward",
            refit_every=22,
            test_start=date(2020, 7, 1),
            test_end=date(2020, 12, 31),
            nobs=100,
            qlike_loss=0.2,
            rmse_volatility=0.01,
            mae_volatility=0.01,
            r_squared_log=0.1,
            correlation_log=0.3,
        ),
        "hyperparameters": {"lags": (1, 5, 22)},
        "seed": 1,
        "code_version": "0.1.0",
    }
    return Manifest.model_validate(fields | changes)


def make_files(
    asset: str = "TEST",
    model: str = "har",
    intercept: float = INTERCEPT,
    coefficients: Mapping[str, float] = HAR,
    further: tuple[int, ...] = (),
) -> dict[str, bytes]:
    """The files of a linear artifact; another ``intercept`` makes another model.

    At each ``further`` horizon the forecast is that of the next session divided by the horizon's
    square root, and intervals are half as wide.
    """
    predictors = {
        horizon: LinearPredictor(
            "levels",
            coefficients_of({name: it / horizon**0.5 for name, it in coefficients.items()}),
            intercept / horizon**0.5,
        )
        for horizon in (1, *further)
    }
    manifest = make_manifest(
        asset,
        model,
        predictor=LinearPredictorSpec(regressors=tuple(coefficients)),
        columns=predictors[1].columns,
        horizons=tuple(predictors),
        by_horizon={horizon: make_record() for horizon in further},
    )
    windows = make_windows(manifest.columns)
    forecasts = {
        horizon: np.clip(it.predict(windows).values, *CLIP) for horizon, it in predictors.items()
    }
    return _encode(manifest, linear.write(predictors), windows, forecasts)


def make_record() -> HorizonRecord:
    """What a manifest says of a further horizon."""
    known = make_manifest().at(1)
    halved = [
        it.model_copy(update={"lower": it.lower / 2, "upper": it.upper / 2})
        for it in known.intervals
    ]
    return known.model_copy(update={"intervals": tuple(halved)})


def make_network_files(asset: str = "TEST", model: str = "regimes") -> dict[str, bytes]:
    """The files of a network that forecasts the mean log rv, and shows two weights."""
    spec = OnnxPredictorSpec(diagnostics=("weights",))
    manifest = make_manifest(
        asset, model, predictor=spec, scale="logs", residual_variance=0.1, hyperparameters={}
    )
    windows = make_windows()
    forecast = np.exp(np.log(windows["rv"]).mean(axis=-1) + 0.05)
    return _encode(manifest, make_network(spec), windows, {1: forecast})


def make_network(spec: OnnxPredictorSpec) -> bytes:
    """A graph: the mean of the window, and two weights that sum to 1.

    The first is the logistic of the newest log rv plus 9: a half where log rv is -9.
    """
    (weights,) = spec.diagnostics
    nodes = [
        helper.make_node("ReduceMean", [spec.input, "axis"], [spec.output], keepdims=0),
        helper.make_node("Gather", [spec.input, "last"], ["newest"], axis=1),
        helper.make_node("Add", ["newest", "nine"], ["moved"]),
        helper.make_node("Sigmoid", ["moved"], ["first"]),
        helper.make_node("Sub", ["one", "first"], ["second"]),
        helper.make_node("Concat", ["first", "second"], [weights], axis=1),
    ]
    inputs = [helper.make_tensor_value_info(spec.input, TensorProto.FLOAT, ["batch", 22])]
    outputs = [
        helper.make_tensor_value_info(spec.output, TensorProto.FLOAT, ["batch"]),
        helper.make_tensor_value_info(weights, TensorProto.FLOAT, ["batch", 2]),
    ]
    constants = [
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("last", TensorProto.INT64, [1], [21]),
        helper.make_tensor("nine", TensorProto.FLOAT, [1], [9.0]),
        helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0]),
    ]
    graph = helper.make_graph(nodes, "regimes", inputs, outputs, constants)
    opset = [helper.make_opsetid("", 18)]
    content: bytes = helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()
    return content


def make_windows(columns: tuple[str, ...] = ()) -> Windows:
    """Windows of :func:`make_series`, 22 sessions each."""
    series = make_series()
    values = {"rv": series.rv} | {name: series.columns[name] for name in columns}
    view = np.lib.stride_tricks.sliding_window_view
    return {name: view(part, 22).copy() for name, part in values.items()}


def _encode(
    manifest: Manifest,
    model_file: bytes,
    windows: Windows,
    forecasts: Mapping[int, np.ndarray],
) -> dict[str, bytes]:
    reference = {name: rows[-8:] for name, rows in windows.items()}
    tracks = {horizon: _track(manifest.model, it, horizon) for horizon, it in forecasts.items()}
    newest = {horizon: it[-8:] for horizon, it in forecasts.items()}
    return artifact.encode(manifest, model_file, tracks, reference, newest)


def _track(model: str, forecast: np.ndarray, horizon: int) -> ForecastTrack:
    """Forecasts of every window of :func:`make_series` that is followed by so many sessions."""
    series = make_series()
    ahead = np.lib.stride_tricks.sliding_window_view(series.rv[22:], horizon).mean(axis=1)
    last = len(series) - horizon
    return ForecastTrack(
        model=model,
        as_of=series.dates[21:last],
        target_dates=series.dates[22 : last + 1],
        forecast=forecast[:-horizon],
        rv=ahead,
        horizon=horizon,
    )


def flip_byte(content: bytes, position: int) -> bytes:
    """``content`` with one bit of one byte inverted."""
    position %= len(content)
    return content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]


def verified(store: Store) -> Shelf:
    """What serves of a store, once all of it is known."""
    shelf = Shelf(store)
    shelf.verify()
    return shelf


def opened(shelf: Shelf, asset: str, model: str) -> LoadedModel:
    """A model that is in service."""
    found = shelf.open(asset, model)
    assert found is not None
    return found
