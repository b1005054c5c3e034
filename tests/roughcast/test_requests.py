"""What either client sends for each method, and what it makes of the answer."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pandas as pd
import pytest

from roughcast.client import AsyncClient, Client, Problem, Question, Unreachable
from roughcast.client.answers import Health, Merged, Outcome, Recorded, Replayed
from roughcast.client.connection import failed
from tests.errors import details
from tests.roughcast.results.made_up import (
    COMPARISON,
    COMPARISON_ANSWER,
    FORECAST,
    FORECAST_ANSWER,
    REPORT,
    REPORT_ANSWER,
)

DAYS = pd.DataFrame(
    {"open": [1.0, 2.0], "high": [3.0, 4.0], "low": [0.5, 1.5], "close": [2.0, 3.0]},
    pd.DatetimeIndex(["2021-02-02", "2021-02-03"], name="date"),
)
SENT = [
    {"date": "2021-02-02", "open": 1.0, "high": 3.0, "low": 0.5, "close": 2.0},
    {"date": "2021-02-03", "open": 2.0, "high": 4.0, "low": 1.5, "close": 3.0},
]
USUAL = {"model": "auto", "horizons": [1, 5, 10, 22], "levels": [0.8, 0.95]}
PROBLEM = {
    "status": 422,
    "code": "history_too_short",
    "detail": "too few",
    "field": "history",
    "found": 5,
    "needed": "22 sessions",
    "errors": [{"a": 1}],
}
PUT = {
    "asset": "A/B",
    "added": 1,
    "replaced": 2,
    "unchanged": 3,
    "dropped": 4,
    "bars": 5,
    "last_session": "2021-02-03",
    "warnings": ["it is new"],
}
RECORDED = {
    "answer": FORECAST_ANSWER,
    "issued_at": "2021-02-03T12:00:00Z",
    "live": True,
    "outcome": {"rv": 1e-4, "qlike_loss": 0.2, "covered": {"0.8": False, "0.95": True}},
}
Case = tuple[Callable[[Any], Any], str, str, Any, Any, Any]
CASES: list[Case] = [
    (
        lambda it: it.forecast("SPX"),
        "POST",
        "/forecast",
        USUAL | {"asset": "SPX"},
        FORECAST_ANSWER,
        FORECAST,
    ),
    (
        lambda it: it.forecast(
            DAYS,
            horizons=[1],
            model="har",
            model_version=2,
            levels=[0.9],
            quantiles=[0.1],
            asset="MINE",
            calendar="24/7",
            kind="crypto",
            as_of=datetime(2021, 2, 3, 12, tzinfo=UTC),
            known_at=datetime(2021, 2, 4, tzinfo=UTC),
            companions={"VIX": DAYS},
        ),
        "POST",
        "/forecast",
        {
            "model": "har",
            "horizons": [1],
            "levels": [0.9],
            "asset": "MINE",
            "model_version": 2,
            "calendar": "24/7",
            "kind": "crypto",
            "as_of": "2021-02-03",
            "known_at": "2021-02-04T00:00:00+00:00",
            "quantiles": [0.1],
            "companions": {"VIX": {"bars": SENT}},
            "history": {"bars": SENT},
        },
        FORECAST_ANSWER,
        FORECAST,
    ),
    (
        lambda it: it.put_bars("A/B", DAYS),
        "PUT",
        "/assets/A%2FB/bars",
        {"bars": SENT},
        PUT,
        Merged("A/B", 1, 2, 3, 4, 5, date(2021, 2, 3), ("it is new",)),
    ),
    (
        lambda it: it.put_bars(
            "A", DAYS, replace=True, calendar="XNYS", kind="etf", measure="parkinson"
        ),
        "PUT",
        "/assets/A/bars?replace=true&measure=parkinson&calendar=XNYS&kind=etf",
        {"bars": SENT},
        PUT | {"last_session": None},
        Merged("A/B", 1, 2, 3, 4, 5, None, ("it is new",)),
    ),
    (lambda it: it.hurst("A/B"), "GET", "/hurst/A%2FB", None, REPORT_ANSWER, REPORT),
    (
        lambda it: it.compare("A/B"),
        "GET",
        "/compare/A%2FB?horizon=1",
        None,
        COMPARISON_ANSWER,
        COMPARISON,
    ),
    (
        lambda it: it.compare("A", 5),
        "GET",
        "/compare/A?horizon=5",
        None,
        COMPARISON_ANSWER,
        COMPARISON,
    ),
    (
        lambda it: it.recorded("a/1"),
        "GET",
        "/forecasts/a%2F1",
        None,
        RECORDED,
        Recorded(
            FORECAST,
            datetime(2021, 2, 3, 12, tzinfo=UTC),
            True,
            Outcome(1e-4, 0.2, {0.8: False, 0.95: True}),
        ),
    ),
    (
        lambda it: it.recorded("a1"),
        "GET",
        "/forecasts/a1",
        None,
        RECORDED | {"live": False, "outcome": None},
        Recorded(FORECAST, datetime(2021, 2, 3, 12, tzinfo=UTC), False, None),
    ),
    (
        lambda it: it.replay("a/1"),
        "GET",
        "/forecasts/a%2F1/replay",
        None,
        {"answer": FORECAST_ANSWER, "identical": False, "differences": ["rv"]},
        Replayed(FORECAST, False, ("rv",)),
    ),
    (
        lambda it: it.health(),
        "GET",
        "/health/ready",
        None,
        {
            "status": "degraded",
            "models": 4,
            "assets": 2,
            "stale_sessions": {"A": 3, "B": None},
            "warnings": ["A is old"],
        },
        Health("degraded", 4, 2, {"A": 3, "B": None}, ("A is old",)),
    ),
]


class Answering:
    """Carries no request anywhere, but keeps it and answers."""

    def __init__(self, *answers: Any, status: int = 200) -> None:
        self.answers, self.status = [*answers], status
        self.asked: list[httpx.Request] = []
        self.transport = httpx.MockTransport(self.answer)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return httpx.Response(self.status, json=self.answers.pop(0))

    @property
    def paths(self) -> list[str]:
        return [it.url.raw_path.decode() for it in self.asked]


def by_sync(answering: Answering, ask: Callable[[Any], Any], **options: Any) -> Any:
    with Client("http://there", transport=answering.transport, **options) as client:
        return ask(client)


def by_async(answering: Answering, ask: Callable[[Any], Any], **options: Any) -> Any:
    async def run() -> Any:
        transport = answering.transport
        async with AsyncClient("http://there", transport=transport, **options) as client:
            return await ask(client)

    return asyncio.run(run())


both = pytest.mark.parametrize("by", [by_sync, by_async])


@both
@pytest.mark.parametrize(("ask", "method", "path", "body", "answer", "expected"), CASES)
def test_each_method_is_a_request_and_a_result(
    by: Any,
    ask: Callable[[Any], Any],
    method: str,
    path: str,
    body: Any,
    answer: Any,
    expected: Any,
) -> None:
    answering = Answering(answer)
    assert by(answering, ask) == expected
    [request] = answering.asked
    assert (request.method, answering.paths) == (method, [path])
    assert (json.loads(request.content) if request.content else None) == body


@both
def test_a_batch_has_forecasts_and_problems_in_order(by: Any) -> None:
    answering = Answering({"items": [PROBLEM, FORECAST_ANSWER]})
    questions = [Question("A"), Question("B", [1])]
    problem, forecast = by(answering, lambda it: it.forecast_batch(questions))
    assert (problem.status, problem.code, str(problem)) == (422, "history_too_short", "too few")
    assert details(problem) == ("history", 5, "22 sessions")
    assert (problem.errors, problem.retry_after) == (({"a": 1},), None)
    assert forecast == FORECAST
    items = [USUAL | {"asset": "A"}, USUAL | {"asset": "B", "horizons": [1]}]
    assert json.loads(answering.asked[0].content) == {"items": items}
    assert (answering.asked[0].method, answering.paths) == ("POST", ["/forecast/batch"])


@both
def test_bars_come_page_by_page_the_newest_first(by: Any) -> None:
    pages = [
        {"bars": SENT[1:], "next": "?end=2021-02-02&limit=1&a=b%2Fc"},
        {"bars": SENT[:1], "next": None},
    ]
    answering = Answering(*pages)
    asked = (date(2021, 2, 2), date(2021, 2, 3), datetime(2021, 2, 4, tzinfo=UTC))
    found = by(answering, lambda it: it.bars("A/B", *asked))
    pd.testing.assert_frame_equal(found, DAYS, check_index_type=False)
    known = "start=2021-02-02&end=2021-02-03&known_at=2021-02-04T00%3A00%3A00%2B00%3A00"
    assert answering.paths == [
        f"/assets/A%2FB/bars?{known}&limit=100000",
        "/assets/A%2FB/bars?end=2021-02-02&limit=1&a=b%2Fc",
    ]
    nothing = by(Answering({"bars": [], "next": None}), lambda it: it.bars("A"))
    assert (len(nothing), nothing.index.name) == (0, "date")


@both
def test_models_and_how_they_did_are_tables(by: Any) -> None:
    own = {"asset": "A", "model": "har", "version": 2}
    for universal, rows in (
        (None, [own]),
        ({"version": 9}, [own, {"asset": None, "model": "universal", "version": 9}]),
    ):
        answering = Answering({"models": [own], "universal": universal})
        found = by(answering, lambda it: it.models())
        pd.testing.assert_frame_equal(found, pd.DataFrame(rows))
        assert answering.paths == ["/models"]
    for ask, horizon in (
        (lambda it: it.performance("A/B"), 1),
        (lambda it: it.performance("A/B", 5), 5),
    ):
        answering = Answering({"asset": "A/B", "models": [own], "warnings": ["few"]})
        found = by(answering, ask)
        assert found.to_dict("records") == [own]
        assert found.attrs == {"asset": "A/B", "warnings": ("few",)}
        assert answering.paths == [f"/performance/A%2FB?horizon={horizon}"]


@both
def test_who_asks_is_told_and_half_a_minute_waited(by: Any) -> None:
    answering = Answering(*[{"models": [], "universal": None}] * 2)
    by(answering, lambda it: it.models())
    by(answering, lambda it: it.models(), key="rc_mine", timeout=5.0)
    anybody, somebody = answering.asked
    told = {"accept": "application/json", "user-agent": "roughcast"}
    for request in (anybody, somebody):
        assert {name: request.headers[name] for name in told} == told
    assert anybody.headers.get("authorization") is None
    assert somebody.headers["authorization"] == "Bearer rc_mine"
    waited = [set(it.extensions["timeout"].values()) for it in answering.asked]
    assert waited == [{30.0}, {5.0}]


@both
def test_three_repetitions_are_usual(by: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pause(_seconds: float) -> None: ...

    monkeypatch.setattr("roughcast.client.sleep", lambda _seconds: None)
    monkeypatch.setattr("roughcast.client.asynchronous.pause", pause)
    answering = Answering(*[PROBLEM] * 5, status=503)
    with pytest.raises(Problem):
        by(answering, lambda it: it.health())
    assert len(answering.asked) == 4


@pytest.mark.parametrize(
    ("error", "was_sent"),
    [
        (httpx.ConnectError(""), False),
        (httpx.ConnectTimeout(""), False),
        (httpx.PoolTimeout(""), False),
        (httpx.ReadTimeout(""), True),
        (httpx.WriteError(""), True),
        (httpx.RemoteProtocolError(""), True),
    ],
)
def test_what_never_left_may_be_sent_again(error: httpx.HTTPError, was_sent: bool) -> None:
    assert failed(error) == (error, was_sent)


@both
@pytest.mark.parametrize(("error", "times"), [(httpx.ConnectError, 2), (httpx.ReadTimeout, 1)])
def test_what_has_arrived_perhaps_is_repeated_where_that_changes_nothing(
    by: Any, error: type[httpx.TransportError], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def pause(_seconds: float) -> None: ...

    monkeypatch.setattr("roughcast.client.sleep", lambda _seconds: None)
    monkeypatch.setattr("roughcast.client.asynchronous.pause", pause)
    asked: list[httpx.Request] = []

    def fail(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        raise error("")

    answering = Answering()
    answering.transport = httpx.MockTransport(fail)
    with pytest.raises(Unreachable) as refused:
        by(answering, lambda it: it.put_bars("A", DAYS, replace=True), retries=1)
    assert len(asked) == times
    assert details(refused.value) == ("url", error.__name__, "a running service")
