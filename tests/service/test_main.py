"""The service as a process of its own: how it starts, logs and stops."""

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from service.settings import Settings
from tests.service import worlds
from tests.service.databases import PASSWORD, PostgresServer, name_in
from tests.service.worlds import ASSET

NEXT = '{"bars": [{"date": "2021-02-04", "open": 100, "high": 103, "low": 99, "close": 101}]}'


@pytest.fixture
def process(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    with started(settings, ROUGHCAST_MAX_BODY_BYTES="100000") as process:
        yield process


@contextmanager
def started(settings: Settings, **others: str) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {
        "ROUGHCAST_STORE": str(settings.store_folder),
        "ROUGHCAST_DATABASE_URL": settings.database_url,
        "ROUGHCAST_PORT": "0",
        "ROUGHCAST_DRAIN_SECONDS": "0",
        **others,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "service"],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


def read_until(process: subprocess.Popen[str], event: str) -> dict[str, Any]:
    assert process.stderr is not None
    for text in process.stderr:
        line: dict[str, Any] = json.loads(text)  # every line is JSON, whoever wrote it
        if event in line["event"]:
            return line
    raise AssertionError(f"no line with {event!r}")


def test_it_serves_logs_and_stops(process: subprocess.Popen[str]) -> None:
    listed = read_until(process, "models listed")
    assert (listed["assets"], listed["models"]) == (1, 3)
    url = read_until(process, "Uvicorn running on")["event"].split()[3]
    request = urllib.request.Request(
        f"{url}/forecast",
        data=json.dumps({"asset": ASSET}).encode(),
        headers={"content-type": "application/json", "x-request-id": "from-outside"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["roughcast-schema"] == "1"
        assert "server" not in answer.headers
        assert json.load(answer)["model"] == "log_har"
    line = read_until(process, "request")
    assert (line["request_id"], line["path"]) == ("from-outside", "/forecast")
    assert (line["level"], line["status"]) == ("info", 200)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) in (0, -signal.SIGTERM)


def test_a_body_over_the_limit_is_refused_over_a_socket(process: subprocess.Popen[str]) -> None:
    host, port = read_until(process, "Uvicorn running on")["event"].split()[3][7:].split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    chunks = iter([b" " * 60_000] * 2)
    connection.request(
        "POST", "/forecast", chunks, {"content-type": "application/json"}, encode_chunked=True
    )
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["code"]) == (413, "body_too_large")
    connection.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_log_of_troubles_names_no_host_and_no_user(
    settings: Settings, database_url: str, postgres: PostgresServer
) -> None:
    """Nor does it show how the code came there, which an operator can do nothing about."""
    worlds.hold(database_url)
    settings = settings.model_copy(update={"database_url": database_url})
    levels = {"ROUGHCAST_LOG_LEVEL": "debug", "ROUGHCAST_DATABASE_STATEMENT_TIMEOUT": "1"}
    with started(settings, **levels) as process:
        host, port = read_until(process, "Uvicorn running on")["event"].split()[3][7:].split(":")
        for trouble in (postgres.frozen, postgres.stopped):
            with trouble():
                connection = http.client.HTTPConnection(host, int(port), timeout=60)
                connection.request(
                    "PUT", f"/assets/{ASSET}/bars", NEXT, {"content-type": "application/json"}
                )
                assert connection.getresponse().status == 503
                connection.close()
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        logged = process.stderr.read()
    assert '"status":503' in logged
    assert "history not in step" in logged
    secrets = (str(postgres.folder), PASSWORD, "postgres:", name_in(database_url), "Traceback")
    assert not [it for it in secrets if it in logged]


def test_a_start_without_its_database_says_why_and_nothing_of_the_url(settings: Settings) -> None:
    environment = os.environ | {
        "ROUGHCAST_STORE": str(settings.store_folder),
        "ROUGHCAST_DATABASE_URL": "postgresql://owner:secret@127.0.0.1:1/ledger",
        "ROUGHCAST_PORT": "0",
    }
    ended = subprocess.run(
        [sys.executable, "-m", "service"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode != 0
    assert "the history database cannot be reached" in ended.stderr
    assert "ROUGHCAST_DATABASE_URL" in ended.stderr
    said = ended.stdout + ended.stderr
    assert not [it for it in ("owner", "secret", "127.0.0.1:1", "ledger") if it in said]
