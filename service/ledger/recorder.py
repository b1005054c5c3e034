"""What is written behind the answers: no forecast waits for the ledger, or fails with it."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from datetime import timedelta
from typing import NamedTuple

import structlog
from pydantic_core import from_json

from service.forecasts.forecaster import Issued
from service.forecasts.query import Asked
from service.http.clock import Clock, microseconds
from service.http.errors import DatabaseUnavailable
from service.ledger.records import Answered, Entry, Line, Noted, noted
from service.ledger.store import LedgerStore, RecordRefused

log = structlog.get_logger("service")

_BETWEEN = 0.2  # seconds between two writes
_RETRYING = 1.0  # seconds before another try, where the database does not answer
_STOPPING = 5.0  # seconds that a stop waits for what is left
_AT_ONCE = 2_000  # forecasts of one transaction
# Answers of which lines are made in one go, in a third of a millisecond, by the thread that gave
# the last: by the one that writes they take three times as long, and the other is slower meanwhile,
# since each finds what the other has just changed in no cache of its own.
_TOGETHER = 64
_PRUNING = 3_600.0  # seconds between two looks for what is too old
_MOST_KNOWN = 100_000  # forecasts that need not be written again


class Retention(NamedTuple):
    """For how long forecasts are kept.

    Parameters
    ----------
    kept : forecasts of a time to come.
    replays_kept : those of a time that was over.
    most : of all.
    """

    kept: timedelta
    replays_kept: timedelta
    most: int


class Recorder:
    """Writes forecasts into the ledger, from a thread of its own.

    What the database does not take while it is away is kept and tried again. What it refuses for
    what is in it is not recorded, nor what comes beyond ``most_waiting`` forecasts; both are
    counted.

    Parameters
    ----------
    store : the ledger.
    clock : by which forecasts are issued.
    most_waiting : how many answers may wait to be written.
    retention : for how long what is written is kept.
    beside : what is to be recorded besides an answer: called with what was written, and gives more
        entries.

    Attributes
    ----------
    written, lost : how many forecasts were written, those of another process among them, and how
        many answers, or forecasts that were refused, were not recorded.
    assets : of which any were written.
    """

    def __init__(
        self,
        store: LedgerStore,
        clock: Clock,
        most_waiting: int,
        retention: Retention,
        beside: Callable[[Noted], Iterable[Noted]] = lambda _: (),
    ) -> None:
        self._store, self._clock, self._most, self._beside = store, clock, most_waiting, beside
        self._retention, self._pruned_at = retention, -math.inf  # by the monotonic clock
        self._answered: deque[Answered] = deque()
        self._long: deque[Entry] = deque()  # of which lines take long, a time for each horizon
        self._lines: deque[str] = deque()
        self._unwritten: list[str] = []
        self._unaccompanied: dict[Hashable, Noted] = {}  # the first answer about each
        self._known: dict[str, str] = {}  # by id, what was last written about it
        self._writing, self._making = threading.Lock(), threading.Lock()
        self._stopping = threading.Event()
        # A daemon: a database that does not answer must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._is_behind = False
        self.written = self.lost = 0
        self.assets: set[str] = set()

    def note(self, asked: Asked, issued: Issued, body: bytes | None = None) -> bool:
        """Take what was answered from held history; it is written soon, if it is taken."""
        if self.waiting >= self._most:
            self.lost += 1
            return False
        entry = noted(asked, issued, microseconds(self._clock()), body)
        if isinstance(entry, Entry):
            self._long.append(entry)
            return True
        self._answered.append(entry)
        # Where another thread is about it, what it leaves is the next one's.
        if len(self._answered) >= _TOGETHER and self._making.acquire(blocking=False):
            try:
                self._make_lines(self._answered)
            finally:
                self._making.release()
        return True

    @property
    def waiting(self) -> int:
        """How many answers, or forecasts of which lines are made, wait to be written."""
        made = len(self._lines) + len(self._unwritten)
        return len(self._answered) + len(self._long) + made

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left, if it takes no longer than 5 s, and end."""
        self._stopping.set()
        self._thread.join(_STOPPING)
        if self.waiting:
            log.error("forecasts not recorded", forecasts=self.waiting)

    def flush(self) -> None:
        """Write what waits now; what comes in meanwhile is the next one's.

        Raises
        ------
        DatabaseUnavailable : the database does not answer, or not in time; it goes on waiting.
        """
        with self._writing:
            # What another thread makes lines of was answered, and has to be written, too.
            with self._making:
                for waiting in (self._long, self._answered):
                    self._make_lines(waiting)
            alone, left = list(self._unaccompanied), len(self._lines)
            while left > 0 or self._unwritten:
                left -= self._take(left)
                self._write()
            for about in alone:
                self._accompany(self._unaccompanied.pop(about))
                self._write()

    def _write(self) -> None:
        """Write what is taken, in one transaction; where some of it is refused, all the others.

        Halves are tried until what is refused is alone.
        """
        at_once = len(self._unwritten)
        while self._unwritten:
            part = self._unwritten[:at_once]
            try:
                self._store.put(part)
            except RecordRefused as error:
                if len(part) > 1:
                    at_once = len(part) // 2
                    continue
                log.error("forecast not recorded", id=from_json(part[0])[0], reason=str(error))
                self.lost += 1
            else:
                self.written += len(part)
            del self._unwritten[: len(part)]
            at_once *= 2

    def _take(self, most: int) -> int:
        """Take lines that wait, as many as one transaction has; how many."""
        taken = max(0, min(most, _AT_ONCE - len(self._unwritten)))
        self._unwritten += [self._lines.popleft() for _ in range(taken)]
        return taken

    def _make_lines(self, waiting: deque[Answered] | deque[Entry]) -> None:
        """Make lines of what was noted by now."""
        for _ in range(len(waiting)):
            entry = waiting.popleft()
            lines = self._lines_of(entry)
            if lines:
                self._lines.extend([it.text for it in lines if it.text])
                self._unaccompanied.setdefault(tuple([it.about for it in lines]), entry)

    def _accompany(self, entry: Noted) -> None:
        """Make lines of what is to be recorded besides an answer."""
        try:
            for beside in self._beside(entry):
                self._unwritten += [it.text for it in self._lines_of(beside) if it.text]
        except Exception:  # a bug beside one must not keep the others from being written
            log.exception("forecast not recorded")
            self.lost += 1

    def _lines_of(self, entry: Noted) -> list[Line]:
        try:
            lines = entry.lines(self._known)
        except Exception:  # a bug in one must not keep others from being written
            log.exception("forecast not recorded")
            self.lost += 1
            return []
        self.assets.add(entry.held.asset.asset)
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        return lines

    def prune(self) -> int:
        """Delete what is no longer kept; return how many forecasts.

        Raises
        ------
        DatabaseUnavailable : the database does not answer, or not in time.
        """
        now, (kept, replays_kept, most) = self._clock(), self._retention
        return self._store.prune(microseconds(now - kept), microseconds(now - replays_kept), most)

    def _run(self) -> None:
        while not self._stopping.wait(_RETRYING if self._is_behind else _BETWEEN):
            self._try()
        self._try()

    def _try(self) -> None:
        try:
            self.flush()
            if time.monotonic() - self._pruned_at > _PRUNING:
                self._pruned_at = time.monotonic()
                self.prune()
        except DatabaseUnavailable as error:
            self._fell_behind(str(error))
        except Exception:
            log.exception("forecasts not recorded")
            self._fell_behind("a bug")
        else:
            if self._is_behind:
                log.info("ledger in step again")
            self._is_behind = False

    def _fell_behind(self, reason: str) -> None:
        if not self._is_behind:
            log.warning("ledger behind", reason=reason, waiting=self.waiting)
        self._is_behind = True
