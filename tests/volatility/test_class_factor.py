"""What others say of an asset: by hand, and nothing that came later."""

from dataclasses import replace

import numpy as np
import pytest

from tests.simulated_panel import simulated_asset, simulated_panel
from volatility.calendars import get_calendar
from volatility.class_factor import (
    CLASS_REGRESSORS,
    INDEX_REGRESSORS,
    Told,
    class_regressors,
    index_regressors,
    signals,
)
from volatility.seasonality import day_classes, rolling_calendar_effects
from volatility.trailing import exponential_weights

XNYS = get_calendar("XNYS")


def told(asset):
    return Told(signals(asset.series, asset.calendar), asset.series.dates, asset.calendar)


def test_signals_by_hand() -> None:
    asset = simulated_panel()[0]
    series, at = asset.series, 400
    found = signals(series, XNYS)
    classes = day_classes(series.dates, XNYS)
    effects = rolling_calendar_effects(series.log_rv, classes, 1260)
    calm = series.log_rv - effects[np.arange(len(series)), classes]
    window = slice(at - 249, at + 1)
    slow, quick = exponential_weights(125.0, 250), exponential_weights(25.0, 250)
    level = calm[window] @ slow / slow.sum()
    assert found.level[at] == pytest.approx(level, rel=1e-12)
    assert found.departure[at] == pytest.approx(calm[at] - level, rel=1e-10)
    square = series.column("return")[window] ** 2 @ quick / quick.sum()
    assert found.shock[at] == pytest.approx(series.column("return")[at] / square**0.5, rel=1e-10)
    assert np.isnan(found.departure[:21]).all()
    assert not np.isnan(found.departure[21:]).any()


def test_the_factor_is_the_mean_over_those_that_were_known() -> None:
    one, other, asset = simulated_panel()[:3]
    others = [told(one), told(other)]
    dates = asset.series.dates
    found = dict(zip(CLASS_REGRESSORS, class_regressors(dates, XNYS, others).T, strict=True))
    departures = [it.signals.departure for it in others]
    assert found["class_1"][21:] == pytest.approx(np.mean(departures, axis=0)[21:])
    shocks = np.mean([it.signals.shock for it in others], axis=0)
    assert found["class_return"][21:] == pytest.approx(shocks[21:])
    assert (found["class_fall"][21:] == np.minimum(found["class_return"], 0)[21:]).all()
    weights = exponential_weights(5.0, 250)
    seen = found["class_1"][151:401]
    assert found["class_5"][400] == pytest.approx(seen @ weights / weights.sum(), rel=1e-10)
    alone = class_regressors(dates, XNYS, others[:1])[:, 0]
    assert np.array_equal(alone, departures[0], equal_nan=True)
    assert np.isnan(class_regressors(dates, XNYS, [])).all()


def test_london_tells_new_york_of_the_same_day_and_not_the_other_way_round() -> None:
    london = simulated_asset("UKX", "index", "XLON", 100, seed=4)
    new_york = simulated_asset("SPX", "index", "XNYS", 100, seed=5)
    shared = np.intersect1d(london.series.dates, new_york.series.dates)[40:60]
    for asset, other, back in ((new_york, london, 0), (london, new_york, 1)):
        found = class_regressors(shared, asset.calendar, [told(other)])[:, 0]
        at = np.searchsorted(other.series.dates, shared) - back
        assert (found == signals(other.series, other.calendar).departure[at]).all()


def test_an_index_by_hand() -> None:
    rng = np.random.default_rng(0)
    log_rv, level = rng.normal(-9, 0.3, 300), rng.normal(-10, 0.1, 300)
    found = dict(zip(INDEX_REGRESSORS, index_regressors(log_rv, level).T, strict=True))
    weights = exponential_weights(125.0, 250)
    slow = log_rv[50:] @ weights / weights.sum()
    assert found["index"][-1] == pytest.approx(log_rv[-1] - slow)
    assert found["index_change_1"][-1] == log_rv[-1] - log_rv[-2]
    assert found["index_change_5"][-1] == log_rv[-1] - log_rv[-6]
    assert found["index_premium"][-1] == log_rv[-1] - level[-1]
    assert np.isnan(index_regressors(np.full(3, np.nan), level[:3])).all()


def test_the_future_moves_nothing() -> None:
    """Prefix invariance, to the last bit, of signals and of what others make of them."""
    asset, *others = simulated_panel()
    cut = np.datetime64("2019-06-28")
    changed = [
        replace(
            it,
            series=replace(it.series, rv=np.where(it.series.dates > cut, 1.0, it.series.rv)),
        )
        for it in others
    ]
    cut_off = [it.until(cut) for it in others]
    dates = asset.series.dates
    whole, other, early = (
        class_regressors(dates[dates <= cut] if panel is cut_off else dates, XNYS, made)
        for panel in (others, changed, cut_off)
        for made in ([told(it) for it in panel],)
    )
    known = int((dates <= cut).sum())
    assert whole[:known].tobytes() == other[:known].tobytes() == early.tobytes()
    assert not np.array_equal(whole[known:], other[known:], equal_nan=True)
