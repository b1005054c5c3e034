"""What the process is told at its start, and how it ends."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock, patch

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from service import server
from service.http.connections import BoundedProtocol, ConnectionLimits, ConnectionTally
from service.server import Server, server_of
from service.settings import Settings

OWN = Settings(
    host="127.0.0.2",
    port=8001,
    shutdown_timeout=11,
    drain_seconds=3,
    max_connections=1,
    max_url_bytes=2,
    max_header_bytes=3,
    max_headers=4,
    header_timeout=5,
    body_timeout=6,
    write_timeout=7,
)
COUNTED = ConnectionTally()


@pytest.fixture
def running() -> Server:
    app = FastAPI()
    app.state.connections = COUNTED
    return server_of(app, OWN)


def test_every_limit_of_a_connection_is_the_one_that_is_set(running: Server) -> None:
    http = running.config.http
    assert isinstance(http, type)
    assert issubclass(http, BoundedProtocol)
    assert http.limits == ConnectionLimits(
        most_connections=1,
        most_url_bytes=2,
        most_header_bytes=3,
        most_headers=4,
        header_timeout=5,
        body_timeout=6,
        write_timeout=7,
    )
    assert http.tally is COUNTED


def test_uvicorn_is_told_what_it_is_to_leave_to_the_service(running: Server) -> None:
    config = running.config
    assert (config.host, config.port) == ("127.0.0.2", 8001)
    assert config.timeout_graceful_shutdown == 12  # a second after connections are cut
    assert (config.ws, config.lifespan, config.loop) == ("none", "on", "asyncio")
    assert config.log_config is None
    assert not any((config.access_log, config.server_header, config.proxy_headers))
    assert (running._drain_seconds, running._shutdown_timeout) == (3, 11)


def test_sigterm_drains_and_ctrl_c_does_not_wait(running: Server) -> None:
    running.handle_exit(signal.SIGTERM, None)
    assert running.should_exit
    running.handle_exit(signal.SIGTERM, None)  # changes nothing
    assert (running.force_exit, running._drain_seconds) == (False, 3)
    running.handle_exit(signal.SIGINT, None)
    assert (running.force_exit, running._drain_seconds) == (True, 0)


def test_a_first_ctrl_c_ends_what_is_under_way_and_nothing_more(running: Server) -> None:
    running.handle_exit(signal.SIGINT, None)
    told = (running.should_exit, running.force_exit, running._drain_seconds)
    assert told == (True, False, 0)


def test_what_stalls_is_cut_and_told_of(running: Server) -> None:
    cut: list[str] = []

    class Stalled:
        transport: Any = type("Transport", (), {"abort": lambda _self: cut.append("aborted")})()

    with capture_logs() as lines:
        running._cut()
        running.server_state.connections.add(Stalled())  # type: ignore[arg-type]
        running._cut()
    assert cut == ["aborted"]
    assert [(it["event"], it["connections"]) for it in lines] == [("connections cut", 1)]


@pytest.fixture
def _restored() -> Iterator[None]:
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_restored")
def test_neither_the_collector_nor_a_thread_keeps_the_event_loop_waiting() -> None:
    collect = Mock()
    with patch.object(gc, "collect", collect):
        server.spare_the_collector()
    collect.assert_not_called()  # the first request would wait for it
    assert sys.getswitchinterval() == pytest.approx(5e-4)
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    youngest, *others = gc.get_threshold()
    assert youngest >= 25_000  # by default 700: gone through for each of a batch's items
    assert others == [100, 10]


class Ended(BaseException):
    """Instead of the end of the process."""


def ending(monkeypatch: pytest.MonkeyPatch, daemon: bool, seconds: float) -> list[str]:
    """End beside a thread that goes on so long; names of those that were left behind."""
    again = threading.Event()
    thread = threading.Thread(target=again.wait, args=(seconds,), name="stuck", daemon=daemon)
    current = threading.current_thread()
    monkeypatch.setattr(threading, "enumerate", lambda: [current, thread])
    monkeypatch.setattr(server, "_LAST_WAIT", 0.05)

    def end(status: int) -> None:
        assert status == 0
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    thread.start()
    try:
        with capture_logs() as lines:
            server.end_without_stuck_threads()
    except Ended:
        [line] = lines
        assert line["event"] == "threads left behind"
        found: list[str] = line["threads"]
        return found
    finally:
        again.set()
        thread.join()
    assert lines == []
    return []


def test_a_thread_that_goes_on_is_left_behind_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ending(monkeypatch, daemon=False, seconds=60) == ["stuck"]


def test_one_that_ends_or_that_python_leaves_behind_is_not_told_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert ending(monkeypatch, daemon=False, seconds=0) == []
    assert ending(monkeypatch, daemon=True, seconds=60) == []
