import numpy as np
import pandas as pd
import pytest

import roughcast
from tests.service.worlds import NOW
from volatility.errors import InvalidBars, InvalidInput, UnknownMeasure


def test_daily_bars_are_measured_by_garman_klass(bars: pd.DataFrame, rv: pd.Series) -> None:
    last = np.log(bars.iloc[-1])
    expected = 0.5 * (last["high"] - last["low"]) ** 2
    expected -= (2 * np.log(2) - 1) * (last["close"] - last["open"]) ** 2
    assert rv.iloc[-1] == pytest.approx(expected, rel=1e-12)
    assert (rv.name, rv.index.name, rv.index[-1]) == ("garman_klass", "date", bars.index[-1])
    assert (rv.attrs["calendar"], rv.attrs["kind"]) == ("24/7", "crypto")
    assert rv.attrs["warnings"][0].startswith("calendar 24/7 and kind crypto are inferred")


def test_another_measure_and_what_is_said_of_an_asset_count(bars: pd.DataFrame) -> None:
    said = roughcast.measure(bars, "parkinson", calendar="24/7", kind="fx")
    last = np.log(bars.iloc[-1])
    assert said.iloc[-1] == pytest.approx((last["high"] - last["low"]) ** 2 / (4 * np.log(2)))
    assert said.attrs["kind"] == "fx"
    assert not any("inferred" in it for it in said.attrs["warnings"])


def test_bars_within_a_day_become_one_value_a_session() -> None:
    hours = roughcast.dataset("BTC-USD-1H").loc["2018-01-08":"2018-01-10"]
    hours.attrs = {}  # the first day has no close before it, and is left out
    rv = roughcast.measure(hours, calendar="24/7")
    assert (rv.name, len(rv)) == ("realized_variance", 2)
    returns = np.diff(np.log(np.append(hours["open"].iloc[24], hours["close"].iloc[24:48])))
    assert rv.iloc[0] == pytest.approx(np.sum(returns**2), rel=1e-12)


def test_weekdays_do_not_tell_the_hours_of_an_exchange() -> None:
    hours = roughcast.dataset("BTC-USD-1H").loc["2018-01-08":"2018-01-11"]
    hours.attrs = {}
    with pytest.raises(InvalidInput) as refused:
        roughcast.measure(hours)
    assert (refused.value.code, refused.value.field) == ("calendar_needed", "calendar")
    assert len(roughcast.measure(hours, calendar="24/7")) == 3


def test_what_cannot_be_measured_is_refused(bars: pd.DataFrame) -> None:
    with pytest.raises(UnknownMeasure):
        roughcast.measure(bars, "nothing")
    with pytest.raises(InvalidInput) as wrong:
        roughcast.measure(bars, "realized_variance")
    assert wrong.value.code == "wrong_interval"
    with pytest.raises(InvalidBars) as backwards:
        roughcast.measure(bars.iloc[::-1])
    assert backwards.value.code == "unsorted_dates"
    with pytest.raises(InvalidBars) as future:
        roughcast.measure(roughcast.dataset("BTC-USD"), now=NOW)
    assert future.value.code == "future_dates"
