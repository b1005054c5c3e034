"""The one place where the service is put together."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from importlib.metadata import version

import structlog
from fastapi import FastAPI
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from models_store.mirror import Mirror, mirror_of
from models_store.signatures import TrustedKeys
from models_store.traces import Traces
from service.assets import measured_routes
from service.assets import routes as assets
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings
from service.assets.tally import IngestTally
from service.assets.watcher import Watcher
from service.dashboard import routes as dashboard
from service.database.base import Timeouts
from service.forecasts import news_impact_routes
from service.forecasts import routes as forecasts
from service.forecasts.encoding import EncodedForecasts
from service.forecasts.issuing import IssuedForecasts
from service.forecasts.policy import HistoryPolicy
from service.forecasts.query import Questions
from service.forecasts.rehearsing import HeldRehearsal
from service.forecasts.routes import ForecastState
from service.http.clock import Clock, utc_now
from service.http.draining import Draining
from service.http.errors import InvalidSetting
from service.http.lanes import Lane, Lanes
from service.http.limits import BodyLimits
from service.http.middleware import RequestMiddleware
from service.http.openapi import PATH, DescriptionFile
from service.http.problems import exception_handlers
from service.http.routing import include_routers
from service.hurst import routes as hurst
from service.hurst.reports import HurstReports
from service.ledger import routes as ledger
from service.ledger.live import LiveScorer, LiveScores
from service.ledger.reading import Ledger
from service.ledger.recorder import Recorder, Retention
from service.ledger.shadows import Shadows
from service.ledger.store import LedgerStore
from service.models import admin, comparison, loss_differences
from service.models import routes as models
from service.models.catalogue import Catalogue
from service.models.follower import Follower
from service.models.turning import Turner
from service.models.verifier import Verifier
from service.operations import health, metrics
from service.operations.collectors.database import DatabaseMetrics
from service.operations.collectors.disks import DiskMetrics
from service.operations.collectors.lanes import LaneMetrics
from service.operations.collectors.models import ModelMetrics
from service.operations.collectors.readiness import ReadinessMetrics
from service.operations.metrics import Metrics
from service.operations.seeding import open_both
from service.operations.store_folder import StoreFolder
from service.operations.telemetry import telemetry
from service.operations.trials import Trials, trials_of
from service.protocols import routes as inference
from service.protocols import series_routes as series
from service.security.guard import Guard, Policy
from service.security.keys import KeyRing
from service.security.openapi import describe_with_keys
from service.security.quotas import Quotas
from service.security.store import KeyStore
from service.settings import Settings
from volatility.errors import RoughcastError

log = structlog.get_logger("service")

_MAX_WAITING_PROBES = 8  # of a database that does not answer
_MAX_WAITING_COMMANDS = 8
_DESCRIPTION = """\
Forecasts tomorrow's realized volatility and says how far each forecast can be trusted.

Volatilities and variances are decimal: a volatility of 0.04 is 4 %. `rv` is a variance per day,
not annualized. Every error is an RFC 9457 problem document with a machine-readable `code`.
"""
_TAGS = {
    "forecast": "Tomorrow's volatility and the term structure, with intervals: one, held, or many.",
    "hurst": "Is a series rough, or is the estimate an artefact?",
    "compare": "Which of an asset's models can be told apart, out of sample.",
    "models": "What is in service, and what each model is.",
    "admin": "Which versions of models serve.",
    "assets": "What is held of each asset: bars in and out, and the history made of them.",
    "ledger": "What was forecast, what happened, and how models do live.",
    "Open Inference Protocol": "The same forecasts, as clients of other servers ask for them.",
    "KServe time series": "The same forecasts, as KServe's time-series clients ask for them.",
    "health": "Whether the process answers, and whether it can forecast.",
    "metrics": "What Prometheus reads.",
}


class State(ForecastState):
    """What the lifespan gives every request; routes ask for it by these names."""

    catalogue: Catalogue
    holdings: Holdings
    keys: KeyRing
    verifier: Verifier
    follower: Follower
    watcher: Watcher
    hurst_reports: HurstReports
    lanes: Lanes
    metrics: Metrics
    clock: Clock
    draining: Draining
    policy: HistoryPolicy | None
    store_folder: StoreFolder
    trials: Trials
    ledger: Ledger
    live: LiveScorer
    issued: IssuedForecasts
    body_limits: BodyLimits
    ingest_tally: IngestTally


def create_app(settings: Settings, clock: Clock = utc_now) -> FastAPI:
    """Put the service together.

    Parameters
    ----------
    settings : where models and history are, and what is accepted.
    clock : the time, with its zone; tests set their own.
    """
    counted = Metrics()
    app = FastAPI(
        title="Roughcast",
        version=version("roughcast"),
        description=_DESCRIPTION,
        openapi_tags=[{"name": name, "description": told} for name, told in _TAGS.items()],
        lifespan=partial(_lifespan, settings=settings, clock=clock, counted=counted),
        exception_handlers=exception_handlers(),
        telemetry=telemetry(),
        redirect_slashes=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
    )
    features = (
        *(forecasts, hurst, comparison, models, admin, assets, ledger),
        *(news_impact_routes, loss_differences, measured_routes),
        *(inference, series, health, metrics, dashboard),
    )
    include_routers(app, [feature.router for feature in features])
    app.add_middleware(Guard, policy=policy_of(settings), quotas=_quotas(settings))
    app.add_middleware(RequestMiddleware, tally=counted.requests, limits=_body_limits(settings))
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=["link", "retry-after", "roughcast-schema", "x-request-id"],
        )
    app.state.connections = counted.connections
    app.state.is_refused = False
    app.openapi = partial(describe_with_keys, app)  # type: ignore[method-assign]
    app.add_route(PATH, DescriptionFile(app).answer, include_in_schema=False)
    return app


@asynccontextmanager
async def _lifespan(
    app: FastAPI, settings: Settings, clock: Clock, counted: Metrics
) -> AsyncIterator[State]:
    with _telling_why(app):
        history = HistoryStore(settings.database_url, Timeouts.of(settings), clock)
    try:
        with _telling_why(app):
            state = await run_in_threadpool(_assemble, settings, history, clock, counted)
        counted.watch(*_collectors(settings, history, state))
        behind = (
            *(state["watcher"], state["verifier"], state["follower"]),
            *(state["ledger"].recorder, state["live"]),
        )
        for thread in behind:
            thread.start()
        try:
            async with counted.loop.watching():
                yield state
        finally:
            for thread in reversed(behind):
                await run_in_threadpool(thread.stop)
    finally:
        history.close()


@contextmanager
def _telling_why(app: FastAPI) -> Iterator[None]:
    """Log why the service cannot start, in a line instead of a traceback."""
    try:
        yield
    except RoughcastError as error:
        log.error("cannot start", reason=str(error))
        app.state.is_refused = True
        raise


def _collectors(settings: Settings, history: HistoryStore, state: State) -> list[Collector]:
    """What Prometheus sees of what has just been put together."""
    files = history.database.folder
    folders = {"store": settings.store_folder} | ({} if files is None else {"history": files})
    return [
        LaneMetrics(state["lanes"]),
        DatabaseMetrics(history.database.tally),
        ModelMetrics(state["catalogue"]),
        ReadinessMetrics(state["catalogue"], state["watcher"], state["draining"]),
        DiskMetrics(folders),
    ]


def policy_of(settings: Settings) -> Policy:
    """Who is let in."""
    return Policy.of(settings.host, settings.authentication, settings.allowed_hosts)


def _quotas(settings: Settings) -> Quotas | None:
    if settings.rate_limit is None and settings.concurrency_limit is None:
        return None
    return Quotas(settings.rate_limit, settings.concurrency_limit)


def _body_limits(settings: Settings) -> BodyLimits:
    return BodyLimits(settings.max_body_bytes, settings.max_body_values, settings.max_held_bytes)


def _lanes(settings: Settings) -> Lanes:
    return Lanes(
        work=Lane("work", settings.work_threads, settings.max_waiting_work),
        models=Lane("models", settings.work_threads, settings.max_waiting_work),
        ingest=Lane("bars", settings.ingest_threads, settings.max_waiting_ingests),
        ledger=Lane("issued forecasts", settings.work_threads, settings.max_waiting_work),
        probes=Lane("probe", 1, _MAX_WAITING_PROBES),
        commands=Lane("command", 1, _MAX_WAITING_COMMANDS),
    )


def _assemble(settings: Settings, history: HistoryStore, clock: Clock, counted: Metrics) -> State:
    mirror = _mirror(settings)
    store, every = open_both(settings, history, mirror), settings.follow_seconds
    traces = Traces(store.root)  # before the catalogue reads what it is to follow
    holdings, policy, lanes = Holdings(history), HistoryPolicy.of(settings), _lanes(settings)
    catalogue = Catalogue(store, settings.max_open_models, holdings.held_as)
    catalogue.prepare_one()
    holdings.load()
    stored, keys = _keys(settings, history)
    kept, live = _ledger(settings, catalogue, holdings, clock), LiveScores(holdings)
    versions, note = kept.questions.versions, kept.recorder.note
    questions = Questions(catalogue, holdings, clock, policy, live.of, versions)
    encoded = EncodedForecasts(note)
    turner = Turner(catalogue, HeldRehearsal(questions, encoded, holdings))
    log.info("models listed", **catalogue.totals(), universal=catalogue.universal.version)
    return State(
        catalogue=catalogue,
        holdings=holdings,
        keys=keys,
        verifier=Verifier(catalogue, turner, lanes.models),
        follower=Follower(catalogue, turner, traces, counted.swaps, every, mirror),
        watcher=Watcher(holdings, partial(stored.fill, keys), clock=clock),
        questions=questions,
        encoded=encoded,
        issued=IssuedForecasts(note),
        forecast_tally=counted.forecasts,
        hurst_reports=HurstReports(),
        lanes=lanes,
        metrics=counted,
        clock=clock,
        draining=Draining(),
        policy=policy,
        store_folder=StoreFolder(settings.store_folder, settings.database_connect_timeout),
        trials=trials_of(settings, history),
        ledger=kept,
        live=LiveScorer(live, kept, holdings),
        body_limits=_body_limits(settings),
        ingest_tally=counted.ingests,
    )


def _mirror(settings: Settings) -> Mirror | None:
    trusted = TrustedKeys.read(settings.trusted_keys)
    return mirror_of(settings.store, settings.store_mirror, trusted)


def _ledger(settings: Settings, catalogue: Catalogue, holdings: Holdings, clock: Clock) -> Ledger:
    store, questions = LedgerStore(holdings.store.database), Questions(catalogue, holdings, clock)
    shadows = Shadows(questions, holdings)
    retention = Retention(
        timedelta(days=settings.ledger_days),
        timedelta(days=settings.ledger_replay_days),
        settings.max_recorded,
    )
    recorder = Recorder(store, clock, settings.max_waiting_records, retention, shadows.beside)
    return Ledger(store, recorder, questions, holdings, catalogue)


def _keys(settings: Settings, history: HistoryStore) -> tuple[KeyStore, KeyRing]:
    stored, keys = KeyStore(history.database), KeyRing()
    stored.fill(keys)
    _check_keys(settings, keys)
    return stored, keys


def _check_keys(settings: Settings, keys: KeyRing) -> None:
    """Refuse to stand open, or to be locked to everybody, without anyone having said so."""
    if policy_of(settings).keys_required and not keys.keys:
        raise InvalidSetting(
            f"the service would listen on {settings.host} and let nobody in: there is no API key. "
            "Make one by python -m service keys make NAME --scopes forecast ingest, or set "
            "ROUGHCAST_AUTHENTICATION=none to let in everybody who reaches it",
            field="authentication",
            needed="an API key, or ROUGHCAST_AUTHENTICATION=none",
        )
