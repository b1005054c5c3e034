"""Tail probabilities of Student's t distribution, so that scipy is not needed to serve."""

import math

_TINY = 1e-300  # keeps Lentz's recurrence off a division by zero
_PRECISION = 1e-15


def two_sided_pvalue(statistic: float, degrees_of_freedom: float) -> float:
    r"""Probability of a Student t variable at least as far from 0 as ``statistic``.

    Parameters
    ----------
    statistic : any number; infinite gives 0.
    degrees_of_freedom : positive.

    Notes
    -----
    .. math:: P(|T| \ge t) = I_{\nu / (\nu + t^2)}(\nu / 2, 1 / 2)

    with the regularized incomplete beta function by its continued fraction.

    References
    ----------
    Abramowitz & Stegun (1964), 26.7.1 and 26.5.8.
    """
    if math.isinf(statistic):
        return 0.0
    square = statistic * statistic
    inside = degrees_of_freedom / (degrees_of_freedom + square)
    return _regularized_beta(inside, square / (degrees_of_freedom + square), degrees_of_freedom / 2)


def _regularized_beta(x: float, complement: float, a: float) -> float:
    """I_x(a, 1/2), given x and 1 - x, so that neither is lost to rounding."""
    if complement == 0.0:
        return 1.0
    b = 0.5
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(log_front + a * math.log(x) + b * math.log(complement))
    if x < (a + 1) / (a + b + 2):  # the fraction converges fast on this side only
        return front * _continued_fraction(x, a, b) / a
    return 1.0 - front * _continued_fraction(complement, b, a) / b


def _continued_fraction(x: float, a: float, b: float) -> float:
    """Lentz's evaluation of the incomplete beta function's continued fraction."""
    numerator, denominator = 1.0, _away_from_zero(1.0 - (a + b) * x / (a + 1))
    denominator = 1.0 / denominator
    value = denominator
    step = 1
    while True:
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for term in (even, odd):
            denominator = 1.0 / _away_from_zero(1.0 + term * denominator)
            numerator = _away_from_zero(1.0 + term / numerator)
            factor = denominator * numerator
            value *= factor
        if abs(factor - 1.0) < _PRECISION:
            return value
        step += 1


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
