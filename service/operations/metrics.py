"""``GET /metrics``: what Prometheus sees of one service."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import accumulate
from typing import Annotated

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.responses import Response

from models_store import Refusal
from service.assets.holdings import HoldingsDep
from service.assets.tally import IngestTally
from service.assets.watcher import Watcher
from service.forecasts.encoding import ForecastTally
from service.http.bodies import StrictRoute
from service.http.clock import ClockDep
from service.http.connections import ConnectionTally
from service.http.middleware import LATENCY_BUCKETS, RequestTally
from service.http.state import from_state
from service.ledger.live import LiveScorer, LiveScores
from service.ledger.reading import Ledger
from service.ledger.recorder import Recorder
from service.models.catalogue import CatalogueDep
from service.models.follower import Follower, SwapTally
from service.operations.collectors.connections import ConnectionMetrics
from service.operations.collectors.event_loop import LoopLag
from service.operations.collectors.forecasts import FlagMetrics
from service.operations.collectors.ingestion import IngestMetrics
from service.operations.collectors.process import ProcessMetrics
from service.operations.staleness import stale_sessions

router = APIRouter(tags=["metrics"], route_class=StrictRoute)

MOST_SHOWN = 100  # models one by one; how many there are in all is a number of its own


class Metrics:
    """Counters and gauges of one service, in a registry of their own.

    Attributes
    ----------
    requests, forecasts, connections, ingests, swaps, loop : what is counted as it happens, and read
        when Prometheus asks.
    ledger, live : of what is read then.
    """

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self.requests = RequestTally()
        self.forecasts = ForecastTally()
        self.connections = ConnectionTally()
        self.ingests = IngestTally()
        self.swaps = SwapTally()
        self.loop = LoopLag()
        self.ledger = _Ledger()
        self.live = _Live()
        self._watched = _Watched()
        self._registry = CollectorRegistry()
        for it in self._collectors():
            self._registry.register(it)
        self._make_gauges(partial(Gauge, registry=self._registry))

    def _make_gauges(self, gauge: Callable[..., Gauge]) -> None:
        """What is set when Prometheus asks."""
        self._models_loaded = gauge("roughcast_models_loaded", "Models in service.", ("asset",))
        self._models_refused = gauge(
            "roughcast_models_refused",
            "Artifacts that failed their checks, as far as they have been verified.",
        )
        self._models_unverified = gauge(
            "roughcast_models_unverified", "Models in service that have not been verified yet."
        )
        self._not_as_promoted = gauge(
            "roughcast_models_not_as_promoted",
            "Models of which another version serves than the store says, or none.",
        )
        of = f"of at most {MOST_SHOWN} models of which another serves than is to"
        self._served, self._promoted = (
            gauge(f"roughcast_{what}_version", f"Version {said}, {of}.", ("asset", "model"))
            for what, said in (("served", "that serves or 0"), ("promoted", "that is to serve"))
        )
        self._store_age = gauge(
            "roughcast_store_age_seconds", "Since the store was last compared with what serves."
        )
        self._stale_sessions = gauge(
            "roughcast_stale_sessions",
            "Closed sessions after the last one held or, of an asset without bars, fitted on.",
            ("asset",),
        )
        self._in_step = gauge(
            "roughcast_history_in_step",
            "1 if the held history was compared with its database at the last try, else 0.",
        )

    def _collectors(self) -> tuple[Collector, ...]:
        return (
            _Requests(self.requests),
            _Forecasts(self.forecasts),
            _Swaps(self.swaps),
            FlagMetrics(self.forecasts),
            ConnectionMetrics(self.connections),
            IngestMetrics(self.ingests),
            self.loop,
            self.ledger,
            self.live,
            ProcessMetrics(),
            self._watched,
        )

    def watch(self, *collectors: Collector) -> None:
        """Show these too, in place of those of a start before."""
        self._watched.collectors = collectors

    def set_in_step(self, in_step: bool) -> None:
        """Note whether the held history follows its database."""
        self._in_step.set(in_step)

    def set_models(self, serving: dict[str, int], refused: int, unverified: int) -> None:
        """Note how many models serve, by asset, and how many were refused or not verified yet."""
        self._models_loaded.clear()  # of an asset whose models are all refused, too
        for asset, number in serving.items():
            self._models_loaded.labels(asset).set(number)
        self._models_refused.set(refused)
        self._models_unverified.set(unverified)

    def set_promoted(self, differing: Sequence[Refusal], age: float) -> None:
        """Note where something else serves than the store says, and how old that knowledge is."""
        self._not_as_promoted.set(len(differing))
        self._served.clear()
        self._promoted.clear()
        for it in differing[:MOST_SHOWN]:
            self._served.labels(it.asset, it.model).set(it.served_version or 0)
            if it.version is not None:
                self._promoted.labels(it.asset, it.model).set(it.version)
        self._store_age.set(age)

    def set_staleness(self, stale_sessions: dict[str, int]) -> None:
        """Note how old each asset's held history is."""
        self._stale_sessions.clear()  # of an asset that is deleted
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
        yield GaugeMetricFamily(
            "roughcast_requests_in_flight",
            "Requests that have come and are not answered yet, this one among them.",
            value=self._tally.in_flight,
        )
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


class _Watched(Collector):
    collectors: Sequence[Collector] = ()

    def collect(self) -> Iterator[Metric]:
        for it in self.collectors:
            yield from it.collect()


class _Ledger(Collector):
    """How far the ledger is."""

    recorder: Recorder | None = None

    def collect(self) -> Iterator[Metric]:
        found = self.recorder
        if found is None:
            return
        yield GaugeMetricFamily(
            "roughcast_ledger_waiting", "Answers that wait to be recorded.", value=found.waiting
        )
        for name, help_, number in (
            ("written", "Forecasts recorded.", found.written),
            ("lost", "Answers that were not recorded.", found.lost),
        ):
            yield CounterMetricFamily(f"roughcast_ledger_{name}", help_, value=number)


class _Live(Collector):
    """How models do live, of those that have outcomes."""

    scores: LiveScores | None = None

    def collect(self) -> Iterator[Metric]:
        of_model = ("asset", "model", "version", "horizon")
        ratio = GaugeMetricFamily(
            "roughcast_live_qlike_ratio",
            "QLIKE of live forecasts over that of the benchmark on the same dates.",
            labels=(*of_model, "benchmark"),
        )
        coverage = GaugeMetricFamily(
            "roughcast_live_coverage",
            "Share of live outcomes inside of the intervals of a level.",
            labels=(*of_model, "level"),
        )
        alarm = GaugeMetricFamily(
            "roughcast_live_alarm",
            "1 if live forecasts were found not to be what was promised within the last 22 "
            "outcomes, else 0.",
            labels=(*of_model, "watched"),
        )
        for (asset, horizon), each in list(self.scores.performances.items() if self.scores else ()):
            for it in each:
                track = it.scored.track
                labels = (asset, track.model, str(track.version), str(horizon))
                for benchmark, against in it.against.items():
                    ratio.add_metric((*labels, benchmark), against.qlike_ratio)
                for interval in it.intervals:
                    coverage.add_metric((*labels, str(interval.level)), interval.coverage)
                for watched, found in it.alarms.items():
                    alarm.add_metric((*labels, watched), found.active)
        yield from (ratio, coverage, alarm)


class _Swaps(Collector):
    def __init__(self, tally: SwapTally) -> None:
        self._tally = tally

    def collect(self) -> Iterator[Metric]:
        swaps = "Versions and champions put in the place of others while serving."
        yield CounterMetricFamily("roughcast_swaps", swaps, value=self._tally.swaps)
        refused = "Versions and champions that the store said and that do not serve."
        yield CounterMetricFamily("roughcast_swaps_refused", refused, value=self._tally.refused)


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(
    counted: Annotated[Metrics, from_state("metrics")],
    catalogue: CatalogueDep,
    holdings: HoldingsDep,
    watcher: Annotated[Watcher, from_state("watcher")],
    ledger: Annotated[Ledger, from_state("ledger")],
    live: Annotated[LiveScorer, from_state("live")],
    follower: Annotated[Follower, from_state("follower")],
    clock: ClockDep,
) -> Response:
    """Everything that is counted, in the Prometheus text format."""
    counted.ledger.recorder, counted.live.scores = ledger.recorder, live.scores
    shelf = catalogue.shelf
    counted.set_models(catalogue.numbers(), len(shelf.refused), shelf.unverified)
    counted.set_promoted(shelf.not_as_promoted, follower.age)
    counted.set_in_step(watcher.in_step)
    counted.set_staleness(stale_sessions(holdings, catalogue, clock()))
    return Response(counted.exposition(), media_type=Metrics.content_type)
