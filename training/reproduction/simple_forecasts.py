"""The forecasts that need no network: last value, moving average and HAR, on log volatility."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from training.models.linear.har import LAGS, har_least_squares
from training.reproduction.protocol import Track
from training.reproduction.samples import Rows, Series
from volatility.filters import trailing_means

MOVING_AVERAGE_WINDOW = 5  # of the published code; the paper gives none


def last_value(series: Series) -> Track:
    """The last value of each window."""
    test = series.partition(1).test
    return Track(test.times, test.windows[:, -1])


def moving_average(series: Series) -> Track:
    """The mean of the last five values."""
    test = series.partition(MOVING_AVERAGE_WINDOW).test
    return Track(test.times, test.windows.mean(axis=1))


def har(series: Series) -> Track:
    """HAR by least squares on training and validation part, as the published code fits it."""
    partition = series.partition(max(LAGS))
    return _har(partition.both, partition.test)


def har_of_training_part(series: Series) -> Track:
    """HAR fitted on the training part alone: what the networks of Table 5 start from."""
    partition = series.partition(max(LAGS))
    return _har(partition.training, partition.test)


SIMPLE_FORECASTS: Mapping[str, Callable[[Series], Track]] = MappingProxyType(
    {
        forecast.__name__: forecast
        for forecast in (last_value, moving_average, har, har_of_training_part)
    }
)


def _har(fitted_on: Rows, test: Rows) -> Track:
    estimate = har_least_squares(fitted_on.windows, fitted_on.targets)
    means = trailing_means(test.windows, LAGS)
    return Track(test.times, estimate.intercept + means @ estimate.coefficients)
