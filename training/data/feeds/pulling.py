"""From a source's pages to what is put: which bars are asked for, and what is wrong with them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from training.data.feeds.source import FeedRefused, Source
from training.data.feeds.targets import EARLIEST, Target
from volatility.arrays import FloatArray
from volatility.bars import PRICES, Bars, not_closed, validate, within_sessions
from volatility.calendars import Calendar, utc_second
from volatility.errors import Finding, InvalidBars, InvalidInput
from volatility.rows import empty_bars, joined
from volatility.sessions import places_of

# Prices are the same where they differ by less: a source that counts in single precision gives
# seven digits. Both ends of a range may differ so, which moves an rv of 1e-4 by 2e-4 of itself.
SAME = 1e-6
CONSTANT = 1e-4  # by which the ratios of four prices that one factor made may differ: by rounding
_FUTURE = timedelta(days=1)  # by which two clocks do not differ
_MISSING_SESSIONS = "missing_sessions"  # a finding; missing bars are counted here


class BarsContradict(InvalidInput):
    """A source gives other prices for a bar than are held."""

    code = "bars_contradict"


@dataclass(frozen=True)
class Plan:
    """What is asked for.

    Parameters
    ----------
    calendar : sessions of the asset.
    since : where a target that holds nothing begins; with ``replace``, from where on bars are
        asked for again.
    replace : whether held bars that the source contradicts are replaced.
    drop_outside : whether bars outside of sessions are left out instead of refused.
    clock : the time, with a time zone.
    """

    calendar: Calendar
    since: np.datetime64 | None
    replace: bool
    drop_outside: bool
    clock: Callable[[], datetime]


class Part(NamedTuple):
    """Bars that are put at once: those of one page.

    Parameters
    ----------
    beside : the bar that they follow; (0,) or (1,).
    bars : (n,) that had closed.
    missing : how many bars the source left out since the one beside, or since the first.
    dropped : how many before its last were outside of sessions, and left out as asked for.
    notes : what is worth knowing about them.
    """

    beside: Bars
    bars: Bars
    missing: int
    dropped: int
    notes: tuple[Finding, ...]


class Begin(NamedTuple):
    """Where a page begins, and which bar it is compared with.

    Parameters
    ----------
    start : the first bar asked for opens then, or later.
    held : the first bar that is held from then on; (0,) or (1,).
    continued : whether it is the last one held, which all that is new follows.
    oldest : when the first of all bars held opens; ``start`` where none is.
    replace : whether the source may contradict it.
    """

    start: np.datetime64
    held: Bars
    continued: bool
    oldest: np.datetime64
    replace: bool


def beginning(target: Target, plan: Plan) -> Begin:
    """From the newest bar held on; where none is, or where bars are replaced, from ``since`` on.

    Raises
    ------
    FeedRefused : nothing says from when on; or bars would be missing between those held and
        ``since``.
    """
    newest, since = target.newest(), plan.since
    if not len(newest):
        if since is None:
            raise _since(f"{target.name} holds no bars yet", None, "--since and a date")
        return Begin(since, newest, continued=False, oldest=since, replace=plan.replace)
    last = newest.timestamps[0]
    if since is not None and since > last:
        what = f"{target.name} holds bars up to {last}, and none from there to --since"
        raise _since(what, str(since), f"{last} or earlier")
    oldest = target.first_from(EARLIEST).timestamps[0]
    if plan.replace and since is not None:
        held = target.first_from(since)
        return Begin(since, held, continued=False, oldest=oldest, replace=True)
    return Begin(last, newest, continued=True, oldest=oldest, replace=plan.replace)


def parts(source: Source, begin: Begin, plan: Plan) -> Iterator[Part]:
    """What is to be put, page by page, up to the last bar that has closed.

    One page is in memory at a time. Each begins with the last bar of the one before, which is
    compared: pages of a history that changed between them are not joined.

    Raises
    ------
    FeedRefused : the source gives what it should not, or leaves out a bar that is held.
    BarsContradict : it gives other prices for it.
    InvalidBars : what is wrong with its bars.
    Unavailable : it does not answer.
    """
    step = np.timedelta64(source.interval, "s")
    ask, beside, expected, dropped = begin.start, empty_bars(source.interval), begin, 0
    while True:
        now = plan.clock()  # before the page is made: what closes meanwhile may be half a bar
        page = source.page(ask)
        bars, left_out = _closed(page.bars, source.name, plan, now)
        dropped += left_out
        if len(expected.held):
            beside, bars = _compared(bars, expected, source.name)
        if len(bars):
            yield _part(beside, bars, dropped, plan.calendar, now)
            beside, dropped = bars.where(slice(-1, None)), 0
        # Of the bar after `through` it is not known whether there is one; it may not have closed.
        if page.through is None or page.through + 2 * step > utc_second(now):
            return
        ask, held = (
            (beside.timestamps[0], beside)
            if len(bars)
            else (page.through, empty_bars(source.interval))
        )
        expected = Begin(ask, held, continued=True, oldest=begin.oldest, replace=False)


def _closed(bars: Bars, name: str, plan: Plan, now: datetime) -> tuple[Bars, int]:
    """Those that had closed, and how many were outside of sessions and left out."""
    late = bars.timestamps > utc_second(now + _FUTURE)
    if late.any():
        found = f"a bar that opens at {bars.timestamps[late][0]}"
        needed = f"bars that open by {utc_second(now)} UTC, which this machine's clock says it is"
        raise FeedRefused(
            f"{name} gives {found}; needed: {needed}",
            code="implausible_times",
            field="timestamps",
            found=found,
            needed=needed,
        )
    bars = bars.where(~not_closed(bars, plan.calendar, now))
    if not plan.drop_outside or not len(bars):
        return bars, 0
    try:
        return within_sessions(bars, plan.calendar)
    except InvalidBars:  # all of them
        return empty_bars(bars.interval), len(bars)


def _compared(bars: Bars, expected: Begin, name: str) -> tuple[Bars, Bars]:
    """The held bar, if the new ones follow it; and bars that are to be put."""
    held, none = expected.held, empty_bars(bars.interval)
    of_its_time = bars.timestamps == held.timestamps[0]
    if not of_its_time.any():
        if expected.continued and not expected.replace:
            raise _left_out(held, name)
        return none, bars
    at = int(np.argmax(of_its_time))
    given = bars.where(slice(at, at + 1))
    if not _is_same(held, given):
        _check_replaceable(held, given, expected, name)
        return none, bars
    if not expected.continued:
        return none, bars
    return held, bars.where(np.arange(len(bars)) != at)


def _check_replaceable(held: Bars, given: Bars, expected: Begin, name: str) -> None:
    found, needed = _prices_of(given), _prices_of(held)
    what = f"{name} gives {found} for the bar of {held.timestamps[0]}, where {needed} are held"
    ratio = _common_ratio(held, given)
    if ratio is not None and expected.oldest < expected.start:
        raise BarsContradict(
            f"{what}: all four are {ratio:.6g} times those, as a split or another adjustment of "
            "older prices leaves them. Bars of before and after it must not be mixed; nothing of "
            f"this was put. Fetch all again: --replace --since {expected.oldest}",
            code="bars_rescaled",
            field="bars",
            found=found,
            needed=needed,
        )
    if not expected.replace:
        raise BarsContradict(
            f"{what}. Nothing of this was put. If the source is right, give --replace",
            field="bars",
            found=found,
            needed=needed,
        )


def _is_same(held: Bars, given: Bars) -> bool:
    one, other = _values(held), _values(given)
    return bool((np.abs(one - other) <= SAME * np.abs(one)).all())  # false for NaN


def _common_ratio(held: Bars, given: Bars) -> float | None:
    """What every held price is of the given one, where it is the same for all."""
    one, other = _values(held), _values(given)
    if not ((one > 0) & (other > 0)).all():
        return None
    ratios = one / other
    alike = ratios.max() <= (1 + CONSTANT) * ratios.min()
    return float(ratios[-1]) if alike and (np.abs(ratios - 1) > CONSTANT).all() else None


def _values(bar: Bars) -> FloatArray:
    return np.array([getattr(bar, price)[0] for price in PRICES])


def _prices_of(bar: Bars) -> str:
    values = zip(PRICES, _values(bar).tolist(), strict=True)
    return ", ".join(f"{price} {value!r}" for price, value in values)


def _part(beside: Bars, bars: Bars, dropped: int, calendar: Calendar, now: datetime) -> Part:
    together = joined(beside, bars)
    findings = validate(together, calendar, now)
    notes = tuple(it for it in findings if it.code != _MISSING_SESSIONS)
    return Part(beside, bars, _missing(together, calendar), dropped, notes)


def _missing(bars: Bars, calendar: Calendar) -> int:
    """How many bars are not there between the first and the last."""
    first, last, step = bars.timestamps[0], bars.timestamps[-1], np.timedelta64(bars.interval, "s")
    if bars.is_daily:
        return len(calendar.missing_sessions(bars.dates))
    if calendar.always_open:
        return int((last - first) // step) + 1 - len(bars)
    opens = np.arange(first, last + step, step)
    return int(np.count_nonzero(places_of(opens, bars.interval, calendar) >= 0)) - len(bars)


def _left_out(held: Bars, name: str) -> FeedRefused:
    what = f"the bar of {held.timestamps[0]}, which is held, is not among those that {name} gives"
    needed = "the source that the bars held are from, as far back as they reach"
    return FeedRefused(
        f"{what}: nothing tells whether what comes after it is of the same prices; needed: "
        f"{needed}, or --replace",
        code="bar_left_out",
        field="bars",
        found=str(held.timestamps[0]),
        needed=needed,
    )


def _since(what: str, found: str | None, needed: str) -> FeedRefused:
    return FeedRefused(f"{what}; needed: {needed}", field="since", found=found, needed=needed)
