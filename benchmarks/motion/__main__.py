"""Promote and roll back models while clients ask, and look for what fails or is of two versions.

``python -m benchmarks.motion`` takes half an hour. Half of the time models are exchanged, the other
half nothing is, by turns, so that a busy machine slows both. Four clients ask at a steady pace, two
from held history and two with a history of their own, for the model that is exchanged and for
``auto``, whose skill depends on it. What each may answer is noted before, whole, with either
version: an answer that is neither is of two.

The asset has all the models that are shipped, so that every exchange compares 28 anew.
"""

import argparse
import contextlib
import http.client
import json
import multiprocessing
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.hurst_table import replace_between_markers
from models_store import Store, artifact, open_store
from models_store.predictors import linear
from models_store.signatures import SUMS
from service.settings import Settings
from tests.service.processes import Serving, serving
from volatility.datasets import load
from volatility.npz import encode_arrays, read_arrays

PAGE = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
ASSET, MODEL = "BTC-USD", "har"
RATE = 50  # requests a second of each client
LARGER = 1.01  # forecasts of the second version, over those of the first
PHASES = 10  # of either kind, at least
HEADS = ("", "requests", "failed", "of two versions", "p50", "p99", "resident")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reloads", type=int, default=500, help="promotions and ways back")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two of them")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            store=Path(folder) / "store", database_url=f"sqlite:///{folder}/history.sqlite3"
        )
        publish_another(open_store(settings.store))
        with serving(settings, FOLLOW_SECONDS="1") as served:
            lines, is_good = measured(served, options.reloads, options.every)
    print(*lines, sep="\n")
    replace_between_markers(options.page, "motion", lines)
    return int(not is_good)


def publish_another(store: Store) -> None:
    """A second version of the model, whose forecasts one session ahead are a hundredth larger."""
    folder = store.root / ASSET / MODEL / "1"
    files = {it.name: it.read_bytes() for it in folder.iterdir() if it.name != SUMS}
    content = json.loads(files[linear.KIND.file])
    nearest = content["horizons"]["1"]
    nearest["intercept"] *= LARGER
    nearest["coefficients"] = {name: LARGER * it for name, it in nearest["coefficients"].items()}
    files[linear.KIND.file] = json.dumps(content).encode()
    for name in (artifact.REFERENCE, artifact.EVALUATION):
        arrays = dict(read_arrays(files[name]))
        arrays["forecast"] = arrays["forecast"] * LARGER
        files[name] = encode_arrays(arrays)
    store.publish(artifact.with_sums(files))


class Asked(NamedTuple):
    """One answer: when it was asked for, how long it took, and what it is."""

    at: float  # seconds of the clock that all processes share
    seconds: float
    status: int
    body: bytes


@dataclass
class Tally:
    """What was seen while models stood still, or were exchanged."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    mixed: int = 0

    def add(self, asked: Asked, expected: Sequence[bytes]) -> None:
        self.seconds.append(asked.seconds)
        self.failed += asked.status != 200
        self.mixed += asked.status == 200 and asked.body not in expected

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.seconds, percent))


def questions() -> list[dict[str, Any]]:
    """What each client asks."""
    bars = load(ASSET).bars
    days = np.datetime_as_string(bars.dates[-250:], unit="D").tolist()
    columns = [getattr(bars, name)[-250:].tolist() for name in ("open", "high", "low", "close")]
    names = ("date", "open", "high", "low", "close")
    records = [dict(zip(names, row, strict=True)) for row in zip(days, *columns, strict=True)]
    return [
        {"asset": ASSET, "model": MODEL},
        {"asset": ASSET},
        {"asset": ASSET, "model": MODEL, "history": {"rv": [1e-3, 2e-3] * 11}},
        {"asset": ASSET, "model": MODEL, "history": {"bars": records}},
    ]


def measured(served: Serving, reloads: int, every: float) -> tuple[list[str], bool]:
    """The lines of the table, and whether nothing failed or was of two versions."""
    asked = questions()
    expected = _expected(served.port, asked)
    phases = min(PHASES, reloads // 2)
    each = 2 * max(1, reloads // (2 * phases))  # so that each phase ends with the first version
    still, moving, beside = Tally(), Tally(), Tally()
    resident = [resident_megabytes(served.process.pid)]
    for _ in range(phases):
        for tally, number in ((still, 0), (moving, each)):
            with _clients(served.port, asked) as clients:
                spans = _exchange(served.port, number, each, every)
            for place, answers in enumerate(clients.answers):
                for it in answers:
                    tally.add(it, expected[place])
                    if any(began - it.seconds < it.at < ended for began, ended in spans):
                        beside.add(it, expected[place])
        resident.append(resident_megabytes(served.process.pid))
        _say(still, moving, resident)
    rows = [
        _row("nothing is exchanged", still, f"{resident[0]:.0f} MB at first"),
        _row(f"{each * phases} exchanges", moving, f"{resident[-1]:.0f} MB at last"),
        _row("those of them while one is made", beside, f"{max(resident):.0f} MB at most"),
    ]
    ratio = moving.percentile(99) / still.percentile(99)
    heads = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    said = f"p99 with exchanges, every {every:g} s, over that without: {ratio:.2f}."
    good = not any(it.failed or it.mixed for it in (still, moving, beside))
    return [*heads, *rows, "", said], good


def _row(what: str, tally: Tally, resident: str) -> str:
    if not tally.seconds:
        return f"| {what} | 0 | 0 | 0 | – | – | {resident} |"
    times = [f"{1e3 * tally.percentile(it):.2f} ms" for it in (50, 99)]
    counts = [f"{it:,}" for it in (len(tally.seconds), tally.failed, tally.mixed)]
    return f"| {' | '.join([what, *counts, *times, resident])} |"


def _say(still: Tally, moving: Tally, resident: Sequence[float]) -> None:
    print(
        f"p99 {1e3 * still.percentile(99):.2f} / {1e3 * moving.percentile(99):.2f} ms, "
        f"failed {moving.failed}, mixed {moving.mixed}, {resident[-1]:.0f} MB",
        file=sys.stderr,
        flush=True,
    )


def _expected(port: int, asked: Sequence[dict[str, Any]]) -> list[list[bytes]]:
    """By client, what the whole answer may be with either version."""
    found: list[list[bytes]] = [[] for _ in asked]
    with contextlib.closing(_connect(port)) as connection:
        for version in (2, 1):
            _change(connection, "promote", version)
            for place, question in enumerate(asked):
                status, body = _post(connection, "/forecast", question)
                assert status == 200, body
                found[place].append(body)
        _change(connection, "promote", 2)  # from here on each way back is to the first
        _change(connection, "roll-back")
    assert all(one != other for one, other in found)
    return found


def _exchange(port: int, number: int, slots: int, every: float) -> list[tuple[float, float]]:
    """Promote and roll back by turns, so many times in so many slots; when each was under way."""
    spans = []
    with contextlib.closing(_connect(port)) as connection:
        for slot in range(slots):
            began = time.monotonic()
            if slot < number:
                command, version = ("roll-back", 0) if slot % 2 else ("promote", 2)
                _change(connection, command, version)
                spans.append((began, time.monotonic()))
            time.sleep(max(0.0, began + every - time.monotonic()))
    return spans


def _change(connection: http.client.HTTPConnection, command: str, version: int = 0) -> None:
    path = f"/admin/models/{ASSET}/{MODEL}/{command}"
    status, body = _post(connection, path, {"version": version} if version else None)
    said = json.loads(body)
    assert status == 200, said
    assert said["served_version"] == said["promoted_version"], said


class _Clients:
    """Processes that ask until they are told to stop."""

    def __init__(self, port: int, asked: Sequence[dict[str, Any]]) -> None:
        spawn = multiprocessing.get_context("fork")
        self._pipes, self._processes = [], []
        self.answers: list[list[Asked]] = []
        for place, question in enumerate(asked):
            ours, theirs = spawn.Pipe()
            delay = place / len(asked) / RATE
            process = spawn.Process(target=_ask, args=(theirs, port, question, delay), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def stop(self) -> None:
        for pipe in self._pipes:
            pipe.send(None)
        self.answers = [pipe.recv() for pipe in self._pipes]
        for process in self._processes:
            process.join()


@contextlib.contextmanager
def _clients(port: int, asked: Sequence[dict[str, Any]]) -> Iterator[_Clients]:
    clients = _Clients(port, asked)
    yield clients
    clients.stop()


def _ask(pipe: Connection, port: int, question: dict[str, Any], delay: float) -> None:
    """Ask at a steady pace, whatever the answers take."""
    found: list[Asked] = []
    stopping = threading.Event()

    def wait() -> None:
        pipe.recv()
        stopping.set()

    threading.Thread(target=wait, daemon=True).start()
    content = json.dumps(question)
    with contextlib.closing(_connect(port)) as connection:
        at = time.monotonic() + delay
        while not stopping.is_set():
            time.sleep(max(0.0, at - time.monotonic()))
            began = time.monotonic()
            status, body = _post(connection, "/forecast", content)
            found.append(Asked(began, time.monotonic() - began, status, body))
            at = max(at + 1 / RATE, began)
    pipe.send(found)


def _connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def _post(connection: http.client.HTTPConnection, path: str, body: object) -> tuple[int, bytes]:
    content = body if isinstance(body, str) else None if body is None else json.dumps(body)
    connection.request("POST", path, content, {"content-type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.read()


def resident_megabytes(pid: int) -> float:
    """Of a process, now."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    sys.exit(main())
