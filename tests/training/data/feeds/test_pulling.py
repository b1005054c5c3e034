"""Pages become parts: from the newest bar held to the last that has closed, none made up."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.training.data.feeds.memory import (
    Memory,
    Scripted,
    all_of,
    empty,
    holding,
    plan,
    pull,
    same,
)
from tests.training.data.feeds.server import walk
from tests.volatility.session_bars import session_bars
from training.data.feeds.pulling import BarsContradict
from training.data.feeds.source import FeedRefused, Page
from volatility.bars import PRICES, Bars
from volatility.calendars import get_calendar
from volatility.errors import InvalidBars
from volatility.rows import empty_bars, joined

HOUR, DAY = np.timedelta64(3_600, "s"), np.timedelta64(1, "D")
HOURS = walk("2026-10-01", 200, 3_600)  # to 2026-10-09 07:00
AFTER = "2026-10-09T08:30:00"  # the last has closed
DAYS = walk("2026-10-01", 20, 86_400)
NEW_YORK = session_bars("2026-10-26", "2026-11-06", 3_600)


def source(bars: Bars) -> Scripted:
    return Scripted([all_of(bars)], bars.interval)


def scaled(bars: Bars, factor: float) -> Bars:
    return replace(bars, **{name: getattr(bars, name) * factor for name in PRICES})


def changed(bars: Bars, at: int, **prices: float) -> Bars:
    columns = {name: getattr(bars, name).copy() for name in PRICES}
    for name, price in prices.items():
        columns[name][at] = price
    return replace(bars, **columns)


class TestBeginning:
    def test_an_empty_target_begins_where_it_is_told(self) -> None:
        target, asked = empty(3_600), source(HOURS)
        pull(asked, target, plan(AFTER, since="2026-10-03"))
        assert asked.asked == [np.datetime64("2026-10-03T00:00:00")]
        same(target.bars, HOURS.where(HOURS.timestamps >= np.datetime64("2026-10-03")))

    def test_an_empty_target_must_be_told(self) -> None:
        told = "memory holds no bars yet; needed: --since and a date"
        with pytest.raises(FeedRefused, match=told) as refused:
            pull(source(HOURS), empty(3_600), plan(AFTER))
        assert (refused.value.field, refused.value.found) == ("since", None)

    @pytest.mark.parametrize("since", [None, "2026-10-01", "2026-10-05T03:00:00"])
    def test_another_begins_at_its_newest_bar(self, since: str | None) -> None:
        target, asked = holding(HOURS.where(slice(100))), source(HOURS)
        (part,) = pull(asked, target, plan(AFTER, since=since))
        assert asked.asked == [HOURS.timestamps[99]]
        same(part.beside, HOURS.where(slice(99, 100)))
        same(target.parts[0], HOURS.where(slice(100, None)))
        same(target.bars, HOURS)

    def test_bars_between_what_is_held_and_since_would_be_missing(self) -> None:
        told = "memory holds bars up to 2026-10-05T03:00:00, and none from there to --since"
        with pytest.raises(FeedRefused, match=told) as refused:
            pull(
                source(HOURS),
                holding(HOURS.where(slice(100))),
                plan(AFTER, since="2026-10-05T03:00:01"),
            )
        assert refused.value.needed == "2026-10-05T03:00:00 or earlier"

    def test_nothing_new_is_no_part(self) -> None:
        target = holding(HOURS)
        assert pull(source(HOURS), target, plan(AFTER)) == []
        same(target.bars, HOURS)


class TestTheUnfinishedBar:
    """By the clock and the calendar, not because it is the last one."""

    @pytest.mark.parametrize(("now", "closed"), [("07:59:59", 199), ("08:00:00", 200)])
    def test_of_a_market_that_never_closes(self, now: str, closed: int) -> None:
        target = empty(3_600)
        pull(source(HOURS), target, plan(f"2026-10-09T{now}", since="2026-10-01"))
        same(target.bars, HOURS.where(slice(closed)))

    @pytest.mark.parametrize(
        ("now", "closed"), [("2026-10-20T23:59:59", 19), ("2026-10-21T00:00:00", 20)]
    )
    def test_of_days(self, now: str, closed: int) -> None:
        target = empty(86_400)
        pull(source(DAYS), target, plan(now, since="2026-10-01"))
        same(target.bars, DAYS.where(slice(closed)))

    @pytest.mark.parametrize(
        ("now", "closed"),
        [
            ("2026-11-06T20:59:59", 9),
            ("2026-11-06T21:00:00", 10),  # New York closes at 16:00, winter time by then
            ("2026-11-08T12:00:00", 10),  # a weekend on which nothing is under way
        ],
    )
    def test_of_an_exchange_s_days(self, now: str, closed: int) -> None:
        sessions = get_calendar("XNYS").sessions(
            np.datetime64("2026-10-26"), np.datetime64("2026-11-06")
        )
        days = replace(walk("2026-10-26", 10, 86_400), timestamps=sessions.astype("M8[s]"))
        target = empty(86_400)
        pull(source(days), target, plan(now, "XNYS", since="2026-10-26"))
        same(target.bars, days.where(slice(closed)))

    @pytest.mark.parametrize(
        ("now", "left"), [("20:29:59", 2), ("20:30:00", 1), ("20:59:59", 1), ("21:00:00", 0)]
    )
    def test_of_an_exchange_s_last_half_hour(self, now: str, left: int) -> None:
        """The bar of 20:30 ends with the session, after half of its hour."""
        target = empty(3_600)
        when = plan(f"2026-11-06T{now}", "XNYS", since="2026-10-26")
        pull(source(NEW_YORK), target, when)
        same(target.bars, NEW_YORK.where(slice(len(NEW_YORK) - left)))

    def test_a_bar_that_closes_while_it_is_asked_for_is_left_for_the_next_time(self) -> None:
        """What is given of it may be from before its close."""
        moments = iter(["2026-10-09T07:59:58", "2026-10-09T08:00:05"])

        def clock() -> datetime:
            return datetime.fromisoformat(next(moments)).replace(tzinfo=UTC)

        target = empty(3_600)
        pull(source(HOURS), target, plan(AFTER, since="2026-10-01", clock=clock))
        same(target.bars, HOURS.where(slice(199)))

    def test_a_time_that_is_far_ahead_is_no_bar_under_way(self) -> None:
        ahead = replace(HOURS, timestamps=HOURS.timestamps + np.timedelta64(365, "D"))
        told = r"there gives a bar that opens at 2027-10-01T00:00:00; needed: bars that open by 202"
        with pytest.raises(FeedRefused, match=told) as refused:
            pull(source(ahead), empty(3_600), plan(AFTER, since="2026-10-01"))
        assert refused.value.code == "implausible_times"

    @pytest.mark.parametrize("late", [0, 1])
    def test_clocks_may_differ_by_less_than_a_day(self, late: int) -> None:
        now = HOURS.timestamps[0].item() - timedelta(days=1, seconds=late)
        asked, when = source(HOURS.where(slice(1))), plan(now.isoformat(), since="2026-10-01")
        if late:
            with pytest.raises(FeedRefused, match="opens at 2026-10-01T00:00:00"):
                pull(asked, empty(3_600), when)
        else:
            assert pull(asked, empty(3_600), when) == []


class Exchange(Scripted):
    """Pages of so many bars, and steps over empty ones, as ``ExchangeFeed`` has it.

    Parameters
    ----------
    most : bars of a page.
    window : whether it looks no further than so many bars, traded or not.
    """

    def __init__(self, bars: Bars, most: int, window: bool) -> None:
        super().__init__([], bars.interval)
        self.bars, self.most, self.window = bars, most, window

    def page(self, start: np.datetime64) -> Page:
        self.asked.append(start)
        reach = (self.most - 1) * np.timedelta64(self.interval, "s")
        found = self.bars.where(self.bars.timestamps >= start)
        if self.window:
            found = found.where(found.timestamps <= start + reach)
        found = found.where(slice(self.most))
        if len(found) and found.timestamps[-1] > start:
            return Page(found, found.timestamps[-1])
        return Page(found, start + reach)


class TestPages:
    @pytest.mark.parametrize("most", [2, 3, 7, 199, 200, 201, 1_000])
    @pytest.mark.parametrize("window", [False, True])
    def test_every_bar_comes_once_whatever_the_size_of_a_page(
        self, most: int, window: bool
    ) -> None:
        target = empty(3_600)
        found = pull(Exchange(HOURS, most, window), target, plan(AFTER, since="2026-10-01"))
        same(target.bars, HOURS)
        assert sum(part.missing for part in found) == 0
        assert all(len(part) < most for part in target.parts[1:])

    def test_a_page_begins_with_the_last_bar_of_the_one_before(self) -> None:
        asked = Exchange(HOURS, 100, window=False)
        found = pull(asked, empty(3_600), plan(AFTER, since="2026-10-01"))
        assert asked.asked == list(HOURS.timestamps[[0, 99, 198]])
        for before, part in pairwise(found):
            same(part.beside, before.bars.where(slice(-1, None)))

    @pytest.mark.parametrize("window", [False, True])
    @pytest.mark.parametrize(
        "outage", [slice(50, 51), slice(50, 60), slice(50, 150), slice(3, 197)]
    )
    def test_an_outage_stays_a_gap_and_is_counted(self, outage: slice, window: bool) -> None:
        kept = np.ones(len(HOURS), bool)
        kept[outage] = False
        target = empty(3_600)
        found = pull(
            Exchange(HOURS.where(kept), 10, window), target, plan(AFTER, since="2026-10-01")
        )
        same(target.bars, HOURS.where(kept))
        assert sum(part.missing for part in found) == outage.stop - outage.start

    def test_bars_that_begin_later_than_asked_for_are_not_missing(self) -> None:
        """Before a symbol was listed, there are none."""
        asked = Exchange(HOURS.where(slice(120, None)), 10, window=True)
        target = empty(3_600)
        found = pull(asked, target, plan(AFTER, since="2026-10-01"))
        same(target.bars, HOURS.where(slice(120, None)))
        assert sum(part.missing for part in found) == 0

    def test_a_pull_that_is_interrupted_goes_on(self) -> None:
        target = empty(3_600)
        for _ in range(30):
            asked = Exchange(HOURS, 10, window=False)
            pages = iter(pull_parts(asked, target))
            if next(pages, None) is None:
                break
        same(target.bars, HOURS)
        assert max(map(len, target.parts)) == 10

    def test_pages_of_two_histories_are_not_joined(self) -> None:
        """A split between two requests changes what was given before."""
        pages = [
            lambda start: Page(HOURS.where(slice(100)), HOURS.timestamps[99]),
            all_of(scaled(HOURS, 0.25)),
        ]
        target = empty(3_600)
        with pytest.raises(BarsContradict, match="all four are 4 times those") as refused:
            pull(Scripted(pages, 3_600), target, plan(AFTER, since="2026-10-01", replace=True))
        assert "--replace --since 2026-10-01T00:00:00" in str(refused.value)
        same(target.bars, HOURS.where(slice(100)))

    def test_a_page_without_the_last_bar_of_the_one_before_is_refused(self) -> None:
        pages = [
            lambda start: Page(HOURS.where(slice(100)), HOURS.timestamps[99]),
            lambda start: Page(HOURS.where(slice(100, None)), None),
        ]
        with pytest.raises(FeedRefused, match="the bar of 2026-10-05T03:00:00, which is held, is"):
            pull(Scripted(pages, 3_600), empty(3_600), plan(AFTER, since="2026-10-01"))

    def test_no_more_is_asked_for_once_nothing_more_can_have_closed(self) -> None:
        asked = Exchange(HOURS, 1_000, window=False)
        pull(asked, empty(3_600), plan("2026-10-09T08:59:59", since="2026-10-01"))
        assert len(asked.asked) == 1
        # The bar of 08:00 has closed by now, and may not have been there yet.
        asked = Exchange(HOURS, 1_000, window=False)
        pull(asked, empty(3_600), plan("2026-10-09T09:00:00", since="2026-10-01"))
        assert asked.asked == list(HOURS.timestamps[[0, 199]])


def pull_parts(asked: Exchange, target: Memory) -> Any:
    """As :func:`pull`, one part a step, after which it may be stopped."""
    from training.data.feeds.pulling import beginning, parts

    what = plan(AFTER, since="2026-10-01")
    for part in parts(asked, beginning(target, what), what):
        target.put(part.beside, part.bars, replace=False)
        yield part


class TestComparison:
    HELD = HOURS.where(slice(100))

    def test_a_bar_that_differs_is_told(self) -> None:
        given = changed(HOURS, 99, close=float(HOURS.close[99]) * 1.001, high=1e3)
        target = holding(self.HELD)
        with pytest.raises(BarsContradict) as refused:
            pull(source(given), target, plan(AFTER))
        prices = [
            ", ".join(f"{name} {float(getattr(it, name)[99])!r}" for name in PRICES)
            for it in (given, HOURS)
        ]
        assert str(refused.value) == (
            f"there gives {prices[0]} for the bar of 2026-10-05T03:00:00, where {prices[1]} are "
            "held. Nothing of this was put. If the source is right, give --replace"
        )
        assert refused.value.code == "bars_contradict"
        assert (refused.value.found, refused.value.needed) == (prices[0], prices[1])
        same(target.bars, self.HELD)

    def test_with_replace_the_source_is_right(self) -> None:
        given = changed(HOURS, 99, high=1e3)
        target = holding(self.HELD)
        (part,) = pull(source(given), target, plan(AFTER, replace=True))
        assert len(part.beside) == 0
        same(target.bars, given)

    def test_with_replace_what_agrees_is_not_sent(self) -> None:
        target = holding(self.HELD)
        (part,) = pull(source(HOURS), target, plan(AFTER, replace=True))
        same(part.beside, HOURS.where(slice(99, 100)))
        same(part.bars, HOURS.where(slice(100, None)))

    @pytest.mark.parametrize(("relative", "agrees"), [(0.9e-6, True), (1.1e-6, False)])
    @pytest.mark.parametrize("sign", [-1, 1])
    def test_single_precision_agrees(self, relative: float, sign: int, agrees: bool) -> None:
        given = changed(HOURS, 99, low=float(HOURS.low[99]) * (1 + sign * relative))
        target = holding(self.HELD)
        if agrees:
            pull(source(given), target, plan(AFTER))
            same(target.bars, HOURS)
        else:
            with pytest.raises(BarsContradict):
                pull(source(given), target, plan(AFTER))

    @pytest.mark.parametrize("name", PRICES)
    def test_every_price_is_compared(self, name: str) -> None:
        given = changed(HOURS, 99, **{name: float(getattr(HOURS, name)[99]) * 1.0001})
        with pytest.raises(BarsContradict, match="If the source is right, give --replace"):
            pull(source(given), holding(self.HELD), plan(AFTER))

    def test_a_price_that_is_none_contradicts(self) -> None:
        with pytest.raises(BarsContradict, match="low nan"):
            pull(source(changed(HOURS, 99, low=np.nan)), holding(self.HELD), plan(AFTER))

    def test_a_price_of_zero_has_no_ratio(self) -> None:
        with pytest.raises(BarsContradict, match="give --replace") as refused:
            pull(source(scaled(HOURS, 0.0)), holding(self.HELD), plan(AFTER))
        assert refused.value.code == "bars_contradict"

    @pytest.mark.parametrize("replaced", [False, True])
    @pytest.mark.parametrize(("factor", "ratio"), [(0.25, "4"), (10, "0.1"), (0.993, "1.00705")])
    def test_a_factor_is_told_and_never_mixed(
        self, factor: float, ratio: str, replaced: bool
    ) -> None:
        """A split, a reverse split, or prices that were adjusted for a dividend."""
        target = holding(self.HELD)
        with pytest.raises(BarsContradict) as refused:
            pull(source(scaled(HOURS, factor)), target, plan(AFTER, replace=replaced))
        assert refused.value.code == "bars_rescaled"
        assert f": all four are {ratio} times those, as a split" in str(refused.value)
        assert str(refused.value).endswith("all again: --replace --since 2026-10-01T00:00:00")
        same(target.bars, self.HELD)

    @pytest.mark.parametrize(
        ("off", "code"), [(0.9e-4, "bars_rescaled"), (2e-4, "bars_contradict")]
    )
    def test_rounded_prices_are_of_one_factor(self, off: float, code: str) -> None:
        given = scaled(HOURS, 0.5)
        given = changed(given, 99, high=float(given.high[99]) * (1 + off))
        with pytest.raises(BarsContradict) as refused:
            pull(source(given), holding(self.HELD), plan(AFTER))
        assert refused.value.code == code

    def test_all_of_a_history_can_be_fetched_again(self) -> None:
        target, split = holding(self.HELD), scaled(HOURS, 0.25)
        asked = source(split)
        pull(asked, target, plan(AFTER, since="2026-10-01", replace=True))
        assert asked.asked == [HOURS.timestamps[0]]
        same(target.bars, split)

    def test_a_part_of_a_history_cannot_be_rescaled(self) -> None:
        target = holding(self.HELD)
        when = plan(AFTER, since="2026-10-02", replace=True)
        with pytest.raises(BarsContradict, match="all four are 4 times those") as refused:
            pull(source(scaled(HOURS, 0.25)), target, when)
        assert "for the bar of 2026-10-02T00:00:00" in str(refused.value)
        same(target.bars, self.HELD)

    def test_a_part_of_a_history_can_be_corrected(self) -> None:
        given = changed(HOURS, 30, high=1e3)
        target = holding(self.HELD)
        pull(source(given), target, plan(AFTER, since="2026-10-02", replace=True))
        same(target.bars, given)

    def test_the_only_bar_held_mixes_with_nothing(self) -> None:
        target, split = holding(HOURS.where(slice(1))), scaled(HOURS, 0.25)
        pull(source(split), target, plan(AFTER, replace=True))
        same(target.bars, split)

    def test_a_held_bar_that_the_source_leaves_out_is_told(self) -> None:
        rest = HOURS.where(np.arange(len(HOURS)) != 99)
        told = "the bar of 2026-10-05T03:00:00, which is held, is not among those that there gives"
        target = holding(self.HELD)
        with pytest.raises(FeedRefused, match=told) as refused:
            pull(source(rest), target, plan(AFTER))
        assert (refused.value.code, refused.value.found) == ("bar_left_out", "2026-10-05T03:00:00")
        (part,) = pull(source(rest), target, plan(AFTER, replace=True))
        assert len(part.beside) == 0
        same(target.bars, HOURS)


DUPLICATED = joined(HOURS.where(slice(6)), HOURS.where(slice(5, None)))
UNSORTED = joined(HOURS.where(slice(5)), HOURS.where(slice(6, 7)), HOURS.where(slice(5, 6)))


class TestFaults:
    @pytest.mark.parametrize(
        ("given", "code", "told"),
        [
            (
                DUPLICATED,
                "duplicate_dates",
                r"a time that another bar has at bar 6 \(2026-10-01T05",
            ),
            (UNSORTED, "unsorted_dates", r"an earlier time than .* at bar 6 \(2026-10-01T05"),
            (changed(HOURS, 5, low=0.0), "non_positive_price", r"low: 0\.0 at bar 5 \(2026"),
            (changed(HOURS, 5, open=-1.0), "non_positive_price", r"open: -1\.0 at bar 5 \(2026"),
            (
                changed(HOURS, 5, high=1.0),
                "high_below_low",
                r"high 1\.0 below low \d+\.\d+ at bar 5",
            ),
            (changed(HOURS, 5, close=1e9), "close_outside_range", "close 1000000000.0 outside"),
            (changed(HOURS, 5, open=np.nan), "non_finite_price", "open: nan at bar 5"),
        ],
    )
    @pytest.mark.parametrize("continued", [False, True])
    def test_what_is_wrong_is_told_and_nothing_put(
        self, given: Bars, code: str, told: str, continued: bool
    ) -> None:
        held = HOURS.where(slice(1)) if continued else empty_bars(3_600)
        target = holding(held)
        with pytest.raises(InvalidBars, match=told) as refused:
            pull(source(given), target, plan(AFTER, since="2026-10-01"))
        assert refused.value.code == code
        same(target.bars, held)

    def test_the_held_bar_twice_is_told(self) -> None:
        twice = joined(HOURS.where(slice(1)), HOURS)
        with pytest.raises(InvalidBars, match="a time that another bar has") as refused:
            pull(source(twice), holding(HOURS.where(slice(1))), plan(AFTER))
        assert refused.value.code == "duplicate_dates"

    def test_what_was_put_before_the_fault_stays(self) -> None:
        target = empty(3_600)
        with pytest.raises(InvalidBars):
            pull(
                Exchange(changed(HOURS, 150, low=0.0), 100, window=False),
                target,
                plan(AFTER, since="2026-10-01"),
            )
        same(target.bars, HOURS.where(slice(100)))

    def test_what_is_worth_knowing_is_passed_on(self) -> None:
        flat = dict.fromkeys(PRICES, 100.0)
        (part,) = pull(
            source(changed(HOURS, 7, **flat)), empty(3_600), plan(AFTER, since="2026-10-01")
        )
        assert [it.code for it in part.notes] == ["zero_range_bar"]

    def test_a_length_that_no_day_is_made_of_is_refused(self) -> None:
        with pytest.raises(InvalidBars, match="bars of 604800 seconds"):
            pull(Scripted([], 604_800), empty(86_400), plan(AFTER, since="2026-10-01"))


class TestMissing:
    def test_days_without_a_bar_are_counted_by_the_calendar(self) -> None:
        sessions = get_calendar("XNYS").sessions(
            np.datetime64("2026-10-26"), np.datetime64("2026-11-06")
        )
        days = replace(walk("2026-10-26", 10, 86_400), timestamps=sessions.astype("M8[s]"))
        kept = np.delete(np.arange(10), [3, 4, 8])
        target = holding(days.where(slice(1)))
        (part,) = pull(
            source(days.where(np.isin(np.arange(10), kept))),
            target,
            plan("2026-11-09T00:00:00", "XNYS"),
        )
        assert part.missing == 3
        assert part.notes == ()
        same(target.bars, days.where(np.isin(np.arange(10), kept)))

    @pytest.mark.parametrize("gone", [slice(5, 6), slice(5, 30), slice(60, 65)])
    @pytest.mark.parametrize("calendar", ["XNYS", "24/7"])
    def test_shorter_bars_are_counted_within_sessions(self, gone: slice, calendar: str) -> None:
        """Ten sessions of seven hours; the clocks change between them."""
        bars = NEW_YORK if calendar == "XNYS" else HOURS
        kept = np.ones(len(bars), bool)
        kept[gone] = False
        now = "2026-11-09T00:00:00" if calendar == "XNYS" else AFTER
        (part,) = pull(
            source(bars.where(kept)), empty(3_600), plan(now, calendar, since="2026-10-01")
        )
        assert part.missing == gone.stop - gone.start

    def test_a_pause_at_noon_is_no_gap(self) -> None:
        tokyo = get_calendar("XTKS")
        opens = [
            np.arange(tokyo.opens[at], tokyo.closes[at], np.timedelta64(1_800, "s"))
            for at in tokyo.positions(np.array(["2026-10-05", "2026-10-06"], "M8[D]"))
        ]
        stamps = np.concatenate(opens)
        inside = np.isin(stamps.astype("M8[m]").astype(int) % 1_440, [150, 180], invert=True)
        bars = replace(walk("2026-10-05", inside.sum(), 1_800), timestamps=stamps[inside])
        (part,) = pull(source(bars), empty(1_800), plan("2026-10-07", "XTKS", since="2026-10-05"))
        assert part.missing == 0


class TestOutside:
    EARLY = replace(
        walk("2026-10-26T12:30:00", 1, 3_600), timestamps=np.array(["2026-10-26T12:30:00"], "M8[s]")
    )
    GIVEN = joined(EARLY, NEW_YORK)
    WHEN = ("2026-11-09T00:00:00", "XNYS")

    def test_a_bar_outside_of_all_sessions_is_refused(self) -> None:
        with pytest.raises(InvalidBars, match="outside of all sessions at bar 0") as refused:
            pull(source(self.GIVEN), empty(3_600), plan(*self.WHEN, since="2026-10-26"))
        assert refused.value.code == "outside_session"

    def test_or_dropped_and_counted(self) -> None:
        target = empty(3_600)
        when = plan(*self.WHEN, since="2026-10-26", drop_outside=True)
        (part,) = pull(source(self.GIVEN), target, when)
        assert (part.dropped, part.missing) == (1, 0)
        same(target.bars, NEW_YORK)

    def test_a_page_of_nothing_else_is_counted_with_the_next(self) -> None:
        pages: list[Callable[[np.datetime64], Page]] = [
            lambda start: Page(self.EARLY, self.EARLY.timestamps[0]),
            all_of(NEW_YORK),
        ]
        target = empty(3_600)
        when = plan(*self.WHEN, since="2026-10-26", drop_outside=True)
        (part,) = pull(Scripted(pages, 3_600), target, when)
        assert part.dropped == 1
        same(target.bars, NEW_YORK)
