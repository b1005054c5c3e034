"""``/admin/…``: what serves, or is on trial, is changed by an operator; its routes and schemas."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.requests import Request
from typing_extensions import TypedDict

from models_store import ArtifactRefused
from models_store.names import InvalidName
from models_store.shadows import end_shadow, start_shadow
from models_store.succession import NewChampion, Swap
from service.http.bodies import BodyRoute
from service.http.errors import (
    BodyTooLarge,
    BodyTooSlow,
    InvalidRequest,
    MalformedJson,
    Overloaded,
    StoreNotWritable,
    UnsupportedMediaType,
)
from service.http.fields import AssetName, NamePath, RequestBody
from service.http.lanes import LanesDep
from service.http.problems import problems
from service.http.state import from_state
from service.models.catalogue import Catalogue, CatalogueDep
from service.models.follower import Follower
from service.models.schemas import RefusedAnswer, refused_answer
from service.models.turning import Turned
from service.models.writing import written
from service.security.audit import audited
from volatility.errors import UnknownAsset, UnknownModel, UnknownVersion

router = APIRouter(prefix="/admin", tags=["admin"], route_class=BodyRoute)

FollowerDep = Annotated[Follower, from_state("follower")]
ModelName = Annotated[str, Field(examples=["har"])]
_STORE_ERRORS = (
    InvalidRequest,
    InvalidName,
    UnknownAsset,
    UnknownModel,
    UnknownVersion,
    ArtifactRefused,
    StoreNotWritable,
    Overloaded,
)
_BODY_ERRORS = (MalformedJson, BodyTooLarge, BodyTooSlow, UnsupportedMediaType)


class RequestedVersion(RequestBody):
    """Which version is to serve, or to be tried."""

    version: Annotated[
        int, Field(ge=1, description="As `GET /models/{asset}/{model}` lists it.", examples=[2])
    ]


class SwapAnswer(TypedDict):
    """A model of which another version serves; `universal` of the model for every asset."""

    asset: AssetName
    model: ModelName
    served_before: Annotated[int | None, Field(description="Null where none did.")]
    served: Annotated[int, Field(examples=[2])]


class NewChampionAnswer(TypedDict):
    """An asset of which `auto` means another model."""

    asset: AssetName
    champion_before: Annotated[str | None, Field(description="Null where none was named.")]
    champion: ModelName


class ReloadAnswer(TypedDict):
    """What a look at the store has changed."""

    swaps: list[SwapAnswer]
    champions: list[NewChampionAnswer]
    refused: Annotated[
        list[RefusedAnswer],
        Field(description="What was tried and does not serve; what served before goes on."),
    ]


class PromotionAnswer(ReloadAnswer):
    """What the store says is to serve, and what serves in this process."""

    asset: AssetName
    model: ModelName
    promoted_version: Annotated[int, Field(description="As the store says now.", examples=[2])]
    served_version: Annotated[
        int | None,
        Field(description="Another one if the promoted one is among `refused`.", examples=[2]),
    ]


class ShadowAnswer(TypedDict):
    """Which version of a model is on trial beside the one that serves."""

    asset: AssetName
    model: ModelName
    shadow_version: Annotated[int | None, Field(description="Null where none is.", examples=[2])]


@router.post("/reload", operation_id="reload_store", responses=problems(InvalidRequest, Overloaded))
async def reload(request: Request, follower: FollowerDep, lanes: LanesDep) -> ReloadAnswer:
    """Look at the store now; what was refused is tried again, too."""
    turned = await lanes.commands.run(follower.look, None)
    audited(request, "reload", **_changed(turned))
    return _reload_answer(turned)


@router.post(
    "/models/{asset}/{model}/promote",
    operation_id="promote_model",
    responses=problems(*_STORE_ERRORS, *_BODY_ERRORS),
)
async def promote(
    body: RequestedVersion,
    asset: NamePath,
    model: NamePath,
    request: Request,
    catalogue: CatalogueDep,
    follower: FollowerDep,
    lanes: LanesDep,
) -> PromotionAnswer:
    """Let a version serve, in the store and then here; other processes follow within seconds."""
    store, version = catalogue.store, body.version
    await lanes.commands.run(written, lambda: store.promote(asset, model, version))
    audited(request, "promote", asset=asset, model=model, version=version)
    turned = await lanes.commands.run(follower.look, [(asset, model)])
    return _promotion_answer(asset, model, version, turned, catalogue)


@router.post(
    "/models/{asset}/{model}/roll-back",
    operation_id="roll_back_model",
    responses=problems(*_STORE_ERRORS),
)
async def roll_back(
    asset: NamePath,
    model: NamePath,
    request: Request,
    catalogue: CatalogueDep,
    follower: FollowerDep,
    lanes: LanesDep,
) -> PromotionAnswer:
    """Let the version serve that served before; again for the one before that."""
    store = catalogue.store
    version = await lanes.commands.run(written, lambda: store.roll_back(asset, model))
    audited(request, "roll back", asset=asset, model=model, version=version)
    turned = await lanes.commands.run(follower.look, [(asset, model)])
    return _promotion_answer(asset, model, version, turned, catalogue)


@router.post(
    "/models/{asset}/{model}/shadow",
    operation_id="start_shadow",
    responses=problems(*_STORE_ERRORS, *_BODY_ERRORS),
)
async def try_version(
    body: RequestedVersion,
    asset: NamePath,
    model: NamePath,
    request: Request,
    catalogue: CatalogueDep,
    follower: FollowerDep,
    lanes: LanesDep,
) -> ShadowAnswer:
    """Have a version forecast beside each answer, recorded and told to nobody, in all processes."""
    store, version = catalogue.store, body.version
    await lanes.commands.run(written, lambda: start_shadow(store, asset, model, version))
    audited(request, "start shadow", asset=asset, model=model, version=version)
    await lanes.commands.run(follower.look)
    return ShadowAnswer(asset=asset, model=model, shadow_version=version)


@router.delete(
    "/models/{asset}/{model}/shadow",
    operation_id="end_shadow",
    responses=problems(*_STORE_ERRORS),
)
async def end_trial(
    asset: NamePath,
    model: NamePath,
    request: Request,
    catalogue: CatalogueDep,
    follower: FollowerDep,
    lanes: LanesDep,
) -> ShadowAnswer:
    """End the trial of a model's version; what it has forecast stays recorded."""
    store = catalogue.store
    await lanes.commands.run(written, lambda: end_shadow(store, asset, model))
    audited(request, "end shadow", asset=asset, model=model)
    await lanes.commands.run(follower.look)
    return ShadowAnswer(asset=asset, model=model, shadow_version=None)


def _changed(turned: Turned) -> dict[str, int]:
    return {
        "swaps": len(turned.swaps),
        "champions": len(turned.champions),
        "refused": len(turned.refused),
    }


def _reload_answer(turned: Turned) -> ReloadAnswer:
    return ReloadAnswer(
        swaps=[_swap_answer(it) for it in turned.swaps],
        champions=[_champion_answer(it) for it in turned.champions],
        refused=[refused_answer(it) for it in turned.refused],
    )


def _swap_answer(swap: Swap) -> SwapAnswer:
    asset, model, before, served = swap
    return SwapAnswer(asset=asset, model=model, served_before=before, served=served)


def _champion_answer(champion: NewChampion) -> NewChampionAnswer:
    asset, before, name = champion
    return NewChampionAnswer(asset=asset, champion_before=before, champion=name)


def _promotion_answer(
    asset: str, model: str, version: int, turned: Turned, catalogue: Catalogue
) -> PromotionAnswer:
    card = catalogue.shelf.rack(asset).cards().get(model)
    return PromotionAnswer(
        asset=asset,
        model=model,
        promoted_version=version,
        served_version=card.version if card and model in catalogue.models(asset) else None,
        **_reload_answer(turned),
    )
