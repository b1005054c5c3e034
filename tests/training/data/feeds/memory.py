"""A source that gives pages as told, and a target that keeps bars in memory."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from training.data.feeds.pulling import Part, Plan, beginning, parts
from training.data.feeds.source import Page, Source
from training.data.feeds.targets import Put
from volatility.bars import PRICES, Bars
from volatility.calendars import get_calendar
from volatility.rows import empty_bars, joined


@dataclass
class Scripted:
    """Pages of bars, whichever are asked for.

    Parameters
    ----------
    pages : in turn, from a time on.
    """

    pages: list[Callable[[np.datetime64], Page]]
    interval: int
    name: str = "there"
    asked: list[np.datetime64] = field(default_factory=list)

    def page(self, start: np.datetime64) -> Page:
        self.asked.append(start)
        return self.pages.pop(0)(start)


def all_of(bars: Bars) -> Callable[[np.datetime64], Page]:
    """As Yahoo: every bar from a time on, and no further page."""
    return lambda start: Page(bars.where(bars.timestamps >= start), None)


@dataclass
class Memory:
    """Bars that were put, and in which parts."""

    bars: Bars
    parts: list[Bars] = field(default_factory=list)
    name: str = "memory"

    def newest(self) -> Bars:
        return self.bars.where(slice(-1, None)) if len(self.bars) else self.bars

    def first_from(self, start: np.datetime64) -> Bars:
        return self.bars.where(self.bars.timestamps >= start).where(slice(0, 1))

    def put(self, beside: Bars, bars: Bars, replace: bool) -> Put:
        assert not len(beside) or beside.timestamps[-1] < bars.timestamps[0]
        again = np.isin(self.bars.timestamps, bars.timestamps)
        assert replace or not again.any()
        both = joined(self.bars.where(~again), bars)
        order = np.argsort(both.timestamps)
        self.bars = _ordered(both, order)
        self.parts.append(bars)
        return Put(len(bars) - int(again.sum()), int(again.sum()))


def _ordered(bars: Bars, order: np.ndarray) -> Bars:
    prices = {name: getattr(bars, name)[order] for name in PRICES}
    return Bars(timestamps=bars.timestamps[order], interval=bars.interval, **prices)


def plan(now: str, calendar: str = "24/7", **more: Any) -> Plan:
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    since = more.pop("since", None)
    usual = Plan(
        get_calendar(calendar),
        since=None if since is None else np.datetime64(since, "s"),
        replace=False,
        drop_outside=False,
        clock=lambda: moment,
    )
    return replace(usual, **more)


def pull(source: Source, target: Memory, what: Plan) -> list[Part]:
    """What the command does."""
    found = []
    for part in parts(source, beginning(target, what), what):
        target.put(part.beside, part.bars, what.replace)
        found.append(part)
    return found


def holding(bars: Bars) -> Memory:
    return Memory(bars)


def empty(interval: int) -> Memory:
    return Memory(empty_bars(interval))


def same(found: Bars, expected: Bars) -> None:
    assert found.interval == expected.interval
    for column in ("timestamps", *PRICES):
        np.testing.assert_array_equal(getattr(found, column), getattr(expected, column))
