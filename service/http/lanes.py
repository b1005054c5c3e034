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
    """

    def __init__(self, work: str, threads: int, waiting: int) -> None:
        self._work = work
        self._waiting = waiting
        self._limiter = CapacityLimiter(threads)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in one of the threads.

        Raises
        ------
        Overloaded : as much as may wait is waiting already.
        """
        waiting = self._limiter.statistics().tasks_waiting
        if waiting >= self._waiting:
            raise Overloaded(
                f"{waiting} requests are waiting already for their {self._work}; try again later",
                found=waiting,
                needed=f"fewer than {self._waiting} waiting",
            )
        return await to_thread.run_sync(lambda: function(*args, **kwargs), limiter=self._limiter)


class Lanes(NamedTuple):
    """The lanes of one service.

    Parameters
    ----------
    work : long bodies, batches and long forecasts.
    ingest : bars that are checked and written to the database.
    probes : asking the database whether it answers.
    """

    work: Lane
    ingest: Lane
    probes: Lane


def lanes_of(scope: Scope) -> Lanes:
    """The lanes of the service that a request came to."""
    lanes: Lanes = scope["state"]["lanes"]
    return lanes


LanesDep = Annotated[Lanes, from_state("lanes")]
