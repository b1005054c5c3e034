import io
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from service.http.middleware import request_log
from service.operations import logs
from service.settings import LogLevel
from tests.service.client import TestClient
from tests.service.worlds import ASSET


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    logs.configure("info")


@pytest.mark.parametrize(
    ("level", "written"), [("debug", True), ("info", True), ("warning", False), ("error", False)]
)
def test_requests_are_logged_from_info_on(level: LogLevel, written: bool) -> None:
    logs.configure(level)
    assert (request_log.stream is not None) == written


def test_the_driver_does_not_name_hosts_for_debugging() -> None:
    logs.configure("debug")
    assert not logging.getLogger("psycopg").isEnabledFor(logging.DEBUG)


def test_a_full_disk_under_the_log_loses_lines_and_nothing_else(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open("/dev/full", "wb", buffering=0) as full:  # noqa: PTH123
        with pytest.raises(OSError, match="No space left"):
            full.write(b"a line")
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(full, write_through=True))
        logs.configure("info")
        for _ in range(2):  # the second on the connection of the first
            assert client.post("/forecast", json={"asset": ASSET}).status_code == 200
        structlog.get_logger("service").warning("a line")
        monkeypatch.undo()
