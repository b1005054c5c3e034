"""One forecast through the runtime, against what it cannot do without."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from benchmarks.timing import Result, cpu_seconds, median_seconds, slower_by, within
from models_store.forecast import ForecastInput
from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor
from models_store.predictors.network import OnnxPredictor
from models_store.shipped import shipped_artifacts
from models_store.store import Store
from models_store.universal.asset_model import bind
from models_store.universal.store import UniversalStore
from service.server import spare_the_collector
from volatility.seasonality import DAY_CLASSES
from volatility.series import DatedSeries, RealizedSeries
from volatility.trailing import SESSIONS


def run() -> Iterator[Result]:
    spare_the_collector()  # as in a running service
    store = Store(shipped_artifacts())
    rng = np.random.default_rng(0)
    yield _network(store, rng)
    yield _calendar(store, rng)
    yield _batch(store, rng)
    yield from _universal(store, rng)


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
        predictors={
            horizon: CalendarAdjustedPredictor(it, effects, "24/7", horizon)
            for horizon, it in plain.predictors.items()
        },
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


def _universal(store: Store, rng: np.random.Generator) -> Iterator[Result]:
    """The model for every asset, from 250 sessions each, and its graph alone."""
    newest, _ = UniversalStore(store.root).newest()
    assert newest is not None
    model = bind(newest, "ANY", "crypto", "24/7", "garman_klass")
    inputs = [ForecastInput(_year(rng)) for _ in range(10_000)]
    graph = newest.network
    given = {
        it.name: rng.normal(size=(1, *it.shape[1:])).astype(np.float32)
        for it in graph.session.get_inputs()
    }
    ours = median_seconds(lambda: model.forecast(inputs[0].history), 500)
    peer = median_seconds(lambda: graph.session.run(None, given), 500)
    yield within("one universal forecast, 250 sessions", ours, limit=1e-3)
    yield slower_by("one universal forecast, against InferenceSession.run", ours, peer, at_most=10)
    batch = cpu_seconds(lambda: model.forecast_batch(inputs), 3)
    alone = cpu_seconds(lambda: [graph.session.run(None, given) for _ in range(1_000)], 3)
    yield within("10,000 universal forecasts in one batch, CPU time", batch, limit=1.0)
    yield slower_by("the same, against InferenceSession.run, row by row", batch, 10 * alone, 1.0)


def _year(rng: np.random.Generator) -> DatedSeries:
    rv = np.exp(-7 + rng.standard_normal(SESSIONS))
    columns = {
        "return": np.sqrt(rv) * rng.standard_normal(SESSIONS),
        "range_ratio": 0.2 * rng.standard_normal(SESSIONS),
    }
    days = np.datetime64("2024-01-01") + np.arange(SESSIONS)
    return DatedSeries(rv, "garman_klass", days, columns=columns)


def _history(measure: str, rng: np.random.Generator) -> RealizedSeries:
    return RealizedSeries(rv=np.exp(-7 + rng.standard_normal(22)), measure=measure)
