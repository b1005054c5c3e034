"""``GET /health/live`` and ``GET /health/ready``."""

from fastapi import APIRouter

from service.dependencies import ServicesDep
from service.http.errors import NotReady
from service.http.problems import problems
from service.models.catalogue import Catalogue
from service.models.routes import refused
from service.operations.schemas import LiveAnswer, ReadyAnswer
from volatility.errors import RoughcastError

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> LiveAnswer:
    """Say that the process answers."""
    return LiveAnswer(status="ok")


@router.get("/ready", responses=problems(NotReady))
def ready(services: ServicesDep) -> ReadyAnswer:
    """Say whether the service can forecast: a model is loaded and the held history answers."""
    catalogue = services.catalogue
    number = len(catalogue.all_models())
    if not number:
        raise NotReady(_why_empty(catalogue), found=0, needed="at least one model in the store")
    services.holdings.store.ping()
    refusals = catalogue.snapshot.refused
    warnings = _warnings(catalogue)
    return ReadyAnswer(
        status="degraded" if refusals or warnings else "ok",
        models=number,
        assets=len(services.holdings),
        refused=[refused(refusal) for refusal in refusals],
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
