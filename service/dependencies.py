"""What routes depend on, by type. All of it is made once, by the lifespan of the application."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from service.catalogue import Catalogue
from service.forecaster import Forecaster
from service.holdings import Holdings
from service.metrics import Metrics
from service.roughness import Roughness

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a running application holds."""

    catalogue: Catalogue
    holdings: Holdings
    forecaster: Forecaster
    roughness: Roughness
    metrics: Metrics
    clock: Clock


# Asynchronous, although they wait for nothing: FastAPI would run plain functions in its thread
# pool, at a cost above that of a forecast.
async def _services(request: Request) -> Services:
    services: Services = request.state.services
    return services


ServicesDep = Annotated[Services, Depends(_services)]
