"""The news impact curve: what one session's return does to the forecast of the next.

A model of realized variance sees more of a session than its return. So that a return alone can be
varied, each stands for the session that it is expected with: a Brownian path of the volatility that
was forecast for it, from the close before to where the return leads.
"""

import math

import numpy as np

from volatility.arrays import FloatArray
from volatility.bars import DAILY, Bars

WIDTH = 4.0  # standard deviations to either side that a curve goes
POINTS = 33  # of a curve; odd, so that one is of no return


def shocks(volatility: float, width: float = WIDTH, points: int = POINTS) -> FloatArray:
    """Returns that a curve is drawn over; (points,) log returns, evenly spaced around 0.

    Parameters
    ----------
    volatility : of the session, decimal per day.
    width : the outermost return, in units of it.
    points : how many; odd, so that 0 is one of them.
    """
    return np.linspace(-width, width, points) * volatility


def expected_overshoot(returns: FloatArray, volatility: float) -> FloatArray:
    r"""How far a Brownian path is expected to go beyond the greater of its ends.

    Parameters
    ----------
    returns : (n,) log returns that the path ends with.
    volatility : of the path, decimal per day, above 0.

    Returns
    -------
    (n,) in logs; by symmetry also how far it goes below the lesser of its ends.

    Notes
    -----
    Given that a path of volatility σ ends at r ≥ 0, its maximum M exceeds m ≥ r with probability
    :math:`e^{-2 m (m - r) / \sigma^2}`, so that

    .. math:: E[M - r] = \sigma \sqrt{\tfrac{\pi}{8}} \; e^{z^2 / 2} \, \mathrm{erfc}(z / \sqrt 2),
              \quad z = r / \sigma

    At r = 0 the expected range is :math:`\sigma \sqrt{\pi / 2}`, that of a Brownian bridge.

    References
    ----------
    Borodin & Salminen (2002), Handbook of Brownian Motion, 1.1.8.
    """
    deviations = np.abs(returns) / volatility
    scaled = [math.exp(z * z / 2) * math.erfc(z / math.sqrt(2)) for z in deviations.tolist()]
    return np.asarray(volatility * math.sqrt(math.pi / 8) * np.array(scaled))


def session_of(
    session: np.datetime64, previous_close: float, log_return: float, volatility: float
) -> Bars:
    """The daily bar that a session is expected to have, given its return.

    Parameters
    ----------
    session : its date.
    previous_close : where it opens.
    log_return : where it closes, from there.
    volatility : that was expected of it, decimal per day, above 0.

    Returns
    -------
    One bar, with the expected high and low of a Brownian path.

    References
    ----------
    Engle & Ng (1993), Journal of Finance 48(5): all but the last return is held where it was.
    """
    [beyond] = expected_overshoot(np.array([log_return]), volatility)
    top, bottom = max(log_return, 0.0) + beyond, min(log_return, 0.0) - beyond
    return Bars(
        timestamps=np.array([session], "datetime64[s]"),
        open=np.array([previous_close]),
        high=previous_close * np.exp([top]),
        low=previous_close * np.exp([bottom]),
        close=previous_close * np.exp([log_return]),
        interval=DAILY,
    )
