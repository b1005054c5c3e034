"""The processes that fits run in: of this machine, or of a Dask cluster.

Both are joblib's, so that whoever hands out work does not know which. What a process does depends
on what it is given alone, and comes back in any order: results are the same bytes wherever they
were computed.
"""

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import joblib  # type: ignore[import-untyped]

from training.evaluation.digests import digest_of, source_digest
from training.evaluation.finished_units import FinishedUnits
from volatility.allocator import keep_freed_memory
from volatility.errors import InvalidInput
from volatility.extras import DASK_EXTRA, require

# What joblib.delayed makes, to what came of each, as they are done.
Pool = Callable[[Iterable[Any]], Iterator[Any]]

WORTH_KEEPING = 0.1  # seconds: what takes less is sooner made again than written and read
_LOOK_EVERY = 1.0  # seconds
_CONNECT_WITHIN = 10.0  # seconds, to a scheduler, and to the first of its workers


@contextmanager
def workers_at(scheduler: str | None) -> Iterator[None]:
    """Let every :func:`worker_pool` made inside be that of a Dask cluster.

    Parameters
    ----------
    scheduler : its address, such as ``tcp://10.0.0.5:8786``; None for processes of this machine.

    Raises
    ------
    ExtraMissing : the extra ``dask`` is not installed.
    InvalidInput : no Dask scheduler answers at the address within ten seconds, or it has no
        workers.
    """
    if scheduler is None:
        yield
        return
    require(DASK_EXTRA, "--backend dask", field="backend")
    client = _connect(scheduler)
    try:
        with joblib.parallel_config("dask", client=client):
            yield
    finally:
        client.close()


def worker_pool(jobs: int, finished: FinishedUnits[Any] | None = None) -> Pool:
    """A pool of processes that gives back results as they are done, and ends when this one does.

    Parameters
    ----------
    jobs : processes; -1 is one a core, and 1 runs everything here, also where here is a worker of a
        cluster. A cluster has as many as it has.
    finished : results of an earlier run, which are taken where all that they depend on is the same;
        new ones are kept there. None to compute everything.
    """
    parallel: Pool = joblib.Parallel(
        n_jobs=jobs,
        # Inside a task of a cluster joblib would hand the work to the cluster again, whatever jobs.
        backend="sequential" if jobs == 1 else None,
        return_as="generator_unordered",
        initializer=_begin,
        initargs=(os.getpid(),),
    )
    return parallel if finished is None else _GoingOn(parallel, finished)


class _GoingOn:
    """A pool that gives back what is finished, and keeps what it computes.

    Parameters
    ----------
    parallel : what computes.
    finished : where results are kept: by this process, since others may be of another machine.
    """

    def __init__(self, parallel: Pool, finished: FinishedUnits[Any]) -> None:
        self._parallel = parallel
        self._finished = finished

    def __call__(self, tasks: Iterable[Any]) -> Iterator[Any]:
        left = []
        for task in tasks:
            name, digest = task[0].__name__.strip("_"), digest_of(source_digest(), task)
            result = self._finished.read(name, digest)
            if result is None:
                left.append((name, digest, task))
            else:
                yield result
        work = (joblib.delayed(_timed)(*one) for one in left)
        for name, digest, seconds, result in self._parallel(work):
            if seconds >= WORTH_KEEPING:
                with suppress(OSError):  # a full disk keeps nobody from the result
                    self._finished.write(name, digest, result)
            yield result


def _timed(name: str, digest: str, task: Any) -> tuple[str, str, float, Any]:
    """A unit's name and digest, how many seconds it took, and what came of it."""
    function, arguments, named = task
    start = time.perf_counter()
    result = function(*arguments, **named)
    return name, digest, time.perf_counter() - start, result


def _connect(scheduler: str) -> Any:
    """A client of a scheduler that has workers."""
    from distributed import Client  # takes a second to import

    client = found = None
    try:
        client = Client(  # type: ignore[no-untyped-call]
            scheduler, timeout=_CONNECT_WITHIN, set_as_default=False
        )
    # Who answers in another language seems to announce a message of some exabytes.
    except (OSError, ValueError, MemoryError) as error:
        found = str(error)
    if client is None:
        # What could not connect is closed as it is collected, and if that happens while some other
        # client starts, the start waits for itself.
        gc.collect()
        raise _no_scheduler(scheduler, str(found))
    try:
        client.wait_for_workers(1, timeout=_CONNECT_WITHIN)
    except TimeoutError as error:
        client.close()  # type: ignore[no-untyped-call]
        raise _no_scheduler(scheduler, "it has no workers") from error
    return client


def _no_scheduler(address: str, found: str) -> InvalidInput:
    return InvalidInput(
        f"no work can be given to a Dask scheduler at {address}: {found}",
        field="scheduler",
        found=address,
        needed="the address of a running Dask scheduler with workers, such as tcp://10.0.0.5:8786",
    )


def _begin(parent: int) -> None:
    """Keep freed memory, and watch over the parent: loky's workers would wait for a killed one.

    Ctrl+C reaches every process of a terminal. The parent alone answers it, in a sentence.
    """
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_wait_for_the_end_of, args=(parent,), daemon=True).start()


def _wait_for_the_end_of(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os._exit(1)
