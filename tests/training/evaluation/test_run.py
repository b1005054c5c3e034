from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.training.evaluation.studies import NOBS, results
from tests.training.simulated import make_asset, small_config
from training.data.assets import TrainingSet
from training.evaluation import run
from training.evaluation.study import Study
from training.evaluation.walk_forward import count_fits, forecast_studies
from training.models.registry import recipes
from volatility.errors import MisalignedForecasts
from volatility.evaluation.compare import compare
from volatility.evaluation.tracks import ForecastTrack


def test_models_are_scored_on_the_third_quarter_and_on_the_last() -> None:
    first, ahead, *_ = results()
    dates = first.study.data.target.series.dates
    assert set(first.comparisons) == {"test", "selection"}
    test = NOBS - NOBS // 4
    assert first.comparisons["selection"].span == (dates[NOBS // 2], dates[test - 1])
    assert first.comparisons["test"].span == (dates[-(NOBS // 4)], dates[-1])
    assert first.comparisons["test"].nobs == NOBS // 4
    # The last target of five sessions begins on the fifth session from the end.
    assert ahead.comparisons["test"].span == (dates[-(NOBS // 4)], dates[-5])
    assert ahead.comparisons["test"].horizon == 5
    # And the last by which models are chosen ends before the test part begins.
    assert ahead.comparisons["selection"].span == (dates[NOBS // 2], dates[test - 5])


def test_the_scores_are_those_of_the_tracks() -> None:
    for result in results():
        daily = result.study.data.target.series
        dates = daily.dates
        for comparison in result.comparisons.values():
            first, last = comparison.span
            until = [track.between(dates[0], last + 1) for track in result.tracks.values()]
            assert comparison == compare(until, first, daily=daily)
            lags = {row.model: row.information_lag for row in comparison.rows}
            assert set(lags.values()) <= {1, None}
            assert lags["har"] == 1


def test_progress_counts_every_fit() -> None:
    chosen = tuple(recipes(["ewma"], small_config()))
    study = Study(TrainingSet(make_asset(nobs=500), {}, seed=7), chosen)
    told: Counter[int] = Counter()
    run.evaluate([study], 1, lambda recipe: told.update([recipe.refit_every]))
    assert told == count_fits([study]) == {22: 5 * 12}  # 5 models, 250 sessions


@pytest.fixture
def one_day_late(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let one model's forecasts stand a day late."""

    def make(model: str) -> None:
        def late(*arguments: Any) -> list[dict[str, ForecastTrack]]:
            (tracks,) = forecast_studies(*arguments)
            track = replace(tracks[model], forecast=np.roll(tracks[model].forecast, 1))
            return [tracks | {model: track}]

        monkeypatch.setattr(run, "forecast_studies", late)

    return make


@pytest.mark.parametrize("horizon", [1, 5])
def test_a_model_that_is_a_day_late_is_left_out_alone(
    one_day_late: Callable[[str], None], horizon: int
) -> None:
    one_day_late("last_value")
    chosen = tuple(recipes(["har"], small_config()))
    data = TrainingSet(make_asset(nobs=900), {}, seed=7, horizon=horizon)
    (result,) = run.evaluate([Study(data, chosen)], 1)
    assert set(result.comparisons["test"].left_out) == {"last_value"}
    assert set(result.tracks) == {"har", "log_har", "calendar_log_har"}
    for comparison in result.comparisons.values():
        assert {row.model for row in comparison.rows} == set(result.tracks)


def test_without_har_there_is_nothing_to_compare_with(
    one_day_late: Callable[[str], None],
) -> None:
    one_day_late("har")
    chosen = tuple(recipes(["har"], small_config()))
    data = TrainingSet(make_asset(nobs=900), {}, seed=7)
    with pytest.raises(MisalignedForecasts, match="har follows the news of 2 sessions"):
        run.evaluate([Study(data, chosen)], 1)
