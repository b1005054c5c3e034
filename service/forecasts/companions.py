"""The companions that a model looks at: held, or sent with the request."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import numpy as np

from models_store.manifest import CompanionData, Manifest
from service.assets.holdings import Holdings
from service.forecasts.requests import CompanionInput
from service.http.errors import located
from volatility.bars import from_records, validate
from volatility.calendars import Calendar, get_calendar
from volatility.companions import (
    OLDEST,
    RETURN,
    Companion,
    accompanied,
    aligned,
    are_known,
    as_measured,
    sessions_behind,
    worth_telling,
)
from volatility.errors import InvalidInput
from volatility.series import DatedSeries, RealizedSeries, daily_series

_DAYS = OLDEST // 86_400


class Beside(NamedTuple):
    """What there is of the companions of a model."""

    companions: tuple[Companion, ...] = ()
    revisions: tuple[int, ...] | None = ()  # of what is held; None where one was sent
    absent: tuple[str, ...] = ()  # why, of those that there are not
    warnings: tuple[str, ...] = ()

    def obstacle(self, manifest: Manifest, history: RealizedSeries) -> str | None:
        """Why a model cannot look at them from a history; None if it can.

        Parameters
        ----------
        manifest : of the model.
        history : of the asset; the newest of its sessions are those that the model sees.
        """
        if self.absent:
            return self.absent[0]
        if not isinstance(history, DatedSeries):
            return "the history has no dates, by which companions are aligned"
        dates, calendar = history.dates[-manifest.lookback :], get_calendar(manifest.calendar)
        if not len(dates):  # too short for any model, which says so
            return None
        for companion in self.companions:
            log_rv, _ = aligned(companion, dates, calendar).values()
            if not are_known(log_rv[None, :])[0]:
                unknown = np.isnan(log_rv)
                return (
                    f"nothing of {companion.name} that is at most {_DAYS} days old is known at "
                    f"{np.count_nonzero(unknown)} of {len(dates)} sessions, the last of them "
                    f"{dates[unknown][-1]}"
                )
        return None

    def joined(self, history: RealizedSeries, calendar: Calendar) -> RealizedSeries:
        """A history with the columns of the companions."""
        if not self.companions or not isinstance(history, DatedSeries):
            return history
        return accompanied(history, calendar, self.companions)

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
    manifest: Manifest, sent: Mapping[str, CompanionInput], holdings: Holdings, now: datetime
) -> Beside:
    """The companions of a model: those sent with a request, and what is held of the others.

    Raises
    ------
    InvalidInput : bars that were sent cannot be used; the field tells whose.
    """
    found: list[Companion] = []
    revisions: list[int] = []
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
            revisions.append(held[1])
    any_sent = any(it.asset in sent for it in manifest.companions)
    return Beside(
        tuple(found), None if any_sent else tuple(revisions), tuple(absent), tuple(warnings)
    )


def _sent(data: CompanionData, given: CompanionInput, now: datetime) -> tuple[Companion, list[str]]:
    calendar = get_calendar(data.calendar)
    try:
        bars = as_measured(from_records(given.bars, data.bar_interval), data.measure)
        findings = worth_telling(validate(bars, calendar, now), data.measure)
        series, more = daily_series(bars, data.measure, calendar, (RETURN,))
    except InvalidInput as error:
        raise located(error, f"companions.{data.asset}.") from None
    warnings = [f"companion {data.asset}: {it}" for it in (*findings, *more)]
    return Companion(data.asset, series, calendar.name), warnings


def _held(data: CompanionData, holdings: Holdings) -> tuple[Companion, int] | str:
    """A held companion and its revision, or why there is none."""
    held = holdings.find(data.asset)
    if held is None or not len(held.bars):
        return f"nothing is held of {data.asset}, and none was sent"
    try:
        series = held.series(data.measure, (RETURN,))
    except InvalidInput as error:
        return f"what is held of {data.asset} cannot be measured: {error}"
    return Companion(data.asset, series, held.calendar.name), held.revision
