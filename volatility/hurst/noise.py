"""How much noise a realized measure puts into log volatility."""

from dataclasses import dataclass

import numpy as np

from volatility.hurst.calibration import range_noise, stepwise_range_noise
from volatility.hurst.special import trigamma
from volatility.measures import MEASURES

# Asymptotic variance of the measure over that of realized variance, under constant volatility.
# Barndorff-Nielsen & Shephard (2004), Journal of Financial Econometrics 2(1): pi²/4 + pi - 3.
_BIPOWER_RATIO = (np.pi**2 / 4 + np.pi - 3) / 2
# Andersen, Dobrev & Schaumburg (2012), Journal of Econometrics 169(1), proposition 2: 2.96.
_MED_RV_RATIO = 2.96 / 2
INTRADAY_RATIOS = {
    "realized_variance": 1.0,
    "bipower_variation": _BIPOWER_RATIO,
    "med_rv": _MED_RV_RATIO,
}
# A day's range has at least so many steps behind it where nobody says how many: a bar each quarter
# of an hour. The variance at 96 steps is about five quarters of that in the continuous limit.
FEWEST_STEPS = 96
SMALLEST_TABLED = 8  # steps; with fewer a range is hardly one
# What volatility that moves within the day may add to the noise of one that does not.
HEADROOM = 1.25


@dataclass(frozen=True, slots=True)
class NoiseBounds:
    """What is known of the variance of the measurement noise in log volatility.

    Attributes
    ----------
    least, most : 0 and infinity where nothing is known.
    """

    least: float = 0.0
    most: float = np.inf

    @property
    def known(self) -> bool:
        """Whether the noise has an upper limit."""
        return bool(np.isfinite(self.most))


@dataclass(frozen=True, slots=True)
class MeasurementNoise:
    """Noise of one value of log volatility.

    Attributes
    ----------
    variance : None where it is not known, or where nothing could be left after taking it out.
    with_fewest_steps : the variance where the number of steps behind a range is not known, and is
        as small as it may be; else the same as `variance`.
    reason : why there is no variance.
    overwhelming : whether nothing could be left.
    """

    variance: float | None
    with_fewest_steps: float | None = None
    reason: str | None = None
    overwhelming: bool = False

    @property
    def bounds(self) -> NoiseBounds:
        """Between which values the noise lies if volatility also moves within the day."""
        if self.variance is None or self.with_fewest_steps is None:
            return NoiseBounds()
        return NoiseBounds(self.variance, max(HEADROOM * self.variance, self.with_fewest_steps))


def log_volatility_noise(measure: str, intraday_nobs: int | None = None) -> MeasurementNoise:
    r"""Variance of the error of log volatility, half of log rv, under Brownian prices.

    Parameters
    ----------
    measure : name of a realized measure.
    intraday_nobs : returns in a day, where the measure is made of them; trades, or steps of the
        price, where it is made of a day's range.

    Returns
    -------
    The variance, or the reason why there is none.

    Raises
    ------
    UnknownMeasure : no realized measure has this name.

    Notes
    -----
    With m returns and constant volatility, rv is :math:`\sigma^2 \chi^2_m / m`, so log rv has
    variance :math:`\psi'(m / 2) \approx 2 / m`. Range measures: constants of their distribution,
    see :func:`range_noise`, which grow as steps become fewer, about as :math:`m^{-1/2}`, see
    :func:`stepwise_range_noise`. Log volatility has a quarter of either.
    """
    MEASURES[measure]
    if measure == "squared_return" or (intraday_nobs is not None and intraday_nobs < 2):
        return _ONE_RETURN
    if measure in range_noise():
        return _noise_of_range(measure, intraday_nobs)
    if measure not in INTRADAY_RATIOS:
        return _unknown(f"the noise of {measure} in log volatility is not known")
    if intraday_nobs is None:
        return _unknown(
            f"the noise of {measure} needs intraday_nobs, the number of returns in a day"
        )
    log_rv_variance = INTRADAY_RATIOS[measure] * float(trigamma(np.array(intraday_nobs / 2)))
    return MeasurementNoise(log_rv_variance / 4, log_rv_variance / 4)


def _noise_of_range(measure: str, steps: int | None) -> MeasurementNoise:
    if steps is None:
        limit, coarse = range_noise()[measure], stepwise_range_noise(measure, FEWEST_STEPS)
        return MeasurementNoise(limit / 4, coarse / 4)
    if steps < SMALLEST_TABLED:
        return _unknown(
            f"the noise of {measure} is not known for a range of {steps} steps; at least "
            f"{SMALLEST_TABLED} are needed"
        )
    variance = stepwise_range_noise(measure, steps) / 4
    return MeasurementNoise(variance, variance)


def _unknown(reason: str) -> MeasurementNoise:
    return MeasurementNoise(None, reason=reason)


_ONE_RETURN = MeasurementNoise(
    variance=None,
    reason="one return a day is refused: its square is volatility times noise far larger than "
    "volatility's own changes (the variance of log rv is 4.9), and no correction leaves anything",
    overwhelming=True,
)
