"""Every bad input is answered with its status, its code, and a sentence that helps."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, bars_of, clock, json_bars, json_rv

Body = dict[str, Any]
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def client(world_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(world_settings, clock)) as client:
        yield client


def inline(**changes: Any) -> Body:
    return {"asset": ASSET, "history": changes}


def with_bar(index: int, nobs: int = 30, **changes: Any) -> Body:
    bars = json_bars(bars_of(make_series().tail(nobs)))
    bars[index] |= changes
    return inline(bars=bars)


def with_rv(index: int, value: float) -> Body:
    rv = json_rv(30)
    rv[index] = value
    return inline(rv=rv)


def with_dates(*dates: str) -> Body:
    return inline(rv=json_rv(len(dates)), dates=list(dates))


def swapped() -> Body:
    bars = json_bars(bars_of(make_series().tail(30)))
    bars[3], bars[4] = bars[4], bars[3]
    return inline(bars=bars)


def flat(nobs: int = 30) -> Body:
    bars = json_bars(bars_of(make_series().tail(nobs)))
    return inline(bars=[bar | {"high": 100.0, "low": 100.0} for bar in bars])


FORECASTS: dict[str, tuple[Body, int, str, str | None, str]] = {
    "empty asset": ({"asset": ""}, 422, "empty_value", "asset", "at least 1 character"),
    "no asset": ({}, 422, "missing_field", "asset", "an asset, or a history"),
    "unknown asset": ({"asset": "DOGE"}, 404, "unknown_asset", "asset", "'DOGE'.*there are TEST"),
    "unknown model": (
        {"asset": ASSET, "model": "oracle"},
        404,
        "unknown_model",
        "model",
        "no model 'oracle'; it has auto, har, last_value, log_har",
    ),
    "empty model": ({"asset": ASSET, "model": ""}, 422, "empty_value", "model", "1 character"),
    "not a number": (
        with_bar(3, close=float("nan")),
        422,
        "non_finite_price",
        "history.bars[3].close",
        "nan at bar 3",
    ),
    "infinite price": (
        with_bar(3, high=float("inf")),
        422,
        "non_finite_price",
        "history.bars[3].high",
        "inf at bar 3",
    ),
    "zero price": (
        with_bar(3, low=0),
        422,
        "non_positive_price",
        "history.bars[3].low",
        "0.0 at bar 3",
    ),
    "negative price": (
        with_bar(3, open=-1.5),
        422,
        "non_positive_price",
        "history.bars[3].open",
        "-1.5 at bar 3",
    ),
    "high below low": (
        with_bar(3, high=90, low=110),
        422,
        "high_below_low",
        "history.bars[3].high",
        "high 90.0 below low 110.0",
    ),
    "close above high": (
        with_bar(3, close=200),
        422,
        "close_outside_range",
        "history.bars[3].close",
        "close 200.0 outside",
    ),
    "open below low": (
        with_bar(3, open=1),
        422,
        "open_outside_range",
        "history.bars[3].open",
        "open 1.0 outside",
    ),
    "duplicate dates of bars": (
        with_bar(4, date="2021-01-08"),
        422,
        "duplicate_dates",
        "history.bars[4].date",
        "2021-01-08.*each time once",
    ),
    "unsorted dates of bars": (
        swapped(),
        422,
        "unsorted_dates",
        "history.bars[4].date",
        "from the oldest to the newest",
    ),
    "future dates of bars": (
        with_bar(-1, date="2021-02-04"),
        422,
        "future_dates",
        "history.bars[29].date",
        "has not closed",
    ),
    "dates before the calendar": (
        with_bar(0, date="1066-10-14"),
        422,
        "outside_calendar",
        "history.bars[0].date",
        "1066-10-14",
    ),
    "no bars": (inline(bars=[]), 422, "empty_bars", "history.bars", "at least one bar"),
    "a bar without a date": (
        inline(bars=[{"open": 1, "high": 2, "low": 1, "close": 2}]),
        422,
        "unclear_time",
        "history.bars[0].date",
        "no time at bar 0",
    ),
    "a bar with a date and a timestamp": (
        with_bar(2, timestamp="2021-01-07T00:00:00Z"),
        422,
        "unclear_time",
        "history.bars[2].date",
        "date and timestamp at bar 2",
    ),
    "constant prices": (flat(), 422, "constant_prices", "history.bars[0].close", "every bar"),
    "too few bars": (
        inline(bars=json_bars(bars_of(make_series().tail(17)))),
        422,
        "history_too_short",
        "history",
        r"log_har with lags \(1, 5, 22\) needs 22 sessions; got 17",
    ),
    "too few values": (
        inline(rv=json_rv(17)),
        422,
        "history_too_short",
        "history",
        "needs 22 sessions; got 17",
    ),
    "no values": (inline(rv=[]), 422, "empty_history", "history.rv", "at least one value"),
    "rv not finite": (
        with_rv(2, float("nan")),
        422,
        "non_finite_rv",
        "history.rv",
        "nan at position 2",
    ),
    "rv zero": (with_rv(2, 0.0), 422, "non_positive_rv", "history.rv", "0.0 at position 2"),
    "rv negative": (with_rv(2, -1e-4), 422, "non_positive_rv", "history.rv", "position 2"),
    "rv in percent": (
        inline(rv=[20.0 + i for i in range(30)]),
        422,
        "implausible_unit",
        "history.rv",
        "looks like percent",
    ),
    "an rv that no prices give": (
        with_rv(-1, 1e300),
        422,
        "implausible_unit",
        "history.rv",
        r"largest rv is 1e\+300",
    ),
    "rv annualized": (
        inline(rv=[1e-9] * 30),
        422,
        "implausible_unit",
        "history",
        "not percent, not annualized and not a volatility",
    ),
    "dates and rv of different length": (
        inline(rv=json_rv(30), dates=["2021-01-05"]),
        422,
        "length_mismatch",
        "history.dates",
        "one date a value",
    ),
    "duplicate dates of rv": (
        with_dates("2021-01-05", "2021-01-05"),
        422,
        "duplicate_dates",
        "history.dates",
        "2021-01-05",
    ),
    "unsorted dates of rv": (
        with_dates("2021-01-06", "2021-01-05"),
        422,
        "unsorted_dates",
        "history.dates",
        "oldest to the newest",
    ),
    "future dates of rv": (
        with_dates("2021-01-06", "2021-02-04"),
        422,
        "future_dates",
        "history.dates",
        "2021-02-04",
    ),
    "no form of history": (inline(), 422, "ambiguous_history", "history", "got none"),
    "two forms of history": (
        inline(rv=json_rv(), bars=[]),
        422,
        "ambiguous_history",
        "history",
        "got bars and rv",
    ),
    "dates alone": (inline(dates=[]), 422, "ambiguous_history", "history", "got dates"),
    "unsupported horizon": (
        {"asset": ASSET, "horizon": 5},
        422,
        "unsupported_horizon",
        "horizon",
        r"horizon 5 is not supported.*\[1\]",
    ),
    "one horizon and several": (
        {"asset": ASSET, "horizon": 1, "horizons": [1]},
        422,
        "ambiguous_horizon",
        "horizons",
        "both horizon and horizons",
    ),
    "a horizon twice": (
        {"asset": ASSET, "horizons": [1, 1]},
        422,
        "duplicate_horizon",
        "horizons",
        "one of them twice",
    ),
    "an unsupported one of several": (
        {"asset": ASSET, "horizons": [1, 5]},
        422,
        "unsupported_horizon",
        "horizon",
        r"horizon 5 is not supported.*\[1\]",
    ),
    "horizon zero": ({"asset": ASSET, "horizon": 0}, 422, "unsupported_horizon", "horizon", "0"),
    "unsupported level": (
        {"asset": ASSET, "levels": [0.8, 0.77]},
        422,
        "unsupported_level",
        "levels",
        r"0.77.*\[0.8, 0.95\]",
    ),
    "a level twice": (
        {"asset": ASSET, "levels": [0.95, 0.8, 0.95]},
        422,
        "duplicate_level",
        "levels",
        "one of them twice",
    ),
    "a quantile twice": (
        {"asset": ASSET, "quantiles": [0.5, 0.5]},
        422,
        "duplicate_quantile",
        "quantiles",
        "one of them twice",
    ),
    "quantile further out than the errors": (
        {"asset": ASSET, "quantiles": [0.5, 0.0001]},
        422,
        "unsupported_quantile",
        "quantiles",
        "378 past forecast errors do not tell the quantile at 0.0001",
    ),
    "level in percent": (
        {"asset": ASSET, "levels": [95]},
        422,
        "unsupported_level",
        "levels",
        "level 95.0",
    ),
    "level not a number": (
        {"asset": ASSET, "levels": [float("nan")]},
        422,
        "unsupported_level",
        "levels",
        "nan",
    ),
    "too many levels": (
        {"asset": ASSET, "levels": [0.8] * 17},
        422,
        "too_many_items",
        "levels",
        "at most 16",
    ),
    "replay of a day that has not closed": (
        {"asset": ASSET, "as_of": "2021-02-04"},
        422,
        "future_dates",
        "as_of",
        f"2021-02-04 has not closed; the last session that has is {LAST}",
    ),
    "replay before the calendar": (
        {"asset": ASSET, "as_of": "1066-10-14"},
        422,
        "outside_calendar",
        "as_of",
        "1066-10-14",
    ),
    "replay before the history": (
        {"asset": ASSET, "as_of": "2019-06-03"},
        422,
        "history_too_short",
        "history",
        "got 0",
    ),
    "replay with too little before it": (
        {"asset": ASSET, "as_of": "2020-01-10"},
        422,
        "history_too_short",
        "history",
        "needs 22 sessions; got 10",
    ),
    "replay of inline history": (
        {"asset": ASSET, "as_of": LAST, "history": {"rv": json_rv()}},
        422,
        "as_of_with_history",
        "as_of",
        "leave one out",
    ),
    "a number in a string": (
        {"asset": ASSET, "horizon": "1"},
        422,
        "wrong_type",
        "horizon",
        "valid integer",
    ),
    "a fraction for an integer": (
        {"asset": ASSET, "horizon": 1.5},
        422,
        "wrong_type",
        "horizon",
        "valid integer",
    ),
    "a truth value for a price": (
        with_bar(0, close=True),
        422,
        "wrong_type",
        "history.bars[0].close",
        "valid number",
    ),
    "a price in a string": (
        with_bar(0, close="100"),
        422,
        "wrong_type",
        "history.bars[0].close",
        "valid number",
    ),
    "a number for a date": (
        {"asset": ASSET, "as_of": 86400},
        422,
        "invalid_date",
        "as_of",
        "written YYYY-MM-DD",
    ),
    "seconds in a string for a date": (
        {"asset": ASSET, "as_of": "1612310400"},  # 2021-02-03
        422,
        "invalid_date",
        "as_of",
        "YYYY-MM-DD",
    ),
    "a date without dashes": (
        {"asset": ASSET, "as_of": "20210203"},
        422,
        "invalid_date",
        "as_of",
        "YYYY-MM-DD",
    ),
    "seconds in a string for the date of a bar": (
        with_bar(-1, date="1612310400"),
        422,
        "invalid_date",
        "history.bars[29].date",
        "YYYY-MM-DD",
    ),
    "seconds in a string for a timestamp": (
        inline(bars=[{"timestamp": "1612310400", "open": 1, "high": 2, "low": 1, "close": 2}]),
        422,
        "invalid_date",
        "history.bars[0].timestamp",
        "ISO 8601",
    ),
    "a date that does not exist": (
        {"asset": ASSET, "as_of": "2021-02-30"},
        422,
        "invalid_date",
        "as_of",
        "YYYY-MM-DD",
    ),
    "a list for an object": (
        {"asset": ASSET, "history": []},
        422,
        "wrong_type",
        "history",
        "object",
    ),
    "an unknown field": (
        {"asset": ASSET, "horizont": 1},
        422,
        "unknown_field",
        "horizont",
        "there is no such field",
    ),
    "an unknown field of a bar": (
        with_bar(1, volume=3),
        422,
        "unknown_field",
        "history.bars[1].volume",
        "there is no such field",
    ),
}


# What was found and what is needed in each case, which programs and people act on.
TOLD = json.loads(Path(__file__).with_name("found_and_needed.json").read_text())


def check_told(problem: dict[str, Any], group: str, case: str) -> None:
    """The problem says what was found, and what is needed; if that is to change, so is the file."""

    def rounded(said: Any) -> Any:
        """Other processors compute other last digits."""
        return re.sub(r"\d+\.\d{7,}(e-?\d+)?", _short, said) if isinstance(said, str) else said

    assert [rounded(problem[it]) for it in ("found", "needed")] == TOLD[group][case]


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.6g}"


def check(problem: dict[str, Any], status: int, code: str, field: str | None, message: str) -> None:
    assert (problem["status"], problem["code"], problem["field"]) == (status, code, field)
    assert problem["type"] == f"urn:roughcast:problem:{code}"
    assert problem["title"]
    assert problem["needed"] or code == "invalid_input"  # whose message says it all
    assert re.search(message, problem["detail"]), problem["detail"]


@pytest.mark.parametrize("case", FORECASTS)
def test_forecast(client: TestClient, case: str) -> None:
    body, *expected = FORECASTS[case]
    answer = client.post("/forecast", content=json.dumps(body), headers=JSON)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status_code == expected[0], answer.text
    check(answer.json(), *expected)  # type: ignore[arg-type]
    check_told(answer.json(), "forecast", case)
    assert answer.json()["instance"] == "/forecast"


RAW: dict[str, tuple[bytes, str | None, int, str, str]] = {
    "malformed JSON": (b'{"asset": ', "application/json", 400, "malformed_json", "EOF"),
    "an empty body": (b"", "application/json", 400, "malformed_json", "EOF"),
    "text that is not UTF-8": (b'{"asset": "\xff"}', "application/json", 400, "malformed_json", ""),
    "half a surrogate": (b'{"asset": "\\ud800"}', "application/json", 400, "malformed_json", ""),
    "JSON nested too deeply": (b"[" * 9999, "application/json", 400, "malformed_json", "recursion"),
    "no content type": (b"{}", None, 415, "unsupported_media_type", "declared as nothing"),
    "another content type": (
        b"asset=TEST",
        "application/x-www-form-urlencoded",
        415,
        "unsupported_media_type",
        "this route reads application/json",
    ),
    "a body that is no object": (b"[1]", "application/json", 422, "wrong_type", "object"),
    "a number beyond a float": (
        b'{"asset": "TEST", "history": {"rv": [1e999]}}',
        "application/json",
        422,
        "non_finite_rv",
        "inf at position 0",
    ),
    "a number literal that JSON does not have": (
        b'{"asset": "TEST", "history": {"rv": [NaN]}}',
        "application/json",
        422,
        "non_finite_rv",
        "nan at position 0",
    ),
    "an integer of a thousand digits": (
        b'{"asset": "TEST", "horizon": ' + b"9" * 1000 + b"}",
        "application/json",
        422,
        "unsupported_horizon",
        "not supported",
    ),
    "an integer longer than Python writes": (
        b'{"asset": "TEST", "horizon": ' + b"9" * 5000 + b"}",
        "application/json",
        400,
        "malformed_json",
        "out of range",
    ),
    "an unknown field with a number of a thousand digits": (
        b'{"asset": "TEST", "x": ' + b"9" * 1000 + b"}",
        "application/json",
        422,
        "unknown_field",
        "x",
    ),
}


@pytest.mark.parametrize("case", RAW)
def test_bytes(client: TestClient, case: str) -> None:
    content, media_type, status, code, message = RAW[case]
    headers = {} if media_type is None else {"content-type": media_type}
    answer = client.post("/forecast", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert re.search(message, answer.json()["detail"])
    check_told(answer.json(), "bytes", case)


def test_a_body_that_is_announced_as_too_large_is_not_read(small: TestClient) -> None:
    answer = small.post("/forecast", content=b" " * 1001, headers=JSON)
    check(answer.json(), 413, "body_too_large", "body", "1001 bytes; at most 1000 are accepted")
    assert answer.status_code == 413


def test_a_body_in_chunks_is_read_up_to_the_limit(small: TestClient) -> None:
    answer = small.post("/forecast", content=iter([b" " * 600] * 2), headers=JSON)
    assert "content-length" not in answer.request.headers
    check(answer.json(), 413, "body_too_large", "body", "more than 1000 bytes")
    assert answer.headers["roughcast-schema"] == "1"


def test_a_body_at_the_limit_is_read(small: TestClient) -> None:
    body = b'{"asset": "TEST"}'
    assert small.post("/forecast", content=body.ljust(1000), headers=JSON).status_code == 200


def test_a_long_body_in_chunks_is_read_up_to_the_limit(world_settings: Settings) -> None:
    limit = 100_000
    settings = world_settings.model_copy(update={"max_body_bytes": limit})
    with TestClient(create_app(settings, clock)) as client:
        for length, status in ((limit, 200), (limit + 1, 413)):
            body = b'{"asset": "TEST"}'.ljust(length)
            chunks = iter([body[:70_000], body[70_000:]])
            assert client.post("/forecast", content=chunks, headers=JSON).status_code == status


@pytest.fixture
def small(world_settings: Settings) -> Iterator[TestClient]:
    settings = world_settings.model_copy(update={"max_body_bytes": 1000})
    with TestClient(create_app(settings, clock)) as client:
        yield client


GETS: dict[str, tuple[str, int, str, str | None, str]] = {
    "a route that is not there": ("/forecasts", 404, "route_not_found", "path", "/forecasts"),
    "a slash too many": ("/forecast/", 404, "route_not_found", "path", "/forecast/"),
    "the wrong method": ("/forecast", 405, "method_not_allowed", "method", "does not answer GET"),
    "hurst of an unknown asset": ("/hurst/DOGE", 404, "unknown_asset", "asset", "DOGE"),
    "comparison of an unknown asset": ("/compare/DOGE", 404, "unknown_asset", "asset", "DOGE"),
    "history of an unknown asset": ("/assets/DOGE/history", 404, "unknown_asset", "asset", "DOGE"),
    "bars as they will be known": (
        f"/assets/{ASSET}/bars?known_at=2999-01-01T00:00:00Z",
        422,
        "not_yet_known",
        "known_at",
        "has not come",
    ),
    "an unknown model": (f"/models/{ASSET}/oracle", 404, "unknown_model", "model", "oracle"),
    "a model of an unknown asset": ("/models/DOGE/har", 404, "unknown_asset", "asset", "DOGE"),
    "an unknown version": (
        f"/models/{ASSET}/har?version=9",
        404,
        "unknown_version",
        "version",
        "no version 9",
    ),
    "a version that is no number": (
        f"/models/{ASSET}/har?version=one",
        422,
        "wrong_type",
        "version",
        "valid integer",
    ),
    "a version below one": (
        f"/models/{ASSET}/har?version=0",
        422,
        "invalid_value",
        "version",
        "greater than or equal to 1",
    ),
    "a model name that is no name": (
        f"/models/{ASSET}/..%5C?version=1",
        422,
        "invalid_input",
        "model",
        "lower-case identifier",
    ),
    "a start that is no date": (
        f"/assets/{ASSET}/history?start=yesterday",
        422,
        "invalid_date",
        "start",
        "valid date",
    ),
    "a start in seconds": (
        f"/assets/{ASSET}/history?start=1612310400",
        422,
        "invalid_date",
        "start",
        "YYYY-MM-DD",
    ),
    "an end before the start": (
        f"/assets/{ASSET}/history?start=2021-02-02&end=2021-02-01",
        422,
        "invalid_value",
        "end",
        "2021-02-01 is before start, 2021-02-02",
    ),
    "a limit of nothing": (
        f"/assets/{ASSET}/history?limit=0",
        422,
        "invalid_value",
        "limit",
        "greater than or equal to 1",
    ),
}


@pytest.mark.parametrize("case", GETS)
def test_get(client: TestClient, case: str) -> None:
    path, *expected = GETS[case]
    answer = client.get(path)
    assert answer.status_code == expected[0]
    check(answer.json(), *expected)  # type: ignore[arg-type]
    check_told(answer.json(), "get", case)


def test_the_wrong_method_is_told_the_right_one(client: TestClient) -> None:
    assert client.get("/forecast").headers["allow"] == "POST"


HURSTS: dict[str, tuple[Body, int, str, str | None, str]] = {
    "neither series": ({}, 422, "ambiguous_history", "body", "got neither"),
    "both series": (
        {"rv": [1e-4], "log_volatility": [-4.0]},
        422,
        "ambiguous_history",
        "body",
        "got rv and log_volatility",
    ),
    "too short": ({"rv": json_rv(50)}, 422, "history_too_short", "rv", "got 50"),
    "rv not finite": ({"rv": [*json_rv(200), float("nan")]}, 422, "non_finite_rv", "rv", "nan"),
    "rv zero": ({"rv": [*json_rv(200), 0.0]}, 422, "non_positive_rv", "rv", "0.0"),
    "rv in percent": ({"rv": [20.0] * 200}, 422, "implausible_unit", "rv", "percent"),
    "log volatility not finite": (
        {"log_volatility": [-4.0 - i % 3 for i in range(200)] + [float("inf")]},
        422,
        "invalid_input",
        "log_volatility",
        "not finite, the first at position 200",
    ),
    "log volatility constant": (
        {"log_volatility": [-4.0] * 200},
        422,
        "constant_series",
        "log_volatility",
        "",
    ),
    "unknown measure": (
        {"rv": json_rv(200), "measure": "guess"},
        422,
        "unknown_measure",
        "measure",
        "no measure 'guess'",
    ),
    "no intraday returns": (
        {"rv": json_rv(200), "intraday_nobs": 0},
        422,
        "invalid_value",
        "intraday_nobs",
        "greater than or equal to 1",
    ),
    "more intraday returns than a float holds": (
        {"rv": json_rv(200), "measure": "realized_variance", "intraday_nobs": 10**400},
        422,
        "invalid_value",
        "intraday_nobs",
        "less than or equal to 86400",
    ),
}


@pytest.mark.parametrize("case", HURSTS)
def test_hurst(client: TestClient, case: str) -> None:
    body, *expected = HURSTS[case]
    answer = client.post("/hurst", content=json.dumps(body), headers=JSON)
    assert answer.status_code == expected[0], answer.text
    check(answer.json(), *expected)  # type: ignore[arg-type]
    check_told(answer.json(), "hurst", case)


def put(bars: Any) -> bytes:
    return json.dumps({"bars": bars}).encode()


BAR = json_bars(bars_of(make_series().tail(1)))[0]
CSV = "text/csv"
PUTS: dict[str, tuple[bytes, str, int, str, str | None, str]] = {
    "no bars": (put([]), "application/json", 422, "empty_bars", "bars", "at least one bar"),
    "a negative price": (
        put([BAR | {"low": -1}]),
        "application/json",
        422,
        "non_positive_price",
        "bars[0].low",
        "-1.0",
    ),
    "a bar that contradicts": (
        put([BAR | {"high": 500}]),
        "application/json",
        409,
        "bars_conflict",
        "bars[0]",
        r"contradict bars that are held.*replace=true",
    ),
    "a bar that has not closed": (
        put([BAR | {"date": "2021-02-04"}]),
        "application/json",
        422,
        "future_dates",
        "bars[0].date",
        "has not closed",
    ),
    "a column missing from CSV": (
        b"date,open,high,low\n2021-02-03,1,2,1\n",
        CSV,
        422,
        "missing_column",
        "bars",
        "a column named close",
    ),
    "text for a price in CSV": (
        b"date,open,high,low,close\n2021-02-03,1,2,1,two\n",
        CSV,
        422,
        "unparsable_numbers",
        "bars[0].close",
        "'two' at bar 0",
    ),
    "text for a date in CSV": (
        b"date,open,high,low,close\nsoon,1,2,1,2\n",
        CSV,
        422,
        "unparsable_dates",
        "bars[0].date",
        "'soon' at bar 0",
    ),
    "a CSV whose lines have more fields than its header": (
        b"date,open,high,low,close\n2021-02-03,1,2,1,2,3\n",
        CSV,
        422,
        "malformed_csv",
        "body",
        "line 2 has 6 fields; needed: at most 5 fields",
    ),
    "an empty CSV": (b"", CSV, 422, "malformed_csv", "body", "not a CSV table"),
    "a CSV of a header alone": (
        b"date,open,high,low,close\n",
        CSV,
        422,
        "empty_bars",
        "bars",
        "at least one bar",
    ),
    "a CSV with a line too long": (
        b"date,open,high,low,close\n2021-02-03,1,2,1,2\n2021-02-03,1,2,1,2,3,4,5\n",
        CSV,
        422,
        "malformed_csv",
        "body",
        "line 3 has 8 fields; needed: at most 5 fields",
    ),
    "malformed JSON": (b"{", "application/json", 400, "malformed_json", "body", "not JSON"),
    "a picture": (b"\x89PNG", "image/png", 415, "unsupported_media_type", "content-type", "png"),
}


@pytest.mark.parametrize("case", PUTS)
def test_put(client: TestClient, case: str) -> None:
    content, media_type, *expected = PUTS[case]
    answer = client.put(
        f"/assets/{ASSET}/bars", content=content, headers={"content-type": media_type}
    )
    assert answer.status_code == expected[0], answer.text
    check(answer.json(), *expected)  # type: ignore[arg-type]
    check_told(answer.json(), "put", case)


def test_a_bar_of_an_unknown_asset(client: TestClient) -> None:
    answer = client.put("/assets/DOGE/bars", content=put([BAR]), headers=JSON)
    check(answer.json(), 422, "unclear_calendar", "calendar", "DOGE is new, and bars from")
    held = client.get("/assets/DOGE/bars")
    assert (held.status_code, held.json()["code"]) == (404, "unknown_asset")


def test_every_fault_is_listed(client: TestClient) -> None:
    body = with_bar(3, close=-1)["history"]["bars"]
    body[7] |= {"high": 1, "low": 2}
    problem = client.post("/forecast", json=inline(bars=body)).json()
    assert problem["code"] == "non_positive_price"
    listed = {(fault["code"], fault["field"]) for fault in problem["errors"]}
    assert listed >= {
        ("non_positive_price", "history.bars[3].close"),
        ("high_below_low", "history.bars[7].high"),
    }
    problem = client.post("/forecast", json={"asset": 1, "horizon": "x", "levels": []}).json()
    assert [fault["field"] for fault in problem["errors"]] == ["asset", "horizon"]
