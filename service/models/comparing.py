"""Models are compared by another process, where that would keep requests waiting.

To compare 28 models takes a third of a second of Python, in which every request waits for the
interpreter again and again, and on a busy machine for a thread that has it and does not run. So
what is about to serve is compared by a process of its own, with a lower priority. It is sent a
`Job` and sends what it found; of files it reads those of the store, by digests that the service has
verified. As a retrain promotes one model after the other, it waits a minute for the next job, with
what it has read of the models that stay.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

import structlog

from models_store import Evidence, Refusal, Store
from models_store.comparison import Compared, compare_at, excluded_as_refused
from models_store.rack import Rack
from models_store.stored_comparisons import keep
from volatility.errors import RoughcastError

log = structlog.get_logger("service")

FEW = 6  # models that are compared within some hundredths of a second, sooner than a process starts
_PATIENCE = 120.0  # seconds, on a machine that does much else
_REST = 60.0  # seconds without a job after which the process ends
_READ = 64  # models of which it keeps what it has read
_NICE = 10
# Of a process that has ended or takes too long; of what cannot be sent, or made again of its bytes.
_NO_ANSWER = (OSError, EOFError, TypeError, ValueError, AttributeError)


class Job(NamedTuple):
    """What is to be compared.

    Parameters
    ----------
    root : folder of the store.
    asset : whose models.
    versions : version and digest of each, by name.
    champion, refused, horizons : as in :func:`models_store.comparison.compare_at`.
    is_kept : whether what is found is written into the store, if that can be written.
    """

    root: Path
    asset: str
    versions: Mapping[str, tuple[int, str]]
    champion: str | None
    refused: tuple[Refusal, ...]
    horizons: tuple[int, ...]
    is_kept: bool = False


class Comparer:
    """Has models compared by another process, which is started with the first job."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._worker: _Worker | None = None
        self._resting: threading.Timer | None = None
        self._is_stopped = False

    def compared(
        self, store: Store, asset: str, rack: Rack, horizons: Collection[int]
    ) -> Compared | None:
        """How the models of a rack compare, found out by the other process.

        Returns
        -------
        None where it is to be found out here: there is nothing to compare or there are few models,
        one of them has not been verified, or the other process cannot tell, or none is started any
        more.
        """
        serving = [place.card for place in rack.places.values() if place.serves]
        versions = {it.model: (it.version, it.sha256) for it in serving if it is not None}
        if not horizons or len(serving) <= FEW or len(versions) < len(serving):
            return None
        root, refused = store.root.absolute(), rack.refusals
        # What is not signed would not be read again where signatures count.
        is_kept = not store.trusted.keys
        job = Job(root, asset, versions, rack.champion, refused, tuple(horizons), is_kept)
        with self._asking:
            try:
                return self._ask(job)
            except _NO_ANSWER as error:
                log.warning(
                    "models not compared by another process", asset=asset, reason=repr(error)
                )
                self._end()
                return None

    def stop(self) -> None:
        """End the other process, and what it is at; no other is started."""
        self._is_stopped = True
        worker = self._worker
        if worker is not None:
            worker.kill()  # so that who waits for its answer lets go of the lock
        with self._asking:
            self._end()

    def _ask(self, job: Job) -> Compared | None:
        if self._resting is not None:
            self._resting.cancel()
        if self._worker is None:
            self._worker = _Worker()
        if self._is_stopped:  # looked at only now, so that either this or `stop` ends the process
            self._end()
            return None
        found = self._worker.ask(job)
        self._resting = threading.Timer(_REST, self._rest, [self._worker])
        self._resting.daemon = True
        self._resting.start()
        return found

    def _rest(self, worker: "_Worker") -> None:
        """End a process that has nothing to do; one that has been given another job goes on."""
        resting = threading.current_thread()
        with self._asking:
            if self._worker is worker and self._resting is resting:
                self._end()

    def _end(self) -> None:
        if self._resting is not None:
            self._resting.cancel()
        if self._worker is not None:
            self._worker.end()
        self._worker = self._resting = None


class _Worker:
    """The other process, and the pipe to it."""

    def __init__(self) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            command = f"from {__name__} import main; main({theirs.fileno()})"
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, this very module
                [sys.executable, "-c", command],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"OMP_NUM_THREADS": "1"},
            )

    def ask(self, job: Job) -> Compared | None:
        """Send a job, and wait for what was found.

        Raises
        ------
        EOFError, OSError : the process has ended, or takes too long.
        """
        self._pipe.send(job)
        if not self._pipe.poll(_PATIENCE):
            raise TimeoutError(f"no answer within {_PATIENCE:g} seconds")
        found: Compared | None = self._pipe.recv()
        return found

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._pipe.close()


def compare(job: Job) -> Compared | None:
    """Compare models by what they say of themselves; None where one cannot be read."""
    try:
        models = {
            model: _evidence(job.root, job.asset, model, *version)
            for model, version in job.versions.items()
        }
    except RoughcastError:
        return None
    found = compare_at(models, job.champion, (), job.horizons)
    if job.is_kept:
        keep(Store(job.root), job.asset, found, job.versions, job.champion)
    left_out = tuple(map(excluded_as_refused, job.refused))
    return replace(
        found,
        comparisons={
            horizon: replace(it, others=(*it.others, *left_out))
            for horizon, it in found.comparisons.items()
        },
    )


@lru_cache(_READ)
def _evidence(root: Path, asset: str, model: str, version: int, sha256: str) -> Evidence:
    return Store(root).evidence(asset, model, version, sha256)


def main(descriptor: int) -> None:
    """Do the jobs that come through a pipe, until its other end is closed."""
    os.nice(_NICE)
    with Connection(descriptor) as pipe:
        while True:
            try:
                job = pipe.recv()
            except EOFError:
                return
            pipe.send(compare(job))
