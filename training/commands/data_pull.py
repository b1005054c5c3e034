"""``python -m training data pull``: fetch bars that have closed since the last time."""

import argparse
from collections import Counter
from datetime import UTC, datetime

import numpy as np
from rich.console import Console

from models_store.names import check_asset_name
from training.commands.arguments import DROP
from training.data.bars_file import CalendarNeeded
from training.data.feeds.exchange import ExchangeFeed, open_exchange
from training.data.feeds.file_target import FileTarget
from training.data.feeds.pulling import Begin, Part, Plan, beginning, parts
from training.data.feeds.service_target import IngestingService, ServiceTarget
from training.data.feeds.source import FeedRefused, Source
from training.data.feeds.targets import Put, Target
from training.data.feeds.yahoo import YahooFeed
from volatility.calendars import ALWAYS_OPEN, Calendar, get_calendar
from volatility.errors import InvalidInput
from volatility.extras import PROVIDERS_EXTRA, require
from volatility.rows import times_of


def run(options: argparse.Namespace, console: Console) -> int:
    """Put what has closed since the newest bar held, part by part; returns the exit status.

    Raises
    ------
    InvalidInput : options that do not go together, or what is wrong with the source, the target or
        the bars.
    ExtraMissing : the packages that ask the source are not there.
    Unavailable : the source, or the service, does not answer.
    """
    require(PROVIDERS_EXTRA, "data pull", field="yahoo" if options.yahoo else "exchange")
    _check_alone(options)
    source = _source_of(options)
    target, calendar = _target_of(options, source.interval)
    plan = Plan(
        calendar,
        since=_second(options.since),
        replace=options.replace,
        drop_outside=options.outside_sessions == DROP,
        clock=lambda: datetime.now(UTC),
    )
    begin = beginning(target, plan)
    _say(f"{options.symbol} of {source.name}, from {begin.start} on, to {target.name}", console)
    told: set[str] = set()
    counts: Counter[str] = Counter()
    for part in parts(source, begin, plan):
        put = target.put(part.beside, part.bars, plan.replace)
        _print_part(part, put, told, console)
        counts.update(added=put.added, replaced=put.replaced)
        counts.update(missing=part.missing, dropped=part.dropped, given=len(part.bars))
    if not counts["given"] and not len(begin.held):
        raise _nothing(options.symbol, source, begin)
    _say(_summary(counts, source.name), console)
    return 0


def _source_of(options: argparse.Namespace) -> Source:
    if options.yahoo:
        return YahooFeed.of(options.symbol, options.interval)
    return ExchangeFeed.of(open_exchange(options.exchange), options.symbol, options.interval)


def _target_of(options: argparse.Namespace, interval: int) -> tuple[Target, Calendar]:
    """Where bars go, and whose sessions they are of."""
    calendar = options.calendar or (None if options.yahoo else ALWAYS_OPEN)
    if options.to_file is not None:
        return FileTarget(options.to_file, interval), _calendar(calendar)
    asset = check_asset_name(options.asset or options.symbol.replace("/", "-"))
    service = IngestingService.at(options.to_service)
    described = {"calendar": options.calendar, "kind": options.kind}
    target = ServiceTarget(service, asset, interval, described)
    if target.known is None:
        target = ServiceTarget(service, asset, interval, described | {"calendar": calendar})
        return target, _calendar(calendar)
    return target, _calendar(target.known["calendar"])


def _calendar(name: str | None) -> Calendar:
    if name is not None:
        return get_calendar(name)
    raise CalendarNeeded(
        "nothing says whose sessions the bars are of, and so which of them have closed; say it, "
        "such as --calendar XNYS",
        field="calendar",
        needed="a calendar of exchange_calendars, such as XNYS, or 24/7",
    )


def _check_alone(options: argparse.Namespace) -> None:
    """Refuse options that say something of an asset that is held, where none is."""
    for name in ("asset", "kind"):
        given = getattr(options, name)
        if options.to_file is not None and given is not None:
            raise InvalidInput(
                f"--{name} goes with --to-service: bars in a file are of no asset yet",
                field=name,
                found=given,
                needed="--to-service",
            )


def _second(moment: datetime | None) -> np.datetime64 | None:
    """A time in UTC, as bars have it."""
    return None if moment is None else np.datetime64(moment.replace(tzinfo=None), "s")


def _print_part(part: Part, put: Put, told: set[str], console: Console) -> None:
    """What was put just now, and what of it was not said before."""
    times = times_of(part.bars)
    _say(f"  {times[0]} to {times[-1]}: {put.added} added, {put.replaced} replaced", console)
    for note in (*map(str, part.notes), *put.warnings):
        if note not in told:
            told.add(note)
            _say(f"  note: {note}", console)


def _say(text: str, console: Console) -> None:
    """Print one line, however long: it is read in the log of a scheduler."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _summary(counts: Counter[str], name: str) -> str:
    if not counts["given"]:
        return "nothing new: no bar has closed since the newest one held"
    said = [f"{counts['added']} bars added, {counts['replaced']} replaced"]
    if counts["missing"]:
        said.append(f"{counts['missing']} missing, which {name} left out")
    if counts["dropped"]:
        said.append(f"{counts['dropped']} outside of sessions dropped")
    return "; ".join(said)


def _nothing(symbol: str, source: Source, begin: Begin) -> FeedRefused:
    return FeedRefused(
        f"{source.name} gives no bar of {symbol} that opens at {begin.start} or later and has "
        "closed",
        field="since",
        found=str(begin.start),
        needed="an earlier --since, or a symbol that is traded",
    )
