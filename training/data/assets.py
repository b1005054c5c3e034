"""What a fit may see: one asset's sessions, and a target with the assets to learn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from volatility.arrays import DAY
from volatility.calendars import Calendar, get_calendar
from volatility.companions import RETURN, Companion, known_sessions
from volatility.pairs import Pairs, make_pairs
from volatility.series import DatedSeries


@dataclass(frozen=True)
class AssetData:
    """One asset's daily rv with every column there is, and where it came from."""

    asset: str
    series: DatedSeries
    calendar_name: str
    bar_interval: int  # seconds
    source: str  # a shipped dataset, a panel, or the name of the user's file
    kind: str = "stock"  # one of volatility.scale_free.KINDS
    companions: tuple["AssetData", ...] = ()  # those that the series has columns of

    @property
    def calendar(self) -> Calendar:
        """The calendar that :attr:`calendar_name` names."""
        return get_calendar(self.calendar_name)

    @property
    def as_companion(self) -> Companion:
        """What others may see of it."""
        return Companion(self.asset, self.series.select((RETURN,)), self.calendar_name)

    def pairs(self, lookback: int, columns: Sequence[str] = (), horizon: int = 1) -> Pairs:
        """Windows, with the day, and targets; see :func:`volatility.pairs.make_pairs`."""
        return make_pairs(self.series, lookback, self.calendar, horizon, (*columns, DAY))

    def until(self, cut_off: np.datetime64) -> "AssetData":
        """The same without anything after ``cut_off``."""
        return replace(self, series=self.series.until(cut_off))


@dataclass(frozen=True)
class TrainingSet:
    """Everything that a fit may see.

    Attributes
    ----------
    target : the asset to forecast.
    sources : other assets to learn from, by name.
    seed : of every random choice.
    horizon : sessions ahead; a target is their mean daily rv.
    """

    target: AssetData
    sources: Mapping[str, AssetData]
    seed: int
    horizon: int = 1

    def pairs(self, lookback: int, columns: Sequence[str] = ()) -> Pairs:
        """Windows and targets of the target, at this horizon."""
        return self.target.pairs(lookback, columns, self.horizon)

    def source_pairs(self, name: str, lookback: int, columns: Sequence[str] = ()) -> Pairs:
        """Windows and targets of one source, at this horizon."""
        return self.sources[name].pairs(lookback, columns, self.horizon)

    def until(self, cut_off: np.datetime64) -> "TrainingSet":
        """The same as it was known when the target's forecast at the end of ``cut_off`` is issued.

        Sources too are cut, or they would leak: a market without a close ends its session of that
        day after New York's forecast.
        """
        issued_at, calendar = np.atleast_1d(cut_off), self.target.calendar
        sources = {}
        for name, source in self.sources.items():
            cut = source.until(cut_off).series
            known = known_sessions(cut.dates, source.calendar, issued_at, calendar).total[0]
            sources[name] = replace(source, series=cut.part(slice(0, known)))
        return replace(self, target=self.target.until(cut_off), sources=sources)
