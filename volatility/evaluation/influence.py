"""How much of a comparison is one day's doing."""

from dataclasses import dataclass

import numpy as np

from volatility.arrays import DateArray, FloatArray


@dataclass(frozen=True, slots=True)
class Influence:
    """The day that a comparison of two models depends on most.

    Attributes
    ----------
    share : that day's part of the variance of the loss differential, 0 to 1.
    date : the day; None where the losses differ by the same on all days.
    qlike_ratio_without : mean loss of the model over that of the benchmark, without that day; NaN
        where the benchmark loses nothing then.
    """

    share: float
    date: np.datetime64 | None
    qlike_ratio_without: float


def influence(losses: FloatArray, benchmark_losses: FloatArray, dates: DateArray) -> Influence:
    r"""Find the most influential day.

    Parameters
    ----------
    losses, benchmark_losses : (n,) losses of the same dates, at least two.
    dates : (n,) the dates.

    Notes
    -----
    Of the differentials :math:`d_t` the day with the largest :math:`(d_t - \bar d)^2`, and that
    over :math:`\sum_t (d_t - \bar d)^2`. Of n equal days each has 1 / n; a test of equal accuracy
    rests on one day where the share is more than a half.
    """
    squares = np.square(losses - benchmark_losses - (losses - benchmark_losses).mean())
    total = float(squares.sum())
    if total == 0.0:
        return Influence(0.0, None, _ratio(losses, benchmark_losses))
    at = int(np.argmax(squares))
    kept = np.arange(len(losses)) != at
    ratio = _ratio(losses[kept], benchmark_losses[kept])
    return Influence(float(squares[at]) / total, dates[at], ratio)


def _ratio(losses: FloatArray, benchmark_losses: FloatArray) -> float:
    benchmark = float(benchmark_losses.mean())
    return float(losses.mean()) / benchmark if benchmark else np.nan
