"""What cannot be done is refused by the field at fault, what was found in it and what is needed."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

import roughcast
from roughcast.commands import answering
from roughcast.fitting import FittedModel
from roughcast.results.axes import axes_for
from roughcast.results.tables import MISSING, number
from tests.errors import details
from tests.service.worlds import NOW
from volatility.errors import RoughcastError
from volatility.extras import ExtraMissing

KINDS = "one of stock, etf, index, fx, crypto"
TABLE = "a DataFrame with open, high, low and close"
BESIDE = "bars by name, such as {'VIX': vix}, each a DataFrame"
HOURLY = roughcast.dataset("BTC-USD-1H")
ON_WEEKDAYS = HOURLY.loc[[it.weekday() < 5 for it in pd.DatetimeIndex(HOURLY.index)]]
ON_WEEKDAYS.attrs = {}  # so that nothing tells the calendar
Case = tuple[Callable[[Any], object], str, str, object, str]

OF_BARS: list[Case] = [
    (lambda it: roughcast.forecast([it]), "wrong_type", "bars", "list", TABLE),  # type: ignore[arg-type]
    (lambda it: roughcast.measure(it["close"]), "wrong_type", "bars", "Series", TABLE),
    (lambda it: roughcast.forecast(it, kind="bond"), "unknown_kind", "kind", "bond", KINDS),
    (
        lambda it: roughcast.forecast(it, asset=3),  # type: ignore[arg-type]
        "wrong_type",
        "asset",
        "int",
        "a name, or None",
    ),
    (
        lambda it: roughcast.forecast(it, now="today"),  # type: ignore[arg-type]
        "wrong_type",
        "now",
        "str",
        "a datetime, in UTC where it has no zone",
    ),
    (
        lambda it: roughcast.forecast(it, horizons=[1, 0], now=NOW),
        "invalid_value",
        "horizons",
        0,
        "whole numbers of sessions, above 0",
    ),
    (
        lambda it: roughcast.forecast(it, horizons=[5, 1, 5], now=NOW),
        "duplicate_horizon",
        "horizons",
        [5, 1, 5],
        "sessions ahead, each once",
    ),
    (
        lambda it: roughcast.forecast(it, horizons=[], now=NOW),
        "empty_value",
        "horizons",
        [],
        "sessions ahead, each once",
    ),
    (
        lambda it: roughcast.forecast(it, horizons=5, now=NOW),  # type: ignore[arg-type]
        "wrong_type",
        "horizons",
        "int",
        "a list of sessions ahead, such as [1, 5, 22]",
    ),
    (
        lambda _: roughcast.forecast(HOURLY),
        "wrong_interval",
        "bars",
        3_600,
        "daily bars, or fit() of rv that measure() makes of these",
    ),
    (
        lambda _: roughcast.measure(ON_WEEKDAYS),
        "calendar_needed",
        "calendar",
        None,
        "the calendar of the exchange, such as calendar='XNYS'",
    ),
    (
        lambda it: roughcast.fit("hexp", it, companions=[it]),  # type: ignore[arg-type]
        "wrong_type",
        "companions",
        "list",
        BESIDE,
    ),
    (
        lambda it: roughcast.fit("hexp", it, companions={"VIX": it["close"]}),
        "wrong_type",
        "companions",
        "Series",
        BESIDE,
    ),
]
OF_RV: list[Case] = [
    (
        lambda it: roughcast.hurst(it.to_frame()),
        "wrong_type",
        "rv",
        "DataFrame",
        "a Series of daily rv, as measure() makes it",
    ),
    (
        lambda it: roughcast.hurst(it.reset_index(drop=True)),
        "unclear_time",
        "rv",
        "int64",
        "a DatetimeIndex",
    ),
    (
        lambda it: roughcast.hurst(it.astype(str) + " %"),
        "wrong_type",
        "rv",
        "str",
        "a Series of numbers, the variance of each day in decimal²",
    ),
    (
        lambda it: roughcast.hurst(it, intraday_nobs=0),
        "invalid_value",
        "intraday_nobs",
        0,
        "the number of returns in a day",
    ),
    (
        lambda it: roughcast.compare(it, jobs=0),
        "invalid_value",
        "jobs",
        0,
        "a number of processes, or -1 for one a core",
    ),
    (
        lambda it: roughcast.compare(it, "har"),
        "wrong_type",
        "models",
        "str",
        "a list of names, such as ['har', 'log_har']",
    ),
    (
        lambda it: roughcast.fit("hexp", it),
        "not_applicable",
        "model",
        "hexp",
        "the bars in place of their rv",
    ),
]


@pytest.mark.parametrize("case", OF_BARS)
def test_of_bars(case: Case, bars: pd.DataFrame) -> None:
    check(case, bars)


@pytest.mark.parametrize("case", OF_RV)
def test_of_rv(case: Case, rv: pd.Series) -> None:
    check(case, rv)


def check(case: Case, given: object) -> None:
    ask, code, *said = case
    with pytest.raises(RoughcastError) as refused:
        ask(given)
    assert (refused.value.code, details(refused.value)) == (code, tuple(said))


def test_a_file_that_there_is_not() -> None:
    said = answering.Said("SPXX", {}, None, None, None)
    with pytest.raises(RoughcastError) as refused:
        answering.read(said)
    needed = "a file of bars, or one of SPX, BTC-USD, BTC-USD-1H, ETH-USD"
    assert (refused.value.code, details(refused.value)) == (
        "unknown_source",
        ("file", "SPXX", needed),
    )
    assert str(refused.value) == f"there is no file SPXX; did you mean 'SPX'?; needed: {needed}"


def test_a_horizon_that_was_not_asked_for(bars: pd.DataFrame) -> None:
    with pytest.raises(RoughcastError) as refused:
        roughcast.forecast(bars, horizons=[1, 22], now=NOW).at(5)
    assert details(refused.value) == ("horizon", 5, "one of 1, 22")


@pytest.mark.parametrize(
    ("what", "field", "extra", "use"),
    [
        ("compare()", "models", "training", lambda rv, _: roughcast.compare(rv)),
        ("fit()", "model", "training", lambda rv, _: roughcast.fit("har", rv)),
        ("a plot", "plot", "training", lambda _, model: axes_for(model.summary(), None)),
        ("a client of the service", "url", "client", lambda *_: roughcast.Client("http://a")),
    ],
)
def test_what_needs_an_extra_says_which(
    what: str,
    field: str,
    extra: str,
    use: Callable[..., object],
    rv: pd.Series,
    model: FittedModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("volatility.extras._is_installed", lambda _: False)
    with pytest.raises(ExtraMissing, match=f"^{what.replace('()', r'..')} needs the") as missing:
        use(rv, model)
    assert (missing.value.field, missing.value.needed) == (field, f"the extra {extra}")


def test_a_number_is_told_in_its_form_and_none_by_a_dash() -> None:
    assert number(0.12345, ".3f") == "0.123"
    assert number(0.0, "+.1%") == "+0.0%"
    assert number(None, ".3f") == number(float("nan"), ".3f") == MISSING
