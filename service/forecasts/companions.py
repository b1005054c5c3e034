"""The companions that a model looks at: held, or sent with the request."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from models_store import LoadedModel, refusals
from models_store.manifest import CompanionData, Manifest
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.known import PastHoldings
from service.assets.schemas import time_name
from service.forecasts.requests import CompanionInput
from service.http.errors import located
from volatility.bars import from_records, validate, within_sessions
from volatility.calendars import Calendar, get_calendar
from volatility.companions import (
    RETURN,
    Companion,
    accompanied,
    as_measured,
    sessions_behind,
    worth_telling,
)
from volatility.errors import InvalidInput
from volatility.series import DatedSeries, RealizedSeries, daily_series


class Beside(NamedTuple):
    """What there is of the companions of a model."""

    companions: tuple[Companion, ...] = ()
    revisions: tuple[int, ...] | None = ()  # of what is held; None where one was sent
    absent: tuple[str, ...] = ()  # why, of those that there are not
    warnings: tuple[str, ...] = ()
    joined: DatedSeries | None = None  # the history with their columns, if it has dates
    known_at: tuple[int, ...] = ()  # of what is held, as `Held` has it

    def any_held(self, history: Held | RealizedSeries, sent: Collection[str]) -> bool:
        """Whether the history beside them, or any of them, is held, not sent with the request."""
        return isinstance(history, Held) or any(it.name not in sent for it in self.companions)

    def join(self, history: Held | RealizedSeries, model: LoadedModel) -> "Beside":
        """The same, with the whole history of the asset and their columns in it."""
        if self.absent:
            return self
        if isinstance(history, Held):
            if self.revisions is not None:
                joined = history.accompanied(model, self.companions, self.revisions)
                return self._replace(joined=joined)
            history = history.series(model.manifest.measure, model.manifest.own_columns)
        if not isinstance(history, DatedSeries):
            return self
        return self._replace(joined=accompanied(history, model.calendar, self.companions))

    def obstacle(self, manifest: Manifest, as_of: date | None) -> str | None:
        """Why a model cannot look at them at the end of the history joined; None if it can.

        Parameters
        ----------
        manifest : of the model.
        as_of : the day that is replayed, if one is.
        """
        if self.absent:
            return self.absent[0]
        seen = self.joined
        if seen is None:
            return "the history has no dates, by which companions are aligned"
        if as_of is not None:
            seen = seen.until(np.datetime64(as_of, "D"))
        if not len(seen):  # too short for any model, which says so
            return None
        return refusals.unknown_companion(manifest, seen)

    def remarks(self, history: RealizedSeries, calendar: Calendar) -> tuple[str, ...]:
        """What is worth knowing of them at the end of a history."""
        if not isinstance(history, DatedSeries) or not len(history):
            return self.warnings
        behind = {
            it.name: sessions_behind(it, history.dates[-1], calendar) for it in self.companions
        }
        late = [
            f"the companion {it.name} is stale: it ends on {it.series.dates[-1]}, and "
            f"{behind[it.name]} of its sessions had closed since"
            for it in self.companions
            if behind[it.name]
        ]
        return (*self.warnings, *late)


def companions_of(
    manifest: Manifest,
    sent: Mapping[str, CompanionInput],
    holdings: Holdings | PastHoldings,
    now: datetime,
) -> Beside:
    """The companions of a model: those sent with a request, and what is held of the others.

    Raises
    ------
    InvalidInput : bars that were sent cannot be used; the field tells whose.
    """
    found: list[Companion] = []
    past: list[Held] = []
    absent, warnings = [], []
    for data in manifest.companions:
        if data.asset in sent:
            companion, more = _sent(data, sent[data.asset], now)
            found.append(companion)
            warnings += more
            continue
        held = _held(data, holdings)
        if isinstance(held, str):
            absent.append(held)
        else:
            found.append(held[0])
            past.append(held[1])
    any_sent = any(it.asset in sent for it in manifest.companions)
    return Beside(
        tuple(found),
        None if any_sent else tuple([it.revision for it in past]),
        tuple(absent),
        tuple(warnings),
        known_at=tuple([it.known_at for it in past]),
    )


def held_revisions(manifest: Manifest, holdings: Holdings) -> tuple[int, ...] | None:
    """Revisions of what is held of the companions of a model; None where nothing is of one."""
    found = [holdings.find(it.asset) for it in manifest.companions]
    return None if None in found else tuple(it.revision for it in found if it is not None)


def _sent(data: CompanionData, given: CompanionInput, now: datetime) -> tuple[Companion, list[str]]:
    calendar = get_calendar(data.calendar)
    try:
        inside, dropped = within_sessions(from_records(given.bars, data.bar_interval), calendar)
        bars = as_measured(inside, data.measure)
        findings = worth_telling(validate(bars, calendar, now), data.measure)
        series, more = daily_series(bars, data.measure, calendar, (RETURN,))
    except InvalidInput as error:
        raise located(error, f"companions.{data.asset}.", time_name(given.bars)) from None
    left_out = (
        [f"bars outside of sessions of {calendar.name} left out: {dropped}"] if dropped else []
    )
    warnings = [f"companion {data.asset}: {it}" for it in (*left_out, *findings, *more)]
    return Companion(data.asset, series, calendar.name), warnings


def _held(data: CompanionData, holdings: Holdings | PastHoldings) -> tuple[Companion, Held] | str:
    """A held companion and what is held of it, or why there is none."""
    held = holdings.find(data.asset)
    if held is None or not len(held.bars):
        return f"nothing is held of {data.asset}, and none was sent"
    if held.damage is not None:
        return f"the held bars of {data.asset} are damaged: {held.damage}"
    name, interval = held.asset.calendar, held.asset.bar_interval
    if name != data.calendar:
        return (
            f"{data.asset} is held with calendar {name}; the model was fitted with it in "
            f"{data.calendar}"
        )
    if interval != data.bar_interval:
        return (
            f"{data.asset} is held with bars of {interval} seconds; the model was fitted with bars "
            f"of {data.bar_interval}"
        )
    try:
        series = held.series(data.measure, (RETURN,))
    except InvalidInput as error:
        return f"what is held of {data.asset} cannot be measured: {error}"
    return Companion(data.asset, series, held.calendar.name), held
