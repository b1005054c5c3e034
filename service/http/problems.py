"""Errors as RFC 9457 problem documents: one form for everything that can go wrong."""

import math
import reprlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from typing_extensions import TypedDict

from service.http.codes import OF_CLASS
from service.http.cutting import LONGEST_PART, cut, cut_name, cut_sentence
from service.http.error_forms import foreign_form
from service.http.errors import (
    Fault,
    InternalError,
    InvalidRequest,
    MalformedJson,
    MethodNotAllowed,
    RouteNotFound,
    ServiceError,
    status_of,
)
from service.http.json import to_bytes
from service.http.wording import told
from volatility.errors import Finding, InvalidBars, RoughcastError

MEDIA_TYPE = "application/problem+json"
COMPONENTS = "#/components/schemas/"  # where OpenAPI keeps its schemas
# As RFC 9110 has them; Python knows older names up to 3.12.
_PHRASES = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
MOST_FAULTS = 20  # that are looked for in one request
_LARGEST_EXACT = 2**53  # JSON readers keep integers up to here
_SOURCES = (("body",), ("query",), ("path",), ("header",))
_CODES = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "too_long": "too_many_items",
    "string_too_short": "empty_value",
}


class FaultDocument(TypedDict):
    """One of several things that are wrong."""

    code: str
    detail: str
    field: str | None
    found: Any
    needed: str | None


class Problem(TypedDict):
    """RFC 9457 problem document; branch on ``code``, show ``detail`` to people."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    field: str | None
    found: Any
    needed: str | None
    errors: list[FaultDocument]


def problem_of(error: RoughcastError, instance: str) -> Problem:
    """Describe ``error``, which happened to ``instance`` (a path, or a path and an item in it)."""
    status = status_of(type(error))
    return Problem(
        type=f"urn:roughcast:problem:{error.code}",
        title=_phrase(status),
        status=status,
        detail=cut_sentence(str(error)),
        instance=instance,
        code=error.code,
        field=cut_name(error.field),
        found=presentable(error.found),
        needed=error.needed and cut_sentence(error.needed),
        errors=[_document(fault) for fault in _faults(error)],
    )


def problem_response(
    error: RoughcastError, instance: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with the problem document of ``error``, or the form of the protocol of its path."""
    form, status = foreign_form(instance), status_of(type(error))
    content = form.write(error, status) if form else problem_of(error, instance)
    own = error.headers if isinstance(error, ServiceError) else {}
    media_type = form.media_type if form else MEDIA_TYPE
    return Response(to_bytes(content), status, {**own, **(headers or {})}, media_type)


def from_validation(
    details: Sequence[ErrorDetails], schema: type[BaseModel] | None = None, stopped: bool = False
) -> InvalidRequest | MalformedJson:
    """Translate what pydantic found wrong with a body or with parameters.

    Parameters
    ----------
    details : at least one fault, of which :data:`MOST_FAULTS` are told.
    schema : of the body; None of parameters.
    stopped : whether there may be more, which nobody has looked for.
    """
    first = details[0]
    if first["type"] == "json_invalid":
        reason = first.get("ctx", {}).get("error", first["msg"])
        return MalformedJson(
            f"the body is not JSON: {reason}", field="body", needed="a JSON document (RFC 8259)"
        )
    stopped = stopped or len(details) > MOST_FAULTS
    return InvalidRequest([_fault(detail, schema) for detail in details[:MOST_FAULTS]], stopped)


def field_name(location: tuple[int | str, ...]) -> str:
    """Write a pydantic location as in ``history.bars[3].close``."""
    parts = location[1:] if location[:1] in _SOURCES else location
    name = "".join(
        f"[{part}]" if isinstance(part, int) else f".{cut(part, LONGEST_PART)}" for part in parts
    )
    return cut(name.lstrip(".")) or "body"


def presentable(found: object) -> Any:
    """Something JSON can hold, and not much longer than a line, that shows ``found``."""
    if found is None or isinstance(found, bool):
        return found
    if isinstance(found, int) and abs(found) < _LARGEST_EXACT:
        return found
    if isinstance(found, float) and math.isfinite(found):
        return found
    return cut(found if isinstance(found, str) else _short_repr(found))


def problems(*errors: type[RoughcastError], path: str = "") -> dict[int | str, dict[str, Any]]:
    """``responses`` of a route that may end in these errors, for OpenAPI.

    Parameters
    ----------
    errors : their classes.
    path : of the route, which tells in which form they are.
    """
    codes: dict[int, list[str]] = {}
    for error in errors:
        codes.setdefault(status_of(error), []).extend(OF_CLASS.get(error.code, (error.code,)))
    form = foreign_form(path)
    told = {
        status: ", ".join(f"`{it}`" for it in dict.fromkeys(of)) for status, of in codes.items()
    }
    media_type, schema = (form.media_type, form.schema) if form else (MEDIA_TYPE, Problem)
    return {
        status: {
            "description": f"{_phrase(status)}: {found}",
            "content": {media_type: {"schema": {"$ref": f"{COMPONENTS}{schema.__name__}"}}},
        }
        for status, found in told.items()
    }


def _phrase(status: int) -> str:
    return _PHRASES.get(status) or HTTPStatus(status).phrase


ExceptionHandler = Callable[[Request, Any], Coroutine[Any, Any, Response]]


def exception_handlers() -> dict[int | type[Exception], ExceptionHandler]:
    """Handlers for every exception that a request may end in, except bugs."""
    return {
        RoughcastError: _on_domain_error,
        RequestValidationError: _on_validation_error,
        HTTPException: _on_http_exception,
    }


async def _on_domain_error(request: Request, error: RoughcastError) -> Response:
    return problem_response(error, request.url.path)


async def _on_validation_error(request: Request, error: RequestValidationError) -> Response:
    return problem_response(from_validation(list(error.errors())), request.url.path)


async def _on_http_exception(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers = {"allow": _methods_of(request)}
    return problem_response(_from_http(request, error), request.url.path, headers)


def _from_http(request: Request, error: HTTPException) -> RoughcastError:
    """Translate what the router itself raises."""
    path, method = request.url.path, request.method
    if error.status_code == HTTPStatus.NOT_FOUND:
        return RouteNotFound(
            f"there is no route {path}", field="path", found=path, needed="a path listed in /docs"
        )
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        needed = _methods_of(request)
        return MethodNotAllowed(
            f"{path} does not answer {method}", field="method", found=method, needed=needed
        )
    return InternalError(f"unexpected HTTP status {error.status_code}")


def _methods_of(request: Request) -> str:
    """Every method that a path answers; the router itself names those of one of its routes."""
    head = {**request.scope, "method": "HEAD"}
    found: set[str] = set()
    for route in request.app.routes:
        match = route.matches(head)[0]
        if match is not Match.NONE:
            found |= getattr(route, "methods", set())
        if match is Match.FULL:
            found.add("HEAD")
    return ", ".join(sorted(found))


def _code(pydantic_type: str) -> str:
    if pydantic_type in _CODES:
        return _CODES[pydantic_type]
    if pydantic_type.startswith(("date_", "datetime_")) and not pydantic_type.endswith("_type"):
        return "invalid_date"
    if pydantic_type.endswith(("_type", "_parsing", "_parsing_size")):
        return "wrong_type"
    return "invalid_value"


def _fault(detail: ErrorDetails, schema: type[BaseModel] | None) -> Fault:
    field = field_name(tuple(detail["loc"]))
    missing = detail["type"] == "missing"
    said, needed = told(detail, field, schema)
    return Fault(
        code=detail.get("ctx", {}).get("code") or _code(detail["type"]),
        detail=said,
        field=field,
        found=None if missing else detail["input"],
        needed=needed,
    )


def _short_repr(found: object) -> str:
    try:
        return reprlib.repr(found)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return f"a very large {type(found).__name__}"


def _faults(error: RoughcastError) -> tuple[Fault, ...]:
    """Every fault that ``error`` reports, or none where it says it all by itself."""
    if isinstance(error, InvalidRequest):
        return error.faults if len(error.faults) > 1 else ()
    if isinstance(error, InvalidBars) and len(error.findings) > 1:
        return tuple(_fault_of_finding(finding) for finding in error.findings)
    return ()


def _fault_of_finding(finding: Finding) -> Fault:
    return Fault(finding.code, str(finding), finding.field, finding.found, finding.needed)


def _document(fault: Fault) -> FaultDocument:
    return FaultDocument(
        code=fault.code,
        detail=cut_sentence(fault.detail),
        field=cut_name(fault.field),
        found=presentable(fault.found),
        needed=fault.needed and cut_sentence(fault.needed),
    )
