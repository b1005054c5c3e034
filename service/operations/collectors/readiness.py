"""Whether the service is ready, as far as it knows without asking anybody."""

from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from service.assets.watcher import Watcher
from service.http.draining import Draining
from service.models.catalogue import Catalogue


class ReadinessMetrics(Collector):
    """Of one service.

    Parameters
    ----------
    catalogue, watcher, draining : what ``/health/ready`` looks at. It asks the database, too; here
        the last answer counts that the watcher had.
    """

    def __init__(self, catalogue: Catalogue, watcher: Watcher, draining: Draining) -> None:
        self._catalogue, self._watcher, self._draining = catalogue, watcher, draining

    def collect(self) -> Iterator[Metric]:
        """1 or 0."""
        catalogue = self._catalogue
        has_models = catalogue.universal.version is not None or any(catalogue.numbers().values())
        yield GaugeMetricFamily(
            "roughcast_ready",
            "1 if there is a model, the database answers and the process has not been told to "
            "stop, else 0.",
            value=has_models and self._watcher.in_step and not self._draining.begun,
        )
