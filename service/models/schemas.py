"""``/models``: what is served."""

from datetime import date
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from models_store import Manifest, Refusal
from models_store.universal.manifest import UniversalManifest
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


class UniversalSummary(TypedDict):
    """The model for every asset, in short."""

    version: Annotated[int, Field(examples=[9])]
    sha256: Annotated[str, Field(description="Digest of the whole artifact.")]
    kinds: Annotated[list[str], Field(description="Of asset, that it tells apart.")]
    measures: Annotated[list[str], Field(description="Of rv, that it was fitted on.")]
    horizons: list[int]
    levels: Annotated[list[float], Field(description="Levels that intervals are offered for.")]
    required_sessions: Annotated[int, Field(description="Daily bars that it needs.", examples=[22])]
    assets: Annotated[int, Field(description="How many it was fitted on.", examples=[53])]
    training_end: Annotated[date, Field(description="Last session that the fit has seen.")]


class ModelsAnswer(TypedDict):
    """Every model in service, and what was refused."""

    models: list[ModelSummary]
    universal: Annotated[
        UniversalSummary | None,
        Field(description="The model for every asset; null where none serves."),
    ]
    refused: list[RefusedAnswer]


class ModelAnswer(TypedDict):
    """One version of a model, with its whole manifest.

    Where the model for every asset stands in, `model` is `universal`, the asset is the one that was
    asked about, and that in the manifest is `universal`.
    """

    asset: AssetName
    model: str
    version: int
    sha256: str
    versions: Annotated[list[int], Field(description="Every version in the store.")]
    served_version: Annotated[int | None, Field(description="The version that answers now.")]
    shadow_version: Annotated[
        int | None, Field(description="The version on trial, recorded and told to nobody.")
    ]
    champion: bool
    manifest: Manifest


class UniversalAnswer(TypedDict):
    """One version of the model for every asset, with its whole manifest."""

    version: int
    sha256: str
    versions: Annotated[list[int], Field(description="Every version in the store.")]
    served_version: Annotated[int | None, Field(description="The version that answers now.")]
    manifest: UniversalManifest


def refused_answer(refusal: Refusal) -> RefusedAnswer:
    """Describe an artifact that failed its checks, and what serves in its place."""
    return RefusedAnswer(
        asset=refusal.asset,
        model=refusal.model,
        version=refusal.version,
        reason=refusal.reason,
        served_version=refusal.served_version,
    )
