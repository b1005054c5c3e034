"""The service's description of itself, as ``/openapi.json`` and ``/docs`` show it."""

from copy import deepcopy
from threading import Lock
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from service.http.bodies import JSON, BodyRoute
from service.http.codes import CODES
from service.http.error_forms import FORMS
from service.http.errors import InvalidRequest
from service.http.examples import add_example, examples
from service.http.json import to_bytes
from service.http.problems import COMPONENTS, FaultDocument, Problem, problems

PATH = "/openapi.json"


class DescriptionFile:
    """The description as a file, made once, when it is first asked for, and off the event loop.

    Parameters
    ----------
    app : the application, whose ``openapi`` takes a sixth of a second.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._making = Lock()
        self._content: bytes | None = None

    async def answer(self, _request: Request) -> Response:
        """Answer with it."""
        return Response(self._content or await run_in_threadpool(self._made), media_type=JSON)

    def _made(self) -> bytes:
        with self._making:  # else a second thread would take what is half made for the whole
            if self._content is None:
                self._content = to_bytes(self._app.openapi())
            return self._content


def describe(app: FastAPI) -> dict[str, Any]:
    """OpenAPI of the application, with the bodies that :class:`BodyRoute` reads."""
    if app.openapi_schema:
        return app.openapi_schema
    document = FastAPI.openapi(app)
    components = document.setdefault("components", {}).setdefault("schemas", {})
    _, bodies = models_json_schema(
        [(schema, "validation") for schema in _bodies(app)], ref_template=COMPONENTS + "{model}"
    )
    components.update(bodies.get("$defs", {}))
    errors: list[type[Any]] = [Problem, *(form.schema for form in FORMS)]
    for schema in errors:
        described = TypeAdapter(schema).json_schema(ref_template=COMPONENTS + "{model}")
        components.update(described.pop("$defs", {}))
        components[schema.__name__] = described
    components["ErrorCode"] = {
        "type": "string",
        "enum": list(CODES),
        "description": "What is wrong, for programs; docs/api.md says of each when it occurs.",
    }
    for name in (Problem.__name__, FaultDocument.__name__):
        components[name]["properties"]["code"] = {"$ref": f"{COMPONENTS}ErrorCode"}
    # FastAPI describes its own form of validation errors; every error here is a problem document.
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    for path, operations in document["paths"].items():
        of_a_query = problems(InvalidRequest, path=path)[422]
        for operation in operations.values():
            add_example(operation, deepcopy(examples().get(operation["operationId"], {})))
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
            _replace_foreign_error(operation["responses"], of_a_query)
            operation["responses"].setdefault("422", of_a_query)
    return document


def _bodies(app: FastAPI) -> list[type[BaseModel]]:
    found = [route.schema for route in app.routes if isinstance(route, BodyRoute)]
    return [schema for schema in found if schema is not None]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that may be left out: no request can write a null there."""
    forms = [it for it in schema.get("anyOf", ()) if it != {"type": "null"}]
    if len(forms) != 1:
        return {**schema, "anyOf": forms} if forms else schema
    return {**forms[0], **{name: it for name, it in schema.items() if name != "anyOf"}}


def _replace_foreign_error(responses: dict[str, Any], ours: dict[str, Any]) -> None:
    described = responses.get("422", {}).get("content", {}).get(JSON, {})
    if described.get("schema", {}).get("$ref", "").endswith("/HTTPValidationError"):
        responses["422"] = ours
