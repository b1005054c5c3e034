"""``GET /health/live`` and ``GET /health/ready``: their routes and schemas."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from typing_extensions import TypedDict

from service.assets.holdings import HoldingsDep
from service.http.draining import DrainingDep
from service.http.errors import DatabaseUnavailable, NotReady
from service.http.problems import problems
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
        Field(description="`degraded` if anything was refused: the rest serves."),
    ]
    models: Annotated[int, Field(description="Models in service.")]
    assets: Annotated[int, Field(description="Assets with held history.")]
    refused: list[RefusedAnswer]
    warnings: list[str]


@router.get("/live")
async def live() -> LiveAnswer:
    """Say that the process answers."""
    return LiveAnswer(status="ok")


@router.get("/ready", responses=problems(NotReady))
def ready(
    catalogue: CatalogueDep,
    holdings: HoldingsDep,
    draining: DrainingDep,
) -> ReadyAnswer:
    """Say whether the service can forecast: a model is loaded and the held history answers."""
    if draining.begun:
        raise NotReady("the service has been told to stop", needed="another process to ask")
    number = len(catalogue.all_models()) + (catalogue.universal.version is not None)
    if not number:
        raise NotReady(_why_empty(catalogue), found=0, needed="at least one model in the store")
    try:
        holdings.store.ping()
    except DatabaseUnavailable as error:
        raise NotReady(str(error), needed=error.needed) from None
    refusals = catalogue.snapshot.refused
    warnings = _warnings(catalogue)
    return ReadyAnswer(
        status="degraded" if refusals or warnings else "ok",
        models=number,
        assets=len(holdings),
        refused=[refused_answer(refusal) for refusal in refusals],
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
