"""How much noise a realized measure puts into log volatility."""

from dataclasses import dataclass

import numpy as np

from volatility.hurst.calibration import range_noise
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


@dataclass(frozen=True, slots=True)
class MeasurementNoise:
    """Noise of one value of log volatility.

    Attributes
    ----------
    variance : None where it is not known, or where nothing could be left after taking it out.
    reason : why there is no variance.
    overwhelming : whether nothing could be left.
    """

    variance: float | None
    reason: str | None = None
    overwhelming: bool = False


def log_volatility_noise(measure: str, intraday_nobs: int | None = None) -> MeasurementNoise:
    r"""Variance of the error of log volatility, half of log rv, under Brownian prices.

    Parameters
    ----------
    measure : name of a realized measure.
    intraday_nobs : returns in a day, where the measure is made of them.

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
    see :func:`range_noise`. Log volatility has a quarter of either.
    """
    MEASURES[measure]
    ranges = range_noise()
    if measure in ranges:
        return MeasurementNoise(ranges[measure] / 4)
    if measure == "squared_return":
        return _ONE_RETURN
    if measure not in INTRADAY_RATIOS:
        return MeasurementNoise(None, f"the noise of {measure} in log volatility is not known")
    if intraday_nobs is None:
        return MeasurementNoise(
            None, f"the noise of {measure} needs intraday_nobs, the number of returns in a day"
        )
    if intraday_nobs < 2:
        return _ONE_RETURN
    log_rv_variance = INTRADAY_RATIOS[measure] * float(trigamma(np.array(intraday_nobs / 2)))
    return MeasurementNoise(log_rv_variance / 4)


_ONE_RETURN = MeasurementNoise(
    variance=None,
    reason="one return a day is refused: its square is volatility times noise far larger than "
    "volatility's own changes (the variance of log rv is 4.9), and no correction leaves anything",
    overwhelming=True,
)
