"""One horizon of an artifact: what it may say, and what took the place of what it may not."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from models_store.forecast import ForecastInput
from models_store.horizon import HorizonModel, filled_up
from tests.models_store.artifacts import (
    CLIP,
    HAR,
    INTERCEPT,
    MEAN_RV,
    make_manifest,
    make_series,
    make_windows,
)
from volatility.evaluation.tracks import ForecastTrack
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor
from volatility.series import Bounds

SERIES = make_series()
TRACK = ForecastTrack("har", SERIES.dates[:-1], SERIES.dates[1:], np.full(399, 2e-4), SERIES.rv[1:])
MODEL = HorizonModel(
    1,
    LinearPredictor("levels", coefficients_of(HAR), INTERCEPT),
    TRACK,
    make_manifest().at(1),
    date(2021, 2, 3),
)


def test_what_it_may_say_is_what_training_saw() -> None:
    assert MODEL.bounds == Bounds(*CLIP, MEAN_RV)
    assert list(MODEL.intervals) == [0.8, 0.95]
    assert MODEL.intervals[0.95].upper == 1.0


def test_its_record_is_of_its_walk_forward_until_the_end_of_training() -> None:
    record = MODEL.record
    assert record.end == np.datetime64("2021-02-03")
    assert record.at_end.through == date(2021, 2, 3)
    np.testing.assert_allclose(record.residuals, np.log(TRACK.rv / 2e-4))


def test_a_negative_variance_and_a_clipped_forecast_are_told_apart() -> None:
    assert MODEL.in_place(MEAN_RV) == (
        "har forecast a negative variance; the mean rv seen in training, 0.0002, takes its place"
    )
    for bound in CLIP:
        assert MODEL.in_place(bound) == (
            "the forecast was clipped to the range of rv seen in training, 1e-06 to 0.01"
        )


def test_those_are_explained_that_ask_for_it() -> None:
    windows = {name: values[:3] for name, values in make_windows().items()}
    asking = ForecastInput(SERIES, explain=True)
    inputs = [ForecastInput(SERIES), asking, asking]
    found = MODEL.explain(inputs, windows)
    assert list(found) == [1, 2]
    alone = {name: values[2:3] for name, values in windows.items()}
    assert MODEL.explain([asking], alone)[0] == found[2]
    assert MODEL.explain([ForecastInput(SERIES)], alone) == {}


def test_the_own_scale_is_a_part_of_its_row() -> None:
    windows = {name: values[:3] for name, values in make_windows().items()}
    in_logs = replace(MODEL, predictor=LinearPredictor("logs", coefficients_of(HAR), -9.0))
    asking = ForecastInput(SERIES, explain=True)
    found = in_logs.explain(
        [ForecastInput(SERIES), asking, asking], windows, np.array([0.1, 0.2, 0.3])
    )
    own = {
        place: [it.value for it in said.contributions if it.name == "own_scale"]
        for place, said in found.items()
    }
    assert own == {1: [pytest.approx(0.2)], 2: [pytest.approx(0.3)]}


@pytest.mark.parametrize("count", [3, 5])
def test_what_is_not_known_stands_before_the_first(count: int) -> None:
    values = np.array([1.0, 2.0, 3.0])
    expected = [*[np.nan] * (count - 3), 1.0, 2.0, 3.0]
    np.testing.assert_array_equal(filled_up(values, count), expected)
