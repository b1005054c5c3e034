"""``/models``: what is served."""

from datetime import date
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from models_store import Manifest, Refusal
from service.http.fields import AssetName, Measure


class RefusedAnswer(TypedDict):
    """An artifact or a pointer that failed its checks, and what serves in its place."""

    asset: AssetName
    model: str
    version: int | None
    reason: Annotated[
        str, Field(examples=["coefficients.json has sha256 1f…, but SHA256SUMS says 2e…"])
    ]
    served_version: Annotated[
        int | None, Field(description="An earlier version that took over, if any.")
    ]


class ModelSummary(TypedDict):
    """One model in service."""

    asset: AssetName
    model: Annotated[str, Field(examples=["log_har"])]
    version: Annotated[int, Field(examples=[1])]
    sha256: Annotated[str, Field(description="Digest of the whole artifact.")]
    champion: Annotated[bool, Field(description="Whether `auto` means this model.")]
    measure: Measure
    horizons: list[int]
    levels: Annotated[list[float], Field(description="Levels that intervals are offered for.")]
    required_sessions: Annotated[
        int, Field(description="Sessions of history that a forecast needs.", examples=[22])
    ]
    columns: Annotated[
        list[str],
        Field(
            description="What the model sees of each session besides `rv`. Where there are any, "
            "send a history as bars, from which they are measured.",
            examples=[["return"]],
        ),
    ]
    training_end: Annotated[
        date, Field(description="Last session that the fit has seen.", examples=["2021-10-27"])
    ]


class ModelsAnswer(TypedDict):
    """Every model in service, and what was refused."""

    models: list[ModelSummary]
    refused: list[RefusedAnswer]


class ModelAnswer(TypedDict):
    """One version of a model, with its whole manifest."""

    asset: AssetName
    model: str
    version: int
    sha256: str
    versions: Annotated[list[int], Field(description="Every version in the store.")]
    served_version: Annotated[int | None, Field(description="The version that answers now.")]
    champion: bool
    manifest: Manifest


def refused_answer(refusal: Refusal) -> RefusedAnswer:
    """Describe an artifact that failed its checks, and what serves in its place."""
    return RefusedAnswer(
        asset=refusal.asset,
        model=refusal.model,
        version=refusal.version,
        reason=refusal.reason,
        served_version=refusal.served_version,
    )
