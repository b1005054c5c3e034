"""What routes depend on, by type. All of it is made once, by the lifespan of the application."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from service.assets.holdings import Holdings
from service.forecasts.forecaster import Forecaster
from service.http.clock import Clock
from service.hurst.reports import Roughness
from service.models.catalogue import Catalogue
from service.operations.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a running application holds."""

    catalogue: Catalogue
    holdings: Holdings
    forecaster: Forecaster
    roughness: Roughness
    metrics: Metrics
    clock: Clock


async def services_of(request: Request) -> Services:
    """What the lifespan made.

    Asynchronous, although it waits for nothing: FastAPI would run a plain function in its thread
    pool, at a cost above that of a forecast.
    """
    services: Services = request.scope["state"]["services"]
    return services


ServicesDep = Annotated[Services, Depends(services_of)]
