"""Connections over sockets: what is too long, too slow or too much is cut off, and told why."""

import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from fastapi import FastAPI

from service import server
from service.http.connections import BoundedProtocol
from service.http.middleware import request_log
from service.server import Server, server_of
from service.settings import Settings
from tests.service.patience import eventually
from tests.service.worlds import ASSET

FORECAST = json.dumps({"asset": ASSET, "model": "har"}).encode()
_JSON_HEAD = "POST /forecast HTTP/1.1\r\ncontent-type: application/json"
SHORT_LIMITS = {
    "port": 0,
    "max_url_bytes": 200,
    "max_header_bytes": 1_000,
    "max_headers": 10,
    "max_connections": 4,
    "header_timeout": 0.3,
    "body_timeout": 0.3,
    "write_timeout": 0.3,
    "drain_seconds": 0.0,
}


@pytest.fixture
def running(app: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(server, "_TICKS", 1)
    monkeypatch.setattr(server, "spare_the_collector", lambda: None)

    @app.get("/large")
    async def large() -> str:
        return "x" * 50_000_000

    running = server_of(app, settings.model_copy(update=SHORT_LIMITS))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        assert thread.is_alive()
        time.sleep(0.01)
    yield running
    running.should_exit = True
    thread.join(30)


@pytest.fixture
def port(running: Server) -> int:
    number: int = running.servers[0].sockets[0].getsockname()[1]
    return number


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def request(head: str, body: bytes = b"") -> bytes:
    return (
        f"{head}\r\nhost: localhost\r\n".encode() + b"content-length: %d\r\n\r\n" % len(body) + body
    )


def answers(connection: socket.socket) -> bytes:
    """All that comes until the service closes the connection."""
    found = b""
    while part := connection.recv(65_536):
        found += part
    return found


def problem(found: bytes) -> tuple[int, Any]:
    head, _, body = found.partition(b"\r\n\r\n")
    assert b"connection: close" in head
    assert b"content-type: application/problem+json" in head
    return int(head.split()[1]), json.loads(body)["code"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET /" + b"a" * 200 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n", (414, "url_too_long")),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 11 + b"\r\n", (431, "headers_too_large")),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 1_000 + b"\r\n\r\n", (431, "headers_too_large")),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 1_200, (431, "headers_too_large")),
        (b"GET /" + b"a" * 1_300, (431, "headers_too_large")),
        (b"no HTTP at all\r\n\r\n", (400, "malformed_request")),
    ],
)
def test_a_head_beyond_the_limits_is_told_why(
    port: int, sent: bytes, expected: tuple[int, str]
) -> None:
    with connected(port) as connection:
        connection.sendall(sent)
        assert problem(answers(connection)) == expected


def test_a_head_within_the_limits_is_read_in_pieces_and_behind_a_body(port: int) -> None:
    head = b"POST /forecast HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nx: "
    head += b"a" * 900
    whole = head + b"\r\ncontent-length: %d\r\n\r\n" % len(FORECAST) + FORECAST
    with connected(port) as connection:
        for at in range(0, len(whole), 100):
            connection.sendall(whole[at : at + 100])
        connection.sendall(whole + request("GET /health/live HTTP/1.1\r\nconnection: close"))
        found = answers(connection)
    assert found.count(b"HTTP/1.1 200") == 3


def test_garbage_behind_a_request_is_not_answered_in_its_place(port: int) -> None:
    whole = request("POST /forecast HTTP/1.1\r\ncontent-type: application/json", FORECAST)
    with connected(port) as connection:
        connection.sendall(whole + b"no HTTP at all\r\n\r\n")
        found = answers(connection)
    assert found.startswith(b"HTTP/1.1 200")
    assert found.count(b"HTTP/1.1 ") == 1


def test_an_address_is_that_of_the_connection(port: int) -> None:
    forged = "GET /health/live HTTP/1.1\r\nx-forwarded-for: 8.8.8.8\r\nconnection: close"
    stream = io.BytesIO()
    with pytest.MonkeyPatch.context() as patched, connected(port) as connection:
        patched.setattr(request_log, "stream", stream)
        connection.sendall(request(forged))
        assert answers(connection).startswith(b"HTTP/1.1 200")
    assert b'"client":"127.0.0.1"' in stream.getvalue()


def test_headers_without_end_are_not_kept(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.http.connections._LINGER", 0.2)
    sent, lines, most = 0, b"x-filler: %b\r\n" % (b"a" * 8_000), 10_000
    with connected(port) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        with suppress(OSError):  # reset, or a broken pipe
            for _ in range(most):
                connection.sendall(lines)
                sent += 1
                time.sleep(0.001)
    assert sent < most


@pytest.mark.parametrize("body", [b"", b'{"asset"'])
def test_a_body_that_does_not_come_is_answered_with_408(port: int, body: bytes) -> None:
    head = b"POST /forecast HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    with connected(port) as connection:
        connection.sendall(head + b"content-length: 100\r\n\r\n" + body)
        assert problem(answers(connection)) == (408, "body_too_slow")
    with connected(port) as connection:
        connection.sendall(request("GET /metrics HTTP/1.1\r\nconnection: close"))
        metrics = answers(connection).decode()
    assert 'roughcast_requests_total{method="POST",route="/forecast",status="408"} 1.0' in metrics


@pytest.mark.parametrize(
    "sent", [b"", b"\r\n", b"GET / HT", b"GET / HTTP/1.1\r\nhost: localhost\r\n"]
)
def test_a_connection_without_a_request_is_closed(port: int, sent: bytes) -> None:
    with connected(port) as connection:
        connection.sendall(request("GET /health/live HTTP/1.1"))
        found = connection.recv(65_536)
        while not found.endswith(b"}"):
            found += connection.recv(65_536)
        connection.sendall(sent)
        assert answers(connection) == b""


def test_a_caller_who_does_not_read_is_cut_off(running: Server, port: int) -> None:
    with connected(port) as connection:
        connection.sendall(request("GET /large HTTP/1.1"))
        eventually(lambda: len(running.server_state.connections) == 1)
        eventually(lambda: not running.server_state.connections)
        read = 0
        with suppress(ConnectionResetError):
            while part := connection.recv(1 << 20):
                read += len(part)
    assert read < 50_000_000


def test_a_slow_reader_gets_all_of_it(port: int) -> None:
    with connected(port) as connection:
        connection.sendall(request("GET /large HTTP/1.1"))
        read = 0
        while read < 50_000_000:
            part = connection.recv(4 << 20)
            assert part
            read += len(part)
            time.sleep(0.02)


def test_the_body_of_an_answer_does_not_wait_for_its_head_to_be_acknowledged(
    running: Server, port: int
) -> None:
    with connected(port):
        eventually(lambda: len(running.server_state.connections) == 1)
        [connection] = running.server_state.connections
        sock = connection.transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_one_connection_too_many_is_refused(port: int) -> None:
    with ExitStack() as kept:
        for _ in range(4):
            kept.enter_context(connected(port))
        with connected(port) as connection:
            assert problem(answers(connection)) == (503, "overloaded")


def test_long_bodies_are_read_by_turns(
    running: Server, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One in a round of the event loop; each is answered, and what stands behind it."""
    reads: list[tuple[int, int]] = []  # which round, and how many bytes
    original = BoundedProtocol.data_received

    def received(self: BoundedProtocol, data: bytes) -> None:
        original(self, data)
        if self._body_bytes:
            reads.append((next(rounds), len(data)))

    rounds = _rounds_of(running)
    monkeypatch.setattr(BoundedProtocol, "data_received", received)
    length = 1_000_000
    sent = request(_JSON_HEAD, FORECAST + b" " * (length - len(FORECAST)))
    sent += request(f"{_JSON_HEAD}\r\nconnection: close", FORECAST)
    with ExitStack() as stack:
        connections = [stack.enter_context(connected(port)) for _ in range(4)]
        senders = [threading.Thread(target=it.sendall, args=(sent,)) for it in connections]
        for sender in senders:
            sender.start()
        found = [answers(it) for it in connections]
        for sender in senders:
            sender.join()
    assert [it.count(b"HTTP/1.1 200") for it in found] == [2] * 4
    assert max(number for _, number in reads) <= 65_536
    long = [at for at, number in reads if number > 16_384]
    assert len(long) > 4
    assert len(set(long)) == len(long)


def _rounds_of(running: Server) -> Iterator[int]:
    """The number of the round that the event loop is in, whenever it is asked for."""
    [listening] = running.servers
    loop = listening.get_loop()
    at = 0

    def count() -> None:
        nonlocal at
        at += 1
        loop.call_soon(count)

    loop.call_soon_threadsafe(count)
    while True:
        yield at
