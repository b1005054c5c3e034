"""Prediction intervals from a model's own past errors.

Errors are log residuals, ``log(rv / forecast)``: they are about as wide in calm times as in a
crisis, which errors of the variance are not. Each tail takes its own quantile, since the errors
of a mean forecast are skewed.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import TooFewObservations, UnsupportedLevel

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
WINDOW = 250  # past errors that an interval is made of: about a year of sessions
MINIMUM = 100  # the 98 % interval needs 99: its outer ranks are (m + 1) * 0.01 and its mirror


def conformal_offsets(residuals: FloatArray, level: float) -> tuple[float, float]:
    r"""Bounds of the next log residual, from past ones.

    Parameters
    ----------
    residuals : (m,) past log residuals, ``log(rv / forecast)``, in any order.
    level : nominal coverage, one of `LEVELS`.

    Returns
    -------
    Lower and upper offset: the interval is ``forecast * exp(offset)``.

    Raises
    ------
    UnsupportedLevel : the level is not one of `LEVELS`.
    TooFewObservations : fewer than `MINIMUM` residuals.

    Notes
    -----
    With :math:`\alpha = 1 - level`, the order statistics of rank
    :math:`\lfloor (m + 1) \alpha / 2 \rfloor` and :math:`\lceil (m + 1) (1 - \alpha / 2) \rceil`:
    were the residuals exchangeable, coverage would be at least the level at any m.

    References
    ----------
    Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World.
    Romano, Patterson & Candès (2019), NeurIPS 32 (each tail its own quantile).
    """
    return ordered_offsets(np.sort(residuals), level)


def ordered_offsets(ordered: FloatArray, level: float) -> tuple[float, float]:
    """As :func:`conformal_offsets`, from residuals that are in increasing order already."""
    tail = _tail(level)
    if len(ordered) < MINIMUM:
        raise TooFewObservations(
            f"an interval needs {MINIMUM} past forecast errors; got {len(ordered)}",
            field="residuals",
            found=len(ordered),
            needed=f"at least {MINIMUM}",
        )
    rank = _lower_rank(len(ordered), tail)
    return float(ordered[rank - 1]), float(ordered[-rank])


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
    (n, levels, 2) lower and upper offsets from the up to `WINDOW` newest residuals known before
    each date; NaN while there are fewer than `MINIMUM`.

    Raises
    ------
    UnsupportedLevel : a level is not one of `LEVELS`.

    Notes
    -----
    The newest ``horizon - 1`` rows before a date are left out. Rows are distinct sessions, so
    what remains has ended even where sessions are missing between rows.
    """
    offsets = _next_offsets(residuals, levels)
    delay = min(horizon - 1, len(residuals))
    late = np.full_like(offsets, np.nan)
    late[delay:] = offsets[: len(offsets) - delay]
    return late


def _next_offsets(residuals: FloatArray, levels: Sequence[float]) -> FloatArray:
    """Offsets of each row from the rows before it; (n, levels, 2)."""
    tails = [_tail(level) for level in levels]
    ranks = {m: [_lower_rank(m, tail) for tail in tails] for m in range(MINIMUM, WINDOW + 1)}
    offsets = np.full((len(residuals), len(levels), 2), np.nan)
    values = residuals.tolist()
    ordered: list[float] = []  # the window's residuals, kept sorted as it slides
    for date, value in enumerate(values):
        if len(ordered) >= MINIMUM:
            offsets[date] = [(ordered[rank - 1], ordered[-rank]) for rank in ranks[len(ordered)]]
        if len(ordered) == WINDOW:
            del ordered[bisect_left(ordered, values[date - WINDOW])]
        insort(ordered, value)
    return offsets


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


def _lower_rank(nobs: int, tail: float) -> int:
    """Rank of the lower bound from below, and by symmetry of the upper one from above."""
    # 1 - 0.8 is a rounding error short of 0.2: a product that should be whole must not drop by one.
    return int((nobs + 1) * tail + 1e-9)
