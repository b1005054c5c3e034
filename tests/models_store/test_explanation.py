"""What moved the forecasts of every shipped model: contributions that sum to each of them."""

import numpy as np
import pytest

from models_store.errors import PredictionFailed
from models_store.explanation import explanations
from models_store.forecast import Forecast, ForecastInput
from models_store.predictors.linear import LinearPredictorSpec
from models_store.shipped import shipped_artifacts
from models_store.store import Store
from models_store.universal.asset_model import bind
from models_store.universal.store import UniversalStore
from tests.models_store.artifacts import make_series
from tests.simulated_panel import simulated_asset
from volatility import datasets
from volatility.calendars import get_calendar
from volatility.contributions import Part
from volatility.series import DatedSeries, RealizedSeries, daily_series

STORE = Store(shipped_artifacts())
MODELS = [(asset, model) for asset in STORE.assets() for model in STORE.models(asset)]
_SERIES: dict[tuple[str, str, tuple[str, ...]], DatedSeries] = {}


def history_of(asset: str, measure: str, columns: tuple[str, ...]) -> DatedSeries:
    key = asset, measure, columns
    if key not in _SERIES:
        dataset = datasets.load(asset)
        calendar = get_calendar(dataset.calendar)
        _SERIES[key], _ = daily_series(dataset.bars, measure, calendar, columns)
    return _SERIES[key]


def test_an_explanation_that_fails_says_whose_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("models_store.horizon.parts_of_rv", fail)
    loaded = STORE.load("SPX", "har")
    history = history_of("SPX", loaded.manifest.measure, loaded.manifest.columns)
    with pytest.raises(PredictionFailed, match=r"^har failed to forecast: ZeroDivisionError$"):
        loaded.forecast_batch([ForecastInput(history, explain=True)])


def check_sum(forecast: Forecast) -> None:
    explanation = forecast.explanation
    total = sum(it.value for it in explanation.contributions)
    assert sum(explanation.by_group.values()) == pytest.approx(total, abs=1e-12)
    if explanation.scale == "logs":
        assert total == pytest.approx(np.log(forecast.rv), abs=1e-9)
    else:
        assert total == pytest.approx(forecast.rv, rel=1e-9)


@pytest.mark.parametrize(("asset", "model"), MODELS)
def test_contributions_sum_to_the_forecast_at_every_horizon(asset: str, model: str) -> None:
    loaded = STORE.load(asset, model)
    manifest = loaded.manifest
    history = history_of(asset, manifest.measure, manifest.columns)
    past = {it: loaded.calibrate(history, outcomes=False, horizon=it) for it in manifest.horizons}
    asked = [
        ForecastInput(history.part(slice(0, len(history) - earlier)), (), horizon, errors, (), True)
        for horizon, errors in past.items()
        for earlier in (0, 3)
    ]
    plain = loaded.forecast_batch([it._replace(explain=False) for it in asked])
    for told, silent in zip(loaded.forecast_batch(asked), plain, strict=True):
        check_sum(told)
        assert silent.explanation is None
        assert told._replace(explanation=None, warnings=()) == silent._replace(warnings=())


@pytest.mark.parametrize("asset", STORE.assets())
def test_a_combination_names_each_member_and_all_their_regressors(asset: str) -> None:
    loaded = STORE.load(asset, "combination")
    manifest = loaded.manifest
    history = history_of(asset, manifest.measure, manifest.columns)
    [forecast] = loaded.forecast_batch([ForecastInput(history, (), explain=True)])
    for member in ("hexp", "ridge", "universal"):
        own = [it for it in forecast.explanation.contributions if it.member == member]
        share = sum(it.value for it in own)
        (rv,) = forecast.diagnostics[f"rv_{member}"]
        assert share == pytest.approx(np.log(rv) / 3, abs=1e-9)
    alone = STORE.load(asset, "hexp").manifest.predictor
    assert isinstance(alone, LinearPredictorSpec)
    regressors = list(alone.regressors)
    told = [it.name for it in forecast.explanation.contributions if it.member == "hexp"]
    assert [name for name in told if name in regressors] == regressors


@pytest.mark.parametrize("model", ["shar", "harcj", "harj", "harq"])
def test_models_of_intraday_columns_say_of_a_usual_history_what_har_says(model: str) -> None:
    """All were fitted to one rv. Without jumps, which fade sooner, it is up to a seventh more."""
    baseline = {}
    for name in (model, "har"):
        loaded = STORE.load("BTC-USD-1H", name)
        history = history_of("BTC-USD-1H", loaded.manifest.measure, loaded.manifest.columns)
        [forecast] = loaded.forecast_batch([ForecastInput(history, (), explain=True)])
        baseline[name] = forecast.explanation.by_group["baseline"]
    assert baseline[model] == pytest.approx(baseline["har"], rel=0.25)


@pytest.mark.parametrize("nobs", [30, 700])
def test_the_own_scale_of_an_asset_is_a_contribution(nobs: int) -> None:
    model, _ = UniversalStore(shipped_artifacts()).newest()
    series = simulated_asset("NEW", "stock", "XNYS", 700, seed=11).series
    bound = bind(model, "NEW", "stock", "XNYS", series.measure)
    history = series.tail(nobs)
    asked = [ForecastInput(history, (), horizon, explain=True) for horizon in model.horizons]
    for forecast in bound.forecast_batch(asked):
        check_sum(forecast)
        own = {it.name: it.value for it in forecast.explanation.contributions}["own_scale"]
        assert own == forecast.calibration.log_scale
        assert (own == 0) == (nobs == 30)


def test_one_of_many_is_explained_as_alone() -> None:
    loaded = STORE.load("SPX", "hexp")
    manifest = loaded.manifest
    history = history_of("SPX", manifest.measure, manifest.columns)
    asked = [
        ForecastInput(history.part(slice(0, 1_000 + at)), (), explain=at % 3 == 1)
        for at in range(12)
    ]
    together = loaded.forecast_batch(asked)
    alone = [loaded.forecast_batch([it])[0] for it in asked]
    assert [it.explanation for it in together] == [it.explanation for it in alone]
    assert [it.explanation is not None for it in together] == [it.explain for it in asked]


def test_the_shortest_sufficient_history_is_explained_by_the_same_bits() -> None:
    loaded = STORE.load("SPX", "combination")
    manifest = loaded.manifest
    history = history_of("SPX", manifest.measure, manifest.columns)
    long = history.part(slice(0, 1_500))
    short = long.tail(loaded.required_sessions)
    one, other = (
        loaded.forecast_batch([ForecastInput(it, (), explain=True)])[0] for it in (long, short)
    )
    assert one.explanation == other.explanation


def test_a_network_says_that_it_tells_nothing() -> None:
    loaded = STORE.load("BTC-USD", "lstm")
    history = history_of("BTC-USD", loaded.manifest.measure, ())
    told, silent = loaded.forecast_batch(
        [ForecastInput(history, (), explain=explain) for explain in (True, False)]
    )
    assert [it.name for it in told.explanation.contributions] == ["network", "bias_correction"]
    assert told.warnings == (
        "a network's forecast is no sum of parts: it stands as one contribution, named network",
        *silent.warnings,
    )


def test_an_undated_history_has_no_calendar_in_it() -> None:
    loaded = STORE.load("BTC-USD", "calendar_log_har")
    rv = make_series(22).rv
    history = history_of("BTC-USD", loaded.manifest.measure, ()).tail(22)
    undated = RealizedSeries(rv, history.measure)
    [forecast] = loaded.forecast_batch([ForecastInput(undated, (), explain=True)])
    assert forecast.explanation.by_group["calendar"] == 0.0
    check_sum(forecast)


def test_clipping_is_named_where_it_changes_something() -> None:
    level = Part("constant", "level", np.array([-9.0, -9.5]))
    clipping = Part("clipping", "clipping", np.array([0.0, -0.25]))
    whole, clipped = explanations("logs", [level, clipping])
    assert [(it.name, it.value) for it in whole.contributions] == [("constant", -9.0)]
    assert [(it.name, it.value) for it in clipped.contributions] == [
        ("constant", -9.5),
        ("clipping", -0.25),
    ]
