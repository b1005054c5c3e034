"""On which dates the model for every asset is fitted, and what each fit may see."""

from typing import Any

import numpy as np
import pytest

from models_store.universal.artifact import REFERENCE_CALENDAR
from tests.training.simulated import asset_of
from training.data.assets import AssetData
from training.publishing.universal import LONG, Vintage, reference_histories, vintages
from volatility.calendars import get_calendar
from volatility.scale_free import MINIMUM
from volatility.series import DatedSeries
from volatility.trailing import SESSIONS


def asset(name: str, first: str, nobs: int) -> AssetData:
    dates = np.datetime64(first) + np.arange(nobs)
    return asset_of(name, DatedSeries(np.full(nobs, 1e-4), "garman_klass", dates))


def told(found: list[Vintage]) -> list[str]:
    return [str(it.cut_off) for it in found]


LONGER = asset("A", "2015-01-01", 1_400)  # its thousandth session is 2017-09-26
LATER = asset("B", "2015-06-01", 1_100)  # 2018-02-24; ends 2018-06-04


@pytest.mark.parametrize(
    ("months", "fewest", "expected"),
    [
        (12, 1, ["2017-12-31", "2018-10-31"]),
        (6, 1, ["2017-12-31", "2018-06-30", "2018-10-31"]),
        (12, 2, ["2018-10-31"]),
        (12, 3, ["2018-10-31"]),
    ],
)
def test_fits_are_at_ends_of_years_and_of_their_parts_and_at_the_end(
    months: int, fewest: int, expected: list[str]
) -> None:
    assert told(vintages([LATER, LONGER], months, fewest)) == expected


@pytest.mark.parametrize(("nobs", "first"), [(LONG, "2017-12-31"), (LONG - 1, None)])
def test_an_asset_counts_from_its_thousandth_session_on(nobs: int, first: str | None) -> None:
    short = asset("C", "2015-01-01", nobs)
    other = asset("D", "2018-01-05", 60)
    found = told(vintages([short, other], 12, 1))
    assert found == [*([first] if first else []), "2018-03-05"]


def test_a_cut_on_the_last_day_of_a_panel_is_made_the_day_after_alone() -> None:
    """A year that ends with the panel has no first of January in it."""
    whole = asset("A", "2015-01-01", 1_096)  # until 2017-12-31
    assert told(vintages([whole], 12, 1)) == ["2017-12-31"]
    assert told(vintages([asset("A", "2015-01-01", 1_097)], 12, 1)) == ["2017-12-31", "2018-01-01"]


@pytest.mark.parametrize(("begins", "sees"), [("2017-12-09", True), ("2017-12-10", False)])
def test_a_fit_sees_what_was_known_of_assets_with_enough_of_it(begins: str, sees: bool) -> None:
    young = asset("Y", begins, 200)
    first, last = vintages([LONGER, young], 12, 1)
    names = [it.asset for it in first.assets]
    assert names == (["A", "Y"] if sees else ["A"])
    assert all(it.series.dates[-1] == first.cut_off for it in first.assets)
    assert len(first.assets[-1].series) == (MINIMUM + 1 if sees else 1_096)
    assert [len(it.series) for it in last.assets] == [1_400, 200]


def test_reference_histories_are_of_22_to_250_sessions_of_a_stock_in_new_york() -> None:
    found = reference_histories()
    assert set(found) == {"rv", "return", "overnight_return", "range_ratio", "day"}
    lengths = np.isfinite(found["rv"]).sum(axis=1)
    assert (lengths[0], lengths[-1], len(lengths)) == (MINIMUM, SESSIONS, 20)
    assert (np.diff(lengths) > 0).all()
    for values in found.values():
        np.testing.assert_array_equal(np.isfinite(values), np.isfinite(found["rv"]))
        assert np.isfinite(values[:, -1]).all()  # newest last
    days: Any = found["day"][-1].astype(np.int64).astype("datetime64[D]")
    assert days[0] == np.datetime64("2015-01-02")
    assert (np.diff(get_calendar(REFERENCE_CALENDAR).positions(days)) == 1).all()
    repeated = reference_histories()
    assert all((repeated[it][-1] == found[it][-1]).all() for it in found)
