"""Parts of a forecast, whatever the kind of its predictor."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor
from models_store.predictors.combination import CombinedPredictor, Member
from models_store.predictors.explaining import parts_of, parts_of_rv
from models_store.predictors.predictor import Predictor
from volatility.arrays import Prediction, Scale, Windows
from volatility.contributions import Part
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor
from volatility.seasonality import DAY_CLASSES
from volatility.series import Bounds, to_rv

MEAN = 1e-4
BOUNDS = Bounds(1e-6, 1e-2, MEAN)
IN_LOGS = LinearPredictor("logs", coefficients_of({"mean_1": 0.5}), -4.0)
IN_LEVELS = LinearPredictor("levels", coefficients_of({"mean_1": 0.5}), 1e-5)
FRIDAY = np.datetime64("2020-11-20").astype(np.float64)
EFFECTS = dict.fromkeys(DAY_CLASSES, 0.0) | {"monday": np.log(0.5), "friday": np.log(2.0)}


def window(*rv: float) -> Windows:
    """One row a value, each of a Friday."""
    values = np.array(rv)[:, None]
    return {"rv": values, "day": np.full(values.shape, FRIDAY)}


def total(parts: Sequence[Part]) -> np.ndarray:
    return np.sum([part.added for part in parts], axis=0)


def named(parts: Sequence[Part]) -> dict[str, float]:
    return {part.name: part.added.item() for part in parts}


def adjusted(inner: LinearPredictor) -> CalendarAdjustedPredictor:
    return CalendarAdjustedPredictor(inner, EFFECTS, "XNYS", 1)


@pytest.mark.parametrize("inner", [IN_LOGS, IN_LEVELS], ids=["logs", "levels"])
def test_the_calendar_is_a_part(inner: LinearPredictor) -> None:
    predictor, given = adjusted(inner), window(4e-4, 1e-5)
    parts = parts_of(predictor, given, MEAN)
    np.testing.assert_allclose(total(parts), predictor.predict(given).values, rtol=1e-14)
    calendar = {part.name: part.added for part in parts}["calendar"]
    # A Monday follows, which halves: of logs log(1/2), of levels half of what it says without.
    without = inner.predict({"rv": given["rv"] / 2}).values
    expected = np.full(2, np.log(0.5)) if inner is IN_LOGS else -without / 2
    np.testing.assert_allclose(calendar, expected, rtol=1e-14)


def test_half_of_the_residual_variance_moves_logs_to_the_mean() -> None:
    parts = named(parts_of_rv(IN_LOGS, window(4e-4), 0.6, BOUNDS))
    assert parts["bias_correction"] == 0.3
    assert "clipping" not in parts
    assert sum(parts.values()) == pytest.approx(-4 + 0.5 * np.log(4e-4) + 0.3, abs=1e-12)


def test_what_training_never_saw_is_clipped_and_the_clipping_is_a_part() -> None:
    high = LinearPredictor("logs", coefficients_of({"mean_1": 1.0}), 2.0)
    given = window(1e-4, 5e-3)
    parts = parts_of_rv(high, given, 0.0, BOUNDS)
    [clipping] = [part.added for part in parts if part.name == "clipping"]
    np.testing.assert_allclose(clipping, [0.0, np.log(1e-2 / 5e-3) - 2.0], atol=1e-14)
    np.testing.assert_allclose(total(parts), np.log([1e-4 * np.exp(2), 1e-2]), rtol=1e-14)


def test_a_negative_variance_is_replaced_by_the_mean_and_the_parts_sum_to_it() -> None:
    falling = LinearPredictor("levels", coefficients_of({"mean_1": -1.0}), 1e-5)
    parts = named(parts_of_rv(falling, window(4e-4), 0.0, BOUNDS))
    assert parts["clipping"] == pytest.approx(1e-4 - (1e-5 - 4e-4))
    assert sum(parts.values()) == pytest.approx(MEAN, rel=1e-12)


def test_a_combination_tells_each_member_s_parts_by_its_share() -> None:
    members = [
        Member("one", adjusted(IN_LOGS), 0.6, BOUNDS),
        Member("other", IN_LEVELS, 0.0, BOUNDS),
    ]
    combined, given = CombinedPredictor(members), window(4e-4)
    parts = parts_of(combined, given, MEAN)
    np.testing.assert_allclose(total(parts), combined.predict(given).values, rtol=1e-14)
    alone = named(parts_of_rv(members[0].predictor, given, 0.6, BOUNDS))
    of_one = named([part for part in parts if part.member == "one"])
    assert of_one == pytest.approx({name: value / 2 for name, value in alone.items()})
    # The parts of a sum of variances are no logs: the member is one part.
    [whole] = [part for part in parts if part.member == "other"]
    rv = to_rv(IN_LEVELS.predict(given).values, "levels", 0.0, BOUNDS)[0]
    assert whole.added == pytest.approx(np.log(rv) / 2)


@dataclass(frozen=True)
class Oracle:
    """A kind that does not tell what its forecasts are made of, and counts them."""

    asked: list[int] = field(default_factory=list)  # rows, by prediction
    scale: Scale = "logs"
    lookback: int = 1
    columns: tuple[str, ...] = ()
    kind: ClassVar[str] = "oracle"
    vectorized: ClassVar[bool] = True
    dated: ClassVar[bool] = False

    def predict(self, windows: Windows) -> Prediction:
        self.asked.append(len(windows["rv"]))
        rv = windows["rv"][:, -1]
        return Prediction(np.log(rv) if self.scale == "logs" else rv, {})


def test_a_kind_that_tells_nothing_is_one_part() -> None:
    oracle: Predictor = Oracle()
    [whole] = parts_of(oracle, window(4e-4), MEAN)
    assert (whole.name, whole.group) == ("whole", "other")
    assert whole.added.item() == pytest.approx(np.log(4e-4))


@pytest.mark.parametrize("scale", ["logs", "levels"])
def test_what_is_explained_is_predicted_once(scale: Scale) -> None:
    """Of a combination each member is, whatever stands around it."""
    oracle = Oracle(scale=scale)
    around = CalendarAdjustedPredictor(oracle, EFFECTS, "XNYS", 1)
    parts_of_rv(around, window(4e-4, 1e-5), 0.0, BOUNDS)
    assert oracle.asked == [2]
    combined = CombinedPredictor([Member("one", around, 0.0, BOUNDS)])
    parts_of_rv(combined, window(4e-4, 1e-5), 0.0, BOUNDS)
    assert oracle.asked == [2, 2]
