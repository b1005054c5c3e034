"""One forecast through the runtime, against what it cannot do without."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.timing import Result, median_seconds, slower_by, within
from models_store.forecast import ForecastInput
from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor
from models_store.predictors.network import OnnxPredictor
from models_store.shipped import shipped_artifacts
from models_store.store import Store
from service.server import spare_the_collector
from volatility.seasonality import DAY_CLASSES
from volatility.series import DatedSeries, RealizedSeries


def run() -> Iterator[Result]:
    spare_the_collector()  # as in a running service
    store = Store(shipped_artifacts())
    rng = np.random.default_rng(0)
    yield _network(store, rng)
    yield _calendar(store, rng)
    yield _batch(store, rng)


def _network(store: Store, rng: np.random.Generator) -> Result:
    model = store.load("BTC-USD", "lstm")
    predictor = model.predictors[1]
    assert isinstance(predictor, OnnxPredictor)
    history = _history(model.manifest.measure, rng)
    row = np.log(history.rv[None, -20:]).astype(np.float32)
    session, names, given = predictor.session, predictor.outputs, predictor.input
    ours = median_seconds(lambda: model.forecast(history), 2000)
    peer = median_seconds(lambda: session.run(names, {given: row}), 2000)
    return slower_by("one LSTM forecast, against InferenceSession.run", ours, peer, at_most=1.5)


def _calendar(store: Store, rng: np.random.Generator) -> Result:
    plain = store.load("BTC-USD", "log_har")
    effects = dict(zip(DAY_CLASSES, rng.normal(0, 0.2, len(DAY_CLASSES)).tolist(), strict=True))
    knowing = replace(
        plain,
        manifest=plain.manifest.model_copy(update={"calendar_effects": effects}),
        predictors={1: CalendarAdjustedPredictor(plain.predictors[1], effects, "24/7", horizon=1)},
    )
    history = _history(plain.manifest.measure, rng)
    days = np.datetime64(plain.manifest.training.end) - np.arange(len(history))[::-1]
    dated = DatedSeries(history.rv, history.measure, days)
    ours = median_seconds(lambda: knowing.forecast(dated), 2000)
    peer = median_seconds(lambda: plain.forecast(dated), 2000)
    return slower_by("one forecast that knows the calendar, against log-HAR", ours, peer, 2)


def _batch(store: Store, rng: np.random.Generator) -> Result:
    model = store.load("BTC-USD", "log_har")
    inputs = [ForecastInput(_history(model.manifest.measure, rng)) for _ in range(10_000)]
    ours = median_seconds(lambda: model.forecast_batch(inputs), 5, warm_up=1)
    return within("10,000 log-HAR forecasts in one batch, within 100 ms", ours, limit=0.1)


def _history(measure: str, rng: np.random.Generator) -> RealizedSeries:
    return RealizedSeries(rv=np.exp(-7 + rng.standard_normal(22)), measure=measure)
