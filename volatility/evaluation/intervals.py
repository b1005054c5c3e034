r"""Prediction intervals from a model's own past errors.

Errors are log residuals, ``log(rv / forecast)``: they are about as wide in calm times as in a
crisis, which errors of the variance are not. What changes slowly is how large they are, so each is
divided by a scale that was known when its forecast was made: the root of an exponential mean of
the absolute errors before it. The root keeps half of what that mean says in logs, since the other
half is noise. Each tail takes its own quantile, since the errors of a mean forecast are skewed.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import FloatArray
from volatility.errors import TooFewObservations, UnsupportedLevel, UnsupportedQuantile

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
WINDOW = 500  # past errors that an interval is made of: about two years of sessions
MINIMUM = 100  # the 98 % interval needs 99: its outer ranks are (m + 1) * 0.01 and its mirror
MEMORY = 44  # centre of mass of the exponential mean, in sessions: two months
TYPICAL_SIZE = 0.6  # mean absolute error before there is any; 0.47 to 0.72 over a panel's models


class ScaledErrors(NamedTuple):
    """Log residuals in units of how large errors were when each forecast was made."""

    errors: FloatArray  # (n,) residual over scale
    scales: FloatArray  # (n + 1,) the scale once 0, 1, ..., n residuals are known


def scale_errors(
    residuals: FloatArray, horizon: int = 1, start: float = TYPICAL_SIZE
) -> ScaledErrors:
    r"""Divide each residual by the scale that was known when its forecast was made.

    Parameters
    ----------
    residuals : (n,) log residuals in order of time.
    horizon : sessions ahead: the newest ``horizon - 1`` residuals before a date are not known yet.
    start : mean absolute residual before the first.

    Returns
    -------
    The scaled errors, and every scale.

    Notes
    -----
    .. math:: s_k = \sqrt{a_k}, \quad
              a_{k+1} = a_k + \frac{|e_{k+1}| - a_k}{1 + c}, \quad c = 44

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani & Wasserman (2018), Journal of the American Statistical
    Association 113(523), section 5.2 (locally weighted conformal inference).
    """
    size = float(start)
    sizes = [size := size + (it - size) / (1 + MEMORY) for it in np.abs(residuals).tolist()]
    scales = np.sqrt([float(start), *sizes])
    known = np.maximum(np.arange(len(residuals)) - (horizon - 1), 0)
    return ScaledErrors(residuals / scales[known], scales)


def conformal_offsets(residuals: FloatArray, level: float, horizon: int = 1) -> tuple[float, float]:
    r"""Bounds of the next error, from past ones.

    Parameters
    ----------
    residuals : (m,) past log residuals, ``log(rv / forecast)``, or scaled errors, in any order.
    level : nominal coverage, one of `LEVELS`.
    horizon : sessions ahead.

    Returns
    -------
    Lower and upper offset: the interval is ``forecast * exp(scale * offset)``, the scale being 1
    where the residuals are not scaled.

    Raises
    ------
    UnsupportedLevel : the level is not one of `LEVELS`.
    TooFewObservations : fewer than `MINIMUM` residuals.

    Notes
    -----
    With :math:`\alpha = 1 - level` and one session ahead, the order statistics of rank
    :math:`\lfloor (m + 1) \alpha / 2 \rfloor` and its mirror from above: were the residuals
    exchangeable, coverage would be at least the level where :math:`m \ge 2 / \alpha - 1`. With
    fewer, the bounds are the extremes.

    Errors over h sessions share sessions with their neighbours, and m of them are worth m/k
    separate ones, :math:`k = (h + 1) / 2`: the shared parts fall off linearly, and whether a bound
    is exceeded is less alike than the errors are. A rank that is centred as that of m/k errors is
    :math:`\lfloor (m + k) \alpha / 2 - (k - 1) / 2 \rfloor`.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World.
    Romano, Patterson & Candès (2019), NeurIPS 32 (each tail its own quantile).
    """
    return ordered_offsets(np.sort(residuals), level, horizon)


def effective_nobs(nobs: int, horizon: int) -> int:
    """How many errors that share no session so many overlapping ones are worth.

    The m/k of :func:`conformal_offsets`, rounded down.
    """
    return int(nobs / _overlap(horizon))


def ordered_offsets(ordered: FloatArray, level: float, horizon: float = 1) -> tuple[float, float]:
    """As :func:`conformal_offsets`, from residuals that are in increasing order already."""
    tail = _tail(level)
    check_enough(len(ordered))
    rank = max(1, _lower_rank(len(ordered), tail, horizon))
    return float(ordered[rank - 1]), float(ordered[-rank])


def ordered_quantiles(
    ordered: FloatArray, probabilities: Sequence[float], horizon: float = 1
) -> FloatArray:
    """Quantiles of the next error, which agree with the bounds of intervals.

    Parameters
    ----------
    ordered : (m,) past residuals or scaled errors, increasing.
    probabilities : (p,) each between 0 and 1, and inside what m errors tell.
    horizon : sessions ahead.

    Returns
    -------
    (p,) quantiles: the order statistic of the bound that leaves as much beyond it, and the middle
    of the two at 0.5.

    Raises
    ------
    TooFewObservations : fewer than `MINIMUM` residuals.
    UnsupportedQuantile : a probability for which the order statistic would lie outside of them.
    """
    check_enough(len(ordered))
    lowest = lowest_probability(len(ordered), horizon)
    for probability in probabilities:
        # Not written as a comparison of the outside: a NaN is in no range.
        if not lowest - 1e-12 <= probability <= 1 - lowest + 1e-12:
            raise _beyond(probability, lowest, len(ordered))
    return np.array([_quantile(ordered, it, horizon) for it in probabilities], np.float64)


def lowest_probability(nobs: int, horizon: float = 1) -> float:
    """Smallest probability that has an order statistic among ``nobs`` errors."""
    overlap = _overlap(horizon)
    return (1 + (overlap - 1) / 2) / (nobs + overlap)


def rolling_offsets(residuals: FloatArray, levels: Sequence[float], horizon: int = 1) -> FloatArray:
    """Offsets that were available at each date: from residuals that were known by then alone.

    Parameters
    ----------
    residuals : (n,) log residuals, by target date: the first session of the horizon.
    levels : nominal coverages, each one of `LEVELS`.
    horizon : sessions ahead. The residual of a date is known ``horizon`` sessions later, when its
        last session has closed.

    Returns
    -------
    (n, levels, 2) lower and upper offsets of the log forecast: the scale at each date times the
    offsets of the up to `WINDOW` newest scaled errors known before it; NaN while there are fewer
    than `MINIMUM`.

    Raises
    ------
    UnsupportedLevel : a level is not one of `LEVELS`.

    Notes
    -----
    The newest ``horizon - 1`` rows before a date are left out. Rows are distinct sessions, so
    what remains has ended even where sessions are missing between rows.
    """
    tails = [_tail(level) for level in levels]
    probabilities = [p for tail in tails for p in (tail, 1 - tail)]
    return rolling_quantiles(residuals, probabilities, horizon).reshape(-1, len(levels), 2)


def rolling_quantiles(
    residuals: FloatArray, probabilities: Sequence[float], horizon: int = 1, since: int = 0
) -> FloatArray:
    """As :func:`rolling_offsets`, of any probabilities but 0.5.

    Parameters
    ----------
    residuals, horizon : as there.
    probabilities : (p,) each between 0 and 1.
    since : the first row that is wanted; those before are NaN.

    Returns
    -------
    (n, p) offsets; a probability beyond what the errors tell has the extreme of them.
    """
    errors, scales = scale_errors(residuals, horizon)
    delay = min(horizon - 1, len(residuals))
    offsets = _next_quantiles(errors, probabilities, horizon, since - delay) * scales[:-1, None]
    late = np.full_like(offsets, np.nan)
    late[delay:] = offsets[: len(offsets) - delay]
    return late


def rolling_coverage(
    errors: FloatArray, levels: Sequence[float], horizon: int, dates: NDArray[np.int64]
) -> FloatArray:
    """Share of dates on which the intervals of :func:`rolling_offsets` held.

    An error is inside where enough of those before it are no larger, and enough no smaller: what
    the bounds are need not be known.

    Parameters
    ----------
    errors : (n,) scaled errors, of all dates.
    levels : nominal coverages, each one of `LEVELS`.
    horizon : sessions ahead.
    dates : (k,) places of the dates, ascending, at each of which `MINIMUM` errors were known.

    Returns
    -------
    (levels,), each between 0 and 1.
    """
    known = dates - (horizon - 1)  # errors before each date
    first, last = int(dates[0]), int(dates[-1]) + 1
    padded = np.concatenate([np.full(WINDOW, np.nan), errors])
    before = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[known[0] : known[-1] + 1]
    own = errors[first:last, None]
    one_each = np.ones(WINDOW, np.float32)  # counts by products: a third of the time of sums
    no_larger, no_smaller = (
        each.astype(np.float32) @ one_each for each in (before <= own, before >= own)
    )
    least = np.minimum(no_larger, no_smaller)[dates - first]
    places = _places(tuple(_tail(level) for level in levels), horizon)
    counts, at = np.unique(np.minimum(known, WINDOW), return_inverse=True)
    ranks = np.array([places[count] for count in counts.tolist()])[at] + 1  # (k, levels)
    return np.asarray((least[:, None] >= ranks).mean(axis=0))


def check_enough(nobs: int) -> None:
    """Refuse to make an interval of fewer than `MINIMUM` errors.

    Raises
    ------
    TooFewObservations : there are fewer.
    """
    if nobs < MINIMUM:
        raise TooFewObservations(
            f"an interval needs {MINIMUM} past forecast errors; got {nobs}",
            field="residuals",
            found=nobs,
            needed=f"at least {MINIMUM}",
        )


def _next_quantiles(
    errors: FloatArray, probabilities: Sequence[float], horizon: int, since: int
) -> FloatArray:
    """Quantiles of each row from the rows before it, known or not; (n, probabilities)."""
    first = min(max(MINIMUM, since), len(errors))
    pickers = _pickers(tuple(probabilities), horizon)
    found = np.full((len(errors), len(probabilities)), np.nan)
    values = errors.tolist()
    # The window's errors, kept in order as it slides.
    ordered: list[float] = sorted(values[max(0, first - WINDOW) : first])
    for date, value in enumerate(values[first:], first):
        found[date] = pickers[len(ordered)](ordered)
        if len(ordered) == WINDOW:
            del ordered[bisect_left(ordered, values[date - WINDOW])]
        insort(ordered, value)
    return found


def _quantile(ordered: FloatArray, probability: float, horizon: float) -> float:
    if probability == 0.5:
        rank = _lower_rank(len(ordered), 0.5, horizon)
        return float((ordered[rank - 1] + ordered[-rank]) / 2)
    return float(ordered[_place(len(ordered), probability, horizon)])


@lru_cache(maxsize=64)
def _places(probabilities: tuple[float, ...], horizon: int) -> Mapping[int, Sequence[int]]:
    """Indices of the order statistics, by the number of errors."""
    counts = range(MINIMUM, WINDOW + 1)
    return {nobs: [_place(nobs, p, horizon) for p in probabilities] for nobs in counts}


@lru_cache(maxsize=64)
def _pickers(
    probabilities: tuple[float, ...], horizon: int
) -> Mapping[int, Callable[[Sequence[float]], object]]:
    """What takes the order statistics from errors in order, by the number of errors."""
    return {nobs: itemgetter(*at) for nobs, at in _places(probabilities, horizon).items()}


def _place(nobs: int, probability: float, horizon: float) -> int:
    """Index of the order statistic, from 0; inside of the errors whatever the probability."""
    rank = max(1, _lower_rank(nobs, min(probability, 1 - probability), horizon))
    return rank - 1 if probability < 0.5 else nobs - rank


def _tail(level: float) -> float:
    """Probability beyond each bound."""
    if level not in LEVELS:
        raise UnsupportedLevel(
            f"no interval is offered at level {level}; choose from {', '.join(map(str, LEVELS))}",
            field="level",
            found=level,
            needed=f"one of {', '.join(map(str, LEVELS))}",
        )
    return (1.0 - level) / 2


def _overlap(horizon: float) -> float:
    """How many errors over so many sessions are worth one that shares none with others."""
    return (horizon + 1) / 2


def _lower_rank(nobs: int, tail: float, horizon: float) -> int:
    """Rank of the lower bound from below, and by symmetry of the upper one from above."""
    overlap = _overlap(horizon)
    # 1 - 0.8 is a rounding error short of 0.2: a product that should be whole must not drop by one.
    return int((nobs + overlap) * tail - (overlap - 1) / 2 + 1e-9)


def _beyond(probability: float, lowest: float, nobs: int) -> UnsupportedQuantile:
    needed = f"between {lowest:.4f} and {1 - lowest:.4f}"
    return UnsupportedQuantile(
        f"{nobs} past forecast errors do not tell the quantile at {probability}; ask for "
        f"probabilities {needed}",
        field="quantiles",
        found=probability,
        needed=needed,
    )
