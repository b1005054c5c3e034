"""``GET /health/live`` and ``GET /health/ready``: their routes and schemas."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from typing_extensions import TypedDict

from models_store import Store
from service.assets.holdings import Holdings, HoldingsDep
from service.forecasts.policy import HistoryPolicy
from service.http.clock import ClockDep
from service.http.draining import DrainingDep
from service.http.errors import DatabaseUnavailable, NotReady, Overloaded
from service.http.lanes import LanesDep
from service.http.problems import problems
from service.http.state import from_state
from service.models.catalogue import Catalogue, CatalogueDep
from service.models.schemas import RefusedAnswer, refused_answer
from volatility.errors import RoughcastError

router = APIRouter(prefix="/health", tags=["health"])


class LiveAnswer(TypedDict):
    """The process answers."""

    status: Literal["ok"]


class ReadyAnswer(TypedDict):
    """The service can forecast."""

    status: Annotated[
        Literal["ok", "degraded"],
        Field(
            description="`degraded` if anything was refused or is to be warned of: the rest serves."
        ),
    ]
    models: Annotated[int, Field(description="Models in service.")]
    assets: Annotated[int, Field(description="Assets with held history.")]
    refused: list[RefusedAnswer]
    stale_sessions: Annotated[
        dict[str, int],
        Field(
            description="Sessions that have closed since the last one held, by asset; none of "
            "one that is up to date."
        ),
    ]
    warnings: list[str]


@router.get("/live")
async def live() -> LiveAnswer:
    """Say that the process answers."""
    return LiveAnswer(status="ok")


@router.get("/ready", responses=problems(NotReady, Overloaded))
async def ready(
    catalogue: CatalogueDep,
    holdings: HoldingsDep,
    lanes: LanesDep,
    draining: DrainingDep,
    clock: ClockDep,
    policy: Annotated[HistoryPolicy | None, from_state("policy")],
) -> ReadyAnswer:
    """Say whether the service can forecast: a model is loaded and the held history answers."""
    if draining.begun:
        raise NotReady("the service has been told to stop", needed="another process to ask")
    number = len(catalogue.all_models()) + (catalogue.universal.version is not None)
    if not number:
        raise NotReady(_why_empty(catalogue), found=0, needed="at least one model in the store")
    try:
        await lanes.probes.run(holdings.store.ping)
    except DatabaseUnavailable as error:
        raise NotReady(str(error), needed=error.needed) from None
    refusals = catalogue.snapshot.refused
    stale = _stale_sessions(holdings, clock())
    warnings = [
        *_store_warnings(catalogue.store),
        *_clock_warnings(holdings, clock()),
        *_stale_warnings(stale, policy),
        *_warnings(catalogue),
    ]
    return ReadyAnswer(
        status="degraded" if refusals or warnings else "ok",
        models=number,
        assets=len(holdings),
        refused=[refused_answer(refusal) for refusal in refusals],
        stale_sessions=stale,
        warnings=warnings,
    )


def _why_empty(catalogue: Catalogue) -> str:
    refusals = catalogue.snapshot.refused
    if not refusals:
        return f"the store {catalogue.store.root} holds no models in service"
    return "every model was refused: " + "; ".join(
        f"{it.asset}/{it.model}: {it.reason}" for it in refusals
    )


def _warnings(catalogue: Catalogue) -> list[str]:
    """What went wrong in comparing the models, by asset."""
    found = []
    for asset, comparison in catalogue.comparisons.items():
        if isinstance(comparison.result, RoughcastError):
            found.append(f"the models of {asset} cannot be compared: {comparison.result}")
        found += [f"{asset}/{it.model} {it.reason}" for it in comparison.misaligned]
    return found


def _stale_sessions(holdings: Holdings, now: datetime) -> dict[str, int]:
    found = ((asset, holdings.find(asset)) for asset in holdings.assets())
    stale = ((asset, held.stale_sessions(now)) for asset, held in found if held)
    return {asset: number for asset, number in stale if number}


def _stale_warnings(stale: dict[str, int], policy: HistoryPolicy | None) -> list[str]:
    """Which histories are not forecast from, since the operator allows none so old."""
    if policy is None or policy.most_stale is None:
        return []
    return [
        f"the history of {asset} is {number} sessions old; at most {policy.most_stale} are allowed"
        for asset, number in stale.items()
        if number > policy.most_stale
    ]


def _clock_warnings(holdings: Holdings, now: datetime) -> list[str]:
    found = (holdings.find(asset) for asset in holdings.assets())
    doubts = (held.doubt_of_clock(now) for held in found if held)
    return list(dict.fromkeys(doubt for doubt in doubts if doubt))


def _store_warnings(store: Store) -> list[str]:
    """What is loaded goes on serving without its store; a start would not."""
    try:
        is_empty = not any(store.root.iterdir())
    except OSError as error:
        return [f"the store {store.root} cannot be read any more: {error.strerror}"]
    return [f"the store {store.root} has become empty"] if is_empty else []
