"""``GET /metrics``: what Prometheus sees of one service."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Annotated

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from service.assets.holdings import HoldingsDep
from service.assets.watcher import Watcher
from service.forecasts.encoding import ForecastTally
from service.http.clock import ClockDep
from service.http.middleware import LATENCY_BUCKETS, RequestTally
from service.http.state import from_state

router = APIRouter(tags=["metrics"])


class Metrics:
    """Counters and gauges of one service, in a registry of their own.

    Attributes
    ----------
    requests, forecasts : what is counted as it happens, and read when Prometheus asks.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.requests = RequestTally()
        self.forecasts = ForecastTally()
        self._registry = CollectorRegistry()
        self._registry.register(_Requests(self.requests))
        self._registry.register(_Forecasts(self.forecasts))
        self._models_loaded = Gauge(
            "roughcast_models_loaded", "Models in service.", ("asset",), registry=self._registry
        )
        self._models_refused = Gauge(
            "roughcast_models_refused",
            "Artifacts that failed their checks at the last load.",
            registry=self._registry,
        )
        self._stale_sessions = Gauge(
            "roughcast_stale_sessions",
            "Closed sessions after the last one that is held.",
            ("asset",),
            registry=self._registry,
        )

        self._in_step = Gauge(
            "roughcast_history_in_step",
            "1 if the held history was compared with its database at the last try, else 0.",
            registry=self._registry,
        )

    def set_in_step(self, in_step: bool) -> None:
        """Note whether the held history follows its database."""
        self._in_step.set(in_step)

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
        return generate_latest(self._registry)


class _Requests(Collector):
    def __init__(self, tally: RequestTally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "roughcast_requests", "Requests answered.", labels=("method", "route", "status")
        )
        for (method, route, status), number in list(self._tally.statuses.items()):
            requests.add_metric((method, route, str(status)), number)
        yield requests
        latency = HistogramMetricFamily(
            "roughcast_request_seconds",
            "Time from a request's head to the end of its answer.",
            labels=("method", "route"),
        )
        for labels, buckets in list(self._tally.buckets.items()):
            bounds = (*map(str, LATENCY_BUCKETS), "+Inf")
            cumulated = list(zip(bounds, accumulate(buckets), strict=True))
            latency.add_metric(labels, cumulated, self._tally.seconds[labels])
        yield latency


class _Forecasts(Collector):
    def __init__(self, tally: ForecastTally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        forecasts = CounterMetricFamily(
            "roughcast_forecasts",
            "Forecasts answered, in batches or alone.",
            labels=("asset", "model"),
        )
        for labels, number in list(self._tally.numbers.items()):
            forecasts.add_metric(labels, number, created=self._tally.since[labels])
        yield forecasts


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(
    counted: Annotated[Metrics, from_state("metrics")],
    holdings: HoldingsDep,
    watcher: Annotated[Watcher, from_state("watcher")],
    clock: ClockDep,
) -> Response:
    """Everything that is counted, in the Prometheus text format."""
    counted.set_in_step(watcher.in_step)
    now = clock()
    found = ((asset, holdings.find(asset)) for asset in holdings.assets())
    stale = {asset: held.stale_sessions(now) for asset, held in found if held}
    counted.set_staleness({asset: it for asset, it in stale.items() if it is not None})
    return Response(counted.exposition(), media_type=Metrics.content_type)
