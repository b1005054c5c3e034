"""A regression's walk-forward in one pass against the same fits one by one."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.training.simulated import asset_of, make_intraday_asset, small_config
from training.config import Config
from training.data.assets import TrainingSet
from training.data.bars_file import load_asset
from training.evaluation.study import Study, applicable
from training.evaluation.walk_forward import blocks, forecast_rv, forecast_studies
from training.evaluation.workers import worker_pool
from training.models.linear import at_once
from training.models.recipe import Recipe
from training.models.registry import LINEAR, make_recipe
from volatility.datasets import NAMES
from volatility.evaluation.tracks import ForecastTrack

NEAR = 1e-8
CONFIG = small_config()


def config(refit_every: int) -> Config:
    return replace(
        CONFIG, walk_forward=replace(CONFIG.walk_forward, linear_refit_every=refit_every)
    )


def regressions(data: TrainingSet, refit_every: int) -> tuple[Recipe, ...]:
    chosen = [make_recipe(name, config(refit_every)) for name in LINEAR]
    return applicable([it for it in chosen if at_once.can_be(it)], data.target)


def in_one_pass(
    data: TrainingSet, recipes: tuple[Recipe, ...], jobs: int = 1
) -> list[ForecastTrack]:
    (tracks,) = forecast_studies([Study(data, recipes)], worker_pool(jobs), lambda _: None)
    return list(tracks.values())


def one_by_one(data: TrainingSet, recipe: Recipe) -> np.ndarray:
    """Each block's forecasts by a fit of what is known at its cut-off, and nothing else."""
    pairs, found = data.pairs(recipe.lookback, recipe.columns), []
    for block in blocks(data, recipe.refit_every):
        known = data.until(block.cut_off)
        seen = known.target.series.rv if data.horizon == 1 else known.pairs(1).targets
        dates = pairs.target_dates
        ahead = pairs.where((dates > block.cut_off) & (dates <= block.last_target))
        found.append(forecast_rv(recipe.fit(known), ahead.windows, seen))
    return np.concatenate(found)


def test_which_recipes_are_made_at_once() -> None:
    made = {name for name in LINEAR if at_once.can_be(make_recipe(name, CONFIG))}
    assert made == set(LINEAR) - {"garch", "gjr"}


@pytest.mark.parametrize("asset", NAMES)
def test_shipped_data_give_the_same_forecasts(asset: str) -> None:
    data = TrainingSet(load_asset(asset, None, datetime.now(UTC))[0], {}, 0)
    recipes = regressions(data, refit_every=150)
    assert len(recipes) >= 12
    for recipe, track in zip(recipes, in_one_pass(data, recipes), strict=True):
        expected = one_by_one(data, recipe)
        np.testing.assert_allclose(track.forecast, expected, rtol=NEAR, err_msg=recipe.name)


@pytest.mark.parametrize("horizon", [1, 5])
def test_gaps_and_horizons_give_the_same_forecasts(horizon: int) -> None:
    asset = make_intraday_asset(nobs=800)
    missing = np.isin(np.arange(800), [300, 301, 420, 555, 799 - horizon])
    gappy = asset_of("TARGET", asset.series.part(~missing))
    data = TrainingSet(gappy, {}, 0, horizon)
    recipes = regressions(data, refit_every=22)
    assert {"hexp", "ridge", "mem", "har", "harq"} <= {recipe.name for recipe in recipes}
    for recipe, track in zip(recipes, in_one_pass(data, recipes), strict=True):
        expected = one_by_one(data, recipe)
        np.testing.assert_allclose(track.forecast, expected, rtol=NEAR, err_msg=recipe.name)


def test_any_number_of_processes_gives_the_same_bits() -> None:
    data = TrainingSet(make_intraday_asset(nobs=700), {}, 0)
    recipes = regressions(data, refit_every=22)
    for one, two in zip(in_one_pass(data, recipes), in_one_pass(data, recipes, 2), strict=True):
        assert one.model == two.model
        assert (one.forecast == two.forecast).all()
        assert (one.target_dates == two.target_dates).all()


def test_the_future_changes_no_forecast_from_bars_of_an_exchange() -> None:
    """With the night and the range, which simulated intraday bars have not."""
    asset = load_asset("SPX", None, datetime.now(UTC))[0]
    series = asset.series.tail(800)
    cut = series.dates[600]
    factor = np.where(series.dates > cut, 3.7, 1.0)
    columns = {name: values * factor for name, values in series.columns.items()}
    other = replace(series, rv=series.rv * factor, columns=columns)
    data, changed = (TrainingSet(replace(asset, series=it), {}, 0) for it in (series, other))
    recipes = tuple(make_recipe(name, CONFIG) for name in ("hexp", "ridge", "mem"))
    assert recipes[1].columns == ("overnight_return", "range_ratio", "return")
    for before, after in zip(
        in_one_pass(data, recipes), in_one_pass(changed, recipes), strict=True
    ):
        known = before.as_of <= cut
        assert known.sum() == 202  # as of sessions 399 to 600
        assert (before.forecast[known] == after.forecast[known]).all()
        assert not np.allclose(before.forecast[~known], after.forecast[~known])
