"""Whether what the service writes can still be written, tried now and then, for readiness."""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from models_store.outgoing import check_writable
from service.assets.database import HistoryStore
from service.http.errors import DatabaseUnavailable
from service.settings import Settings

log = structlog.get_logger("service")

HISTORY, STORE = "history", "store"
_HISTORY_EVERY = 30.0  # seconds between two trials
_STORE_EVERY = 600.0  # of a store, which may be in a bucket that keeps and bills each
_AFTER_A_FAULT = 5.0  # seconds, so that its end is soon known
_ROOM = 64 * 1024  # bytes, as the smallest PUT needs them in SQLite's journal


class Trial:
    """Tries whether something can be written.

    A disk or a network may never answer. So a trial has a thread of its own, one at a time, and
    nobody waits for it: what is told is what the last one found.

    Parameters
    ----------
    write : writes something and takes it back; what it raises is the fault.
    every : seconds from one trial to the next.
    patience : seconds that one may take.
    """

    def __init__(self, write: Callable[[], None], every: float, patience: float) -> None:
        self._write, self._every, self._patience = write, every, patience
        self._thread: threading.Thread | None = None
        self._began = float("-inf")
        self._fault: str | None = None

    def fault(self) -> str | None:
        """Why the last trial failed, None if it did not; another is begun where it is time."""
        now = time.monotonic()
        taken = now - self._began
        if self._thread is not None and self._thread.is_alive():
            late = f"a trial of writing has not come to an end within {self._patience:g} seconds"
            return late if taken > self._patience else self._fault
        if taken >= (min(self._every, _AFTER_A_FAULT) if self._fault else self._every):
            self._began = now
            self._thread = threading.Thread(target=self._try, name="trial", daemon=True)
            self._thread.start()
        return self._fault

    def _try(self) -> None:
        try:
            self._write()
        except (DatabaseUnavailable, OSError) as error:
            self._tell(getattr(error, "strerror", None) or str(error))
        except Exception:
            log.exception("writing not tried")
            self._tell("a bug")
        else:
            self._tell(None)

    def _tell(self, fault: str | None) -> None:
        if fault and not self._fault:
            log.warning("cannot be written", reason=fault)
        self._fault = fault


Trials = Mapping[str, Trial]  # by what is written


def trials_of(settings: Settings, history: HistoryStore) -> Trials:
    """Those of the history and of the store."""
    patience = settings.database_lock_timeout + 2 * settings.database_statement_timeout
    root = settings.store_folder
    return {
        HISTORY: Trial(lambda: _try_history(history), _HISTORY_EVERY, patience),
        STORE: Trial(lambda: _try_store(root), _STORE_EVERY, patience),
    }


def _try_history(history: HistoryStore) -> None:
    history.try_writing()
    if history.database.folder is not None:  # what is taken back has not been on the disk
        _write_and_flush(history.database.folder)


def _try_store(root: Path) -> None:
    _write_and_flush(root)
    check_writable(root)


def _write_and_flush(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_ROOM))
        file.flush()
        os.fsync(file.fileno())
