"""Regressors of an asset's every session, built once for all models, horizons and fits."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models_store.units import median_range
from training.data.assets import AssetData
from training.models.calendar_adjusted import WithoutCalendar
from volatility.arrays import DateArray, FloatArray, Scale
from volatility.companions import are_known
from volatility.filters import windows
from volatility.measures.columns import companion_of
from volatility.pairs import Pairs
from volatility.regressor_names import design_of
from volatility.running_windows import RunningWindows, WithoutEffects
from volatility.series import DatedSeries


class SessionWindows(NamedTuple):
    """A window for each of some sessions, in order of time."""

    dates: DateArray  # (n,)
    windows: RunningWindows

    @classmethod
    def of(cls, series: DatedSeries, scale: Scale) -> "SessionWindows":
        """Windows of every session of a series."""
        rv = series.log_rv if scale == "logs" else series.rv
        return cls(series.dates, RunningWindows({**series.columns, "rv": rv}))

    def design(self, regressors: tuple[str, ...], rows: Pairs) -> list[FloatArray]:
        """Named columns of the design matrix of some rows, (rows,) each."""
        newest = np.searchsorted(self.dates, rows.as_of)
        return [self.windows.values_of(it)[newest] for it in design_of(regressors).regressors]


@dataclass(frozen=True, eq=False)
class AssetRegressors:
    """One asset's sessions as models see them; what is asked for twice is computed once."""

    asset: AssetData

    def rows(self, lookback: int, horizon: int, columns: Collection[str] = ()) -> Pairs:
        """What windows of so many sessions are paired with; of the windows the newest session.

        Parameters
        ----------
        lookback : sessions a window.
        horizon : sessions ahead.
        columns : what windows hold besides rv. Where a companion was not known there is no row.
        """
        key = (lookback, horizon, tuple(columns))
        if key not in self._rows:
            self._rows[key] = self._make_rows(*key)
        return self._rows[key]

    def _make_rows(self, lookback: int, horizon: int, columns: tuple[str, ...]) -> Pairs:
        if horizon not in self._by_horizon:
            self._by_horizon[horizon] = self.asset.pairs(1, horizon=horizon)
        pairs, dates = self._by_horizon[horizon], self.asset.series.dates
        whole = pairs.as_of >= dates[lookback - 1]
        for name in columns:
            if companion_of(name):
                seen = windows(self.asset.series.columns[name], lookback)
                known = np.concatenate([np.zeros(lookback - 1, dtype=np.bool_), are_known(seen)])
                whole &= known[np.searchsorted(dates, pairs.as_of)]
        return pairs.where(whole)

    def windows(self, scale: Scale) -> SessionWindows:
        """Windows of every session."""
        if scale not in self._by_scale:
            self._by_scale[scale] = SessionWindows.of(self.asset.series, scale)
        return self._by_scale[scale]

    def windows_as_known(self, known: NDArray[np.int64], lookback: int) -> SessionWindows:
        """Windows of logs without the calendar, as it was known at the fit behind each forecast.

        Parameters
        ----------
        known : (fits,) sessions that each fit sees, ascending. The first forecast is made from the
            last one that the first fit sees.
        lookback : sessions a window.
        """
        key = (known.tobytes(), lookback)
        if key not in self._as_known:
            first = max(0, int(known[0]) - lookback)
            recent = self.asset.series.part(slice(first, None))
            ahead = np.arange(first + 1, len(self.asset.series) + 1)
            fit_of = np.maximum(np.searchsorted(known, ahead, side="right") - 1, 0)
            effects = self.effects[known][fit_of]  # (sessions, classes)
            dates, plain = SessionWindows.of(recent, "logs")
            without = WithoutEffects(plain, self._calendar.classes[first:], effects)
            self._as_known[key] = SessionWindows(dates, without)
        return self._as_known[key]

    @cached_property
    def without_calendar(self) -> "AssetRegressors":
        """The same of the asset with each session's effect, as it was known, divided out."""
        return regressors_of(self._calendar.asset)

    @property
    def effects(self) -> FloatArray:
        """What the calendar does, as it was known before each session; (n + 1, classes)."""
        return self._calendar.effects

    @cached_property
    def rv_medians(self) -> tuple[float, float]:
        """Lowest and highest median of a month; see :func:`models_store.units.median_range`."""
        return median_range(self.asset.series.rv)

    @cached_property
    def _calendar(self) -> WithoutCalendar:
        return WithoutCalendar.of(self.asset)

    @cached_property
    def _rows(self) -> dict[tuple[int, int, tuple[str, ...]], Pairs]:
        return {}

    @cached_property
    def _by_horizon(self) -> dict[int, Pairs]:
        return {}

    @cached_property
    def _by_scale(self) -> dict[Scale, SessionWindows]:
        return {}

    @cached_property
    def _as_known(self) -> dict[tuple[bytes, int], SessionWindows]:
        return {}


@lru_cache(maxsize=4)  # an asset's, and those of the asset without the calendar
def regressors_of(asset: AssetData) -> AssetRegressors:
    """The same object for the same asset, whoever asks: walk-forward, final fits, all models."""
    return AssetRegressors(asset)
