"""A service that misbehaves: what is asked again, when, and what comes of it."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pandas as pd
import pytest

from roughcast.client import AsyncClient, Client, NotUnderstood, Problem, Unreachable
from roughcast.client.exchange import told_delay
from tests.errors import details

READY = {"status": "ready", "models": 1, "assets": 1, "stale_sessions": {}, "warnings": []}
Answer = tuple[int, dict[str, str], bytes]
HANG_UP: Answer = (0, {}, b"")


def answer(status: int, content: Any, **headers: str) -> Answer:
    return status, {name.replace("_", "-"): it for name, it in headers.items()}, encoded(content)


def encoded(content: Any) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def problem(status: int, code: str, **headers: str) -> Answer:
    document = {"detail": f"it is {code}", "code": code, "status": status, "errors": []}
    return answer(status, document, **headers)


@contextlib.contextmanager
def misbehaving(answers: Sequence[Answer]) -> Iterator[tuple[str, list[str]]]:
    """Its address, and the requests that have come, to which it gives these answers in turn."""
    asked: list[str] = []
    left = iter(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_any(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            asked.append(f"{self.command} {self.path} {self.headers.get('authorization')}")
            status, headers, content = next(left)
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_POST = do_any  # noqa: N815 - the names that are looked for

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("roughcast.client.sleep", waited.append)
    monkeypatch.setattr("roughcast.client.asynchronous.pause", sleep)
    return waited


def by_sync(url: str, ask: Callable[[Any], Any], **options: Any) -> Any:
    with Client(url, **options) as client:
        return ask(client)


def by_async(url: str, ask: Callable[[Any], Any], **options: Any) -> Any:
    async def run() -> Any:
        async with AsyncClient(url, **options) as client:
            return await ask(client)

    return asyncio.run(run())


both = pytest.mark.parametrize("by", [by_sync, by_async])


@both
def test_a_busy_service_is_asked_again_when_it_says(by: Any, waits: list[float]) -> None:
    busy = [problem(503, "overloaded"), problem(429, "rate_limited", retry_after="7"), HANG_UP]
    with misbehaving([*busy, answer(200, READY)]) as (url, asked):
        assert by(url, lambda it: it.health(), key="abc").status == "ready"
    assert asked == ["GET /health/ready Bearer abc"] * 4
    first, told, last = waits
    assert 0.25 <= first <= 0.5
    assert told == 7.0
    assert 1.0 <= last <= 2.0  # twice as long each time


@both
def test_after_so_many_repetitions_the_problem_is_told(by: Any, waits: list[float]) -> None:
    with (
        misbehaving([problem(503, "overloaded", retry_after="1")] * 3) as (url, asked),
        pytest.raises(Problem) as refused,
    ):
        by(url, lambda it: it.health(), retries=2)
    assert len(asked) == 3
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (
        503,
        "overloaded",
        1.0,
    )
    assert waits == [1.0, 1.0]


@both
def test_a_wait_of_more_than_a_minute_is_left_to_the_caller(by: Any, waits: list[float]) -> None:
    with (
        misbehaving([problem(429, "rate_limited", retry_after="61")]) as (url, asked),
        pytest.raises(Problem) as refused,
    ):
        by(url, lambda it: it.health())
    assert (len(asked), waits, refused.value.retry_after) == (1, [], 61.0)


@both
@pytest.mark.parametrize("status", [400, 404, 422, 500, 502])
def test_other_problems_are_not_asked_again(by: Any, status: int, waits: list[float]) -> None:
    with (
        misbehaving([problem(status, "some_code")]) as (url, asked),
        pytest.raises(Problem, match="it is some_code") as refused,
    ):
        by(url, lambda it: it.hurst("A/B"))
    assert asked == ["GET /hurst/A%2FB None"]
    assert refused.value.code == "some_code"
    assert waits == []


@both
@pytest.mark.parametrize(("replace", "times"), [(False, 2), (True, 1)])
def test_what_is_not_safe_to_repeat_is_sent_once(
    by: Any, replace: bool, times: int, bars: pd.DataFrame, waits: list[float]
) -> None:
    """Between the two, another may have put something newer."""
    with (
        misbehaving([HANG_UP, problem(409, "bars_conflict")]) as (url, asked),
        pytest.raises((Problem, Unreachable)) as refused,
    ):
        by(url, lambda it: it.put_bars("MINE", bars.tail(2), replace=replace))
    assert len(asked) == times
    assert asked[0].split()[1] == "/assets/MINE/bars" + ("?replace=true" if replace else "")
    assert isinstance(refused.value, Unreachable if replace else Problem)
    assert len(waits) == times - 1


@both
def test_where_nothing_answers_that_is_told(by: Any, waits: list[float]) -> None:
    with misbehaving([]) as (url, _):
        pass
    with pytest.raises(Unreachable, match="does not answer") as refused:
        by(url, lambda it: it.health(), retries=1)
    assert refused.value.code == "unreachable"
    field, found, needed = details(refused.value)
    assert (field, needed) == ("url", "a running service")
    assert str(refused.value) == f"{url} does not answer: {found}, asked 2 times"
    assert len(waits) == 1


@both
@pytest.mark.parametrize(
    "wrong",
    [
        answer(200, b"<html>"),
        answer(200, b"\xff\xfe"),
        answer(200, {"status": "ready"}),
        answer(200, []),
        answer(404, b"not here"),
        answer(502, {"error": "gateway"}),
        answer(302, b"", location="http://127.0.0.1:1/"),
    ],
)
def test_what_no_service_answers_is_not_understood(by: Any, wrong: Answer) -> None:
    with (
        misbehaving([wrong]) as (url, _),
        pytest.raises(NotUnderstood, match="/health/ready is not understood") as other,
    ):
        by(url, lambda it: it.health())
    field, found, needed = details(other.value)
    assert (field, needed) == ("url", "a service of the same version")
    assert str(found)[:200] == wrong[2].decode(errors="replace")[:200]


def test_a_time_to_ask_again_may_be_a_date() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=40)
    assert 30 < (told_delay(format_datetime(soon, usegmt=True)) or 0.0) <= 40
    assert told_delay("Mon, 01 Jan 2001 00:00:00 -0000") == 0.0
    assert told_delay("12") == 12.0
    assert told_delay(None) is None
    assert told_delay("soon") is None
