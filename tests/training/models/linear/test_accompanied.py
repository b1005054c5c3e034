"""Regressions with companions: what they learn from one, and that its future moves nothing."""

from dataclasses import replace

import numpy as np
import pytest

from models_store.predictors.calendar_adjusted import without_calendar
from tests.simulated_panel import simulated_asset
from tests.training.simulated import small_config
from training.data.assets import AssetData, TrainingSet
from training.data.companions import with_companions
from training.evaluation.study import Study
from training.evaluation.walk_forward import forecast_studies
from training.evaluation.workers import worker_pool
from training.models.linear.accompanied import hexp_companions, regressors_of, ridge_companions
from training.models.recipe import adapted
from volatility.evaluation.tracks import ForecastTrack
from volatility.regressor_names import make_regressor
from volatility.regressors import LinearPredictor

RECIPES = (hexp_companions(small_config()), ridge_companions(small_config()))


def pair(target: str = "XNYS", beside: str = "XLON") -> tuple[AssetData, AssetData]:
    """An asset whose log rv is moved by the shock of the session before of its companion."""
    asset = simulated_asset("NEW", "stock", target, 900, seed=1)
    companion = simulated_asset("BESIDE", "index", beside, 900, seed=2)
    log_rv = with_companions(asset, [companion]).series.columns["BESIDE:log_rv"]
    moved = np.concatenate([[0.0], np.nan_to_num(log_rv[:-1] + 9.0)])
    rv = asset.series.rv * np.exp(0.6 * moved)
    return replace(asset, series=replace(asset.series, rv=rv)), companion


def tracks(asset: AssetData, horizon: int = 1) -> dict[str, ForecastTrack]:
    chosen = tuple(adapted(it, asset.series.columns) for it in RECIPES)
    study = Study(TrainingSet(asset, {}, 1, horizon), chosen)
    [found] = forecast_studies([study], worker_pool(1), lambda _: None)
    return found


def test_regressors_have_the_names_of_their_companion() -> None:
    names = regressors_of("BTC-USD")
    assert all("BTC-USD:" in it and make_regressor(it).name == it for it in names)
    assert {column for it in names for column in make_regressor(it).columns} == {
        "BTC-USD:log_rv",
        "BTC-USD:return",
    }


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda it: it.name)
def test_what_the_companion_tells_is_learned(recipe) -> None:
    asset, companion = pair()
    data = TrainingSet(with_companions(asset, [companion]), {}, 1)
    fit = adapted(recipe, data.target.series.columns).fit(data)
    inner, _ = without_calendar(fit.predictor)
    assert isinstance(inner, LinearPredictor)
    learned = {it.name: value for it, value in inner.coefficients.items()}
    assert learned["departure_0:BESIDE:log_rv"] == pytest.approx(0.6, abs=0.15)
    plain = adapted(recipe, asset.series.columns)
    alone = plain.fit(TrainingSet(asset, {}, 1))
    assert fit.residual_variance < 0.9 * alone.residual_variance


@pytest.mark.parametrize("horizon", [1, 5])
@pytest.mark.parametrize("markets", [("XNYS", "XLON"), ("XLON", "XNYS"), ("24/7", "XNYS")])
def test_what_a_companion_does_later_moves_no_forecast(
    markets: tuple[str, str], horizon: int
) -> None:
    """London after New York's close, and the other way round: not one bit."""
    asset, companion = pair(*markets)
    cut = asset.series.dates[650]
    # In London's evening New York is open: its session of the date is already too late.
    last = cut - 1 if markets == ("XLON", "XNYS") else cut
    later = companion.series.dates > last
    changed = replace(
        companion,
        series=replace(
            companion.series,
            rv=np.where(later, 1e-3, companion.series.rv),
            columns={
                name: np.where(later, 0.03, values)
                for name, values in companion.series.columns.items()
            },
        ),
    )
    before, after = (tracks(with_companions(asset, [it]), horizon) for it in (companion, changed))
    for name, track in before.items():
        known = track.as_of <= cut
        assert 150 < known.sum() < len(known)
        assert after[name].forecast[known].tobytes() == track.forecast[known].tobytes()
        assert (after[name].forecast[~known] != track.forecast[~known]).any()
