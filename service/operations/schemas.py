"""``/health``."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from service.models.schemas import RefusedAnswer


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
