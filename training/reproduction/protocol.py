"""How forecasts meet what happened: by their place in an array, or by the time they are for.

The published code scores every model against the targets of HAR, which begin at row 22 of the test
file, and pairs the first forecast with the first target. The network's first forecast is for row 20
and the moving average's for row 5, so that they are compared with what happened 2 and 17 rows after
what they forecast. ``by_position`` does the same; ``by_time`` joins by the target's time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from volatility.arrays import DateArray, FloatArray
from volatility.evaluation.losses import correlation_score, mae_loss, r_squared_score, rmse_loss


@dataclass(frozen=True)
class Track:
    """Values in order of time: forecasts by the time that they are for, or what happened.

    Attributes
    ----------
    times : (n,) increasing.
    values : (n,) log volatility.
    """

    times: DateArray
    values: FloatArray

    def __len__(self) -> int:
        return len(self.values)

    def at(self, times: DateArray) -> FloatArray:
        """The values at ``times``, all of which are there."""
        places = np.searchsorted(self.times, times)
        assert np.array_equal(self.times[places], times), "times that the track does not have"
        return self.values[places]


@dataclass(frozen=True)
class Paired:
    """Outcomes, and the forecasts that they are compared with; (n,) each."""

    actual: FloatArray
    forecast: FloatArray

    def __len__(self) -> int:
        return len(self.actual)

    @property
    def squared_errors(self) -> FloatArray:
        """The loss of the paper's tests; (n,)."""
        return np.square(self.actual - self.forecast)

    def scores(self) -> dict[str, float]:
        """The four scores of section 3.6."""
        return {
            "rmse": rmse_loss(self.actual, self.forecast),
            "mae": mae_loss(self.actual, self.forecast),
            "r_squared": r_squared_score(self.actual, self.forecast),
            "correlation": correlation_score(self.actual, self.forecast),
        }


def by_position(forecast: Track, targets: Track) -> Paired:
    """Pair the first with the first, whatever their times are, as the published code does."""
    nobs = min(len(forecast), len(targets))
    return Paired(targets.values[:nobs], forecast.values[:nobs])


def by_time(forecast: Track, targets: Track, times: DateArray | None = None) -> Paired:
    """Pair forecasts with what happened at their time.

    Parameters
    ----------
    forecast, targets : the two sides.
    times : which of them to take; all that both have if None.
    """
    chosen = common_times([forecast, targets]) if times is None else times
    return Paired(targets.at(chosen), forecast.at(chosen))


def common_times(tracks: Iterable[Track]) -> DateArray:
    """The times that all tracks have."""
    return reduce(np.intersect1d, (track.times for track in tracks))
