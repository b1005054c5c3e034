"""The one place where the service is put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version

import structlog
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from service.assets import routes as assets
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings
from service.assets.watcher import Watcher
from service.database.base import Timeouts
from service.forecasts import routes as forecasts
from service.forecasts.encoding import EncodedForecasts
from service.forecasts.policy import HistoryPolicy
from service.forecasts.query import Questions
from service.forecasts.routes import ForecastState
from service.http.clock import Clock, utc_now
from service.http.draining import Draining
from service.http.errors import InvalidSetting
from service.http.lanes import Lane, Lanes
from service.http.limits import BodyLimits
from service.http.middleware import RequestMiddleware
from service.http.problems import exception_handlers
from service.http.routing import include_routers
from service.hurst import routes as hurst
from service.hurst.reports import HurstReports
from service.models import comparison
from service.models import routes as models
from service.models.catalogue import Catalogue
from service.operations import health, metrics
from service.operations.metrics import Metrics
from service.operations.seeding import open_both
from service.security.guard import Guard, Policy
from service.security.keys import KeyRing
from service.security.openapi import describe_with_keys
from service.security.quotas import Quotas
from service.security.store import KeyStore
from service.settings import Settings
from volatility.errors import RoughcastError

log = structlog.get_logger("service")

_MAX_WAITING_PROBES = 8  # of a database that does not answer
_DESCRIPTION = """\
Forecasts tomorrow's realized volatility and says how far each forecast can be trusted.

Volatilities and variances are decimal: a volatility of 0.04 is 4 %. `rv` is a variance per day,
not annualized. Every error is an RFC 9457 problem document with a machine-readable `code`.
"""


class State(ForecastState):
    """What the lifespan gives every request; routes ask for it by these names."""

    catalogue: Catalogue
    holdings: Holdings
    keys: KeyRing
    watcher: Watcher
    hurst_reports: HurstReports
    lanes: Lanes
    metrics: Metrics
    clock: Clock
    draining: Draining
    policy: HistoryPolicy | None


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
        lifespan=partial(_lifespan, settings=settings, clock=clock, counted=counted),
        exception_handlers=exception_handlers(),
        redirect_slashes=False,
        redoc_url=None,
    )
    features = (forecasts, hurst, comparison, models, assets, health, metrics)
    include_routers(app, [feature.router for feature in features])
    app.add_middleware(Guard, policy=policy_of(settings), quotas=_quotas(settings))
    limits = BodyLimits(settings.max_body_bytes, settings.max_body_values, settings.max_held_bytes)
    app.add_middleware(RequestMiddleware, tally=counted.requests, limits=limits)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT"],
            allow_headers=["authorization", "content-type", "x-request-id"],
            expose_headers=["retry-after", "roughcast-schema", "x-request-id"],
        )
    app.openapi = partial(describe_with_keys, app)  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(
    _app: FastAPI, settings: Settings, clock: Clock, counted: Metrics
) -> AsyncIterator[State]:
    history = HistoryStore(settings.database_url, Timeouts.of(settings))
    try:
        try:
            state = await run_in_threadpool(_assemble, settings, history, clock, counted)
        except RoughcastError as error:
            log.error("cannot start", reason=str(error))
            raise
        state["watcher"].start()
        try:
            yield state
        finally:
            await run_in_threadpool(state["watcher"].stop)
    finally:
        history.close()


def policy_of(settings: Settings) -> Policy:
    """Who is let in."""
    return Policy.of(settings.host, settings.authentication, settings.allowed_hosts)


def _quotas(settings: Settings) -> Quotas | None:
    if settings.rate_limit is None and settings.concurrency_limit is None:
        return None
    return Quotas(settings.rate_limit, settings.concurrency_limit)


def _lanes(settings: Settings) -> Lanes:
    return Lanes(
        work=Lane("work", settings.work_threads, settings.max_waiting_work),
        ingest=Lane("bars", settings.ingest_threads, settings.max_waiting_ingests),
        probes=Lane("probe", 1, _MAX_WAITING_PROBES),
    )


def _assemble(settings: Settings, history: HistoryStore, clock: Clock, counted: Metrics) -> State:
    catalogue = Catalogue.of(open_both(settings, history))
    holdings, policy = Holdings(history), HistoryPolicy.of(settings)
    holdings.load()
    stored, keys = KeyStore(history.database), KeyRing()
    stored.fill(keys)
    _check_keys(settings, keys)
    _log_loaded(catalogue, counted)
    return State(
        catalogue=catalogue,
        holdings=holdings,
        keys=keys,
        watcher=Watcher(holdings, partial(stored.fill, keys)),
        questions=Questions(catalogue, holdings, clock, policy),
        encoded=EncodedForecasts(),
        forecast_tally=counted.forecasts,
        hurst_reports=HurstReports(),
        lanes=_lanes(settings),
        metrics=counted,
        clock=clock,
        draining=Draining(),
        policy=policy,
    )


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


def _log_loaded(catalogue: Catalogue, counted: Metrics) -> None:
    """Say what was loaded and what was not."""
    loaded = {asset: len(models) for asset, models in catalogue.snapshot.models.items()}
    counted.set_models(loaded, len(catalogue.snapshot.refused))
    log.info("models loaded", models=loaded, universal=catalogue.universal.version)
    for refusal in catalogue.snapshot.refused:
        log.warning(
            "artifact refused",
            asset=refusal.asset,
            model=refusal.model,
            version=refusal.version,
            reason=refusal.reason,
            served_version=refusal.served_version,
        )
