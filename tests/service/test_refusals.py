"""Each refusal of the service says its case, the field, what was found and what is needed."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from starlette.requests import Request

from models_store.comparison import _baseline
from models_store.place import Refusal
from service.app import _check_keys
from service.assets import holdings, newcomers
from service.assets.database import HeldAsset, _check_alike
from service.assets.holdings import Holdings
from service.assets.known import PastHoldings
from service.assets.reading import check_encoding
from service.database.base import Timeouts
from service.database.opening import open_database
from service.database.sqlite import Sqlite
from service.forecasts import choosing
from service.forecasts.horizons import check_horizons
from service.forecasts.pinned import _names_no_model
from service.forecasts.policy import HistoryPolicy
from service.forecasts.readiness import models_ready
from service.forecasts.replay import brings_its_own, in_batch, replayed_session
from service.forecasts.requests import ForecastRequest
from service.http import errors
from service.http.bodies import read_bytes
from service.http.errors import STATUS, Fault, InvalidRequest, located, status_of
from service.http.lanes import Lane
from service.http.limits import BodyLimits
from service.http.slices import MOST_BYTES_OUTSIDE, check_values
from service.models.catalogue import _answered_by_universal
from service.models.commands import run as run_command
from service.models.universal import Universal
from service.security.keys import KeyRing
from service.security.quotas import Quotas
from service.settings import Settings
from tests.errors import details
from tests.models_store.artifacts import make_manifest
from volatility.calendars import get_calendar
from volatility.errors import Finding, InvalidBars, InvalidSeries, RoughcastError
from volatility.formats.delimited import check_lines
from volatility.formats.reading import Limits
from volatility.series import DatedSeries

HELD = HeldAsset("A", "XNYS", "garman_klass", 86_400, "sent over HTTP", "stock")
DAYS = np.arange("2021-01-01", "2021-01-21", dtype="datetime64[D]")
HISTORY = DatedSeries(np.full(10, 1e-4), "garman_klass", DAYS[::2])
MODEL: Any = SimpleNamespace(
    manifest=make_manifest(), window_sessions=22, calendar=get_calendar("24/7")
)
NOBODY: Any = SimpleNamespace(
    assets=lambda: ["A"], find=lambda *_: None, get=None, check_not_refused=lambda _: None
)
SQLITE = "sqlite:///folder/history.sqlite3"
TIMEOUTS = Timeouts.of(Settings())


def begun_twice() -> None:
    counted = Quotas(rate=None, at_once=1)
    counted.begin("desk")
    counted.begin("desk")


def asked_too_often() -> None:
    counted = Quotas(rate=0.5, at_once=None)
    counted.begin("desk")
    counted.begin("desk")


def one_too_many() -> None:
    async def ask() -> None:
        lane = Lane("work", threads=1, waiting=0)
        await asyncio.gather(lane.run(len, ""), lane.run(len, ""))

    asyncio.run(ask())


NOTHING_HELD = Holdings(None)


def raised(error: Exception) -> None:
    raise error


def no_answer() -> None:
    raise errors.DatabaseUnavailable("it does not answer", needed="a database")


def without_driver() -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setitem(sys.modules, "service.database.postgres", None)
        open_database("postgresql://host/name", TIMEOUTS)


def request_with(name: str, value: str) -> Request:
    headers = [(name.encode(), value.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers})


def ready(
    *, draining: bool = False, models: int = 1, ping: Callable[[], object] = lambda: None
) -> int:
    """How many models are ready, or why none is."""
    universal = SimpleNamespace(version=None)
    store, shelf = SimpleNamespace(root="store"), SimpleNamespace(refused=[])
    numbers = {"A": models}
    catalogue: Any = SimpleNamespace(
        numbers=lambda: numbers, universal=universal, store=store, shelf=shelf
    )
    holdings: Any = SimpleNamespace(store=SimpleNamespace(ping=ping))
    told: Any = SimpleNamespace(begun=draining)

    async def ask() -> int:
        lanes: Any = SimpleNamespace(probes=Lane("probes", threads=1, waiting=0))
        return await models_ready(catalogue, holdings, lanes, told)

    return asyncio.run(ask())


CASES: list[tuple[Callable[[], object], str, str | None, object, str | None]] = [
    (
        lambda: _check_keys(Settings(authentication="keys"), KeyRing()),
        "invalid_setting",
        "authentication",
        None,
        "an API key, or ROUGHCAST_AUTHENTICATION=none",
    ),
    (
        lambda: _check_alike(HELD, replace(HELD, kind="etf")),
        "bars_conflict",
        "asset",
        "A",
        "bars of the asset as it is held",
    ),
    (
        lambda: holdings.known_asset("B", NOBODY, NOBODY),
        "unknown_asset",
        "asset",
        "B",
        "one of A",
    ),
    (
        lambda: check_lines(b"," * 64, ",", Limits()),
        "too_many_columns",
        "body",
        65,
        "at most 64 columns",
    ),
    (
        lambda: newcomers.check_agrees(HELD, newcomers.Described("XLON", None, None)),
        "asset_mismatch",
        "calendar",
        "XLON",
        "XNYS",
    ),
    (
        lambda: newcomers.check_agrees(HELD, newcomers.Described("NYSE", "etf", None)),
        "asset_mismatch",
        "kind",
        "etf",
        "stock",
    ),
    (
        lambda: Sqlite(sa.make_url("sqlite://"), TIMEOUTS),
        "invalid_setting",
        "database_url",
        None,
        SQLITE,
    ),
    (
        lambda: Sqlite(sa.make_url(f"{SQLITE}?mode=ro"), TIMEOUTS),
        "invalid_setting",
        "database_url",
        None,
        SQLITE,
    ),
    (
        lambda: open_database("mysql://host/name", TIMEOUTS),
        "invalid_setting",
        "database_url",
        None,
        f"{SQLITE} or postgresql://user:password@host/name",
    ),
    (
        lambda: check_horizons(ForecastRequest(asset="A", horizon=1, horizons=(1, 5)), (1, 5)),
        "ambiguous_horizon",
        "horizons",
        [1, 5],
        "either horizon or horizons",
    ),
    (
        lambda: check_horizons(ForecastRequest(asset="A"), (5, 1, 5)),
        "duplicate_horizon",
        "horizons",
        [5, 1, 5],
        "each horizon once, as in [5, 1]",
    ),
    (
        lambda: HistoryPolicy(3, None).check(HISTORY, 4, MODEL),
        "history_stale",
        "history",
        4,
        "at most 3 sessions closed since its last one",
    ),
    (
        lambda: HistoryPolicy(None, 8).check(HISTORY, 4, MODEL),
        "history_incomplete",
        "history",
        9,
        "at most 8 sessions missing",
    ),
    (
        lambda: replayed_session(date(2021, 1, 5), get_calendar("XNYS"), DAYS[3]),
        "future_dates",
        "as_of",
        "2021-01-05",
        "a session up to 2021-01-04",
    ),
    (
        lambda: replayed_session(date(2021, 1, 1), get_calendar("XNYS"), DAYS[3]),
        "not_a_session",
        "as_of",
        "2021-01-01",
        "a session of the calendar XNYS",
    ),
    (
        one_too_many,
        "overloaded",
        None,
        0,
        "fewer than 0 waiting",
    ),
    (
        lambda: BodyLimits(1, 2, 3).check_values(3),
        "too_many_values",
        "body",
        None,
        "at most 2 values",
    ),
    (lambda: BodyLimits(1, 2, 3).hold(4), "overloaded", "body", None, "room for the body"),
    (
        lambda: check_values(b"," * 5_001),
        "too_many_values",
        "body",
        None,
        "at most 5000 values outside of long lists",
    ),
    (lambda: _baseline(()), "unsupported_horizon", "horizon", None, None),
    (
        lambda: Universal(None, None).get(),
        "unknown_model",
        "model",
        "universal",
        "an asset that has models of its own",
    ),
    (
        lambda: NOTHING_HELD.get("B"),
        "no_history",
        "history",
        None,
        "history in the request, or held bars",
    ),
    (
        lambda: PastHoldings(NOTHING_HELD, {}).get("B"),
        "no_history",
        "asset",
        "B",
        "an asset that has not been deleted since",
    ),
    (
        lambda: newcomers.registered("B", newcomers.Described(None, None, None)),
        "unclear_calendar",
        "calendar",
        None,
        "a calendar, such as XNYS, 24/7 or 24/5",
    ),
    (
        lambda: newcomers.registered("B", newcomers.Described("XNYS", None, "m")),
        "unknown_measure",
        "measure",
        "m",
        "garman_klass or parkinson or implied_variance",
    ),
    (
        lambda: check_encoding(request_with("content-encoding", "Br ")),
        "unsupported_media_type",
        "content-encoding",
        "br",
        "gzip or no content-encoding",
    ),
    (
        lambda: asyncio.run(read_bytes(request_with("content-type", "Text/HTML; x=y"), "a", "b")),
        "unsupported_media_type",
        "content-type",
        "text/html",
        "a or b",
    ),
    (
        lambda: open_database("no URL", TIMEOUTS),
        "invalid_setting",
        "database_url",
        None,
        f"{SQLITE} or postgresql://user:password@host/name",
    ),
    (
        without_driver,
        "invalid_setting",
        "database_url",
        None,
        "the extra postgres",
    ),
    (
        lambda: raised(choosing._shorter_than_a_day(replace(HELD, bar_interval=300))),
        "unknown_model",
        "model",
        "universal",
        "an asset with daily bars, or one of its own models",
    ),
    (
        lambda: raised(choosing._needs_bars()),
        "missing_columns",
        "history",
        "rv alone",
        "daily bars, of 22 sessions or more",
    ),
    (
        lambda: raised(choosing._about_nothing()),
        "missing_field",
        "asset",
        None,
        "the name of an asset, or a history",
    ),
    (
        lambda: raised(_names_no_model(None)),
        "invalid_value",
        "asset",
        None,
        "an asset's name",
    ),
    (
        lambda: raised(_names_no_model("A")),
        "invalid_value",
        "model",
        "auto",
        "the name of the model whose version it is",
    ),
    (
        lambda: raised(in_batch(datetime(2021, 1, 1, tzinfo=UTC))),
        "known_at_in_batch",
        "known_at",
        "2021-01-01T00:00:00+00:00",
        "POST /forecast, or items without known_at",
    ),
    (
        lambda: raised(
            brings_its_own(ForecastRequest(asset="A", known_at=datetime(2021, 1, 1, tzinfo=UTC)))
        ),
        "known_at_with_history",
        "known_at",
        "2021-01-01 00:00:00+00:00",
        "either known_at or history",
    ),
    (
        lambda: raised(
            brings_its_own(ForecastRequest.model_validate({"asset": "A", "as_of": "2021-01-01"}))
        ),
        "as_of_with_history",
        "as_of",
        "2021-01-01",
        "either as_of or history",
    ),
    (
        lambda: check_values(b"x" * (MOST_BYTES_OUTSIDE + 1)),
        "body_too_large",
        "body",
        f"{MOST_BYTES_OUTSIDE + 1} bytes",
        f"at most {MOST_BYTES_OUTSIDE} bytes outside of long lists",
    ),
    (
        lambda: raised(_answered_by_universal("B")),
        "unknown_asset",
        "asset",
        "B",
        "a forecast by auto or universal, or GET /models/universal",
    ),
    (
        lambda: run_command(
            SimpleNamespace(run=len),  # type: ignore[arg-type]
            Settings(store="nowhere"),
        ),
        "invalid_setting",
        "store",
        None,
        "the store that the service is served from",
    ),
    (
        lambda: ready(draining=True),
        "not_ready",
        None,
        None,
        "another process to ask",
    ),
    (
        lambda: ready(models=0),
        "not_ready",
        None,
        0,
        "at least one model in the store",
    ),
    (
        lambda: ready(ping=no_answer),
        "not_ready",
        None,
        None,
        "a database",
    ),
    (begun_twice, "too_many_at_once", "client", 1, "at most 1 at once"),
    (
        asked_too_often,
        "rate_limited",
        "client",
        "more than 0.5 a second",
        "at most 0.5 a second",
    ),
]


@pytest.mark.parametrize(("refused", "code", "field", "found", "needed"), CASES)
def test_a_refusal_says_what_is_wrong_where_and_what_is_needed(
    refused: Callable[[], object], code: str, field: str, found: object, needed: str
) -> None:
    with pytest.raises(RoughcastError) as error:
        refused()
    assert error.value.code == code
    assert str(error.value)
    assert repr(details(error.value)) == repr((field, found, needed))


def test_readiness_counts_the_models_in_service() -> None:
    assert ready(models=3) == 3


def test_a_day_before_the_calendar_begins_is_one_of_as_of() -> None:
    with pytest.raises(RoughcastError) as error:
        replayed_session(date(1800, 1, 1), get_calendar("XNYS"), DAYS[3])
    assert (error.value.code, error.value.field) == ("outside_calendar", "as_of")


def test_bounds_of_a_history_are_accepted_themselves() -> None:
    HistoryPolicy(4, 9).check(HISTORY, 4, MODEL)
    HistoryPolicy(0, 0).check(HISTORY.tail(1), None, MODEL)
    assert HistoryPolicy.of(Settings()) is None
    assert HistoryPolicy.of(Settings(max_stale_sessions=0)) == (0, None)
    assert HistoryPolicy.of(Settings(max_missing_sessions=0)) == (None, 0)


def test_bounds_of_a_body_are_accepted_themselves() -> None:
    limits = BodyLimits(1, 2, 3)
    limits.check_values(2)
    limits.hold(1)
    limits.hold(2)
    assert limits.held == 3
    with pytest.raises(errors.Overloaded, match="take or need 3 bytes of memory; at most 3"):
        limits.hold(1)
    check_values(b"," * 5_000)
    said = limits.too_large("7 bytes")
    assert str(said) == "the body has 7 bytes; at most 1 are accepted"
    assert details(said) == ("body", "7 bytes", "at most 1 bytes")
    check_lines(b"," * 63, ",", Limits())


def test_why_there_is_no_model_for_every_asset() -> None:
    assert Universal(None, None).why_absent == "the store holds none"
    refusal = Refusal("universal", "universal", 3, "a flipped bit", 2)
    absent = Universal(None, refusal)
    assert absent.why_absent == "it is refused: a flipped bit"
    with pytest.raises(RoughcastError, match="not in service: it is refused: a flipped bit"):
        absent.get()


STATUSES = {
    "error": 500,
    "service_error": 500,
    "invalid_value": 422,
    "malformed_json": 400,
    "unsupported_media_type": 415,
    "body_too_large": 413,
    "host_not_allowed": 421,
    "unauthorized": 401,
    "forbidden": 403,
    "rate_limited": 429,
    "too_many_at_once": 429,
    "unknown_key": 404,
    "body_too_slow": 408,
    "malformed_request": 400,
    "url_too_long": 414,
    "headers_too_large": 431,
    "overloaded": 503,
    "route_not_found": 404,
    "method_not_allowed": 405,
    "invalid_as_of": 422,
    "asset_mismatch": 422,
    "unclear_calendar": 422,
    "history_stale": 422,
    "history_damaged": 503,
    "not_acceptable": 406,
    "history_incomplete": 422,
    "bars_conflict": 409,
    "asset_in_use": 409,
    "not_yet_known": 422,
    "not_replayable": 410,
    "unknown_forecast": 404,
    "not_ready": 503,
    "store_not_writable": 503,
    "database_unavailable": 503,
    "invalid_setting": 500,
    "comparison_unavailable": 503,
    "internal_error": 500,
    "invalid_input": 422,
    "not_found": 404,
    "artifact_refused": 503,
    "prediction_failed": 503,
    "misaligned_forecasts": 500,
}


def test_every_error_has_its_code_and_status() -> None:
    classes: list[type[RoughcastError]] = [errors.ServiceError, *STATUS]
    assert {it.code: status_of(it) for it in classes} == STATUSES
    later = {it.code: getattr(it, "retry_after", None) for it in classes}
    assert {code: seconds for code, seconds in later.items() if seconds is not None} == {
        "rate_limited": 1,
        "too_many_at_once": 1,
        "overloaded": 1,
        "database_unavailable": 2,
    }


def test_headers_say_when_to_come_again_and_how_to_bring_a_key() -> None:
    assert errors.ServiceError("x").headers == {}
    assert errors.DatabaseUnavailable("x").headers == {"retry-after": "2"}
    assert errors.Unauthorized("x").headers == {"www-authenticate": "Bearer"}


def test_a_request_s_first_fault_speaks_for_all() -> None:
    faults = [
        Fault("missing_field", "no asset", "asset", 3, "an asset"),
        Fault("b", "b", "b", 1, "b"),
    ]
    error = InvalidRequest(faults)
    assert (error.code, str(error), *details(error)) == (
        "missing_field",
        "no asset",
        "asset",
        3,
        "an asset",
    )
    assert error.faults == tuple(faults)
    assert str(InvalidRequest(faults, stopped=True)) == (
        "no asset (one of the first 2 faults, at which reading stopped)"
    )


def test_fields_of_bars_are_named_as_the_request_does() -> None:
    findings = [
        Finding("a", "error", "close", "x", "y", 3),
        Finding("b", "error", "timestamps", "x", "y", 4),
        Finding("c", "error", "timestamps", "x", "y"),
    ]
    found = located(InvalidBars(findings), "history.")
    assert isinstance(found, InvalidBars)
    fields = [finding.field for finding in found.findings]
    assert fields == ["history.bars[3].close", "history.bars[4].date", "history.bars"]
    assert located(InvalidSeries("x", field="rv"), "history.").field == "history.rv"
    assert located(InvalidSeries("x"), "history.").field == "history"
