"""The two series that models are trained and scored on, cut into windows.

``published`` is the paper's own: the test, validation and training files, each cut into windows by
itself. ``daily`` is a measure without overlap: Bitcoin's daily variance from hourly returns, split
by date in the paper's proportions. Both are in logs of annualized volatility.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from training.networks.fitting import LogWindows, Split
from training.reproduction.data import PaperData, PublishedSeries
from training.reproduction.protocol import Track
from volatility.arrays import BoolArray, DateArray, FloatArray
from volatility.calendars import Calendar, get_calendar
from volatility.filters import windows
from volatility.pairs import make_pairs
from volatility.series import DatedSeries, daily_series

TRAINING_SHARE, VALIDATION_SHARE = 0.50, 0.25  # section 4.1
BITCOIN_MEASURE, SPX_MEASURE = "realized_variance", "garman_klass"
BITCOIN_CALENDAR, SPX_CALENDAR = "24/7", "XNYS"


@dataclass(frozen=True)
class Rows:
    """Windows and what followed each.

    Attributes
    ----------
    windows : (n, lookback) log volatility, the newest value last.
    targets : (n,) log volatility of the next hour or day.
    times : (n,) of the targets.
    """

    windows: FloatArray
    targets: FloatArray
    times: DateArray

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def track(self) -> Track:
        """The targets at their own times."""
        return Track(self.times, self.targets)

    @property
    def log_windows(self) -> LogWindows:
        """The same as a network reads it."""
        return LogWindows.of_logs(self.windows, self.targets)

    def where(self, keep: BoolArray) -> "Rows":
        """The rows where ``keep``, (n,), is true."""
        return Rows(self.windows[keep], self.targets[keep], self.times[keep])

    def standardized(self, moments: "Moments") -> "Rows":
        """The same in deviations from a mean."""
        return replace(
            self,
            windows=moments.standardize(self.windows),
            targets=moments.standardize(self.targets),
        )


@dataclass(frozen=True)
class Moments:
    """Mean and deviation of a training part."""

    mean: float
    deviation: float

    def standardize(self, values: FloatArray) -> FloatArray:
        """To z-scores."""
        return (values - self.mean) / self.deviation

    def restore(self, scores: FloatArray) -> FloatArray:
        """From z-scores."""
        return self.mean + self.deviation * scores


@dataclass(frozen=True)
class Partition:
    """Rows of one series at one lookback.

    Attributes
    ----------
    training, validation : what networks learn from, and what tells them when to stop.
    both : what HAR is fitted on: training and validation part, with the windows between the two.
    test : what is forecast.
    """

    training: Rows
    validation: Rows
    both: Rows
    test: Rows

    @property
    def split(self) -> Split:
        """Training and validation part as a network reads them."""
        return Split(self.training.log_windows, self.validation.log_windows)

    @property
    def moments(self) -> Moments:
        """Of the training part's targets."""
        return Moments(float(self.training.targets.mean()), float(self.training.targets.std()))

    def standardized(self) -> "Partition":
        """The same in z-scores of the training part."""
        moments = self.moments
        parts = (self.training, self.validation, self.both, self.test)
        return Partition(*(part.standardized(moments) for part in parts))


class Series(Protocol):
    """Something that can be cut into windows of any length."""

    def partition(self, lookback: int) -> Partition:
        """Training, validation and test rows."""


@dataclass(frozen=True)
class InFile:
    """A series whose parts stand in files of their own: no window reaches from one into another."""

    training: PublishedSeries
    validation: PublishedSeries
    test: PublishedSeries

    def partition(self, lookback: int) -> Partition:
        """Rows of each file."""
        return Partition(
            training=_rows(self.training, lookback),
            validation=_rows(self.validation, lookback),
            both=_rows(_joined(self.training, self.validation), lookback),
            test=_rows(self.test, lookback),
        )


@dataclass(frozen=True)
class ByDate:
    """A daily measure, split by date; windows reach back over the boundaries, targets do not.

    Attributes
    ----------
    series : dated daily rv.
    calendar : says which day follows which.
    validation_start, test_start : first target of each part.
    """

    series: DatedSeries
    calendar: Calendar
    validation_start: np.datetime64
    test_start: np.datetime64

    @cached_property
    def log_volatility(self) -> Track:
        """The whole series."""
        return Track(self.series.dates, self._log_volatility(self.series.rv))

    def partition(self, lookback: int) -> Partition:
        """Rows by the date of their targets."""
        pairs = make_pairs(self.series, lookback, self.calendar)
        rows = Rows(
            self._log_volatility(pairs.windows["rv"]),
            self._log_volatility(pairs.targets),
            pairs.target_dates,
        )
        tested = rows.times >= self.test_start
        trained = rows.times < self.validation_start
        return Partition(
            training=rows.where(trained),
            validation=rows.where(~trained & ~tested),
            both=rows.where(~tested),
            test=rows.where(tested),
        )

    def _log_volatility(self, rv: FloatArray) -> FloatArray:
        return np.asarray(0.5 * np.log(rv * self.calendar.periods_per_year))


@dataclass(frozen=True)
class Sample:
    """What one run of the paper's experiment sees.

    Attributes
    ----------
    name : ``published`` or ``daily``.
    target : Bitcoin.
    source : the S&P 500, to pre-train on.
    """

    name: str
    target: Series
    source: Series


def samples_of(data: PaperData) -> Mapping[str, Sample]:
    """The paper's sample and the one on a proper measure."""
    return {
        "published": Sample("published", _in_file(data, "bitcoin"), _in_file(data, "spx")),
        "daily": Sample("daily", bitcoin_daily(data), spx_daily(data)),
    }


def bitcoin_daily(data: PaperData) -> ByDate:
    """Daily realized variance of 24 hourly returns; days that lack a bar are left out.

    Elsewhere one bar in ten may be missing; here results stay those of whole days.
    """
    calendar, bars = get_calendar(BITCOIN_CALENDAR), data.bitcoin.bars
    tolerant, _ = daily_series(bars, BITCOIN_MEASURE, calendar)
    hours = np.arange(-1, 24) * np.timedelta64(3600, "s")  # the bar before midnight, and the day's
    needed = tolerant.dates.astype("datetime64[s]")[:, None] + hours
    series = tolerant.part(np.asarray(np.isin(needed, bars.timestamps).all(axis=1)))
    nobs = len(series)
    return ByDate(
        series,
        calendar,
        validation_start=series.dates[int(nobs * TRAINING_SHARE)],
        test_start=series.dates[int(nobs * (TRAINING_SHARE + VALIDATION_SHARE))],
    )


def spx_daily(data: PaperData) -> ByDate:
    """Daily Garman-Klass variance, split at the dates at which the paper's files are."""
    calendar = get_calendar(SPX_CALENDAR)
    series, _ = daily_series(data.spx.bars, SPX_MEASURE, calendar)
    return ByDate(
        series,
        calendar,
        validation_start=data.spx.validation.times[0].astype("datetime64[D]"),
        test_start=data.spx.test.times[0].astype("datetime64[D]"),
    )


def _in_file(data: PaperData, asset: str) -> InFile:
    files = getattr(data, asset)
    return InFile(files.training, files.validation, files.test)


def _rows(series: PublishedSeries, lookback: int) -> Rows:
    return Rows(
        windows(series.log_rv[:-1], lookback), series.log_rv[lookback:], series.times[lookback:]
    )


def _joined(first: PublishedSeries, second: PublishedSeries) -> PublishedSeries:
    return PublishedSeries(
        np.concatenate([first.times, second.times]), np.concatenate([first.log_rv, second.log_rv])
    )
