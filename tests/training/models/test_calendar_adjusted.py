"""Effects of weekdays and half days that are planted are found, and pay."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor
from tests.training.simulated import make_asset, make_seasonal_asset, small_config
from training.data.assets import AssetData, TrainingSet
from training.evaluation.study import Study, parts_of
from training.evaluation.walk_forward import forecast_studies
from training.evaluation.workers import worker_pool
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.har import har
from training.models.recipe import Fit
from training.models.registry import make_recipe
from volatility.evaluation.compare import ComparisonRow, compare
from volatility.seasonality import DAY_CLASSES

CONFIG = small_config()
CALENDAR_LOG_HAR = make_recipe("calendar_log_har", CONFIG)
WEEKEND = {"saturday": -0.6, "sunday": -0.6}
SESSION = {"monday": -0.2, "friday": 0.2, "half_day": -1.2}


def rows_of(data: TrainingSet) -> dict[str, ComparisonRow]:
    recipes = tuple(make_recipe(name, CONFIG) for name in ("har", "log_har", "calendar_log_har"))
    (tracks,) = forecast_studies([Study(data, recipes)], worker_pool(1), lambda _: None)
    comparison = compare(list(tracks.values()), parts_of(data).test, daily=data.target.series)
    return {row.model: row for row in comparison.rows}


def effects_of(fit: Fit) -> dict[str, float]:
    assert isinstance(fit.predictor, CalendarAdjustedPredictor)
    return dict(fit.predictor.effects)


@pytest.mark.parametrize("horizon", [1, 5])
def test_it_beats_log_har_where_days_differ(horizon: int) -> None:
    data = TrainingSet(make_seasonal_asset(WEEKEND, 1_200), {}, 0, horizon)
    row = rows_of(data)["calendar_log_har"]
    test = row.diebold_mariano["log_har"]
    assert test.mean_difference < 0
    # A week has all of its days wherever it begins: less is to be had there.
    assert test.pvalue < (1e-6 if horizon == 1 else 0.05)


def test_it_costs_little_where_days_do_not_differ() -> None:
    rows = rows_of(TrainingSet(make_asset(nobs=1_200), {}, 0))
    assert rows["calendar_log_har"].qlike_loss < 1.02 * rows["log_har"].qlike_loss


def test_planted_weekends_are_recovered() -> None:
    fit = CALENDAR_LOG_HAR.fit(TrainingSet(make_seasonal_asset(WEEKEND, 1_500), {}, 0))
    found = effects_of(fit)
    # The mean over a week is 0. A class has 104 of 730 sessions: its mean has a deviation of about
    # .05, and shrinkage takes a tenth.
    centred = {name: WEEKEND.get(name, 0.0) + 1.2 / 7 for name in DAY_CLASSES[:7]}
    assert found == pytest.approx(centred | {"half_day": 0.0}, abs=0.15)
    assert fit.residual_variance == pytest.approx(0.25, rel=0.1)  # as simulated


def test_half_days_of_an_exchange_are_recovered() -> None:
    data = TrainingSet(make_seasonal_asset(SESSION, 2_600, calendar="XNYS"), {}, 0)
    found = effects_of(CALENDAR_LOG_HAR.fit(data))
    assert (found["saturday"], found["sunday"]) == (0.0, 0.0)
    assert found["friday"] - found["monday"] == pytest.approx(0.4, abs=0.15)
    # Nine in 1,260 sessions, and as many of zero added: about half of what was planted.
    assert -1.0 < found["half_day"] < -0.3


def test_the_forecast_of_a_half_day_is_lower() -> None:
    asset = make_seasonal_asset(SESSION, 2_600, calendar="XNYS")
    fit = CALENDAR_LOG_HAR.fit(TrainingSet(asset, {}, 0))
    pairs = asset.pairs(22)
    half_days = np.isin(pairs.target_dates, asset.calendar.early_closes)
    assert 15 < half_days.sum() < 40
    same_rv = {**pairs.windows, "rv": np.full_like(pairs.windows["rv"], 1e-4)}
    forecasts = fit.predictor.predict(same_rv).values
    assert forecasts[half_days].max() < forecasts[~half_days].min()


def test_what_is_not_known_yet_is_not_divided_out() -> None:
    """Effects that begin with the last session change what is forecast, not what was fitted."""
    asset = make_seasonal_asset(WEEKEND, 800)
    seen = Recorder()
    CalendarAdjusted("x", seen).fit(TrainingSet(asset, {}, 0))
    rv = asset.series.rv.copy()
    rv[-1] *= 50
    changed = replace(asset, series=replace(asset.series, rv=rv))
    other = Recorder()
    CalendarAdjusted("x", other).fit(TrainingSet(changed, {}, 0))
    (before,), (after,) = seen.targets, other.targets
    np.testing.assert_array_equal(before.series.rv[:-1], after.series.rv[:-1])
    assert after.series.rv[-1] == pytest.approx(50 * before.series.rv[-1])


def test_sources_are_adjusted_for_fitting_and_named_as_they_are() -> None:
    source = make_seasonal_asset(WEEKEND, 900, seed=1, name="SOURCE")
    data = TrainingSet(make_seasonal_asset(WEEKEND, 800), {"SOURCE": source}, 0)
    seen = Recorder()
    fit = CalendarAdjusted("x", seen).fit(data)
    assert fit.sources == (source,)
    assert effects_of(fit.by_seed[1]) == effects_of(fit)
    adjusted = seen.sources_seen[0].series
    saturdays = (source.series.dates.astype(int) + 3) % 7 == 5
    late = np.arange(900) > 500
    ratio = (adjusted.rv / source.series.rv)[late & saturdays]
    assert ratio.mean() == pytest.approx(np.exp(0.6 - 1.2 / 7), rel=0.15)


def test_any_recipe_can_be_wrapped() -> None:
    wrapped = CalendarAdjusted("calendar_har", har(CONFIG))
    fit = wrapped.fit(TrainingSet(make_seasonal_asset(WEEKEND, 800), {}, 0))
    assert (fit.predictor.scale, fit.residual_variance) == ("levels", 0.0)
    assert wrapped.hyperparameters == {"lags": (1, 5, 22), "calendar_shrinkage": 10.0}
    own = (wrapped.lookback, wrapped.columns, wrapped.refit_every, wrapped.sources)
    assert own == (22, (), har(CONFIG).refit_every, ())


class Recorder:
    """A recipe that keeps what it is fitted on."""

    name, lookback, columns, refit_every = "recorder", 1, (), 22
    sources, compared_with = ("SOURCE",), None

    def __init__(self) -> None:
        self.hyperparameters: dict[str, Any] = {}
        self.targets: list[AssetData] = []
        self.sources_seen: list[AssetData] = []

    def fit(self, data: TrainingSet) -> Fit:
        self.targets.append(data.target)
        self.sources_seen += data.sources.values()
        fit = make_recipe("last_value", CONFIG).fit(data)
        return replace(fit, sources=tuple(data.sources.values()), by_seed={1: fit})
