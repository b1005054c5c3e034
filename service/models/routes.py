"""``GET /models`` and ``GET /models/{asset}/{model}``."""

from typing import Annotated

from fastapi import APIRouter, Query

from models_store import ArtifactRefused, LoadedModel, Refusal
from service.dependencies import ServicesDep
from service.http.problems import problems
from service.models.catalogue import Catalogue
from service.models.schemas import ModelAnswer, ModelsAnswer, ModelSummary, RefusedAnswer
from volatility.errors import UnknownAsset, UnknownModel, UnknownVersion

router = APIRouter(tags=["models"])


@router.get("/models")
async def models(services: ServicesDep) -> ModelsAnswer:
    """List the models in service, and what was refused."""
    catalogue = services.catalogue
    return ModelsAnswer(
        models=[_summary(model, catalogue) for model in catalogue.all_models()],
        refused=[refused(refusal) for refusal in catalogue.snapshot.refused],
    )


@router.get(
    "/models/{asset}/{model}",
    responses=problems(UnknownAsset, UnknownModel, UnknownVersion, ArtifactRefused),
)
def model(
    asset: str,
    model: str,
    services: ServicesDep,
    version: Annotated[
        int | None, Query(ge=1, description="By default the version that answers.")
    ] = None,
) -> ModelAnswer:
    """Describe one version of a model: its manifest says what it is, saw, and how it did."""
    catalogue = services.catalogue
    served = catalogue.find(asset, model)
    if version is None:
        shown = catalogue.resolve(asset, model).model
    elif served is not None and served.version == version:
        shown = served
    else:
        name = served.manifest.model if served else model  # where `auto` is asked for
        shown = catalogue.store.load(asset, name, version)
    manifest = shown.manifest
    return ModelAnswer(
        asset=manifest.asset,
        model=manifest.model,
        version=shown.version,
        sha256=shown.sha256,
        versions=catalogue.store.versions(manifest.asset, manifest.model),
        served_version=served.version if served else None,
        champion=catalogue.champion(asset) == manifest.model,
        manifest=manifest,
    )


def refused(refusal: Refusal) -> RefusedAnswer:
    """What was refused, and why."""
    return RefusedAnswer(
        asset=refusal.asset,
        model=refusal.model,
        version=refusal.version,
        reason=refusal.reason,
        served_version=refusal.served_version,
    )


def _summary(model: LoadedModel, catalogue: Catalogue) -> ModelSummary:
    manifest = model.manifest
    return ModelSummary(
        asset=manifest.asset,
        model=manifest.model,
        version=model.version,
        sha256=model.sha256,
        champion=catalogue.champion(manifest.asset) == manifest.model,
        measure=manifest.measure,
        horizons=list(manifest.horizons),
        levels=[interval.level for interval in manifest.intervals],
        required_sessions=model.required_sessions,
        columns=list(manifest.columns),
        training_end=manifest.training.end,
    )
