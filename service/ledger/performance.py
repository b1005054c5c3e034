"""How live forecasts did: beside benchmarks, by their intervals, and against what was promised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from models_store import Evidence
from service.assets.held import Held
from service.http.json import to_date
from service.ledger.scoring import Scored
from volatility.arrays import DateArray, FloatArray
from volatility.evaluation.diebold_mariano import diebold_mariano
from volatility.evaluation.losses import coverage_score, interval_loss
from volatility.evaluation.monitoring import watch

IntArray = NDArray[np.intp]
WATCHED_LEVEL = 0.8  # of the intervals whose coverage may raise an alarm
ACTIVE = 22  # sessions for which an alarm is told of as raised
_ENOUGH_TO_TEST = 10  # forecasts that share no session: with fewer a test rejects too often


@dataclass(frozen=True, slots=True)
class Against:
    """A version beside a benchmark, on the dates of both.

    Parameters
    ----------
    nobs : how many.
    qlike_ratio : its QLIKE over that of the benchmark.
    dm_pvalue : two-sided, of equal QLIKE; None where there are too few dates.
    """

    nobs: int
    qlike_ratio: float
    dm_pvalue: float | None


@dataclass(frozen=True, slots=True)
class IntervalPerformance:
    """How often intervals of one level held.

    Parameters
    ----------
    loss : mean interval score, in units of rv.
    promised : coverage on the test part; None where it is not known.
    """

    level: float
    nobs: int
    coverage: float
    loss: float
    promised: float | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """A promise that is watched.

    Parameters
    ----------
    promised : the mean that was promised: of QLIKE, or of outcomes outside of the interval.
    raised : target dates at which it was found broken.
    active : whether the last of them lies within the last 22 sessions that are held.
    strength : of the evidence since then, over what raises an alarm.
    """

    promised: float
    raised: tuple[date, ...]
    active: bool
    strength: float


@dataclass(frozen=True, slots=True)
class Performance:
    """How one version of a model did live.

    Parameters
    ----------
    scored : its forecasts and outcomes.
    qlike_loss, bias : means; the bias is that of rv over forecast, less 1. None without outcomes.
    against : by benchmark.
    promised_qlike : on the test part, or None.
    alarms : by what is watched, "qlike" and "coverage"; without those whose promise is not known.
    """

    scored: Scored
    qlike_loss: float | None
    bias: float | None
    against: Mapping[str, Against]
    intervals: tuple[IntervalPerformance, ...]
    promised_qlike: float | None
    alarms: Mapping[str, Alarm]


def performance_of(
    scored: Scored,
    benchmarks: Mapping[str, Sequence[Scored]],
    promise: Evidence | None,
    horizon: int,
    held: Held,
) -> Performance:
    """Judge the live forecasts of one version.

    Parameters
    ----------
    scored : them.
    benchmarks : by name, every version of theirs.
    promise : what the version said of itself when it was published, if that can be read.
    horizon : sessions ahead.
    held : the asset.
    """
    nobs, track = len(scored.rv), scored.track
    record = promise.manifest.at(horizon) if promise is not None else None
    promised = {it.level: it.coverage_observed for it in record.intervals} if record else {}
    qlike = record.evaluation.qlike_loss if record else None
    against = {
        name: found
        for name, versions in benchmarks.items()
        if name != track.model and (found := _against(scored, versions, horizon)) is not None
    }
    intervals = [_interval(scored, level, promised.get(level)) for level in track.bounds if nobs]
    return Performance(
        scored,
        float(scored.losses.mean()) if nobs else None,
        float(np.mean(scored.rv / track.forecast)) - 1.0 if nobs else None,
        against,
        tuple(it for it in intervals if it is not None),
        qlike,
        _alarms(scored, qlike, promised.get(WATCHED_LEVEL), horizon, held),
    )


def _against(scored: Scored, versions: Sequence[Scored], horizon: int) -> Against | None:
    """Compare on common dates, of several versions with the newest; None where there are none."""
    known: dict[np.datetime64, float] = {}
    for it in (it for it in versions if it.track.measure == scored.track.measure):
        known.update(zip(it.track.target_dates.tolist(), it.losses.tolist(), strict=True))
    dates = scored.track.target_dates.tolist()
    common = np.array([it in known for it in dates], bool)
    if not common.any():
        return None
    losses = scored.losses[common]
    others = np.array([known[it] for it in dates if it in known])
    ratio = float(losses.mean() / others.mean()) if others.mean() > 0 else float("nan")
    return Against(len(losses), ratio, _pvalue(losses, others, horizon))


def _pvalue(losses: FloatArray, others: FloatArray, horizon: int) -> float | None:
    if len(losses) < _ENOUGH_TO_TEST * horizon:
        return None
    return diebold_mariano(losses, others, horizon).pvalue


def _interval(scored: Scored, level: float, promised: float | None) -> IntervalPerformance | None:
    bounds = scored.track.bounds[level]
    asked = np.isfinite(bounds[:, 0])
    if not asked.any():
        return None
    rv, bounds = scored.rv[asked], bounds[asked]
    return IntervalPerformance(
        level,
        len(rv),
        coverage_score(rv, bounds),
        interval_loss(rv, bounds, level),
        promised,
    )


def _alarms(
    scored: Scored, qlike: float | None, coverage: float | None, horizon: int, held: Held
) -> dict[str, Alarm]:
    """What is watched, on forecasts that share no session: those in between follow from others."""
    dates = scored.track.target_dates
    places = held.calendar.positions(np.append(dates, held.sessions()[-1:]))
    apart = _apart(places[: len(dates)], horizon)
    found = {}
    if qlike is not None and qlike > 0:
        found["qlike"] = _alarm(scored.losses[apart], dates[apart], qlike, places, apart)
    bounds = scored.track.bounds.get(WATCHED_LEVEL)
    if coverage is not None and bounds is not None:
        apart = apart[np.isfinite(bounds[apart, 0])]
        rv, (lower, upper) = scored.rv[apart], bounds[apart].T
        missed = ((rv < lower) | (rv > upper)).astype(float)
        # Intervals that covered more than they say are held to what they say.
        promised = max(1.0 - coverage, 1.0 - WATCHED_LEVEL)
        found["coverage"] = _alarm(missed, dates[apart], promised, places, apart)
    return found


def _alarm(
    values: FloatArray, dates: DateArray, promised: float, places: IntArray, apart: IntArray
) -> Alarm:
    """Watch what was seen at some dates.

    Parameters
    ----------
    values, dates : (k,) in their order.
    promised : mean of the values.
    places : in the calendar, of all dates and, last, of the newest session that is held.
    apart : (k,) which of these the dates are.
    """
    alarms = watch(values, promised)
    raised = tuple(to_date(dates[it]) for it in alarms.at)
    active = bool(alarms.at) and bool(places[-1] - places[apart[alarms.at[-1]]] < ACTIVE)
    return Alarm(promised, raised, active, alarms.strength)


def _apart(places: IntArray, horizon: int) -> IntArray:
    """Indices of forecasts that share no session, from the first on."""
    found, free = [], -1
    for index, place in enumerate(places.tolist()):
        if place >= free:
            found.append(index)
            free = place + horizon
    return np.array(found, np.intp)
