"""What a model says of the next session, with everything needed to read it."""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from models_store.calibration import Calibration
from models_store.explanation import Explanation
from volatility.series import RealizedSeries


class ForecastInput(NamedTuple):
    """What a model is asked."""

    history: RealizedSeries  # in the model's measure, the last value being the newest
    levels: tuple[float, ...] = (0.8, 0.95)  # nominal coverages of the intervals wanted
    horizon: int = 1  # sessions ahead
    calibration: Calibration | None = None  # of the intervals; None: as the history tells
    quantiles: tuple[float, ...] = ()  # probabilities, each between 0 and 1
    explain: bool = False  # whether the forecast is to tell what moved it


class Interval(NamedTuple):
    """A forecast interval, and how intervals of this level have covered out of sample."""

    level: float  # nominal coverage
    rv: tuple[float, float]
    volatility_annualized: tuple[float, float]
    coverage_observed: float  # on the test part
    nobs: int  # forecasts behind coverage_observed


class Quantile(NamedTuple):
    """What the outcome stays below with a probability."""

    probability: float
    rv: float
    volatility_annualized: float

    @classmethod
    def of(
        cls,
        probabilities: Sequence[float],
        calibration: Calibration,
        rv: float,
        volatility_annualized: float,
    ) -> tuple["Quantile", ...]:
        """One a probability, of a forecast of rv.

        Raises
        ------
        UnsupportedQuantile : a probability further out than the calibration's errors tell.
        """
        return tuple(
            cls(probability, rv * multiplier, volatility_annualized * math.sqrt(multiplier))
            for probability, multiplier in zip(
                probabilities, calibration.quantiles(probabilities), strict=True
            )
        )


class Forecast(NamedTuple):
    """The next session's realized variance, with everything needed to read it."""

    asset: str
    model: str
    model_version: int
    model_sha256: str
    as_of: date | None  # None for a history without dates
    target_date: date | None
    horizon: int
    measure: str
    rv: float  # decimal² per day
    volatility: float  # decimal per day
    volatility_annualized: float  # decimal per year
    point: str  # "mean": what the point forecast estimates
    intervals: tuple[Interval, ...]
    calibration: Calibration  # the past errors that the intervals are made of
    missing_sessions: int  # inside the window that was used
    warnings: tuple[str, ...]
    diagnostics: Mapping[str, tuple[float, ...]]  # what a network shows of itself, by name
    quantiles: tuple[Quantile, ...] = ()  # those asked for
    explanation: Explanation | None = None  # if it is asked for
    clipped: bool = False  # what training saw took the place of what the model said
