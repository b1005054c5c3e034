"""How the benchmarks time and report: medians of many calls, and ratios within one run."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """One comparison with a peer, beside its budget."""

    what: str
    ours: str
    peer: str
    ratio: float
    budget: str
    met: bool

    def __str__(self) -> str:
        verdict = "met" if self.met else "MISSED"
        return (
            f"{self.what:<58} {self.ours:>14} {self.peer:>14} {self.ratio:>9.2f}  "
            f"{self.budget:<10} {verdict}"
        )

    @property
    def row(self) -> str:
        """Of a table in Markdown."""
        verdict = "met" if self.met else "**missed**"
        cells = (self.what, self.ours, self.peer, f"{self.ratio:.2f}", self.budget, verdict)
        return f"| {' | '.join(cells)} |"


HEADING = f"{'what':<58} {'ours':>14} {'peer':>14} {'ratio':>9}  {'budget':<10}"


def median_seconds(call: Callable[[], object], repeat: int, warm_up: int = 3) -> float:
    """Median wall time of one call, in seconds."""
    for _ in range(warm_up):
        call()
    return statistics.median(_seconds(call) for _ in range(repeat))


def cpu_seconds(call: Callable[[], object], repeat: int) -> float:
    """Median CPU time of one call, after one to warm up: what others run takes no part in it."""
    call()
    return statistics.median(_spent(call) for _ in range(repeat))


def faster_than(what: str, ours: float, peer: float, at_least: float) -> Result:
    """Compare two durations in seconds; the ratio is peer over ours."""
    ratio = peer / ours
    return Result(what, _show(ours), _show(peer), ratio, f">= {at_least:g}", ratio >= at_least)


def slower_by(what: str, ours: float, peer: float, at_most: float) -> Result:
    """Compare two durations in seconds; the ratio is ours over peer."""
    ratio = ours / peer
    return Result(what, _show(ours), _show(peer), ratio, f"<= {at_most:g}", ratio <= at_most)


def within(what: str, ours: float, limit: float) -> Result:
    """Compare a duration with a fixed limit, both in seconds; the ratio is ours over limit."""
    return Result(what, _show(ours), _show(limit), ours / limit, "<= 1", ours <= limit)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _spent(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began


def _show(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"
