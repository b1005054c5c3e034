"""Functions of the gamma family, so that scipy is not needed to serve."""

import numpy as np

from volatility.arrays import FloatArray

_ASYMPTOTIC_FROM = 10  # above this the truncated series are exact to 1e-11


def digamma(x: FloatArray) -> FloatArray:
    """Derivative of log gamma at positive x, by recurrence and the asymptotic series.

    References
    ----------
    Abramowitz & Stegun (1964), 6.3.5 and 6.3.18.
    """
    shifts = np.arange(_ASYMPTOTIC_FROM)
    x = np.asarray(x, dtype=np.float64)
    y = x + _ASYMPTOTIC_FROM
    inverse = y**-2
    series = inverse * (1 / 12 - inverse * (1 / 120 - inverse * (1 / 252 - inverse / 240)))
    recurrence = (1 / (x[..., None] + shifts)).sum(axis=-1)
    return np.asarray(np.log(y) - 0.5 / y - series - recurrence)


def trigamma(x: FloatArray) -> FloatArray:
    """Second derivative of log gamma at positive x, by recurrence and the asymptotic series.

    References
    ----------
    Abramowitz & Stegun (1964), 6.4.6 and 6.4.12.
    """
    shifts = np.arange(_ASYMPTOTIC_FROM)
    x = np.asarray(x, dtype=np.float64)
    y = x + _ASYMPTOTIC_FROM
    inverse = y**-2
    series = 1 / 6 - inverse * (1 / 30 - inverse * (1 / 42 - inverse / 30))
    recurrence = ((x[..., None] + shifts) ** -2).sum(axis=-1)
    return np.asarray(1 / y + 0.5 * inverse + series * inverse / y + recurrence)
