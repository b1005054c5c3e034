"""What Prometheus sees of one service."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

# From a cached forecast (under a millisecond) to a batch of 10,000.
_LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counters and gauges of one service, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = _Requests()
        self.registry.register(self._requests)
        self._forecasts = Counter(
            "roughcast_forecasts",
            "Forecasts answered, in batches or alone.",
            ("asset", "model"),
            registry=self.registry,
        )
        self._models_loaded = Gauge(
            "roughcast_models_loaded", "Models in service.", ("asset",), registry=self.registry
        )
        self._models_refused = Gauge(
            "roughcast_models_refused",
            "Artifacts that failed their checks at the last load.",
            registry=self.registry,
        )
        self._stale_sessions = Gauge(
            "roughcast_stale_sessions",
            "Closed sessions after the last one that is held.",
            ("asset",),
            registry=self.registry,
        )

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.count(method, route, status, seconds)

    def count_forecasts(self, asset: str, model: str, number: int = 1) -> None:
        """Count forecasts of one model."""
        self._forecasts.labels(asset, model).inc(number)

    def set_models(self, loaded: dict[str, int], refused: int) -> None:
        """Note how many models are in service, by asset, and how many were refused."""
        for asset, number in loaded.items():
            self._models_loaded.labels(asset).set(number)
        self._models_refused.set(refused)

    def set_staleness(self, stale_sessions: dict[str, int]) -> None:
        """Note how old each asset's held history is."""
        for asset, number in stale_sessions.items():
            self._stale_sessions.labels(asset).set(number)

    def exposition(self) -> bytes:
        """Everything, in the Prometheus text format."""
        return generate_latest(self.registry)


class _Requests(Collector):
    """Requests by route: counted in plain integers, and told to Prometheus when it asks.

    Its own counters take a lock and a chain of objects for each of a request's four numbers, a
    tenth of a forecast. All requests are counted on the event loop's one thread.
    """

    def __init__(self) -> None:
        self._statuses: dict[tuple[str, str, int], int] = defaultdict(int)
        self._buckets: dict[tuple[str, str], list[int]] = defaultdict(_no_requests)
        self._seconds: dict[tuple[str, str], float] = defaultdict(float)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._statuses[method, route, status] += 1
        self._buckets[method, route][bisect_left(_LATENCY_BUCKETS, seconds)] += 1
        self._seconds[method, route] += seconds

    def collect(self) -> Iterator[Metric]:
        """What there is to tell."""
        requests = CounterMetricFamily(
            "roughcast_requests", "Requests answered.", labels=("method", "route", "status")
        )
        for (method, route, status), number in list(self._statuses.items()):
            requests.add_metric((method, route, str(status)), number)
        yield requests
        latency = HistogramMetricFamily(
            "roughcast_request_seconds",
            "Time from a request's head to the end of its answer.",
            labels=("method", "route"),
        )
        for labels, buckets in list(self._buckets.items()):
            bounds = (*map(str, _LATENCY_BUCKETS), "+Inf")
            cumulated = list(zip(bounds, accumulate(buckets), strict=True))
            latency.add_metric(labels, cumulated, self._seconds[labels])
        yield latency


def _no_requests() -> list[int]:
    return [0] * (len(_LATENCY_BUCKETS) + 1)
