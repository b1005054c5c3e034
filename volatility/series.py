"""Daily realized variance: the history a model sees, and the forecast that continues it."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np

from volatility.arrays import DAY, BoolArray, DateArray, FloatArray, Scale
from volatility.bars import Bars
from volatility.calendars import Calendar
from volatility.errors import (
    ConstantPrices,
    Finding,
    HistoryTooShort,
    InvalidInput,
    InvalidSeries,
)
from volatility.measures import MEASURES, Measure
from volatility.measures.columns import (
    available,
    companion_of,
    daily_columns,
    intraday_columns,
)
from volatility.measures.daily import sessions_of
from volatility.measures.session_returns import session_returns

MAX_HORIZON = 250  # sessions ahead; beyond a year a sample has few that do not overlap


@dataclass(frozen=True, slots=True, eq=False)
class RealizedSeries:
    """Daily realized variance, oldest first, of sessions whose dates are not known.

    Parameters
    ----------
    rv : (n,) variance of each session's log returns, decimal² per day, not annualized.
    measure : which estimator made it; see :data:`volatility.measures.MEASURES`.
    columns : what else is known of each session, (n,) finite values each, by a name of
        :mod:`volatility.measures.columns`; or of a companion, by a name of
        :mod:`volatility.companions`, NaN where nothing was known of it.

    Raises
    ------
    InvalidSeries : ``length_mismatch``, when rv and columns are not vectors of one length;
        ``non_finite_column``.
    """

    rv: FloatArray
    measure: str
    columns: Mapping[str, FloatArray] = field(default_factory=dict, kw_only=True)

    def __post_init__(self) -> None:
        rv = np.asarray(self.rv, dtype=np.float64)
        if rv is not self.rv:
            object.__setattr__(self, "rv", rv)
        if rv.ndim != 1:
            raise self._unequal(rv.shape)
        if not self.columns:  # of ten thousand short histories in a batch, none
            return
        columns = {name: np.asarray(it, dtype=np.float64) for name, it in self.columns.items()}
        object.__setattr__(self, "columns", columns)
        for name, values in columns.items():
            self._check_column(name, values)

    def __len__(self) -> int:
        return len(self.rv)

    @property
    def log_rv(self) -> FloatArray:
        """Log of rv; (n,)."""
        return np.log(self.rv)

    @property
    def volatility(self) -> FloatArray:
        """Square root of rv; (n,) decimal per day."""
        return np.sqrt(self.rv)

    @property
    def days(self) -> FloatArray:
        """Dates as days since 1970-01-01; (n,) NaN where they are not known."""
        return np.full(len(self), np.nan)

    def column(self, name: str) -> FloatArray:
        """Values of one of :attr:`columns`, or the ``DAY`` that every series has; (n,)."""
        return self.days if name == DAY else self.columns[name]

    def tail(self, nobs: int) -> Self:
        """Last ``nobs`` sessions, or all of them where there are fewer."""
        return self.part(slice(max(0, len(self) - nobs), None))

    def part(self, which: slice | BoolArray) -> Self:
        """Some of the sessions: a slice, or those where (n,) is true."""
        columns = {name: values[which] for name, values in self.columns.items()}
        return replace(self, rv=self.rv[which], columns=columns)

    def select(self, columns: Iterable[str]) -> Self:
        """The same with these columns alone beside rv; those it does not have are passed over."""
        chosen = {name: self.columns[name] for name in columns if name in self.columns}
        return replace(self, columns=chosen)

    def label(self, index: int) -> str:  # noqa: ARG002 - a dated series has one for each
        """What a message says of a session's date."""
        return "no date"

    @property
    def sha256(self) -> str:
        """Hex digest of measure, dates if any, rv and columns, the same on every machine."""
        digest = hashlib.sha256(f"{self.measure}\n{len(self)}\n".encode())
        digest.update(self._dates_as_bytes())
        digest.update(self.rv.astype("<f8").tobytes())
        for name in sorted(self.columns):
            digest.update(f"{name}\n".encode())
            digest.update(self.columns[name].astype("<f8").tobytes())
        return digest.hexdigest()

    def _dates_as_bytes(self) -> bytes:
        return b""

    def _unequal(self, shape: tuple[int, ...]) -> InvalidSeries:
        return InvalidSeries(
            f"rv has shape {self.rv.shape} and dates have shape {shape}; "
            "needed: one list of values, with one date a value or no dates",
            code="length_mismatch",
            field="dates",
            found=f"{self.rv.shape} and {shape}",
            needed="one date a value",
        )

    def _check_column(self, name: str, values: FloatArray) -> None:
        if values.shape != self.rv.shape:
            raise InvalidSeries(
                f"the column {name} has shape {values.shape} and rv has shape {self.rv.shape}; "
                "needed: one value a session",
                code="length_mismatch",
                field=name,
                found=f"{values.shape} and {self.rv.shape}",
                needed="one value a session",
            )
        wrong = np.isinf(values) if companion_of(name) else ~np.isfinite(values)
        refuse_where(wrong, self, "non_finite_column", name, "finite values")


@dataclass(frozen=True, slots=True, eq=False)
class DatedSeries(RealizedSeries):
    """Daily realized variance of known sessions, oldest first.

    Parameters
    ----------
    rv, measure, columns : as in :class:`RealizedSeries`.
    dates : (n,) datetime64[D], the sessions.

    Raises
    ------
    InvalidSeries : ``length_mismatch``, when rv, dates and columns are not vectors of one length;
        ``non_finite_column``.
    """

    dates: DateArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "dates", np.asarray(self.dates).astype("datetime64[D]"))
        rv = np.asarray(self.rv, dtype=np.float64)
        object.__setattr__(self, "rv", rv)
        if self.dates.shape != rv.shape:
            raise self._unequal(self.dates.shape)
        RealizedSeries.__post_init__(self)

    @property
    def days(self) -> FloatArray:
        """Dates as days since 1970-01-01; (n,)."""
        return self.dates.astype(np.float64)

    def until(self, as_of: np.datetime64) -> Self:
        """Sessions up to and including ``as_of``: what was known at its close."""
        known = int(np.searchsorted(self.dates, as_of.astype("datetime64[D]"), side="right"))
        return self.part(slice(known))

    def part(self, which: slice | BoolArray) -> Self:
        """Some of the sessions: a slice, or those where (n,) is true."""
        columns = {name: values[which] for name, values in self.columns.items()}
        return replace(self, rv=self.rv[which], dates=self.dates[which], columns=columns)

    def label(self, index: int) -> str:
        """What a message says of a session's date."""
        return str(self.dates[index])

    def _dates_as_bytes(self) -> bytes:
        return self.dates.astype("<i8").tobytes()


def refuse_where(
    wrong: BoolArray, series: RealizedSeries, code: str, field: str, needed: str
) -> None:
    """Raise for the first session of a mask, if there is one.

    Parameters
    ----------
    wrong : (n,) mask.
    series : the series at fault.
    code : of the error.
    field : ``rv``, ``dates`` or a column.
    needed : what would be accepted.

    Raises
    ------
    InvalidSeries : the mask is true somewhere.
    """
    count = int(np.count_nonzero(wrong))
    if not count:
        return
    index = int(np.argmax(wrong))
    date = series.label(index)
    values = {"rv": series.rv, **series.columns}.get(field)
    found = date if values is None else values[index].item()
    times = f", the first of {count}" if count > 1 else ""
    raise InvalidSeries(
        f"{code.replace('_', ' ')}: found {found} at position {index} ({date}){times}; "
        f"needed: {needed}",
        code=code,
        field=field,
        found=found,
        needed=needed,
    )


def daily_series(
    bars: Bars, measure: str, calendar: Calendar, columns: Collection[str] = ()
) -> tuple[DatedSeries, tuple[Finding, ...]]:
    """Daily rv of bars, and what else is wanted of each session.

    Sessions without a value are left out, never filled. From intraday bars those are measured of
    which at least nine in ten bars are there; see
    :func:`volatility.measures.session_returns.session_returns`.

    Parameters
    ----------
    bars : such as :func:`volatility.bars.validate` accepts.
    measure : a name of :data:`volatility.measures.MEASURES`.
    calendar : the sessions of the bars.
    columns : names of :mod:`volatility.measures.columns` to measure beside rv.

    Returns
    -------
    The series, and warnings: ``incomplete_sessions``, sessions left out that lack too many bars;
    ``missing_bars``, sessions measured though they lack some; ``undefined_measure``, sessions whose
    measure is zero or not defined.

    Raises
    ------
    UnknownMeasure : there is none of that name.
    InvalidInput : ``wrong_interval``, the measure needs bars of another kind;
        ``unknown_column``, one that such bars do not give.
    HistoryTooShort : no session is complete, or has before it what the measure looks back on.
    ConstantPrices : the measure is zero in every session that has one.
    OutsideCalendar : a date that the calendar does not cover.
    """
    chosen = MEASURES[measure]
    _check_kind(bars, chosen)
    findings: tuple[Finding, ...]
    if columns:
        _check_columns(bars, calendar, columns)
    if bars.is_daily:
        sessions, dates = sessions_of(bars, calendar)
        rv, findings = chosen.function(sessions), ()
        beside = daily_columns(sessions, columns) if columns else {}
    else:
        within, findings = session_returns(bars, calendar)
        rv, dates = within.map(chosen.function), within.dates
        beside = intraday_columns(within, columns)
    _check_moves(bars, dates, rv, measure)
    defined = rv > 0  # false for NaN
    series = DatedSeries(
        rv[defined],
        measure,
        dates[defined],
        columns={name: values[defined] for name, values in beside.items()},
    )
    return series, (*findings, *_undefined(dates, rv, defined, measure))


def _check_columns(bars: Bars, calendar: Calendar, names: Collection[str]) -> None:
    known = available(bars.is_daily, calendar.always_open)
    unknown = [name for name in names if name not in known]
    if unknown:
        kind = "daily" if bars.is_daily else "intraday"
        raise InvalidInput(
            f"{kind} bars of the calendar {calendar.name} give no column {unknown[0]!r}; "
            f"needed: one of {', '.join(known)}",
            code="unknown_column",
            field="columns",
            found=unknown[0],
            needed=f"one of {', '.join(known)}",
        )


def _check_kind(bars: Bars, measure: Measure) -> None:
    if bars.is_daily != (measure.bars == "daily"):
        raise InvalidInput(
            f"{measure.name} needs {measure.bars} bars; got bars of {bars.interval} seconds",
            code="wrong_interval",
            field="bars",
            found=bars.interval,
            needed=f"{measure.bars} bars",
        )


def _check_moves(bars: Bars, dates: DateArray, rv: FloatArray, measure: str) -> None:
    measured = np.isfinite(rv)
    if not measured.any():
        needed = "complete sessions, and before them those that the measure looks back on"
        raise HistoryTooShort(
            f"{measure} is defined in none of the {len(rv)} complete sessions of {len(bars)} bars; "
            f"needed: {needed}",
            field="bars",
            found=len(bars),
            needed=needed,
        )
    if not (rv > 0).any():
        raise ConstantPrices(
            f"{measure} is zero in all {np.count_nonzero(measured)} sessions from {dates[0]} to "
            f"{dates[-1]}; needed: prices that move in at least one session",
            field="bars",
            found=len(bars),
            needed="prices that move",
        )


def _undefined(
    dates: DateArray, rv: FloatArray, defined: BoolArray, measure: str
) -> tuple[Finding, ...]:
    count = int(np.count_nonzero(~defined))
    if not count:
        return ()
    index = int(np.argmin(defined))
    found = "not defined" if np.isnan(rv[index]) else "zero"
    return (
        Finding(
            "undefined_measure",
            "warning",
            measure,
            f"{found} on {dates[index]}, which is left out",
            "a session in which the price moves, and what comes before it where the measure "
            "looks back",
            index,
            count,
        ),
    )


class Bounds(NamedTuple):
    """What of rv was seen in training, and so what a forecast may be; decimal² per day.

    Of many fits, (batch,) each: one for each row of what they predict.
    """

    low: float | FloatArray
    high: float | FloatArray
    mean: float | FloatArray

    @classmethod
    def of(cls, rv: FloatArray) -> "Bounds":
        """Bounds of (n,) rv."""
        return cls(float(rv.min()), float(rv.max()), float(rv.mean()))


def to_rv(
    prediction: FloatArray, scale: Scale, residual_variance: float | FloatArray, bounds: Bounds
) -> tuple[FloatArray, BoolArray]:
    r"""Move predictions to the mean of ``rv`` and keep them inside the range seen in training.

    Parameters
    ----------
    prediction : (batch,) rv on the levels scale, log rv on the logs scale.
    scale : which of the two.
    residual_variance : variance of the log residuals, or (batch,) of them; used on the logs scale.
    bounds : of ``rv`` in training.

    Returns
    -------
    (batch,) ``rv``, and (batch,) whether it is something else than the prediction.

    Notes
    -----
    If log rv given the past is normal with variance :math:`s^2`, the mean of rv is
    :math:`\exp(\mu + s^2/2)`. The range is the "insanity filter" of Swanson & White (1997): no
    model has seen beyond its data. A linear model in levels that predicts a negative variance has
    said nothing about its size, and least of all that it is the smallest ever seen: as in
    Bollerslev, Patton & Quaedvlieg (2016) the mean takes its place.
    """
    rv = np.exp(prediction + 0.5 * residual_variance) if scale == "logs" else prediction
    kept = np.minimum(np.maximum(rv, bounds.low), bounds.high)  # np.clip takes three times as long
    if scale == "levels" and (rv <= 0).any():
        kept = np.where(rv <= 0, bounds.mean, kept)
    return kept, kept != rv
