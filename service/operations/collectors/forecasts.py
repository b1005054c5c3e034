"""Forecasts that say something is not as it should be."""

from collections.abc import Iterator

from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from service.forecasts.encoding import FLAGS, ForecastTally


class FlagMetrics(Collector):
    """Of one service.

    Parameters
    ----------
    tally : of its forecasts.
    """

    def __init__(self, tally: ForecastTally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        """Forecasts that were clipped, degraded or stale, by asset."""
        flagged = CounterMetricFamily(
            "roughcast_forecasts_flagged",
            "Forecasts that were clipped to what training saw (`clipped`), made by another model "
            "than was meant (`degraded`), or from a history that lacks sessions at its end "
            "(`stale`).",
            labels=("asset", "flag"),
        )
        for asset in dict.fromkeys(asset for asset, _ in list(self._tally.numbers)):
            for flag in FLAGS:  # from 0 on, so that the first one shows
                flagged.add_metric((asset, flag), self._tally.flagged.get((asset, flag), 0))
        yield flagged
