"""Regressors by name, as recipes, manifests and coefficients write them.

A regressor has a name, which tells its constants, and parameters where some are estimated:

============================  ======================  ==============================================
name                          parameters
============================  ======================  ==============================================
``mean_5``                                            mean rv of the last 5 sessions
``mean_5:continuous``                                 the same of another column
``negative_mean_5:return``                            that mean where it is below zero, else zero
``ewma_0.94``                                         exponentially weighted mean of rv
``quarticity_1``                                      mean rv times the root of the mean quarticity
``return_squares``            ``decay, sessions``     decayed sum of the last squared returns
``negative_return_squares``   ``decay, sessions``     the same of the negative returns alone
``rough_5``                   ``hurst, sessions``     forecast of a fractional Brownian motion, 5
                                                      sessions ahead, from the last sessions
``exponential_mean_25``                               exponential mean of log rv, centre of mass 25
``exponential_mean_25:jump``                          the same of another column
``departure_5``                                       that mean less the one of centre 125; the
                                                      newest value less it for ``departure_0``
``departure_5:range_ratio``                           the same of another column
``level_departure_5``                                 log of the exponential mean of rv less the
                                                      slow mean of log rv
``negative_shock_5:return``                           sum of 5 returns in deviations, where it is
                                                      below zero, else zero
``absolute_shock_1:return``                           the sum's absolute value
``spread_22``                                         deviation of the last 22 values of log rv
``excursion_5``                                       root mean square of the last 5 values of log
                                                      rv less its slow mean
============================  ======================  ==============================================

Columns are those of :mod:`volatility.measures.columns`; exponential means, departures and shocks
take those of companions too, such as ``VIX:log_rv`` (:mod:`volatility.companions`). On the logs
scale "rv" stands for its logarithm; other columns stay as they are.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from volatility.errors import InvalidInput
from volatility.measures.columns import DAILY_COLUMNS, INTRADAY_COLUMNS
from volatility.regressors import (
    Design,
    ExponentialMean,
    Mean,
    NegativeMean,
    Parameters,
    Quarticity,
    Regressor,
    ReturnSquares,
    RoughForecast,
    invalid_parameters,
)
from volatility.slow_regressors import Departure, Excursion, LevelDeparture, Shock, SlowMean, Spread


def make_regressor(name: str, parameters: Parameters | None = None) -> Regressor:
    """The regressor of a name.

    Parameters
    ----------
    name : see the top of the module.
    parameters : what the name does not tell.

    Raises
    ------
    InvalidInput : ``unknown_regressor``; ``invalid_parameters``, not those that it has.
    """
    make, constants = _read(name)
    try:
        return make(**constants, **(parameters or {}))
    except TypeError as error:
        raise invalid_parameters(name, dict(parameters or {}), "those it has") from error


@lru_cache(maxsize=1_024)
def _read(name: str) -> tuple[Callable[..., Regressor], Mapping[str, str]]:
    """What makes the regressor of a name, and the constants that the name tells."""
    for pattern, make in _GRAMMAR.items():
        match = re.fullmatch(pattern, name)
        if match is not None:
            return make, match.groupdict()
    raise InvalidInput(
        f"regressor {name!r} is unknown; needed: {_NEEDED}",
        code="unknown_regressor",
        field="regressors",
        found=name,
        needed=_NEEDED,
    )


def coefficients_of(values: Mapping[str, float]) -> dict[Regressor, float]:
    """Coefficients by regressor, of those that their names tell all of.

    Raises
    ------
    InvalidInput : ``unknown_regressor``; ``invalid_parameters``, one has some.
    """
    return {make_regressor(name): value for name, value in values.items()}


@lru_cache(maxsize=256)
def design_of(names: tuple[str, ...]) -> Design:
    """The design of regressors that have no parameters.

    Raises
    ------
    InvalidInput : ``unknown_regressor``; ``invalid_parameters``, one that has some.
    """
    return Design(tuple(make_regressor(name) for name in names))


_SESSIONS = r"(?P<sessions>[1-9]\d{0,3})"
_COLUMN = rf"(?P<column>{'|'.join(INTRADAY_COLUMNS)})"
_COMPANION = r"[A-Za-z0-9][A-Za-z0-9^=_.-]{0,31}"
_ANY_COLUMN = (
    rf"(?P<column>{'|'.join({**INTRADAY_COLUMNS, **DAILY_COLUMNS})}|{_COMPANION}:(?:log_rv|return))"
)
_RETURNS = rf"(?P<column>return|overnight_return|{_COMPANION}:return)"
_CENTRE = r"(?P<centre>[1-9]\d{0,2})"
_GRAMMAR: dict[str, Callable[..., Regressor]] = {
    rf"mean_{_SESSIONS}": lambda sessions: Mean(int(sessions)),
    rf"mean_{_SESSIONS}:{_COLUMN}": lambda sessions, column: Mean(int(sessions), column),
    rf"negative_mean_{_SESSIONS}:{_COLUMN}": lambda sessions, column: NegativeMean(
        int(sessions), column
    ),
    r"ewma_(?P<decay>0\.\d{0,5}[1-9])": lambda decay: ExponentialMean(float(decay)),
    rf"quarticity_{_SESSIONS}": lambda sessions: Quarticity(int(sessions)),
    r"return_squares": ReturnSquares,
    r"negative_return_squares": lambda decay, sessions: ReturnSquares(decay, sessions, True),
    r"rough_(?P<ahead>[1-9]\d{0,2})": lambda ahead, hurst, sessions: RoughForecast(
        hurst, sessions, int(ahead)
    ),
    rf"exponential_mean_{_CENTRE}": lambda centre: SlowMean(int(centre)),
    rf"exponential_mean_{_CENTRE}:{_ANY_COLUMN}": lambda centre, column: SlowMean(
        int(centre), column
    ),
    r"departure_(?P<centre>0|[1-9]\d{0,2})": lambda centre: Departure(int(centre)),
    rf"departure_(?P<centre>0|[1-9]\d{{0,2}}):{_ANY_COLUMN}": lambda centre, column: Departure(
        int(centre), column
    ),
    rf"level_departure_{_CENTRE}": lambda centre: LevelDeparture(int(centre)),
    rf"(?P<part>negative|absolute)_shock_{_SESSIONS}:{_RETURNS}": (
        lambda part, sessions, column: Shock(int(sessions), column, part)
    ),
    rf"spread_{_SESSIONS}": lambda sessions: Spread(int(sessions)),
    rf"excursion_{_SESSIONS}": lambda sessions: Excursion(int(sessions)),
}
_NEEDED = (
    "mean_<sessions> or mean_<sessions>:<column>, such as mean_22 or mean_5:continuous, "
    "negative_mean_<sessions>:<column>, ewma_<decay>, such as ewma_0.94, quarticity_<sessions>, "
    "return_squares, negative_return_squares, rough_<sessions ahead>, such as rough_1, "
    "exponential_mean_<centre of mass> or departure_<centre of mass>, such as departure_5 or "
    "departure_0:range_ratio, level_departure_<centre of mass>, "
    "negative_shock_<sessions>:<returns> or absolute_shock_<sessions>:<returns>, of up to 250 "
    "sessions, such as negative_shock_5:return, spread_<sessions> or "
    "excursion_<sessions>"
)
