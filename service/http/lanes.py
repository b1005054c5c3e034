"""Threads for work that is too long for the event loop, each kind with its own.

A thread pool that all share is full as soon as one kind of work gets stuck: writes behind a locked
database would keep ``/metrics`` waiting. A lane takes so much at once, lets so much wait, and
refuses the rest.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple, ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from starlette.types import Scope

from service.http.errors import Overloaded
from service.http.state import from_state

P = ParamSpec("P")
T = TypeVar("T")


class Lane:
    """Threads of one kind of work.

    Parameters
    ----------
    work : what it is, for whoever is refused.
    threads : how much of it is done at once.
    waiting : how much of it may wait.

    Attributes
    ----------
    threads : how much of it is done at once.
    taken : how much of it has come in so far.
    refused : how much of it was refused, since as much was waiting as may.
    """

    def __init__(self, work: str, threads: int, waiting: int) -> None:
        self._work = work
        self.threads = threads
        self.taken = self.refused = 0
        self._waiting = waiting
        self._inside = 0  # by our own count: anyio's knows of a task only some steps after its call
        self._limiter = CapacityLimiter(threads)

    @property
    def busy(self) -> int:
        """How much of the work is being done."""
        return min(self._inside, self.threads)

    @property
    def waiting(self) -> int:
        """How much of it waits."""
        return max(self._inside - self.threads, 0)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in one of the threads.

        Where the process stops and the function does not end, it is left to itself.

        Raises
        ------
        Overloaded : as much as may wait is waiting already.
        """
        if self._inside >= self.threads + self._waiting:
            self.refused += 1
            raise Overloaded(
                f"{self._waiting} requests are waiting already for their {self._work}; "
                "try again later",
                found=self._waiting,
                needed=f"fewer than {self._waiting} waiting",
            )
        self._inside += 1
        self.taken += 1
        try:
            return await to_thread.run_sync(
                lambda: function(*args, **kwargs), abandon_on_cancel=True, limiter=self._limiter
            )
        finally:
            self._inside -= 1


class Lanes(NamedTuple):
    """The lanes of one service.

    Parameters
    ----------
    work : long bodies, batches and long forecasts.
    models : forecasts for which a model has to be read from the store, which may not answer.
    ingest : bars that are checked and written to the database, or read from it as they were known.
    ledger : issued forecasts that are read from the database, and made again.
    probes : asking the database whether it answers.
    commands : what an operator has changed in the store, which may wait for a retrain.
    """

    work: Lane
    models: Lane
    ingest: Lane
    ledger: Lane
    probes: Lane
    commands: Lane


def lanes_of(scope: Scope) -> Lanes:
    """The lanes of the service that a request came to."""
    lanes: Lanes = scope["state"]["lanes"]
    return lanes


LanesDep = Annotated[Lanes, from_state("lanes")]
