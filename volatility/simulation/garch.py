"""Sessions whose variance follows GJR: what returns of the day before decide."""

import numpy as np

from volatility.arrays import FloatArray


def gjr_bars(
    nobs: int,
    rng: np.random.Generator,
    *,
    constant: float = 2e-6,
    loss: float = 0.18,
    persistence: float = 0.89,
    steps: int = 78,
) -> tuple[FloatArray, FloatArray]:
    r"""Returns and realized variance of sessions whose variance only losses raise.

    Parameters
    ----------
    nobs : sessions.
    rng : source of randomness.
    constant, loss, persistence : parameters; as estimated on the S&P 500.
    steps : Gaussian returns in a session, whose squares add up to its realized variance.

    Returns
    -------
    (nobs,) log returns, and (nobs,) realized variance per day.

    Notes
    -----
    .. math:: \sigma^2_t = \omega + \gamma\,r_{t-1}^2\,1(r_{t-1} < 0) + \beta\,\sigma^2_{t-1}

    References
    ----------
    Glosten, Jagannathan & Runkle (1993), Journal of Finance 48(5).
    """
    within = rng.standard_normal((nobs, steps)) / np.sqrt(steps)
    sums, squares = within.sum(axis=1), np.square(within).sum(axis=1)
    variance = np.empty(nobs)
    variance[0] = constant / (1.0 - loss / 2.0 - persistence)
    for t in range(1, nobs):
        fall = min(sums[t - 1], 0.0) ** 2
        variance[t] = constant + (loss * fall + persistence) * variance[t - 1]
    return np.sqrt(variance) * sums, variance * squares
