"""The service as a process of its own: what it loads, how it starts, logs and stops."""

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.settings import Settings
from tests.service.worlds import ASSET

HEAVY = ("torch", "statsmodels", "arch", "scipy", "sklearn", "training")


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


def test_importing_the_service_imports_nothing_of_training() -> None:
    code = f"import sys, service.server; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(code) == "[]"


@pytest.fixture
def process(settings: Settings, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {
        "ROUGHCAST_STORE": str(settings.store),
        "ROUGHCAST_DATABASE_URL": settings.database_url,
        "ROUGHCAST_PORT": "0",
        "ROUGHCAST_MAX_BODY_BYTES": "100000",
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
    assert read_until(process, "models loaded")["models"] == {ASSET: 3}
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


def test_a_start_without_its_database_says_why_and_nothing_of_the_url(settings: Settings) -> None:
    environment = os.environ | {
        "ROUGHCAST_STORE": str(settings.store),
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
