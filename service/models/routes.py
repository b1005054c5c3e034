"""``GET /models``, ``GET /models/universal`` and ``GET /models/{asset}/{model}``."""

from typing import Annotated

from fastapi import APIRouter, Query

from models_store import ArtifactRefused, LoadedModel, UniversalModel
from models_store.universal.store import UniversalStore
from service.http.problems import problems
from service.models.catalogue import Catalogue, CatalogueDep
from service.models.schemas import (
    ModelAnswer,
    ModelsAnswer,
    ModelSummary,
    UniversalAnswer,
    UniversalSummary,
    refused_answer,
)
from volatility.errors import UnknownAsset, UnknownModel, UnknownVersion
from volatility.evaluation.intervals import LEVELS

router = APIRouter(tags=["models"])


@router.get("/models")
async def models(catalogue: CatalogueDep) -> ModelsAnswer:
    """List the models in service, and what was refused."""
    return ModelsAnswer(
        models=[_summary(model, catalogue) for model in catalogue.all_models()],
        universal=_universal_summary(catalogue.universal.model),
        refused=[refused_answer(refusal) for refusal in catalogue.snapshot.refused],
    )


@router.get("/models/universal", responses=problems(UnknownModel, UnknownVersion, ArtifactRefused))
def universal(
    catalogue: CatalogueDep,
    version: Annotated[
        int | None, Query(ge=1, description="By default the version that answers.")
    ] = None,
) -> UniversalAnswer:
    """Describe one version of the model for every asset: what it was fitted on, and how it did."""
    served, store = (
        catalogue.universal.model,
        UniversalStore(catalogue.store.root, catalogue.store.trusted),
    )
    shown = catalogue.universal.get() if version is None else store.load(version)
    return UniversalAnswer(
        version=shown.version,
        sha256=shown.sha256,
        versions=store.versions(),
        served_version=served.version if served else None,
        manifest=shown.manifest,
    )


@router.get(
    "/models/{asset}/{model}",
    responses=problems(UnknownAsset, UnknownModel, UnknownVersion, ArtifactRefused),
)
def model(
    asset: str,
    model: str,
    catalogue: CatalogueDep,
    version: Annotated[
        int | None, Query(ge=1, description="By default the version that answers.")
    ] = None,
) -> ModelAnswer:
    """Describe one version of a model: its manifest says what it is, saw, and how it did."""
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


def _universal_summary(model: UniversalModel | None) -> UniversalSummary | None:
    if model is None:
        return None
    manifest = model.manifest
    return UniversalSummary(
        version=model.version,
        sha256=model.sha256,
        kinds=list(manifest.by_kind),
        measures=list(manifest.measures),
        horizons=list(manifest.horizons),
        levels=list(LEVELS),
        required_sessions=manifest.minimum_sessions,
        assets=len(manifest.assets),
        training_end=manifest.training_end,
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
