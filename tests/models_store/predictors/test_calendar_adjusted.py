from collections.abc import Mapping

import numpy as np
import pytest
from pydantic import ValidationError

from models_store.predictors.calendar_adjusted import (
    CalendarAdjustedPredictor,
    without_calendar,
)
from tests.models_store.artifacts import make_manifest
from volatility.arrays import Scale, Windows
from volatility.errors import OutsideCalendar
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor
from volatility.seasonality import DAY_CLASSES

# A Monday halves variance, a Friday doubles it, a half day takes nine tenths of it.
EFFECTS = dict.fromkeys(DAY_CLASSES, 0.0) | {
    "monday": np.log(0.5),
    "friday": np.log(2.0),
    "half_day": np.log(0.1),
}


def adjusted(
    scale: Scale = "levels",
    calendar: str = "XNYS",
    horizon: int = 1,
    effects: Mapping[str, float] = EFFECTS,
) -> CalendarAdjustedPredictor:
    """Twice the last rv in levels, and as much in logs."""
    inner = (
        LinearPredictor("levels", coefficients_of({"mean_1": 2.0}))
        if scale == "levels"
        else LinearPredictor("logs", coefficients_of({"mean_1": 1.0}), np.log(2.0))
    )
    return CalendarAdjustedPredictor(inner, effects, calendar, horizon)


def window(*dates: str, rv: float = 4e-4) -> Windows:
    """One row a date, each a window of that session alone."""
    days = np.array(dates, "datetime64[D]").astype(np.float64)[:, None]
    return {"rv": np.full(days.shape, rv), "day": days}


def test_forecasts_by_hand() -> None:
    # 2020-11-20 is a Friday, whose variance counts half; a Monday follows, which halves it again:
    # 2 * 4e-4 / 2 / 2. The Wednesday before Thanksgiving is as it is; a half day follows, of a
    # tenth.
    windows = window("2020-11-20", "2020-11-25", "2020-11-27")
    found = adjusted().predict(windows).values
    # After the half day, ten times what it was, another Monday.
    np.testing.assert_allclose(found, [2e-4, 8e-5, 8e-4 * 10 / 2], rtol=1e-14)


def test_logs_say_the_same_as_levels() -> None:
    windows = window("2020-11-20", "2020-11-25", "2020-11-27", "2020-12-01")
    for horizon in (1, 5, 22):
        levels = adjusted("levels", horizon=horizon).predict(windows).values
        logs = adjusted("logs", horizon=horizon).predict(windows).values
        np.testing.assert_allclose(np.exp(logs), levels, rtol=1e-13)


def test_several_sessions_ahead_have_their_mean_effect() -> None:
    # After Thursday, 19 November: Friday, Monday, Tuesday, Wednesday, and the half day, since the
    # 26th is a holiday: (2 + 0.5 + 1 + 1 + 0.1) / 5.
    (found,) = adjusted(horizon=5).predict(window("2020-11-19")).values
    assert found == pytest.approx(8e-4 * 4.6 / 5, rel=1e-14)
    # A market that never closes has a Saturday and a Sunday in between, and no half days.
    (found,) = adjusted(calendar="24/7", horizon=5).predict(window("2020-11-19")).values
    assert found == pytest.approx(8e-4 * (2 + 1 + 1 + 0.5 + 1) / 5, rel=1e-14)


def test_without_a_date_there_is_no_effect() -> None:
    windows = {"rv": np.full((3, 1), 4e-4), "day": np.array([[np.nan], [18586.0], [np.nan]])}
    undated, friday, other = adjusted().predict(windows).values
    assert undated == other == 8e-4
    assert friday == adjusted().predict(window("2020-11-20")).values.item()
    nothing = {"rv": np.full((2, 1), 4e-4), "day": np.full((2, 1), np.nan)}
    np.testing.assert_array_equal(adjusted("levels").predict(nothing).values, [8e-4, 8e-4])


@pytest.mark.parametrize("scale", ["levels", "logs"])
@pytest.mark.parametrize("horizon", [1, 5, 22])
def test_a_batch_is_its_rows_to_the_last_bit(scale: Scale, horizon: int) -> None:
    rng = np.random.default_rng(5)
    days = np.datetime64("2018-01-01") + np.arange(700)
    effects = dict(zip(DAY_CLASSES, rng.normal(0, 0.3, 8).tolist(), strict=True))
    inner = LinearPredictor(scale, coefficients_of({"mean_1": 0.3, "mean_5": 0.4, "mean_22": 0.2}))
    predictor = CalendarAdjustedPredictor(inner, effects, "24/7", horizon)
    view = np.lib.stride_tricks.sliding_window_view
    windows = {
        "rv": view(rng.lognormal(-9, 1, 700), 22),
        "day": view(days.astype(np.float64), 22),
    }
    together = predictor.predict(windows).values
    alone = [
        predictor.predict({name: rows[at : at + 1] for name, rows in windows.items()}).values.item()
        for at in range(len(together))
    ]
    assert together.tolist() == alone


def test_the_end_of_a_calendar_is_an_error_of_ours() -> None:
    with pytest.raises(OutsideCalendar, match="covers"):
        adjusted().predict(window("1980-01-02"))


def test_it_is_what_it_wraps_apart_from_the_calendar() -> None:
    predictor = adjusted("logs")
    inner, effects = without_calendar(predictor)
    assert (inner, effects) == (predictor.inner, EFFECTS)
    assert without_calendar(inner) == (inner, None)
    for name in ("kind", "scale", "lookback", "columns", "vectorized"):
        assert getattr(predictor, name) == getattr(inner, name)


@pytest.mark.parametrize(
    "effects",
    [{"monday": 0.1}, EFFECTS | {"holiday": 0.1}, EFFECTS | {"monday": np.nan}],
    ids=["missing", "unknown", "not finite"],
)
def test_a_manifest_has_one_finite_effect_for_each_class(effects: dict[str, float]) -> None:
    assert make_manifest(calendar_effects=EFFECTS).calendar_effects == EFFECTS
    assert make_manifest().calendar_effects is None
    with pytest.raises(ValidationError, match="calendar_effects"):
        make_manifest(calendar_effects=effects)
