"""The Open Inference Protocol over HTTP: ``/v2``."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path
from starlette.requests import Request
from starlette.responses import Response

from models_store import ArtifactRefused
from service.assets.holdings import HoldingsDep
from service.forecasts.encoding import ForecastTally
from service.forecasts.readiness import models_ready
from service.forecasts.refused import BODY_ERRORS, FORECAST_ERRORS
from service.http.bodies import JSON, BodyRoute, Unread, read
from service.http.draining import DrainingDep
from service.http.errors import NotReady, Overloaded
from service.http.json_lists import Content
from service.http.lanes import LanesDep
from service.http.parts import InParts
from service.http.problems import problems
from service.models.catalogue import Catalogue, CatalogueDep
from service.protocols import metadata
from service.protocols.inference import Target
from service.protocols.inferring import answer_inference
from service.protocols.schemas import (
    IndexedModel,
    IndexRequest,
    InferAnswer,
    InferRequest,
    LiveServer,
    ModelDescription,
    ModelName,
    ReadyModel,
    ReadyServer,
    ServerDescription,
)
from volatility.errors import UnknownAsset, UnknownModel, UnknownVersion

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"], route_class=BodyRoute)

BINARY = "application/octet-stream"
_LENGTH = "Inference-Header-Content-Length"
_AS_SENT = ("", JSON, BINARY)  # Triton's client declares nothing
_UNKNOWN = (UnknownAsset, UnknownModel, UnknownVersion, ArtifactRefused)
_EXTENSIONS = ["binary_tensor_data"]

NamePath = Annotated[ModelName, Path()]
VersionPath = Annotated[int, Path(ge=1, le=2**31 - 1, description="Of the model.")]
InferBody = Annotated[Content, Unread(InferRequest, _AS_SENT)]
LengthHeader = Annotated[
    int | None,
    Header(
        alias=_LENGTH,
        ge=0,
        le=2**40,
        description="Bytes of the JSON, where binary data are behind it.",
    ),
]
_BYTES = {BINARY: {"schema": {"type": "string", "format": "binary"}}}
_INFER_RESPONSES: dict[int | str, dict[str, Any]] = {
    **problems(*BODY_ERRORS, *FORECAST_ERRORS, path="/v2"),
    200: {
        "content": _BYTES,
        "headers": {
            _LENGTH: {
                "description": "Bytes of the JSON, where binary data are behind it.",
                "schema": {"type": "integer"},
            }
        },
    },
}
_INFER_BODY = {"requestBody": {"content": _BYTES}}


@router.get("", operation_id="v2_server")
async def server(request: Request) -> ServerDescription:
    """Say what the service is."""
    return ServerDescription(name="roughcast", version=request.app.version, extensions=_EXTENSIONS)


@router.get("/health/live", operation_id="v2_live")
async def live() -> LiveServer:
    """Say that the process answers."""
    return LiveServer(live=True)


@router.get(
    "/health/ready", operation_id="v2_ready", responses=problems(NotReady, Overloaded, path="/v2")
)
async def ready(
    catalogue: CatalogueDep, holdings: HoldingsDep, lanes: LanesDep, draining: DrainingDep
) -> ReadyServer:
    """Say whether the service can forecast, as `GET /health/ready` does."""
    await models_ready(catalogue, holdings, lanes, draining)
    return ReadyServer(ready=True)


@router.get("/models/{name}", operation_id="v2_model", responses=problems(*_UNKNOWN, path="/v2"))
def model(name: NamePath, catalogue: CatalogueDep, holdings: HoldingsDep) -> ModelDescription:
    """Describe a model: its versions, and the tensors that it takes and gives."""
    return metadata.describe(Target(name), catalogue, holdings)


@router.get(
    "/models/{name}/versions/{version}",
    operation_id="v2_model_version",
    responses=problems(*_UNKNOWN, path="/v2"),
)
def model_version(
    name: NamePath, version: VersionPath, catalogue: CatalogueDep, holdings: HoldingsDep
) -> ModelDescription:
    """Describe one version of a model, serving or not."""
    return metadata.describe(Target(name, version), catalogue, holdings)


@router.get(
    "/models/{name}/ready", operation_id="v2_model_ready", responses=problems(*_UNKNOWN, path="/v2")
)
def model_ready(name: NamePath, catalogue: CatalogueDep, holdings: HoldingsDep) -> ReadyModel:
    """Say whether a model can forecast; it is verified first."""
    metadata.find(Target(name), catalogue, holdings)
    return ReadyModel(name=name, ready=True)


@router.get(
    "/models/{name}/versions/{version}/ready",
    operation_id="v2_model_version_ready",
    responses=problems(*_UNKNOWN, path="/v2"),
)
def version_ready(
    name: NamePath, version: VersionPath, catalogue: CatalogueDep, holdings: HoldingsDep
) -> ReadyModel:
    """Say whether one version of a model can forecast; it is verified first."""
    metadata.find(Target(name, version), catalogue, holdings)
    return ReadyModel(name=name, ready=True)


@router.post(
    "/models/{name}/infer",
    operation_id="v2_infer",
    response_model=InferAnswer,
    responses=_INFER_RESPONSES,
    openapi_extra=_INFER_BODY,
)
async def infer(
    name: NamePath, content: InferBody, request: Request, json_length: LengthHeader = None
) -> Response:
    """Forecast from tensors, one history a row, or from held history."""
    return await _infer(Target(name), content, json_length, request)


@router.post(
    "/models/{name}/versions/{version}/infer",
    operation_id="v2_infer_version",
    response_model=InferAnswer,
    responses=_INFER_RESPONSES,
    openapi_extra=_INFER_BODY,
)
async def infer_version(
    name: NamePath,
    version: VersionPath,
    content: InferBody,
    request: Request,
    json_length: LengthHeader = None,
) -> Response:
    """Forecast by one version of a model, serving or not."""
    return await _infer(Target(name, version), content, json_length, request)


@router.post(
    "/repository/index",
    operation_id="v2_repository_index",
    responses=problems(*BODY_ERRORS, path="/v2"),
)
async def index(
    content: Annotated[Content, Unread(IndexRequest, _AS_SENT)],
    catalogue: CatalogueDep,
    lanes: LanesDep,
) -> list[IndexedModel]:
    """List the models of the store; soon after a start, once all are known."""
    return await lanes.models.run(_indexed, content, catalogue)


def _indexed(content: Content, catalogue: Catalogue) -> list[IndexedModel]:
    asked = read(IndexRequest, content) if content else IndexRequest()
    return metadata.index(catalogue, asked.ready)


async def _infer(
    target: Target, content: Content, json_length: int | None, request: Request
) -> Response:
    encoded = await answer_inference(target, content, json_length, request.scope)
    tally: ForecastTally = request.scope["state"]["forecast_tally"]
    for (asset, model, flags), number in encoded.forecasts.items():
        tally.count(asset, model, number, flags)
    length = encoded.json_length
    if length is None:
        return InParts(encoded.parts, JSON)
    return InParts(encoded.parts, BINARY, {_LENGTH.lower(): str(length)})
