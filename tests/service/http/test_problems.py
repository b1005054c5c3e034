"""How what is wrong becomes a problem document: its field, its code, its title."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.exceptions import HTTPException

from service.http import errors
from service.http.errors import Fault, InvalidRequest
from service.http.problems import (
    MOST_FAULTS,
    exception_handlers,
    field_name,
    from_validation,
    presentable,
    problem_of,
    problem_response,
)
from tests.errors import details
from tests.service.client import TestClient
from volatility.errors import Finding, InvalidBars, NotFound, RoughcastError


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ((), "body"),
        (("body",), "body"),
        (("body", "history", "bars", 3, "close"), "history.bars[3].close"),
        (("history", "rv"), "history.rv"),
        (("query", "start"), "start"),
        (("path", "asset"), "asset"),
        (("header", "accept"), "accept"),
        (("cookie", "x"), "cookie.x"),
        ((4, "asset"), "[4].asset"),
    ],
)
def test_a_field_is_named_as_a_reader_writes_it(location: tuple[Any, ...], name: str) -> None:
    assert field_name(location) == name


def fault(kind: str, **more: Any) -> Any:
    """What pydantic tells of one."""
    return {"type": kind, "loc": ("body", "x"), "msg": "what it says", "input": 7} | more


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("missing", "missing_field"),
        ("extra_forbidden", "unknown_field"),
        ("too_long", "too_many_items"),
        ("string_too_short", "empty_value"),
        ("date_parsing", "invalid_date"),
        ("date_not_as_written", "invalid_date"),
        ("datetime_parsing", "invalid_date"),
        ("datetime_from_date_parsing", "invalid_date"),
        ("date_type", "wrong_type"),
        ("datetime_type", "wrong_type"),
        ("int_type", "wrong_type"),
        ("int_parsing", "wrong_type"),
        ("int_parsing_size", "wrong_type"),
        ("greater_than_equal", "invalid_value"),
        ("not_a_list", "invalid_value"),
    ],
)
def test_a_kind_of_fault_has_a_code(kind: str, code: str) -> None:
    error = from_validation([fault(kind)])
    assert isinstance(error, InvalidRequest)
    assert (error.code, str(error)) == (code, "x: what it says")
    assert details(error) == ("x", None if kind == "missing" else 7, "what it says")


def test_a_validator_may_say_its_own_code() -> None:
    assert from_validation([fault("value_error", ctx={"code": "mine"})]).code == "mine"
    assert from_validation([fault("value_error", ctx={"ge": 1})]).code == "invalid_value"


def test_what_is_no_json_is_said_with_the_reason() -> None:
    error = from_validation([fault("json_invalid", ctx={"error": "EOF at line 1"})])
    assert str(error) == "the body is not JSON: EOF at line 1"
    assert details(error) == ("body", None, "a JSON document (RFC 8259)")
    assert str(from_validation([fault("json_invalid")])) == "the body is not JSON: what it says"


@pytest.mark.parametrize(
    ("number", "told", "is_stopped"),
    [(1, 1, False), (MOST_FAULTS, 20, False), (MOST_FAULTS + 1, 20, True)],
)
def test_so_many_faults_are_told(number: int, told: int, is_stopped: bool) -> None:
    error = from_validation([fault("missing")] * number)
    assert isinstance(error, InvalidRequest)
    assert len(error.faults) == told
    assert ("at which reading stopped" in str(error)) is is_stopped
    assert "first 1 faults" in str(from_validation([fault("missing")], stopped=True))


def test_what_a_caller_wrote_is_told_in_part_wherever_it_stands() -> None:
    long = "A" * 1_000_000
    error = from_validation([fault("missing", loc=("body", "companions", long, "bars"))] * 20)
    for path in ("/forecast", "/v1/timeseries/forecast", "/v2/models/x/infer"):
        assert len(problem_response(error, path).body) < 20_000
    assert field_name(("body", "companions", long, "bars")) == f"companions.{'A' * 100}….bars"
    assert len(field_name(("a",) * 10_000)) == 201
    named = NotFound(f"no {long}", field=long, found=long, needed=long)
    told = problem_of(named, "/forecast")
    assert [len(str(told[it])) for it in ("detail", "field", "found", "needed")] == [
        4_001,
        201,
        201,
        4_001,
    ]


def test_a_long_value_is_shown_in_part() -> None:
    assert presentable("x" * 200) == "x" * 200
    assert presentable("x" * 201) == "x" * 200 + "…"
    assert presentable(["a", None]) == "['a', None]"
    assert presentable(10**5_000) == "a very large int"


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (errors.BodyTooLarge("x"), "Content Too Large"),
        (errors.UrlTooLong("x"), "URI Too Long"),
        (errors.AssetMismatch("x"), "Unprocessable Content"),
        (errors.HeadersTooLarge("x"), "Request Header Fields Too Large"),
        (NotFound("x"), "Not Found"),
    ],
)
def test_a_title_is_the_phrase_of_the_status(error: RoughcastError, title: str) -> None:
    assert problem_of(error, "/x")["title"] == title


def test_one_fault_says_it_all_and_several_are_listed() -> None:
    one, other = Fault("a", "a: b", "a", 1, "b"), Fault("c", "c: d", "c", [2], "d")
    assert problem_of(InvalidRequest([one]), "/x")["errors"] == []
    both = problem_of(InvalidRequest([one, other]), "/x")["errors"]
    assert both == [
        {"code": "a", "detail": "a: b", "field": "a", "found": 1, "needed": "b"},
        {"code": "c", "detail": "c: d", "field": "c", "found": "[2]", "needed": "d"},
    ]


def test_findings_of_bars_are_listed_where_there_are_several() -> None:
    found = [
        Finding("zero", "error", "close", "0.0", "a price above 0", 3),
        Finding("late", "error", "timestamps", "a day", "an earlier one", 4),
    ]
    assert problem_of(InvalidBars(found[:1]), "/x")["errors"] == []
    first, second = problem_of(InvalidBars(found), "/x")["errors"]
    assert first == {
        "code": "zero",
        "detail": str(found[0]),
        "field": "close",
        "found": "0.0",
        "needed": "a price above 0",
    }
    assert (second["code"], second["needed"]) == ("late", "an earlier one")


def test_a_problem_document_is_whole() -> None:
    error = errors.DatabaseUnavailable("it sleeps", field="f", found=2**60, needed="a database")
    answer = problem_response(error, "/path", {"allow": "GET"})
    assert answer.media_type == "application/problem+json"
    assert answer.status_code == 503
    assert (answer.headers["retry-after"], answer.headers["allow"]) == ("2", "GET")
    assert json.loads(bytes(answer.body)) == {
        "type": "urn:roughcast:problem:database_unavailable",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "it sleeps",
        "instance": "/path",
        "code": "database_unavailable",
        "field": "f",
        "found": str(2**60),
        "needed": "a database",
        "errors": [],
    }


@pytest.fixture
def client() -> TestClient:
    app = FastAPI(exception_handlers=exception_handlers())

    @app.get("/teapot")
    async def teapot() -> None:
        raise HTTPException(418, headers={"x-tea": "green"})

    @app.get("/number/{number}")
    async def number(number: int) -> int:
        return number

    return TestClient(app)


@pytest.mark.parametrize(
    ("method", "path", "status", "told"),
    [
        ("GET", "/none", 404, ("route_not_found", "path", "/none", "a path listed in /docs")),
        ("PUT", "/teapot", 405, ("method_not_allowed", "method", "PUT", "GET")),
        ("GET", "/teapot", 500, ("internal_error", None, None, None)),
        ("GET", "/number/x", 422, ("wrong_type", "number", "x", None)),
    ],
)
def test_what_the_router_refuses_is_a_problem(
    client: TestClient, method: str, path: str, status: int, told: tuple[Any, ...]
) -> None:
    answer = client.request(method, path)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["instance"]) == (status, status, path)
    assert (problem["code"], problem["field"], problem["found"]) == told[:3]
    if told[3] or status == 500:
        assert problem["needed"] == told[3]
    if status == 500:
        assert problem["detail"] == "unexpected HTTP status 418"
        assert answer.headers["x-tea"] == "green"
