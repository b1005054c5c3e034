from dataclasses import replace

import numpy as np
import pytest

from tests.errors import details
from tests.training.simulated import (
    asset_of,
    make_asset,
    make_companion,
    make_intraday_asset,
    make_training_set,
    small_config,
)
from training.data.assets import AssetData, TrainingSet
from training.data.companions import with_companions
from training.evaluation.study import applicable, check_history, obstacle, parts_of
from training.models.registry import LINEAR, NEURAL, recipes
from volatility.companions import companions_in
from volatility.errors import HistoryTooShort, TooFewObservations


def test_parts_are_the_third_and_the_last_quarter() -> None:
    asset = make_asset(nobs=602)
    parts = parts_of(TrainingSet(asset, {}, seed=1))
    assert (asset.series.dates >= parts.selection).sum() == 301
    assert (asset.series.dates >= parts.test).sum() == 150
    assert parts.selection_end == parts.test


def test_no_target_of_several_sessions_reaches_from_selection_into_test() -> None:
    asset = make_asset(nobs=602)
    parts = parts_of(TrainingSet(asset, {}, seed=1, horizon=5))
    dates = asset.series.dates.tolist()
    assert dates.index(parts.test.item()) - dates.index(parts.selection_end.item()) == 4


def test_nothing_is_transferred_from_an_asset_to_itself() -> None:
    (*_, transfer) = recipes(["transfer"], small_config())
    assert transfer.name == "transfer"
    assert obstacle(transfer, make_asset("SOURCE")) == "SOURCE is what it learns from"
    assert applicable([transfer], make_asset("SOURCE")) == ()
    assert applicable([transfer], make_asset("OTHER")) == (transfer,)


def test_a_model_needs_the_columns_it_sees() -> None:
    chosen = recipes([*LINEAR, *NEURAL], small_config())
    everything = with_companions(make_intraday_asset(), [make_companion()])
    assert [it.name for it in applicable(chosen, everything)] == [it.name for it in chosen]
    bare = make_asset()
    assert all(not recipe.columns for recipe in applicable(chosen, bare))
    needy = replace(chosen[0], columns=("jump", "return"))  # type: ignore[type-var]
    assert obstacle(needy, bare) == "its bars give no jump, return"
    assert obstacle(needy, everything) is None


def test_companions_must_be_given_and_known_for_long_enough() -> None:
    [recipe] = [it for it in recipes(["hexp_companions"], small_config()) if it.columns][-1:]
    asset = make_intraday_asset()
    assert "--companion NAME=FILE" in obstacle(recipe, asset)
    companion = make_companion()
    assert obstacle(recipe, with_companions(asset, [companion])) is None
    # Of 600 sessions the first 300 have 50 windows of 250, the last of which has half of a
    # companion that begins 126 sessions before; then one whose last 150 have none.
    late = replace(companion, series=companion.series.part(slice(31 + 126, None)))
    assert "BESIDE is known before only" in obstacle(recipe, with_companions(asset, [late]))
    ended = replace(companion, series=companion.series.until(np.datetime64("2016-03-01")))
    assert "only 0 targets" in obstacle(recipe, with_companions(asset, [ended]))
    [made] = applicable([recipe], with_companions(asset, [companion, make_companion("OTHER")]))
    assert companions_in(made.columns) == ("BESIDE", "OTHER")
    assert made.hyperparameters["companions"] == "BESIDE OTHER"


@pytest.fixture
def briefly_accompanied() -> AssetData:
    """Of its last 300 targets 117 have a companion: 300 to 304, and 396 to 507."""
    companion = make_companion()
    sessions = np.arange(len(companion.series)) - 31  # of the asset
    held = (sessions < 300) | ((sessions >= 395) & (sessions < 503))
    series = companion.series.part(held)
    return with_companions(make_intraday_asset(), [replace(companion, series=series)])


def test_companions_are_known_before_errors_enough_at_every_horizon(
    briefly_accompanied: AssetData,
) -> None:
    """Before any fit: it would be found when all are done, and nothing can be calibrated."""
    [recipe] = [it for it in recipes(["hexp_companions"], small_config()) if it.columns][-1:]
    assert obstacle(recipe, briefly_accompanied) is None
    why = "BESIDE is known before only 117 targets of the last half, 22 sessions ahead; needed: 122"
    assert obstacle(recipe, briefly_accompanied, (1, 22)) == why
    assert applicable([recipe], briefly_accompanied, (1, 22)) == ()
    assert len(applicable([recipe], briefly_accompanied, (1, 17))) == 1


def test_too_short_a_history_is_refused() -> None:
    with pytest.raises(HistoryTooShort, match=r"TARGET has 499 sessions; .* needs 500"):
        check_history(make_training_set(nobs=499))
    check_history(make_training_set(nobs=500))


def test_a_part_without_enough_targets_is_refused() -> None:
    data = make_training_set(nobs=600)
    with pytest.raises(TooFewObservations, match="in one part of them only 18;"):
        check_history(replace(data, horizon=133))
    with pytest.raises(TooFewObservations, match="600 sessions 0 follow"):
        check_history(replace(data, horizon=600))
    check_history(replace(data, horizon=22))


def test_gaps_count_against_the_horizon() -> None:
    asset = make_asset(nobs=800)
    rows = np.arange(800)
    gappy = asset_of(
        "TARGET",
        replace(
            asset.series,
            rv=asset.series.rv[rows % 20 != 0],
            dates=asset.series.dates[rows % 20 != 0],
        ),
    )
    data = TrainingSet(gappy, {}, seed=1)
    check_history(replace(data, horizon=5))
    with pytest.raises(TooFewObservations, match=r"0 follow directly .* begin 22 without a gap"):
        check_history(replace(data, horizon=22))


@pytest.mark.parametrize(("last_step", "enough"), [(2, False), (1, True)])
def test_a_last_half_too_short_for_an_interval_is_refused(last_step: int, enough: bool) -> None:
    """Before any fit: it would be found when all are done, and nothing can be calibrated."""
    # In the last half one session of three follows directly on the one before: 100 of 300.
    steps = np.array([1] * 300 + [2, 1, 2] * 100)
    steps[-1] = last_step
    series = make_asset(nobs=600).series
    gappy = replace(series, dates=np.datetime64("2015-01-01") + np.cumsum(steps))
    data = TrainingSet(asset_of("TARGET", gappy), {}, seed=1)
    if enough:
        check_history(data)
    else:
        with pytest.raises(TooFewObservations, match=r"only 100; an interval .* needs 101") as few:
            check_history(data)
        needed = "at least 101 sessions without a gap before them in the last half"
        assert details(few.value) == ("bars", 100, needed)
