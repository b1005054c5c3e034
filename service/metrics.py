"""What Prometheus sees of one service."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

# From a cached forecast (under a millisecond) to a batch of 10,000.
_LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """Counters and gauges of one service, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "roughcast_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._latency = Histogram(
            "roughcast_request_seconds",
            "Time from a request's head to the end of its answer.",
            ("method", "route"),
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
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
        # Looking a child up by its labels takes a lock and builds a tuple of strings; a plain
        # dictionary in front makes it a tenth of that.
        self._request_children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._forecast_children: dict[tuple[str, str], Counter] = {}

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        key = (method, route, status)
        children = self._request_children.get(key)
        if children is None:
            children = (
                self._requests.labels(method, route, str(status)),
                self._latency.labels(method, route),
            )
            self._request_children[key] = children
        requests, latency = children
        requests.inc()
        latency.observe(seconds)

    def count_forecasts(self, asset: str, model: str, number: int = 1) -> None:
        """Count forecasts of one model."""
        child = self._forecast_children.get((asset, model))
        if child is None:
            child = self._forecast_children[asset, model] = self._forecasts.labels(asset, model)
        child.inc(number)

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
