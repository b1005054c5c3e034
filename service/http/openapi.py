"""The service's description of itself, as ``/openapi.json`` and ``/docs`` show it."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from service.http.bodies import JSON, BodyRoute
from service.http.error_forms import FORMS
from service.http.errors import InvalidRequest
from service.http.problems import COMPONENTS, Problem, problems


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
    # FastAPI describes its own form of validation errors; every error here is a problem document.
    for name in ("HTTPValidationError", "ValidationError"):
        components.pop(name, None)
    for path, operations in document["paths"].items():
        of_a_query = problems(InvalidRequest, path=path)[422]
        for operation in operations.values():
            _replace_foreign_error(operation["responses"], of_a_query)
            operation["responses"].setdefault("422", of_a_query)
    return document


def _bodies(app: FastAPI) -> list[type[BaseModel]]:
    found = [route.schema for route in app.routes if isinstance(route, BodyRoute)]
    return [schema for schema in found if schema is not None]


def _replace_foreign_error(responses: dict[str, Any], ours: dict[str, Any]) -> None:
    described = responses.get("422", {}).get("content", {}).get(JSON, {})
    if described.get("schema", {}).get("$ref", "").endswith("/HTTPValidationError"):
        responses["422"] = ours
