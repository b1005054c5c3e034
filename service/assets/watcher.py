"""Keeps what is in memory in step with what other processes write into the database."""

import threading
import time
from collections.abc import Callable
from datetime import UTC

import structlog

from service.assets.holdings import Holdings
from service.database.base import Changes
from service.http.clock import Clock, utc_now
from service.http.errors import DatabaseUnavailable

log = structlog.get_logger("service")

_GLANCE = 0.1  # seconds between looks at whether to stop, and at what SQLite's file announces
_COMPARING = 5.0  # seconds between comparisons that nothing asked for: notices may get lost
_RETRYING = 1.0  # seconds before another connection is tried
_STOPPING = 2.0  # seconds that a stop waits for a comparison under way


class Watcher:
    """A thread that compares revisions whenever a change is announced, and now and then.

    Parameters
    ----------
    holdings : what is held in memory.
    others : what else follows the database: called with the changes, to read in.
    clock : the time, with its zone.
    """

    def __init__(
        self, holdings: Holdings, *others: Callable[[Changes], None], clock: Clock = utc_now
    ) -> None:
        self._holdings = holdings
        self._others = others
        self._stopping = threading.Event()
        # A daemon: a database that does not answer must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="history-watcher", daemon=True)
        self._clock = clock
        self._compared_at = clock()  # they have just been read

    @property
    def in_step(self) -> bool:
        """Whether the last comparison worked; what is held in memory may be old if not."""
        return self._holdings.doubt is None

    def start(self) -> None:
        """Begin to follow the database."""
        self._thread.start()

    def stop(self) -> None:
        """End; a comparison that is under way is waited for, if it takes no longer than 2 s."""
        self._stopping.set()
        self._thread.join(_STOPPING)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except DatabaseUnavailable as error:
                self._fell_behind(str(error))
            except Exception:
                log.exception("history not compared")
                self._fell_behind("a bug")
            self._stopping.wait(_RETRYING)

    def _follow(self) -> None:
        """Compare at once, since much may have happened without a connection, and on changes."""
        with self._holdings.store.changes() as changes:
            self._compare(changes)
            compared = time.monotonic()
            while not self._stopping.is_set():
                if changes.wait(_GLANCE) or time.monotonic() - compared > _COMPARING:
                    self._compare(changes)
                    compared = time.monotonic()

    def _compare(self, changes: Changes) -> None:
        began = self._clock()
        for follow in self._others:
            follow(changes)
        changed = self._holdings.refresh(self._holdings.store.revisions(changes))
        if changed:
            log.info("history read again", assets=changed)
        if not self.in_step:
            log.info("history in step again")
        self._holdings.doubt = None
        self._compared_at = began

    def _fell_behind(self, reason: str) -> None:
        if not self.in_step or self._stopping.is_set():
            return
        log.warning("history not in step with its database", reason=reason)
        since = f"{self._compared_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self._holdings.doubt = (
            f"what is held has not been compared with the history database since {since}: bars "
            "that were put elsewhere since then are not known"
        )
