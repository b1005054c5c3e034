"""SIGTERM: what is under way is answered, what stalls is cut, and the process ends with 0."""

import contextlib
import http.client
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from tests.service.processes import Serving, serving
from tests.service.worlds import ASSET, json_rv

BUSY = 32  # connections
QUESTION = json.dumps({"asset": ASSET}).encode()
HEADERS = {"content-type": "application/json"}
END_SECONDS = 60  # in which a process that does end has ended, on a busy machine


class Client:
    """Asks over one connection until an answer says that it closes.

    Attributes
    ----------
    answered : complete answers.
    lost : what went wrong with a request, if anything did.
    """

    def __init__(self, port: int, under_way: threading.Barrier) -> None:
        self.answered, self.lost = 0, ""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=END_SECONDS)
        self._under_way = under_way
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            while self._ask():
                if self.answered == 1:
                    self._under_way.wait()
        except (OSError, http.client.HTTPException) as error:
            self.lost = repr(error)
        self._connection.close()

    def _ask(self) -> bool:
        self._connection.request("POST", "/forecast", QUESTION, HEADERS)
        answer = self._connection.getresponse()
        assert json.load(answer)["asset"] == ASSET
        self.answered += 1
        return answer.getheader("connection") != "close"


def test_busy_connections_lose_no_request(settings: Settings) -> None:
    with serving(settings, DRAIN_SECONDS="2") as served:
        under_way = threading.Barrier(BUSY + 1)
        clients = [Client(served.port, under_way) for _ in range(BUSY)]
        under_way.wait()  # each has had an answer, and goes on
        served.process.send_signal(signal.SIGTERM)
        for client in clients:
            client.thread.join()
        assert [it.lost for it in clients if it.lost] == []
        assert all(it.answered > 1 for it in clients)
        assert served.process.wait(END_SECONDS) == 0
    events = served.events()
    assert "connections cut" not in events
    assert events.count("request") == sum(it.answered for it in clients)


def ready(port: int) -> tuple[int, dict, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=END_SECONDS)
    connection.request("GET", "/health/ready")
    answer = connection.getresponse()
    found = answer.status, json.load(answer), answer.getheader("connection")
    connection.close()
    return found


def test_readiness_says_so_while_others_are_still_answered(settings: Settings) -> None:
    with serving(settings, DRAIN_SECONDS="20") as served:
        assert ready(served.port)[0] == 200
        served.process.send_signal(signal.SIGTERM)
        while ready(served.port)[0] == 200:
            pass
        status, problem, connection = ready(served.port)
        assert (status, problem["code"], connection) == (503, "not_ready", "close")
        assert "told to stop" in problem["detail"]
        client = Client(served.port, threading.Barrier(1))
        client.thread.join()
        assert (client.answered, client.lost) == (1, "")


def test_ctrl_c_after_sigterm_waits_for_nothing(settings: Settings) -> None:
    with (
        serving(settings, DRAIN_SECONDS="3600", SHUTDOWN_TIMEOUT="3600") as served,
        connect(served.port) as stalled,
    ):
        stalled.sendall(post("/forecast", len(QUESTION)) + QUESTION[:5])
        served.process.send_signal(signal.SIGTERM)
        while ready(served.port)[0] == 200:
            pass
        served.process.send_signal(signal.SIGTERM)  # which changes nothing
        assert ready(served.port)[0] == 503
        served.process.send_signal(signal.SIGINT)
        assert served.process.wait(END_SECONDS) == 0


@pytest.fixture
def hasty(settings: Settings) -> Iterator[Serving]:
    with serving(settings, DRAIN_SECONDS="0", SHUTDOWN_TIMEOUT="1") as served:
        yield served


def connect(port: int) -> socket.socket:
    stalled = socket.socket()
    stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stalled.connect(("127.0.0.1", port))
    return stalled


def post(path: str, length: int) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"content-length: {length}",
    )
    return "\r\n".join((*lines, "", "")).encode()


def assert_cut(served: Serving) -> None:
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(END_SECONDS) == 0


def test_a_client_that_sends_half_a_body_is_cut(hasty: Serving) -> None:
    with connect(hasty.port) as stalled:
        stalled.sendall(post("/forecast", len(QUESTION)) + QUESTION[:5])
        assert ready(hasty.port)[0] == 200  # by when the half has been read
        assert_cut(hasty)
        with contextlib.suppress(ConnectionResetError):
            assert stalled.recv(1) == b""
    assert "connections cut" in hasty.events()


def test_a_client_that_does_not_read_its_answer_is_cut(hasty: Serving) -> None:
    item = {"asset": ASSET, "history": {"rv": json_rv()}}
    batch = json.dumps({"items": [item] * 10_000}).encode()  # the answer has 10 MB
    with connect(hasty.port) as stalled:
        stalled.sendall(post("/forecast/batch", len(batch)) + batch)
        assert stalled.recv(12) == b"HTTP/1.1 200"
        assert_cut(hasty)
    assert "connections cut" in hasty.events()


STUCK_STORE = """
import time
from models_store import Store

load = Store.load


def never(self, asset, model, *given):
    if model == "har":
        time.sleep(3600)
    return load(self, asset, model, *given)


Store.load = never
"""


def test_a_store_that_never_answers_keeps_neither_others_nor_the_end_waiting(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(STUCK_STORE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
    stuck = json.dumps({"asset": ASSET, "model": "har"}).encode()
    with (
        serving(settings, SHUTDOWN_TIMEOUT="0", DRAIN_SECONDS="0") as served,
        connect(served.port) as one,
        connect(served.port) as another,
    ):
        assert explained(served.port)
        for it in (one, another):  # as many as there are threads
            it.sendall(post("/forecast", len(stuck)) + stuck)
        assert explained(served.port)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(END_SECONDS) == 0
    assert "threads left behind" in served.events()


def explained(port: int) -> dict:
    """A forecast by a model that is not stuck, in a thread."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=END_SECONDS)
    connection.request("GET", f"/forecast/{ASSET}?model=log_har&explain=true")
    answer = connection.getresponse()
    assert answer.status == 200
    found = json.load(answer)["explanation"]
    connection.close()
    return found
