"""A history in another unit is refused; a crisis is not, even if the fit has seen none like it."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from models_store import ForecastInput, LoadedModel, Store
from models_store.shipped import shipped_artifacts
from models_store.units import MEDIAN_SESSIONS, Plausible, median_range
from training.data.bars_file import load_asset
from volatility import datasets
from volatility.arrays import FloatArray
from volatility.errors import ImplausibleUnit
from volatility.series import DatedSeries, RealizedSeries

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
UNITS: dict[str, Callable[[FloatArray, int], FloatArray]] = {
    "percent²": lambda rv, _: rv * 1e4,
    "annualized variance": lambda rv, periods: rv * periods,
    "annualized volatility": lambda rv, periods: np.sqrt(rv * periods),
    "daily volatility": lambda rv, _: np.sqrt(rv),
}


@cache
def series_of(asset: str) -> DatedSeries:
    """What the shipped models of an asset were fitted on."""
    return load_asset(asset, None, datetime(2026, 1, 1, tzinfo=UTC))[0].series


def model_of(asset: str, model: str = "har", until: str = "2100-01-01") -> LoadedModel:
    """A shipped model that has seen the sessions up to a day."""
    loaded = Store(shipped_artifacts()).load(asset, model)
    rv = series_of(asset).until(np.datetime64(until)).rv
    seen = {"clip": (rv.min(), rv.max()), "rv_medians": median_range(rv)}
    return replace(loaded, manifest=loaded.manifest.model_copy(update=seen))


def accepts(model: LoadedModel, rv: FloatArray) -> bool:
    try:
        model.check(ForecastInput(RealizedSeries(rv, model.manifest.measure)))
    except ImplausibleUnit:
        return False
    return True


def share_refused(model: LoadedModel, rv: FloatArray, given: int = MEDIAN_SESSIONS) -> float:
    """Of all histories of ``given`` sessions."""
    ends = range(given, len(rv) + 1)
    return 1 - float(np.mean([accepts(model, rv[end - given : end]) for end in ends]))


def in_unit(asset: str, unit: str) -> FloatArray:
    model = model_of(asset)
    return UNITS[unit](series_of(asset).rv, model.manifest.periods_per_year)


@pytest.mark.parametrize("asset", datasets.NAMES)
@pytest.mark.parametrize("unit", ["percent²", "annualized volatility"])
def test_percent_and_annualized_volatility_are_refused_at_all_times(asset: str, unit: str) -> None:
    assert share_refused(model_of(asset), in_unit(asset, unit)) == 1


@pytest.mark.parametrize("asset", datasets.NAMES)
@pytest.mark.parametrize("unit", ["percent²", "annualized variance", "annualized volatility"])
def test_the_newest_sessions_are_refused_in_another_unit(asset: str, unit: str) -> None:
    assert not accepts(model_of(asset), in_unit(asset, unit)[-MEDIAN_SESSIONS:])


def test_daily_volatilities_of_one_percent_are_no_variances_of_the_index() -> None:
    assert not accepts(model_of("SPX"), np.full(22, 0.01))
    assert not accepts(model_of("SPX"), in_unit("SPX", "daily volatility")[-22:])


@pytest.mark.parametrize("asset", datasets.NAMES)
def test_what_was_fitted_on_is_accepted(asset: str) -> None:
    assert share_refused(model_of(asset), series_of(asset).rv) == 0


@pytest.mark.parametrize("asset", datasets.NAMES)
@pytest.mark.parametrize("unit", ["annualized variance", "daily volatility"])
def test_how_often_another_unit_is_noticed_stands_in_the_docs(asset: str, unit: str) -> None:
    (row,) = re.findall(rf"^\| {unit} \|(.*)\|$", PAGE, re.M)
    printed = dict(zip(("SPX", "BTC-USD", "BTC-USD-1H", "ETH-USD"), row.split("|"), strict=True))
    found = share_refused(model_of(asset), in_unit(asset, unit))
    assert found == pytest.approx(int(printed[asset].strip(" %")) / 100, abs=0.0051)


@pytest.mark.parametrize("asset", datasets.NAMES)
@pytest.mark.parametrize("since", [22, 44, 66, 88])
def test_how_often_a_change_to_volatilities_is_noticed_stands_in_the_docs(
    asset: str, since: int
) -> None:
    (row,) = re.findall(rf"^\| {since} \|(.*)\|$", PAGE, re.M)
    printed = dict(zip(("SPX", "BTC-USD", "BTC-USD-1H", "ETH-USD"), row.split("|"), strict=True))
    model, rv = model_of(asset), series_of(asset).rv
    volatility = in_unit(asset, "daily volatility")
    changed = [
        np.concatenate([rv[end - since - 125 : end - since], volatility[end - since : end]])
        for end in range(since + 125, len(rv) + 1)
    ]
    refused = 1 - np.mean([accepts(model, it) for it in changed])
    assert refused == pytest.approx(int(printed[asset].strip(" %")) / 100, abs=0.0051)


@pytest.mark.parametrize(
    ("asset", "until", "first", "last"),
    [
        ("SPX", "2008-08-31", "2008-09-01", "2009-06-30"),
        ("SPX", "2020-02-19", "2020-02-20", "2020-04-17"),
        ("BTC-USD", "2017-11-30", "2017-12-01", "2018-12-31"),
        ("BTC-USD", "2020-02-29", "2020-03-01", "2020-04-30"),
        ("BTC-USD-1H", "2018-11-13", "2018-11-14", "2019-01-31"),  # of 500 sessions
        ("ETH-USD", "2017-11-30", "2017-12-01", "2018-12-31"),
    ],
)
def test_a_crisis_is_accepted_by_models_that_have_seen_none_like_it(
    asset: str, until: str, first: str, last: str
) -> None:
    series = series_of(asset)
    begin, end = np.searchsorted(series.dates, [np.datetime64(first), np.datetime64(last)])
    assert end - begin >= 40
    assert begin >= 500  # as many as a retrain needs
    for model in (model_of(asset, until=until), model_of(asset)):
        assert all(accepts(model, series.rv[: day + 1]) for day in range(begin, end + 1))
        assert all(accepts(model, series.rv[day - 99 : day + 1]) for day in range(begin, end + 1))


def test_a_month_alone_may_be_refused_in_a_crisis_that_the_months_before_explain() -> None:
    series, model = series_of("SPX"), model_of("SPX", until="2008-08-31")
    begin = int(np.searchsorted(series.dates, np.datetime64("2008-09-01")))
    later = range(begin, begin + 250)
    alone = [day for day in later if not accepts(model, series.rv[day - 21 : day + 1])]
    # The medians of 23 October to 4 November 2008 are 4.0 to 4.2 times the highest before.
    assert [str(series.dates[day]) for day in (alone[0], alone[-1])] == ["2008-10-23", "2008-11-04"]
    assert len(alone) == 9
    assert all(accepts(model, series.rv[day - 65 : day + 1]) for day in alone)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("count", [22, 44, 60])
def test_a_feed_that_changes_its_unit_is_refused(unit: str, count: int) -> None:
    model = model_of("SPX")
    rv = np.concatenate([series_of("SPX").rv[:-count], in_unit("SPX", unit)[-count:]])
    assert not accepts(model, rv)


def test_fewer_sessions_are_compared_with_single_ones() -> None:
    model, rv = model_of("SPX", "last_value"), series_of("SPX").rv
    assert all(accepts(model, rv[at : at + 1]) for at in range(len(rv)))
    lowest, highest = model.manifest.clip
    assert accepts(model, np.full(21, 3.9 * highest))
    assert not accepts(model, np.full(21, 4.1 * highest))
    assert not accepts(model, np.full(22, 3.9 * highest))
    assert not accepts(model, np.full(1, lowest / 4.1))


def test_the_newest_sessions_are_judged() -> None:
    model, rv = model_of("SPX"), series_of("SPX").rv[-22:]
    assert accepts(model, np.concatenate([np.full(100, 0.2), rv]))
    assert not accepts(model, np.concatenate([rv[:9], np.full(13, 0.2)]))
    assert not accepts(model, np.concatenate([rv[1:], np.full(22, 0.2)]))  # 21 before: too few
    # A median of 4.3e-4, and of .021 as volatilities: 24 times as high is half of that.
    assert accepts(model, np.concatenate([rv, 23 * rv]))
    assert not accepts(model, np.concatenate([rv, 25 * rv]))
    assert not accepts(model, np.concatenate([rv, np.full(22, 0.2)]))  # a step of a thousand


@pytest.mark.parametrize("times", [1, -1])
def test_the_median_of_sessions_that_differ_is_between_the_two_in_the_middle(times: int) -> None:
    model = model_of("SPX", "last_value")
    plausible = Plausible.of(model.manifest)
    bound = plausible.high if times == 1 else plausible.low

    def around(lower: float, upper: float) -> FloatArray:
        few, many = 1e-3 * lower, 1e3 * upper
        rv = np.array([few] * 10 + [lower, upper] + [many] * 10)
        return np.random.default_rng(1).permutation(rv)

    assert accepts(model, around(0.5 * bound, (1.5 - 0.01 * times) * bound))
    wrong = around(0.5 * bound, (1.5 + 0.01 * times) * bound)
    with pytest.raises(ImplausibleUnit) as refused:
        model.forecast(RealizedSeries(wrong, "parkinson"))
    assert refused.value.found == pytest.approx((1 + 0.005 * times) * bound)


def test_the_median_of_an_odd_number_of_sessions_is_the_one_in_the_middle() -> None:
    model = model_of("SPX", "last_value")
    low, high = Plausible.of(model.manifest)[2:]
    for middle, expected in ((0.99 * high, True), (1.01 * high, False), (0.99 * low, False)):
        rv = np.array([middle, 1e-3 * low, 1e3 * high, 1e3 * high, 1e-3 * low])
        assert accepts(model, rv) == expected
    assert accepts(model, np.array([1e3 * high, 1.01 * low, 1e-3 * low]))


def test_a_batch_refuses_what_a_single_question_is_refused_for() -> None:
    model, rv = model_of("SPX", "last_value"), series_of("SPX").rv
    histories = [rv[-5:], rv[-30:], np.full(30, 0.02), rv[-1:], np.full(3, 0.5)]
    given = [ForecastInput(RealizedSeries(it, "parkinson")) for it in histories]
    assert [accepts(model, it) for it in histories] == [True, True, False, True, False]
    assert len(model.forecast_batch([given[0], given[1], given[3]])) == 3
    for wrong in (given[2], given[4]):
        with pytest.raises(ImplausibleUnit, match="median rv of the newest"):
            model.forecast_batch([given[0], wrong, given[1]])


def test_an_artifact_without_medians_compares_with_single_sessions_by_a_hundred() -> None:
    loaded = model_of("SPX")
    old = replace(loaded, manifest=loaded.manifest.model_copy(update={"rv_medians": None}))
    highest = old.manifest.clip[1]
    assert accepts(old, np.full(22, 99 * highest))
    assert not accepts(old, np.full(22, 101 * highest))


def test_the_refusal_says_what_was_found_and_what_is_needed() -> None:
    with pytest.raises(ImplausibleUnit) as refused:
        model_of("SPX").forecast(RealizedSeries(np.full(22, 0.01), "parkinson"))
    # Medians of 22 sessions from 3.17e-6 to 1.87e-3, and four times less and more.
    assert str(refused.value).startswith(
        "the median rv of the newest 22 sessions is 0.01, but SPX had medians of 22 sessions from "
        "3.17e-06 to 0.00187"
    )
    assert refused.value.needed == "median rv between 7.91e-07 and 0.00748"
    assert (refused.value.code, refused.value.field) == ("implausible_unit", "history")


def test_the_range_of_medians_by_hand() -> None:
    rv = np.concatenate([np.arange(1.0, 23.0), [100.0, 100.0]])
    # Of 1 … 22: between 11 and 12; of 3 … 22, 100, 100: between 13 and 14.
    assert median_range(rv) == (11.5, 13.5)
    assert median_range(np.array([3.0, 1.0, 2.0])) == (2.0, 2.0)
