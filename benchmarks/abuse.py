"""``python -m benchmarks.abuse``: what requests cost that ask for more than they are worth.

Starts the service, sends each of them, and prints its status, its time, what memory grew by, and
the 99th percentile of single forecasts beside it, against that of a quiet service; then the memory
over many mixed requests.
"""

import argparse
import json
import multiprocessing
import os
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from http.client import HTTPConnection, HTTPException
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

ASSET = "BTC-USD"
INTERVAL = 0.005  # seconds between the forecasts beside
LEAST_SECONDS = 3.0  # for which forecasts are watched beside something
BETWEEN = 0.001  # seconds between what is sent again and again
# Of who sends: two dozen senders on the machine's two cores would keep from running who times.
NICENESS = 10
BODY_BYTES = 16 * 1024 * 1024
HEADER_BYTES = 400_000_000
Statuses = dict[int | str, int]


class Cost(NamedTuple):
    """What one kind of request cost."""

    statuses: Statuses
    seconds: float  # of the first
    megabytes: float  # by which resident memory was larger at its peak
    p99: float  # of forecasts beside, seconds

    def row(self, what: str, quiet: float, elsewhere: float) -> str:
        """One row of the table of docs/abuse.md.

        Parameters
        ----------
        what : was sent.
        quiet : the percentile with nothing beside.
        elsewhere : that with the same sent to another process, which shares the machine alone.
        """
        found = ", ".join(f"{count} × {status}" for status, count in self.statuses.items())
        return (
            f"| {what} | {found} | {self.seconds * 1e3:,.0f} ms | {self.megabytes:,.0f} MB | "
            f"{self.p99 * 1e3:.1f} ms | {self.p99 / quiet:.1f} | {elsewhere / quiet:.1f} |"
        )


def main() -> None:
    """Measure, and print two tables of Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.abuse", description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000, help="mixed ones; 0 for none")
    parser.add_argument("--only", default="", help="what has this in its name")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder) / "one") as (pid, port),
        served(Path(folder) / "other") as (_, other),
    ):
        print("| request | answers | time | memory | p99 beside | to quiet | sent elsewhere |")
        print("|---|---|---:|---:|---:|---:|---:|")
        idle = partial(time.sleep, LEAST_SECONDS)
        quiet = statistics.median(beside(pid, port, idle).p99 for _ in range(3))
        print(f"| none |  |  |  | {quiet * 1e3:.1f} ms | 1.0 |  |", flush=True)
        for what, send in REQUESTS.items():
            if options.only in what:
                cost = beside(pid, port, partial(send, port))
                elsewhere = beside(pid, port, partial(send, other)).p99
                print(cost.row(what, quiet, elsewhere), flush=True)
        print(
            f"\nlast first answer of 128 new connections beside 128 busy: {newcomers(port):.2f} s"
        )
        if options.requests:
            print("\n| mixed requests | resident |\n|---:|---:|")
            for number, megabytes in over_time(pid, port, options.requests):
                print(f"| {number:,} | {megabytes:.0f} MB |", flush=True)


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, int]]:
    """The service as its users start it: its process and its port."""
    folder.mkdir()
    environment = os.environ | {
        "ROUGHCAST_STORE": str(folder / "store"),
        "ROUGHCAST_DATABASE_URL": f"sqlite:///{folder}/history.sqlite3",
        "ROUGHCAST_PORT": "0",
    }
    command = [sys.executable, "-m", "service"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        running = next(line for line in process.stderr if "running on" in line)
        threading.Thread(target=process.stderr.read, daemon=True).start()
        port = int(json.loads(running)["event"].split()[3].rpartition(":")[2])
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready"):
            pass
        try:
            yield process.pid, port
        finally:
            process.terminate()


def beside(pid: int, port: int, send: Callable[[], Statuses | None]) -> Cost:
    """Send something again and again while single forecasts are timed."""
    with in_process(pace, port) as forecasts:
        assert forecasts.recv() == "started"
        before = resident(pid)
        Path(f"/proc/{pid}/clear_refs").write_text("5")  # forget the peak so far
        began = time.perf_counter()
        with in_process(send_often, send) as sender:
            statuses, seconds = sender.recv()
            megabytes = resident(pid, "VmHWM") - before
            time.sleep(max(0.0, began + LEAST_SECONDS - time.perf_counter()))
            sender.send("stop")
            sender.recv()
        forecasts.send("stop")
        p99 = statistics.quantiles(forecasts.recv(), n=100)[-1]
    return Cost(statuses or {}, seconds, max(megabytes, 0.0), p99)


@contextmanager
def in_process(target: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """What talks to a function that runs in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        process.kill()
        process.join()


def send_often(send: Callable[[], Statuses | None], parent: Connection) -> None:
    """Send something again and again, and tell of the first."""
    os.nice(NICENESS)
    began = time.perf_counter()
    statuses = send()
    parent.send((statuses, time.perf_counter() - began))
    while not parent.poll(BETWEEN):
        send()
    parent.send("stopped")


def pace(port: int, parent: Connection) -> None:
    """Time forecasts that are due at fixed times, from when each is due.

    Those that become due while one is waited for count as well, with the time they would have
    waited.
    """
    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    waits: list[float] = []
    for _ in range(100):
        forecast(connection)
    parent.send("started")
    due = time.perf_counter()
    while not parent.poll():
        time.sleep(max(0.0, due - time.perf_counter()))
        forecast(connection)
        done = time.perf_counter()
        while due <= done:
            waits.append(done - due)
            due += INTERVAL
    parent.send(waits)


def forecast(connection: HTTPConnection) -> None:
    """Ask for one forecast from held history."""
    headers = {"content-type": "application/json"}
    connection.request("POST", "/forecast", json.dumps({"asset": ASSET, "model": "har"}), headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status


def resident(pid: int, what: str = "VmRSS") -> float:
    """Megabytes of a process in memory, now or at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) / 1024


def sent(method: str, path: str, content: bytes, media_type: str, port: int) -> Statuses:
    """Send one request, and read its answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    with suppress(OSError):  # refused before all of it was read; the answer has come all the same
        connection.request(method, path, content, {"content-type": media_type})
    try:
        answer = connection.getresponse()
        answer.read()
        return {answer.status: 1}
    except (OSError, HTTPException) as error:
        return {type(error).__name__: 1}
    finally:
        connection.close()


def many_headers(port: int) -> Statuses:
    """Send headers until the service has had enough of them."""
    line = b"x-filler: " + b"a" * 8_000 + b"\r\n"
    head = b"GET /health/live HTTP/1.1\r\nhost: localhost\r\n"
    return sent_until_answered(port, head, line, HEADER_BYTES // len(line), b"\r\n")


def sent_until_answered(port: int, head: bytes, part: bytes, number: int, end: bytes) -> Statuses:
    """Send one part again and again, and no more once there is an answer, as curl does."""
    with socket.create_connection(("127.0.0.1", port), timeout=600) as connection:
        with suppress(OSError):
            connection.sendall(head)
            for _ in range(number):
                connection.sendall(part)
                if select.select([connection], [], [], 0)[0]:
                    break
            else:
                connection.sendall(end)
        try:
            return {int(connection.recv(100).split()[1]): 1}
        except (OSError, IndexError) as error:
            return {type(error).__name__: 1}


def bodies_at_once(port: int) -> Statuses:
    """Send 24 bodies of sixteen megabytes at one time, the last value of each no number."""
    begin, end = b'{"asset":"BTC-USD","history":{"rv":[', b'"x"]}}'
    part = (b"0.0012" + b"0" * 193 + b",") * 100
    number = (BODY_BYTES - len(begin) - len(end)) // len(part)
    length = len(begin) + number * len(part) + len(end)
    head = b"POST /forecast HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    head += b"content-length: %d\r\n\r\n%b" % (length, begin)
    with ThreadPoolExecutor(24) as pool:
        each = [pool.submit(sent_until_answered, port, head, part, number, end) for _ in range(24)]
    return Counter(status for it in each for status in it.result())


def posted(path: str, body: Any) -> Callable[[int], Statuses]:
    """A request with a JSON body."""
    return partial(sent, "POST", path, json.dumps(body).encode(), "application/json")


def hourly_bars(number: int) -> list[dict[str, Any]]:
    """Bars of years of which nothing is held."""
    start = datetime(2005, 1, 1, tzinfo=UTC)
    return [
        {
            "timestamp": f"{start + timedelta(hours=at):%Y-%m-%dT%H:%M:%S}Z",
            "open": 1000.0 + at % 7,
            "high": 1010.0 + at % 11,
            "low": 990.0 - at % 5,
            "close": 1001.0 + at % 3,
        }
        for at in range(number)
    ]


def by_column(bars: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Bars as pandas writes a frame by default, an object a column."""
    return {name: {str(at): bar[name] for at, bar in enumerate(bars)} for name in bars[0]}


def put(body: Any) -> Callable[[int], Statuses]:
    """A request to hold bars."""
    content = json.dumps(body).encode()
    return partial(sent, "PUT", f"/assets/{ASSET}-1H/bars", content, "application/json")


HELD = {"asset": ASSET, "model": "har"}
RV = [0.0012 + 1e-5 * at for at in range(22)]
REQUESTS: dict[str, Callable[[int], Statuses]] = {
    "a million empty bars": posted(
        "/forecast", {"asset": ASSET, "history": {"bars": [{}] * 10**6}}
    ),
    "10,000 invalid items": posted(
        "/forecast/batch", {"items": [{"asset": 1, "model": 2}] * 10_000}
    ),
    "two megabytes of commas as CSV": partial(
        sent, "PUT", f"/assets/{ASSET}/bars", b"," * 2_000_000, "text/csv"
    ),
    "a name of 15 MB": posted("/forecast", {"asset": "A" * 15_000_000}),
    "a name of 1 MB": posted("/forecast", {"A" * 1_000_000: 1}),
    "400 MB of headers": many_headers,
    "24 bodies of 16 MB at once": bodies_at_once,
    "batch of 10,000, held": posted("/forecast/batch", {"items": [HELD] * 10_000}),
    "batch of 10,000, 22 values each": posted(
        "/forecast/batch",
        {
            "items": [
                HELD | {"history": {"rv": [it * (1 + at * 1e-5) for it in RV]}}
                for at in range(10_000)
            ]
        },
    ),
    "PUT of 100,000 bars": put({"bars": hourly_bars(100_000)}),
    "the same, by column": put(by_column(hourly_bars(100_000))),
}


def newcomers(port: int, number: int = 128) -> float:
    """Seconds until the last of many new connections has its first answer, beside as many busy."""
    content = json.dumps(HELD).encode()
    request = b"POST /forecast HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    request += b"content-length: %d\r\n\r\n%b" % (len(content), content)
    with in_process(keep_busy, port, number) as busy:
        assert busy.recv() == "busy"
        began = time.perf_counter()
        connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(number)]
        for it in connections:
            it.sendall(request)
        for it in connections:
            assert it.recv(100).startswith(b"HTTP/1.1 200")
        seconds = time.perf_counter() - began
        for it in connections:
            it.close()
    return seconds


def keep_busy(port: int, number: int, parent: Connection) -> None:
    """Ask for forecasts over many connections at once, for as long as it runs."""
    import asyncio

    content = json.dumps(HELD).encode()
    request = b"POST /forecast HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    request += b"content-length: %d\r\n\r\n%b" % (len(content), content)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while True:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(it for it in head.split(b"\r\n") if it.startswith(b"content-length"))
            await reader.readexactly(int(length.split()[1]))

    async def all_of_them() -> None:
        tasks = [asyncio.ensure_future(one()) for _ in range(number)]
        await asyncio.sleep(1)
        parent.send("busy")
        await asyncio.gather(*tasks)

    asyncio.run(all_of_them())


def over_time(pid: int, port: int, number: int) -> Iterator[tuple[int, float]]:
    """Resident memory after each tenth of many mixed requests."""
    connection = HTTPConnection("127.0.0.1", port, timeout=600)
    yield 0, resident(pid)
    for done in range(1, number + 1):
        method, path, content, media_type = MIXED[done % len(MIXED)]
        connection.request(method, path, content, {"content-type": media_type} if content else {})
        connection.getresponse().read()
        if done % (number // 10) == 0:
            yield done, resident(pid)


def _mixed() -> Iterator[tuple[str, str, bytes | None, str]]:
    bodies: list[dict[str, Any]] = [
        HELD,
        HELD | {"horizons": [1, 5]},
        HELD | {"history": {"rv": RV}},
        HELD | {"history": {"rv": [1.0] * 30}},
        {"asset": "NONE"},
        {"asset": 1, "surprise": [1, 2, 3]},
        HELD | {"history": {"bars": [{}] * 100}},
    ]
    for body in bodies:
        yield "POST", "/forecast", json.dumps(body).encode(), "application/json"
    yield "POST", "/forecast", b'{"asset": ', "application/json"
    batch = {"items": [HELD, {"asset": 1}, {"asset": "NONE"}] * 5}
    yield "POST", "/forecast/batch", json.dumps(batch).encode(), "application/json"
    yield "PUT", f"/assets/{ASSET}/bars", b"date,open\n2020-01-01,x\n", "text/csv"
    for path in ("/health/live", "/health/ready", "/models", "/nothing", f"/forecast/{ASSET}"):
        yield "GET", path, None, ""


MIXED = list(_mixed())

if __name__ == "__main__":
    main()
