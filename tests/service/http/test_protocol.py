"""Limits of a connection at their very bounds, with a clock and a transport that tests set."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from service.http.connections import (
    BoundedProtocol,
    ConnectionLimits,
    ConnectionTally,
    cut_off,
    protocol,
)

LIMITS = ConnectionLimits(
    most_connections=2,
    most_url_bytes=20,
    most_header_bytes=100,
    most_headers=3,
    header_timeout=5.0,
    body_timeout=7.0,
    write_timeout=9.0,
)


class Loop:
    """An event loop that runs nothing; its time is set."""

    def __init__(self) -> None:
        self.now = 100.0
        self.later: list[tuple[float, Callable[[], None]]] = []
        self.begun = 0

    def time(self) -> float:
        return self.now

    def call_later(self, seconds: float, call: Callable[[], None], *_: object) -> Any:
        self.later.append((seconds, call))

    def create_task(self, run: Coroutine[Any, Any, None], **_: object) -> Any:
        run.close()
        self.begun += 1
        return Task()


class Task:
    def add_done_callback(self, _call: object) -> None:
        """It is never done."""


class Transport:
    """What has been written, and whether the connection was ended."""

    def __init__(self) -> None:
        self.written = b""
        self.unread = 0
        self.ended: list[str] = []

    def write(self, content: bytes) -> None:
        self.written += content

    def get_write_buffer_size(self) -> int:
        return self.unread

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended.append("eof")

    def close(self) -> None:
        self.ended.append("closed")

    def abort(self) -> None:
        self.ended.append("aborted")

    def get_extra_info(self, _name: str) -> None:
        """Nothing is known of the address."""

    def is_closing(self) -> bool:
        return False


class Connection:
    """One connection to a server that answers nothing."""

    def __init__(self, state: ServerState | None = None) -> None:
        self.loop, self.transport = Loop(), Transport()
        config = uvicorn.Config(_nothing, log_config=None, ws="none", lifespan="off")
        self.tally = ConnectionTally()
        made: Any = protocol(LIMITS, self.tally)(config, state or ServerState(), {}, self.loop)
        self.protocol: BoundedProtocol = made
        made.connection_made(self.transport)

    def send(self, content: bytes) -> None:
        self.protocol.data_received(content)

    def wait_until(self, seconds: float) -> None:
        """Look for what is overdue so many seconds after the beginning."""
        cut_off([self.protocol], 100.0 + seconds)

    @property
    def refused(self) -> dict[str, int]:
        """What is counted as refused."""
        return {reason: number for reason, number in self.tally.refused.items() if number}

    @property
    def problem(self) -> dict[str, Any] | None:
        """The problem document that was written, if one was."""
        head, _, body = self.transport.written.partition(b"\r\n\r\n")
        if not head:
            return None
        assert b"connection: close" in head
        found: dict[str, Any] = json.loads(body)
        assert f"HTTP/1.1 {found['status']} ".encode() in head
        return found


async def _nothing(_scope: object, _receive: object, _send: object) -> None:
    """An application that does not answer."""


def told(problem: dict[str, Any] | None) -> tuple[object, ...] | None:
    if problem is None:
        return None
    return problem["status"], problem["code"], problem["field"], problem["needed"]


URL = (414, "url_too_long", "url", "at most 20 bytes")
HEADERS = (431, "headers_too_large", "headers", "at most 3 headers of 100 bytes in all")
MALFORMED = (400, "malformed_request", None, "a request of HTTP/1.1 (RFC 9112)")


@pytest.mark.parametrize(
    ("head", "refusal"),
    [
        (b"GET /" + b"a" * 19 + b" HTTP/1.1\r\nhost: h\r\n\r\n", None),
        (b"GET /" + b"a" * 20 + b" HTTP/1.1\r\nhost: h\r\n\r\n", URL),
        (b"GET / HTTP/1.1\r\na: b\r\nc: d\r\ne: f\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\na: b\r\nc: d\r\ne: f\r\ng: h\r\n\r\n", HEADERS),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 99 + b"\r\n\r\n", None),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 100 + b"\r\n\r\n", HEADERS),
        (b"nonsense\r\n\r\n", MALFORMED),
    ],
)
def test_a_head_is_read_up_to_each_limit(head: bytes, refusal: tuple[object, ...] | None) -> None:
    connection = Connection()
    connection.send(head)
    assert told(connection.problem) == refusal
    assert connection.loop.begun == (refusal is None)


def test_a_head_that_does_not_end_is_kept_up_to_the_limits_of_url_and_headers() -> None:
    begin, filler = b"GET / HTTP/1.1\r\na: ", b"b" * 50
    connection = Connection()
    connection.send(begin + b"b" * (120 - len(begin)))
    assert connection.problem is None
    connection.send(b"b")
    assert told(connection.problem) == HEADERS
    fed = Connection()
    for part in (begin, filler, filler, filler):
        fed.send(part)
    assert told(fed.problem) == HEADERS


def test_what_is_refused_is_told_of_once_and_closed_when_it_can_have_been_read() -> None:
    connection = Connection()
    connection.send(b"nonsense\r\n\r\n")
    written = connection.transport.written
    connection.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    connection.wait_until(1_000)
    assert connection.transport.written == written
    assert (connection.loop.begun, connection.transport.ended) == (0, ["eof"])
    assert connection.refused == {"malformed_request": 1}
    [(seconds, close)] = connection.loop.later
    assert seconds == 2
    close()
    assert connection.transport.ended == ["eof", "closed"]


def test_a_head_that_is_beyond_all_limits_is_refused_once() -> None:
    """Another answer behind the first would break the connection off before that is read."""
    connection = Connection()
    connection.send(b"GET /" + b"a" * 300 + b" HTTP/1.1\r\nhost: h\r\n\r\n")
    assert told(connection.problem) == URL
    assert connection.transport.ended == ["eof"]


def test_of_a_long_url_the_beginning_is_shown() -> None:
    connection = Connection()
    connection.send(b"GET /" + b"a" * 300 + b" HTTP/1.1\r\nhost: h\r\n\r\n")
    assert connection.problem is not None
    assert connection.problem["instance"] == "/" + "a" * 199


def test_one_connection_too_many_is_told_and_closed() -> None:
    state = ServerState()
    kept = [Connection(state) for _ in range(2)]
    assert [it.problem for it in kept] == [None, None]
    refused = Connection(state)
    assert told(refused.problem) == (503, "overloaded", None, None)
    assert [it.refused for it in (*kept, refused)] == [{}, {}, {"overloaded": 1}]
    assert refused.problem is not None
    assert "there are 2 connections already" in refused.problem["detail"]
    assert "closed" in refused.transport.ended


@pytest.mark.parametrize("begun", [b"", b"GET / HT"])
def test_a_head_may_take_so_long(begun: bytes) -> None:
    connection = Connection()
    connection.send(begun)
    connection.wait_until(5.0)
    assert connection.transport.ended == []
    connection.wait_until(5.1)
    assert connection.transport.ended == ["closed"]
    assert connection.transport.written == b""
    assert connection.refused == {"head_too_slow": 1}


@pytest.mark.parametrize(("more", "refused"), [(b"", {}), (b"GET / HT", {"head_too_slow": 1})])
def test_a_connection_that_is_idle_after_an_answer_is_not_refused(
    more: bytes, refused: dict[str, int]
) -> None:
    connection = Connection()
    connection.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    connection.protocol.cycle.response_complete = True
    connection.send(more)
    connection.wait_until(1_000)
    assert connection.transport.ended == ["closed"]
    assert connection.refused == refused


def test_open_connections_are_counted() -> None:
    one, other = Connection(), Connection()
    other.protocol.tally = one.tally
    made: Any = one.protocol
    made.connection_made(one.transport)
    assert (one.tally.open, other.tally.open) == (2, 1)
    one.protocol.connection_lost(None)
    other.protocol.connection_lost(OSError("reset"))
    assert one.tally.open == 0


def test_a_body_may_take_so_long_from_its_headers_on() -> None:
    connection = Connection()
    connection.loop.now = 103.0
    connection.send(b"POST / HTTP/1.1\r\ncontent-length: 10\r\n\r\nhalf")
    connection.wait_until(10.0)
    assert connection.problem is None
    connection.wait_until(10.1)
    needed = "the whole body within 7 seconds"
    assert told(connection.problem) == (408, "body_too_slow", "body", needed)
    assert connection.refused == {"body_too_slow": 1}
    cycle = connection.protocol.cycle
    assert cycle.disconnected
    assert cycle.scope["roughcast.cut_off"] == 408  # type: ignore[typeddict-item]


def test_a_body_that_has_come_is_not_late() -> None:
    connection = Connection()
    connection.send(b"POST / HTTP/1.1\r\ncontent-length: 4\r\n\r\nbody")
    connection.wait_until(1_000)
    assert (connection.transport.ended, connection.problem) == ([], None)


def test_an_answer_may_stand_unread_so_long() -> None:
    connection = Connection()
    connection.send(b"GET / HTTP/1.1\r\nhost: h\r\n\r\n")
    connection.transport.unread = 1_000
    connection.wait_until(10)
    connection.transport.unread = 999  # something has been read
    connection.wait_until(20)
    connection.wait_until(29)
    assert connection.transport.ended == []
    connection.wait_until(29.1)
    assert connection.transport.ended == ["aborted"]
    assert connection.refused == {"reader_too_slow": 1}


def test_a_caller_who_has_read_all_has_time_for_the_next_head() -> None:
    connection = Connection()
    connection.transport.unread = 1_000
    connection.wait_until(20)
    connection.transport.unread = 0
    connection.wait_until(25)
    assert connection.transport.ended == []
    connection.wait_until(25.1)
    assert connection.transport.ended == ["closed"]


def test_connections_of_others_are_left_alone() -> None:
    cut: list[float] = []

    class Other(asyncio.Protocol):
        def cut_off(self, now: float) -> None:
            cut.append(now)

    cut_off([Other()], 1e9)
    assert cut == []
