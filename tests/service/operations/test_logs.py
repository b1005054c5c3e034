import logging
import sys
from collections.abc import Iterator

import pytest

from service.http.middleware import request_log
from service.operations import logs
from service.settings import LogLevel


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    logs.configure("info")


@pytest.mark.parametrize(
    ("level", "written"), [("debug", True), ("info", True), ("warning", False), ("error", False)]
)
def test_requests_are_logged_from_info_on(level: LogLevel, written: bool) -> None:
    logs.configure(level)
    assert request_log.stream is (sys.stderr.buffer if written else None)


def test_the_driver_does_not_name_hosts_for_debugging() -> None:
    logs.configure("debug")
    assert not logging.getLogger("psycopg").isEnabledFor(logging.DEBUG)
