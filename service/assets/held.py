"""What is held of one asset, and what is made of it."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import Any, Self

import numpy as np

from models_store import Calibration, LoadedModel
from service.assets.database import HeldAsset, HeldBars
from service.http.errors import HistoryDamaged
from volatility.arrays import DateArray
from volatility.bars import Bars
from volatility.calendars import Calendar, get_calendar
from volatility.companions import Companion, accompanied
from volatility.errors import InvalidInput, OutsideCalendar
from volatility.measures.session_returns import session_returns
from volatility.measuring import price_warnings
from volatility.plausibility import damage_of
from volatility.series import DatedSeries, daily_series
from volatility.updates import spliced, updated

# Of models that serve no longer something stays, until there is so much: a series of 5,000 sessions
# with columns is 200 kB, past errors are 10.
_MOST_ACCOMPANIED, _MOST_CALIBRATIONS = 32, 512


class Held:
    """Bars of one asset at one revision, and the daily series made from them, each made once.

    Parameters
    ----------
    asset : what is known of it besides its bars.
    bars : all of them.
    revision : grows by one with every change of the bars.
    known_at : microseconds since 1970, at which these bars were what was known.

    Attributes
    ----------
    damage : what is wrong with bars that were read, which nobody sent so; None where nothing is.
    """

    def __init__(self, asset: HeldAsset, bars: Bars, revision: int, known_at: int = 0) -> None:
        self.asset = asset
        self.bars = bars
        self.revision = revision
        self.known_at = known_at
        self.damage: str | None = None
        self._series: dict[tuple[str, tuple[str, ...]], DatedSeries] = {}
        # By model, and by model and horizon, with the revisions of the companions beside.
        self._accompanied: dict[str, tuple[tuple[int, ...], DatedSeries]] = {}
        self._price_warnings: dict[tuple[np.datetime64, np.datetime64], tuple[str, ...]] = {}
        self._calibrations: dict[tuple[str, int], tuple[tuple[int, ...], Calibration]] = {}

    @classmethod
    def of(cls, read: HeldBars) -> Self:
        """What was read of the database, whose rows are looked at again."""
        held = cls(read.asset, read.bars, read.revision, read.known_at)
        held.damage = damage_of(read.bars)
        return held

    def check(self) -> None:
        """Refuse bars that are damaged.

        Raises
        ------
        HistoryDamaged : they are.
        """
        if self.damage is not None:
            raise HistoryDamaged(
                f"the bars of {self.asset.asset} in the history database are damaged: "
                f"{self.damage}",
                field="asset",
                found=self.asset.asset,
                needed="the bars put again, with replace=true, or a backup restored",
            )

    @cached_property
    def calendar(self) -> Calendar:
        """Sessions of the asset."""
        return get_calendar(self.asset.calendar)

    def series(self, measure: str | None = None, columns: tuple[str, ...] = ()) -> DatedSeries:
        """Daily series of a measure, by default the asset's own, with columns beside rv.

        Raises
        ------
        ConstantPrices : no session has a realized measure above zero.
        """
        name = measure or self.asset.measure
        known = self._series.get((name, columns))
        if known is None:
            known, _ = daily_series(self.bars, name, self.calendar, columns)
            self._series[name, columns] = known
        return known

    def updated(self, written: Bars, revision: int, known_at: int) -> "Held":
        """What is held once bars have been added or replaced, with every series made so far.

        Parameters
        ----------
        written : these bars, oldest first; at least one.
        revision : the next one.
        known_at : of it.
        """
        held = Held(self.asset, spliced(self.bars, written), revision, known_at)
        held.damage = damage_of(held.bars) if self.damage else None
        for (measure, columns), series in [*self._series.items()]:
            with suppress(InvalidInput):  # which whoever asks for the series is told
                held._series[measure, columns] = updated(
                    series, held.bars, written.timestamps, self.calendar
                )
        held.sessions()
        return held

    def accompanied(
        self, model: LoadedModel, companions: Iterable[Companion], revisions: tuple[int, ...]
    ) -> DatedSeries:
        """Daily series in a model's measure, with the columns of its companions.

        Only that beside the latest companions is kept.

        Parameters
        ----------
        model : that looks at them.
        companions : held ones.
        revisions : theirs.

        Raises
        ------
        ConstantPrices : no session has a realized measure above zero.
        OutsideCalendar : a date that one of the calendars does not cover.
        """
        known = self._accompanied.get(model.identity)
        if known is None or known[0] != revisions:
            own = self.series(model.manifest.measure, model.manifest.own_columns)
            known = revisions, accompanied(own, model.calendar, companions)
            self._accompanied[model.identity] = known
            _let_go(self._accompanied, _MOST_ACCOMPANIED)
        return known[1]

    def calibration(
        self,
        model: LoadedModel,
        horizon: int,
        series: DatedSeries | None = None,
        revisions: tuple[int, ...] = (),
    ) -> Calibration:
        """The past errors of a model at the end of what is held.

        Only those beside the latest companions are kept, with those of other horizons that come
        along.

        Parameters
        ----------
        model : any.
        horizon : sessions ahead.
        series : :meth:`accompanied`, of a model with companions.
        revisions : of these companions.

        Raises
        ------
        ConstantPrices : no session has a realized measure above zero.
        UnsupportedHorizon : the model does not forecast so many sessions ahead.
        """
        known = self._calibrations.get((model.identity, horizon))
        if known is None or known[0] != revisions:
            if series is None:
                series = self.series(model.manifest.measure, model.manifest.columns)
            told = model.calibrations(series, horizon)
            known = revisions, told[horizon]
            for it, calibration in told.items():
                self._calibrations[model.identity, it] = revisions, calibration
            _let_go(self._calibrations, _MOST_CALIBRATIONS)
        return known[1]

    def price_warnings(self, series: DatedSeries, sessions: int) -> tuple[str, ...]:
        """What is worth knowing of the prices behind the newest sessions of a series.

        Whoever puts bars is told, and whoever asks for a forecast may be somebody else.

        Parameters
        ----------
        series : of these bars, or a part of it.
        sessions : how many.
        """
        if not len(series):
            return ()
        start, end = series.dates[-sessions:][0], series.dates[-1]
        known = self._price_warnings.get((start, end))
        if known is None:
            known = price_warnings(self.bars, self.calendar, start, end)
            self._price_warnings[start, end] = known
            _let_go(self._price_warnings, _MOST_CALIBRATIONS)
        return known

    def is_calibrated(
        self, model: LoadedModel, horizon: int, revisions: tuple[int, ...] = ()
    ) -> bool:
        """Whether :meth:`calibration` answers at once."""
        known = self._calibrations.get((model.identity, horizon))
        return known is not None and known[0] == revisions

    def calibrated_at(self, model: LoadedModel) -> list[int]:
        """Horizons at which :meth:`calibration` has answered for a model, as far as is kept."""
        return [
            horizon for identity, horizon in [*self._calibrations] if identity == model.identity
        ]

    def sessions(self) -> DateArray:
        """Sessions of the asset's own series; none while the bars do not make one up."""
        try:
            return self.series().dates
        except InvalidInput:
            return np.empty(0, "datetime64[D]")

    @cached_property
    def session_nobs(self) -> int:
        """Returns of the median session that is measured, of bars shorter than a day."""
        return session_returns(self.bars, self.calendar)[0].median_nobs

    def stale_sessions(self, now: datetime) -> int | None:
        """Sessions that have closed since the last one held; None where the clock lies too far."""
        sessions = self.sessions()
        if not len(sessions):
            return None
        try:
            return self.calendar.stale_sessions(sessions[-1], now)
        except OutsideCalendar:
            return None

    def doubt_of_clock(self, now: datetime) -> str | None:
        """Why the time cannot be right, or the sessions held cannot, if one of them cannot."""
        sessions = self.sessions()
        try:
            closed = self.calendar.last_closed_session(now)
        except OutsideCalendar as error:
            return f"the clock of the service may be wrong: {error}"
        if not len(sessions) or sessions[-1] <= closed:
            return None
        return (
            f"the history of {self.asset.asset} ends on {sessions[-1]}, which has not closed by "
            f"the clock of the service; the last session that has is {closed}: one of the two is "
            "wrong"
        )


def _let_go(kept: dict[Any, Any], most: int) -> None:
    """Drop what was put first, while there is more than is to be kept."""
    for key in [*kept][:-most]:
        kept.pop(key, None)
