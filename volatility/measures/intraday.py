"""Realized measures of a day's intraday returns.

Each is a variance per day in decimal², not annualized, and looks at its own day alone (and at the
close before it), so later bars change nothing earlier. A new one is a function and an entry in
:data:`INTRADAY_MEASURES`.
"""

import math

import numpy as np

from volatility.arrays import FloatArray
from volatility.errors import InvalidInput, TooFewObservations
from volatility.measures.measure import Measure

# 1 / (E|Z|)² with Z ~ N(0, 1), and E[range²] of a driftless Brownian motion of unit variance.
_BIPOWER_SCALE = np.pi / 2
# 1 / (E|Z|^(4/3))³.
_TRIPOWER_SCALE = (2 ** (2 / 3) * math.gamma(7 / 6) / math.gamma(1 / 2)) ** -3
# Andersen, Dobrev & Schaumburg (2012): 1 / E[median(|Z1|, |Z2|, |Z3|)²].
_MED_RV_SCALE = np.pi / (6 - 4 * np.sqrt(3) + np.pi)
# Barndorff-Nielsen, Hansen, Lunde & Shephard (2009): c* = (12² / 0.269)^(1/5).
_PARZEN_CONSTANT = 3.5134
# The same paper takes its sparse variance from 20-minute returns of a 6.5-hour day.
_SPARSE_RETURNS = 20


def realized_variance(returns: FloatArray) -> FloatArray:
    r"""Sum of each day's squared returns.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal (0.01 is 1 %).

    Returns
    -------
    (days,) variance per day, decimal², not annualized.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : no return in a day.

    Notes
    -----
    .. math:: RV_t = \sum_{i=1}^{n} r_{t,i}^2

    Added up from the two semivariances, so that they always add up to it exactly.

    References
    ----------
    Andersen & Bollerslev (1998), International Economic Review 39(4).
    """
    negative, positive = realized_semivariances(returns)
    return negative + positive


def realized_semivariances(returns: FloatArray) -> tuple[FloatArray, FloatArray]:
    r"""Sums of each day's squared negative and squared positive returns.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal.

    Returns
    -------
    Negative and positive semivariance, (days,) each, decimal² per day; together
    :func:`realized_variance`, exactly.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : no return in a day.

    Notes
    -----
    .. math:: RS_t^- = \sum_i r_{t,i}^2 1\{r_{t,i} < 0\}, \quad
              RS_t^+ = \sum_i r_{t,i}^2 1\{r_{t,i} > 0\}

    References
    ----------
    Barndorff-Nielsen, Kinnebrock & Shephard (2010), in Volatility and Time Series Econometrics.
    """
    checked = _checked(returns, 1, "realized variance")
    negative = np.square(np.minimum(checked, 0.0)).sum(axis=-1)
    positive = np.square(np.maximum(checked, 0.0)).sum(axis=-1)
    return negative, positive


def bipower_variation(returns: FloatArray) -> FloatArray:
    r"""Jump-robust estimate of each day's integrated variance.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.

    Returns
    -------
    (days,) variance per day, decimal², not annualized.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : fewer than two returns in a day.

    Notes
    -----
    .. math:: BPV_t = \frac{\pi}{2} \sum_{i=2}^{n} |r_{t,i}|\,|r_{t,i-1}|

    Biased down by O(1/n), since the sum has n - 1 terms; not corrected here.

    References
    ----------
    Barndorff-Nielsen & Shephard (2004), Journal of Financial Econometrics 2(1).
    """
    sizes = np.abs(_checked(returns, 2, "bipower variation"))
    products = np.ascontiguousarray(sizes[:, 1:] * sizes[:, :-1])
    return np.asarray(_BIPOWER_SCALE * products.sum(axis=-1))


def med_rv(returns: FloatArray) -> FloatArray:
    r"""Jump-robust estimate of each day's integrated variance, from medians of three returns.

    Less disturbed than bipower variation by a zero return or by a jump beside a large return.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.

    Returns
    -------
    (days,) variance per day, decimal², not annualized.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : fewer than three returns in a day.

    Notes
    -----
    .. math:: MedRV_t = \frac{\pi}{6 - 4\sqrt 3 + \pi} \frac{n}{n-2} \sum_{i=2}^{n-1}
              \mathrm{med}(|r_{t,i-1}|, |r_{t,i}|, |r_{t,i+1}|)^2

    References
    ----------
    Andersen, Dobrev & Schaumburg (2012), Journal of Econometrics 169(1).
    """
    sizes = np.abs(_checked(returns, 3, "medRV"))
    nobs = sizes.shape[1]
    left, middle, right = sizes[:, :-2], sizes[:, 1:-1], sizes[:, 2:]
    medians = np.maximum(
        np.minimum(left, middle), np.minimum(np.maximum(left, middle), right)
    )  # of three, without sorting
    return np.asarray(_MED_RV_SCALE * nobs / (nobs - 2) * np.square(medians).sum(axis=-1))


def realized_quarticity(returns: FloatArray) -> FloatArray:
    r"""Estimate of each day's integrated quarticity, which the error of realized variance follows.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.

    Returns
    -------
    (days,) decimal⁴ per day.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : no return in a day.

    Notes
    -----
    .. math:: RQ_t = \frac{n}{3} \sum_{i=1}^{n} r_{t,i}^4

    The error of realized variance has variance 2 RQ / n.

    References
    ----------
    Barndorff-Nielsen & Shephard (2002), Journal of the Royal Statistical Society B 64(2).
    """
    checked = _checked(returns, 1, "realized quarticity")
    return np.asarray(checked.shape[1] / 3 * np.square(np.square(checked)).sum(axis=-1))


def tripower_quarticity(returns: FloatArray) -> FloatArray:
    r"""Estimate of each day's integrated quarticity that jumps do not disturb.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.

    Returns
    -------
    (days,) decimal⁴ per day.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix.
    TooFewObservations : fewer than three returns in a day.

    Notes
    -----
    .. math:: TQ_t = n\, \mu_{4/3}^{-3} \sum_{i=3}^{n}
              |r_{t,i}|^{4/3}\, |r_{t,i-1}|^{4/3}\, |r_{t,i-2}|^{4/3}, \quad
              \mu_{4/3} = E|Z|^{4/3} = 2^{2/3}\, \Gamma(7/6) / \Gamma(1/2)

    Biased down by O(1/n), since the sum has n - 2 terms; not corrected here.

    References
    ----------
    Barndorff-Nielsen & Shephard (2004), Journal of Financial Econometrics 2(1); Andersen,
    Bollerslev & Diebold (2007), Review of Economics and Statistics 89(4).
    """
    powers = np.abs(_checked(returns, 3, "tripower quarticity")) ** (4 / 3)
    products = np.ascontiguousarray(powers[:, 2:] * powers[:, 1:-1] * powers[:, :-2])
    return np.asarray(_TRIPOWER_SCALE * powers.shape[1] * products.sum(axis=-1))


def realized_kernel(returns: FloatArray, bandwidth: int | None = None) -> FloatArray:
    r"""Estimate of each day's integrated variance that market microstructure noise does not bias.

    Parameters
    ----------
    returns : (days, intraday) log returns, decimal, equally spaced.
    bandwidth : autocovariances used; by default each day's own, see Notes.

    Returns
    -------
    (days,) variance per day, decimal², not annualized, never negative.

    Raises
    ------
    InvalidInput : ``invalid_returns``, not a finite matrix; ``invalid_bandwidth``, not between 0
        and one less than the number of returns.
    TooFewObservations : fewer than two returns in a day.

    Notes
    -----
    With the Parzen kernel k,

    .. math:: K_t = \gamma_0 + 2 \sum_{h=1}^{H} k\!\left(\tfrac{h}{H+1}\right) \gamma_h, \quad
              \gamma_h = \sum_{i=h+1}^{n} r_{t,i} r_{t,i-h}

    and the bandwidth

    .. math:: H = \lceil 3.5134\, \xi^{4/5} n^{3/5} \rceil, \quad
              \xi^2 = \frac{RV_t / 2n}{RV_t^{sparse}}

    where the sparse variance averages all subsamples of about 20 returns a day. At most n - 1.
    The ends are not jittered, which the original does to tick data.

    References
    ----------
    Barndorff-Nielsen, Hansen, Lunde & Shephard (2009), Econometrics Journal 12(3).
    """
    checked = _checked(returns, 2, "the realized kernel")
    nobs = checked.shape[1]
    if bandwidth is not None and not 0 <= bandwidth < nobs:
        raise InvalidInput(
            f"bandwidth {bandwidth} with {nobs} returns a day; needed: 0 to {nobs - 1}",
            code="invalid_bandwidth",
            field="bandwidth",
            found=bandwidth,
            needed=f"0 to {nobs - 1}",
        )
    widths = _bandwidths(checked) if bandwidth is None else np.full(len(checked), bandwidth)
    kernel = np.square(checked).sum(axis=-1)
    for lag in range(1, int(widths.max(initial=0)) + 1):
        products = np.ascontiguousarray(checked[:, lag:] * checked[:, :-lag])
        kernel += 2 * _parzen(lag / (widths + 1.0)) * products.sum(axis=-1)
    # The Parzen kernel is positive definite; below zero is rounding.
    return np.asarray(np.maximum(kernel, 0.0))


def _checked(returns: FloatArray, minimum: int, what: str) -> FloatArray:
    """Returns as a C-contiguous matrix, so that each row is added in one order."""
    matrix = np.ascontiguousarray(returns, dtype=np.float64)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        found = "values that are not finite" if matrix.ndim == 2 else f"shape {matrix.shape}"
        raise InvalidInput(
            f"{what}: found {found}; needed: a (days, intraday) matrix of finite returns",
            code="invalid_returns",
            field="returns",
            found=found,
            needed="a (days, intraday) matrix of finite returns",
        )
    if matrix.shape[1] < minimum:
        raise TooFewObservations(
            f"{what} needs at least {minimum} returns a day; got {matrix.shape[1]}",
            field="returns",
            found=matrix.shape[1],
            needed=f"at least {minimum} returns a day",
        )
    return matrix


def _parzen(x: FloatArray) -> FloatArray:
    """Parzen's weight for x of 0 and more."""
    inner = 1 - 6 * np.square(x) + 6 * x**3
    outer = 2 * (1 - np.minimum(x, 1.0)) ** 3
    return np.where(x <= 0.5, inner, outer)


def _bandwidths(returns: FloatArray) -> FloatArray:
    """Each day's bandwidth for the realized kernel; (days,)."""
    nobs = returns.shape[1]
    skip = max(1, round(nobs / _SPARSE_RETURNS))
    prices = np.cumsum(np.pad(returns, ((0, 0), (1, 0))), axis=-1)
    sparse_returns = np.ascontiguousarray(prices[:, skip:] - prices[:, :-skip])
    # Every subsample at once: each of the nobs - skip + 1 overlapping returns covers skip steps.
    sparse = np.square(sparse_returns).sum(axis=-1) / skip * nobs / (nobs - skip + 1)
    noise = np.square(returns).sum(axis=-1) / (2 * nobs)
    # A day without sparse variation is all noise, and takes every autocovariance.
    ratio = np.divide(noise, sparse, out=np.full(len(returns), np.inf), where=sparse > 0)
    ratio[noise == 0] = 0.0
    widths = np.ceil(_PARZEN_CONSTANT * ratio**0.4 * nobs**0.6)
    return np.asarray(np.minimum(widths, nobs - 1))


INTRADAY_MEASURES = (
    Measure("realized_variance", "intraday", False, realized_variance),
    Measure("bipower_variation", "intraday", False, bipower_variation),
    Measure("med_rv", "intraday", False, med_rv),
    Measure("realized_kernel", "intraday", False, realized_kernel),
)
