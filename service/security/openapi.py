"""What the description of the service says of keys and quotas."""

from typing import Any

from fastapi import FastAPI

from service.http.errors import (
    Forbidden,
    HostNotAllowed,
    RateLimited,
    TooManyAtOnce,
    Unauthorized,
)
from service.http.openapi import describe
from service.http.problems import problems
from service.security.scopes import needed_for

_SCHEME = "key"


def describe_with_keys(app: FastAPI) -> dict[str, Any]:
    """OpenAPI of the application, with the key that each route needs and how it is refused."""
    if app.openapi_schema:
        return app.openapi_schema
    document = describe(app)
    document["components"]["securitySchemes"] = {
        _SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "Where the service needs keys: `Authorization: Bearer KEY`.",
        }
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe(operation, path, needed_for(method.upper(), path))
    return document


def _describe(operation: dict[str, Any], path: str, scope: str | None) -> None:
    refusals = [HostNotAllowed, RateLimited, TooManyAtOnce]
    if scope is not None:
        refusals += [Unauthorized, Forbidden]
        operation["security"] = [{_SCHEME: []}]
        needed = f"Needs a key with the scope `{scope}` where keys are needed."
        operation["description"] = f"{operation.get('description', '')}\n\n{needed}".strip()
    found = problems(*refusals, path=path)
    operation["responses"].update({str(status): it for status, it in found.items()})
