"""``GET /models``, ``GET /models/universal`` and ``GET /models/{asset}/{model}``."""

from typing import Annotated

from fastapi import APIRouter, Query

from models_store import ArtifactRefused, Card, UniversalModel
from service.http.bodies import StrictRoute
from service.http.errors import InvalidRequest
from service.http.fields import NamePath
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
from service.models.versions import universal_store, version_of, versions_of
from volatility.errors import UnknownAsset, UnknownModel, UnknownVersion
from volatility.evaluation.intervals import LEVELS

router = APIRouter(tags=["models"], route_class=StrictRoute)


@router.get("/models", operation_id="list_models")
def models(catalogue: CatalogueDep) -> ModelsAnswer:
    """List the models in service, and what was refused; soon after a start, once all are known."""
    cards = catalogue.shelf.cards()  # before what was refused, which it finds out
    return ModelsAnswer(
        models=[_summary(card, catalogue) for card in cards],
        universal=_universal_summary(catalogue.universal.model),
        refused=[refused_answer(refusal) for refusal in catalogue.shelf.refused],
    )


@router.get(
    "/models/universal",
    operation_id="get_universal_model",
    responses=problems(UnknownModel, UnknownVersion, ArtifactRefused),
)
def universal(
    catalogue: CatalogueDep,
    version: Annotated[
        int | None, Query(ge=1, description="By default the version that answers.")
    ] = None,
) -> UniversalAnswer:
    """Describe one version of the model for every asset: what it was fitted on, and how it did."""
    served, store = catalogue.universal.model, universal_store(catalogue)
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
    operation_id="get_model",
    responses=problems(InvalidRequest, UnknownAsset, UnknownModel, UnknownVersion, ArtifactRefused),
)
def model(
    asset: NamePath,
    model: NamePath,
    catalogue: CatalogueDep,
    version: Annotated[
        int | None, Query(ge=1, description="By default the version that answers.")
    ] = None,
) -> ModelAnswer:
    """Describe one version of a model: its manifest says what it is, saw, and how it did."""
    served = catalogue.find(asset, model)
    shown = version_of(catalogue, asset, model, version)
    manifest = shown.manifest
    is_own = manifest.asset == asset  # else the model for every asset stands in
    return ModelAnswer(
        asset=asset,
        model=manifest.model,
        version=shown.version,
        sha256=shown.sha256,
        versions=versions_of(catalogue, asset, shown),
        served_version=served.version if served else None,
        shadow_version=catalogue.on_trial.version(asset, manifest.model) if is_own else None,
        champion=is_own and catalogue.champion(asset) == manifest.model,
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


def _summary(card: Card, catalogue: Catalogue) -> ModelSummary:
    return ModelSummary(
        asset=card.asset,
        model=card.model,
        version=card.version,
        sha256=card.sha256,
        champion=catalogue.champion(card.asset) == card.model,
        measure=card.measure,
        horizons=list(card.horizons),
        levels=list(card.levels),
        required_sessions=card.required_sessions,
        columns=list(card.columns),
        training_end=card.training_end,
    )
