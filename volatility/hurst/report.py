"""Every estimator on one series, and a verdict with its reason."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray
from volatility.hurst.dfa import dfa
from volatility.hurst.estimate import HurstEstimate, check_path, without_estimate
from volatility.hurst.noise import NoiseBounds, log_volatility_noise
from volatility.hurst.overlap import exponential_decay, overlapping_window
from volatility.hurst.rescaled_range import rescaled_range
from volatility.hurst.robust import upper_bound
from volatility.hurst.scales import ScaleComparison, compare_scales
from volatility.hurst.seasons import CalendarRemoved, remove_calendar, weekly_cycle
from volatility.hurst.variogram import variogram
from volatility.hurst.variogram_corrected import variogram_corrected
from volatility.hurst.verdict import Evidence, Verdict
from volatility.hurst.wavelet import wavelet
from volatility.hurst.whittle import whittle


@dataclass(frozen=True, slots=True)
class HurstReport:
    """All estimates of one series, and what they amount to.

    Attributes
    ----------
    nobs : sessions.
    measure : realized measure behind the series, None if undeclared.
    estimates : one for each estimator, with or without a number.
    hurst : the headline; None where no estimate can be trusted to describe volatility.
    headline_estimator : where `hurst` is from.
    upper_bound : largest exponent left when noise and mean reversion of unknown size are allowed
        for; 1 where these explain everything.
    comparison : a fractional model against two factors and others, by likelihood.
    calendar : effects of weekday and half day that were taken out first; None for a series
        without dates.
    weekly_cycle : sessions in the week that the series still repeats itself with, None if none
        shows.
    verdict, reason : the conclusion, and a sentence why.
    warnings : what a reader should know before using the numbers.
    """

    nobs: int
    measure: str | None
    estimates: tuple[HurstEstimate, ...]
    hurst: float | None
    headline_estimator: str | None
    upper_bound: float
    comparison: ScaleComparison
    calendar: CalendarRemoved | None
    weekly_cycle: int | None
    verdict: Verdict
    reason: str
    warnings: tuple[str, ...]

    def estimate(self, estimator: str) -> HurstEstimate:
        """The estimate of one name."""
        return next(one for one in self.estimates if one.estimator == estimator)


def report(
    log_volatility: FloatArray,
    *,
    measure: str | None,
    intraday_nobs: int | None = None,
    day_classes: NDArray[np.int64] | None = None,
    level: float = 0.95,
) -> HurstReport:
    """Six estimates of the Hurst exponent of log volatility, and a verdict.

    Parameters
    ----------
    log_volatility : (nobs,) path of log volatility, in levels: half of log rv, observed sessions
        in order.
    measure : realized measure that made it; None if it is not known.
    intraday_nobs : returns in a day, where the measure is made of them; trades, or steps of the
        price, where it is made of a day's range.
    day_classes : (nobs,) from :func:`volatility.seasonality.day_classes`, whose effects are taken
        out before anything is estimated; None for a series without dates.
    level : nominal coverage of the intervals, in (0, 1).

    Returns
    -------
    Report. `rough` asks for much: every interval ends below 1/2, after noise of the declared size
    is taken out, and a fractional model is likelier than one and two Brownian factors that revert
    and than a HAR model, all seen with noise of about the declared size.

    Raises
    ------
    InvalidInput, HistoryTooShort, ConstantSeries : see :func:`check_path`.
    UnknownMeasure : no realized measure has this name.
    UnsupportedLevel : level outside (0, 1).

    Notes
    -----
    The headline is the corrected variogram where the measure's noise is known and leaves
    something, else Whittle's estimate, the most precise on a path seen without error. All of it is
    about volatility averaged over the day. The average is smoother than volatility at an instant,
    whose H is lower: `rough` errs on the careful side in this respect.
    """
    path, calendar = check_path(log_volatility), None
    if day_classes is not None:
        path, calendar = remove_calendar(path, day_classes)
    estimates = (
        rescaled_range(path, level),
        dfa(path, level),
        variogram(path, level),
        wavelet(path, level),
        whittle(path, level),
        _corrected(path, measure, intraday_nobs, level),
    )
    evidence = Evidence(
        path=path,
        measure=measure,
        intraday_nobs=intraday_nobs,
        estimates={one.estimator: one for one in estimates},
        window=overlapping_window(path),
        decay=exponential_decay(path),
        weekly_cycle=weekly_cycle(path),
        upper_bound=upper_bound(path, level),
        comparison=compare_scales(path, _noise_bounds(measure, intraday_nobs)),
    )
    return _report(evidence, estimates, calendar)


def _report(
    evidence: Evidence, estimates: tuple[HurstEstimate, ...], calendar: CalendarRemoved | None
) -> HurstReport:
    verdict, reason = evidence.verdict()
    headline = evidence.headline() if evidence.describes_volatility else None
    return HurstReport(
        nobs=len(evidence.path),
        measure=evidence.measure,
        estimates=estimates,
        hurst=headline.hurst if headline else None,
        headline_estimator=headline.estimator if headline else None,
        upper_bound=evidence.upper_bound,
        comparison=evidence.comparison,
        calendar=calendar,
        weekly_cycle=evidence.weekly_cycle,
        verdict=verdict,
        reason=reason,
        warnings=tuple(evidence.warnings()),
    )


def _noise_bounds(measure: str | None, intraday_nobs: int | None) -> NoiseBounds:
    if measure is None:
        return NoiseBounds()
    return log_volatility_noise(measure, intraday_nobs).bounds


def _corrected(
    path: FloatArray, measure: str | None, intraday_nobs: int | None, level: float
) -> HurstEstimate:
    if measure is None:
        reason = "the measure is not declared, so its noise is not known"
        return without_estimate("variogram_corrected", level, reason)
    return variogram_corrected(path, measure, intraday_nobs, level)
