"""What is changed meanwhile: which version serves, and the last bar; and when all say so."""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from benchmarks.motion.asking import connected, send
from benchmarks.motion.states import ASSET, HIGHS, MODEL, Answers, State, last_bar
from models_store import Store

BETWEEN_LOOKS = 0.02  # seconds between two questions whether a service says the new thing
PATIENCE = 60.0


class Change(NamedTuple):
    """What one change led to.

    Parameters
    ----------
    value : that is answered from then on: a version, or the place of a bar.
    began, agreed : when it was begun, and when every service was seen to answer by it; seconds of
        the clock that all processes share.
    answered : when whoever asked for it was told that it was done.
    """

    value: int
    began: float
    answered: float
    agreed: float


@dataclass
class History:
    """What was answered when, of one of the things that change.

    Parameters
    ----------
    first : what is answered before the first change.
    """

    first: int
    changes: list[Change] = field(default_factory=list)

    @property
    def last(self) -> int:
        """What is answered now."""
        return self.changes[-1].value if self.changes else self.first

    def allows(self, value: int, began: float, ended: float) -> bool:
        """Whether an answer between two times may say this: it is of no change to come or undone.

        From the beginning of a change until every service agrees, both values may be answered.
        """
        starts = (float("-inf"), *(it.began for it in self.changes))
        ends = (*(it.agreed for it in self.changes), float("inf"))
        values = (self.first, *(it.value for it in self.changes))
        return any(
            said == value and start <= ended and began <= end
            for said, start, end in zip(values, starts, ends, strict=True)
        )


class Changer:
    """Changes what two services answer, and waits until both do.

    Parameters
    ----------
    ports : of the services.
    store : theirs.
    question : that both are asked, to see what they answer.
    answers : to it.
    """

    def __init__(
        self, ports: Sequence[int], store: Store, question: dict[str, Any], answers: Answers
    ) -> None:
        self._ports, self._store = ports, store
        self._question, self._answers = json.dumps(question), answers
        self.versions, self.bars = History(1), History(0)
        self._exchanges = itertools.cycle(
            (
                lambda: promote(self._ports[0], 2),
                lambda: self._store.roll_back(ASSET, MODEL),
                lambda: self._store.promote(ASSET, MODEL, 2),
                lambda: roll_back(self._ports[1]),
            )
        )

    def run(self, exchanges: int, seconds: float, every: float) -> None:
        """Put bars for so long and exchange models meanwhile, at equal intervals.

        Parameters
        ----------
        exchanges : of the two versions, by turns.
        seconds : in all, or longer where changes take longer.
        every : seconds between two bars, and between two exchanges.
        """
        began = time.monotonic()
        putting = threading.Thread(
            target=lambda: _at_intervals(began + every / 2, int(seconds / every), every, self.put)
        )
        putting.start()
        _at_intervals(began, exchanges, every, self.exchange)
        putting.join()
        time.sleep(max(0.0, began + seconds - time.monotonic()))

    def exchange(self) -> None:
        """Let the other version serve: through a service, or in the store."""
        version, change = 3 - self.versions.last, next(self._exchanges)
        self._change(self.versions, version, change, lambda state: state.version)

    def put(self) -> None:
        """Put another last bar in the place of the one before, to one of the services by turns."""
        place = (self.bars.last + 1) % len(HIGHS)
        port = self._ports[len(self.bars.changes) % len(self._ports)]
        self._change(self.bars, place, lambda: put_bar(port, place), lambda state: state.bar)

    def _change(
        self,
        history: History,
        value: int,
        change: Callable[[], object],
        of: Callable[[State], int | None],
    ) -> None:
        began = time.monotonic()
        unfinished = Change(value, began, float("inf"), float("inf"))
        change()
        answered = time.monotonic()
        for port in self._ports:
            with connected(port) as connection:
                while of(self._state(connection)) != value:
                    if time.monotonic() > answered + PATIENCE:
                        history.changes.append(unfinished)
                        raise TimeoutError(f"a service does not answer by {value} after {change}")
                    time.sleep(BETWEEN_LOOKS)
        history.changes.append(Change(value, began, answered, time.monotonic()))

    def _state(self, connection: http.client.HTTPConnection) -> State:
        _, body = send(connection, "POST", "/forecast", self._question)
        return self._answers.get(body, State(0, None))  # of two states, which clients count


def _at_intervals(first: float, number: int, every: float, change: Callable[[], None]) -> None:
    for place in range(number):
        time.sleep(max(0.0, first + place * every - time.monotonic()))
        change()


def promote(port: int, version: int) -> None:
    """Let a version serve, through a service."""
    _command(port, "promote", {"version": version})


def roll_back(port: int) -> None:
    """Let the version before serve, through a service."""
    _command(port, "roll-back")


def put_bar(port: int, place: int) -> None:
    """Put one of the last bars in the place of that which is held."""
    path = f"/assets/{ASSET}/bars?replace=true"
    _done(port, "PUT", path, {"bars": [last_bar(place)]})


def _command(port: int, command: str, body: object = None) -> None:
    said = _done(port, "POST", f"/admin/models/{ASSET}/{MODEL}/{command}", body)
    assert said["served_version"] == said["promoted_version"], said


def _done(port: int, method: str, path: str, body: object = None) -> Any:
    with connected(port) as connection:
        status, content = send(connection, method, path, body)
    assert status == 200, content
    return json.loads(content)
