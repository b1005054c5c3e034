"""The processes that fits run in."""

import os
import threading
import time

import joblib  # type: ignore[import-untyped]

_LOOK_EVERY = 1.0  # seconds


def worker_pool(jobs: int) -> joblib.Parallel:
    """A pool of processes that gives back results as they are done, and ends when this one does.

    Parameters
    ----------
    jobs : processes; -1 is one a core, and 1 runs everything here.
    """
    return joblib.Parallel(
        n_jobs=jobs,
        return_as="generator_unordered",
        initializer=_end_with,
        initargs=(os.getpid(),),
    )


def _end_with(parent: int) -> None:
    """Watch over the parent: loky's workers would wait for a killed one for ever."""
    threading.Thread(target=_wait_for_the_end_of, args=(parent,), daemon=True).start()


def _wait_for_the_end_of(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY)
    os._exit(1)
