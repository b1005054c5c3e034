import asyncio
import gc
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog

from service.http.middleware import request_log
from service.operations import logs
from service.settings import LogLevel, Settings
from tests.service.client import TestClient
from tests.service.patience import eventually
from tests.service.processes import serving
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


def test_neither_a_line_nor_what_waits_to_be_written_stops_anything() -> None:
    tried: list[str] = []

    class Full:
        def write(self, _line: bytes) -> None:
            tried.append("write")
            raise OSError(28, "No space left on device")

        def flush(self) -> None:
            tried.append("flush")
            raise OSError(28, "No space left on device")

    stream: Any = Full()
    log = logs.Unfailing(stream)
    log.write(b"a line\n")
    log.flush()
    assert tried == ["write", "flush"]


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


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    """Standard error, and every hook of Python's as it was afterwards."""
    found = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(found, write_through=True))
    for owner, name in (
        (warnings, "showwarning"),
        (sys, "excepthook"),
        (sys, "unraisablehook"),
        (threading, "excepthook"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    logs.configure("info")
    logs.take_over()
    monkeypatch.setattr(logs, "log", structlog.get_logger("service"))  # not one that is kept
    return found


def lines(stream: io.BytesIO) -> list[dict[str, Any]]:
    return [json.loads(text) for text in stream.getvalue().splitlines()]


def test_a_warning_of_pythons_is_a_line(stream: io.BytesIO) -> None:
    warnings.simplefilter("always")
    warnings.warn("two\nlines", DeprecationWarning, stacklevel=1)
    [line] = lines(stream)
    assert (line["event"], line["level"]) == ("two\nlines", "warning")
    assert (line["category"], line["file"]) == ("DeprecationWarning", __file__)
    assert line["line"] == test_a_warning_of_pythons_is_a_line.__code__.co_firstlineno + 2


def test_what_libraries_log_is_a_line_with_their_name(stream: io.BytesIO) -> None:
    logging.getLogger("uvicorn.error").info("Uvicorn running on %s", "here", extra={"color": 1})
    asyncio.run(forget_an_error())
    logging.getLogger("sqlalchemy").debug("too much")
    uvicorn, of_loop = lines(stream)
    del uvicorn["timestamp"]
    assert uvicorn == {
        "event": "Uvicorn running on here",
        "level": "info",
        "logger": "uvicorn.error",
    }
    assert (of_loop["logger"], of_loop["level"]) == ("asyncio", "error")
    assert of_loop["event"].startswith("Task exception was never retrieved")
    assert of_loop["exception"].endswith("KeyError: 'forgotten'")


async def forget_an_error() -> None:
    async def fail() -> None:
        raise KeyError("forgotten")

    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    del task
    await asyncio.sleep(0)
    gc.collect()


def test_an_error_that_nobody_catches_is_a_line(stream: io.BytesIO) -> None:
    def fail() -> None:
        raise KeyError("in a thread")

    thread = threading.Thread(target=fail, name="a thread")
    thread.start()
    thread.join()
    try:
        raise KeyError("at the top")
    except KeyError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    Fragile()
    in_thread, at_top, in_destructor = lines(stream)
    assert {it["event"] for it in (in_thread, at_top, in_destructor)} == {"bug"}
    assert {it["level"] for it in (in_thread, at_top, in_destructor)} == {"error"}
    assert in_thread["thread"] == "a thread"
    assert in_thread["exception"].endswith("KeyError: 'in a thread'")
    assert at_top["exception"].endswith("KeyError: 'at the top'")
    assert "Fragile.__del__" in in_destructor["of"]
    assert in_destructor["exception"].endswith("KeyError: 'in a destructor'")


class Fragile:
    def __del__(self) -> None:
        raise KeyError("in a destructor")


def test_an_interrupt_at_a_terminal_is_left_to_python(
    stream: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[tuple[object, ...]] = []
    monkeypatch.setattr(sys, "__excepthook__", lambda *found: left.append(found))
    interrupt = KeyboardInterrupt()
    sys.excepthook(KeyboardInterrupt, interrupt, None)
    assert (left, stream.getvalue()) == ([(KeyboardInterrupt, interrupt, None)], b"")


def test_a_line_is_json_whatever_is_in_it(
    stream: io.BytesIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What pytest's own handlers keep is sent between its processes, which takes no such text.
    ours = [it for it in logging.root.handlers if "pytest" not in type(it).__module__]
    monkeypatch.setattr(logging.root, "handlers", ours)
    log = structlog.get_logger("service")
    log.info("numbers", share=float("nan"), of=object, count=3)
    log.info("names", file="a\udcff", at=Ellipsis)
    logging.getLogger("library").info("a\udcff")
    numbers, names, library = lines(stream)
    assert (numbers["share"], numbers["of"], numbers["count"]) == (None, "<class 'object'>", 3)
    assert (names["file"], names["at"]) == ("a\udcff", "Ellipsis")
    assert library["event"] == "a\udcff"


def test_whatever_a_process_writes_is_json(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONWARNINGS", "always")
    monkeypatch.setenv("PYTHONDEVMODE", "1")  # asyncio's lines for debugging, too
    with serving(settings, LOG_LEVEL="debug") as served:
        url = f"http://127.0.0.1:{served.port}"
        httpx.get(f"{url}/forecast/{ASSET}").raise_for_status()
        httpx.get(f"{url}/metrics").raise_for_status()
        served.process.terminate()
        served.process.wait(60)
        eventually(lambda: "Application shutdown complete." in served.events())
    assert served.others == []
    loggers = {line.get("logger") for line in served.lines}
    assert {None, "uvicorn.error"} <= loggers
