"""Routes that read a request to the letter: its query, and its body from its bytes.

FastAPI passes over parameters that no route knows: a forecast asked for with ``horizn=5`` would be
one of the next session.

FastAPI parses JSON into Python objects and validates those. Validating the bytes is faster (by half
for 250 bars) and stricter: in JSON mode a date must be a string and a number must be a number, so
nothing is converted on a guess. Long bodies are read in slices, by :mod:`.slices`.

The endpoint of a :class:`BodyRoute` declares its body as any other of FastAPI does. One that needs
nothing else but the request, and answers with a response, is called directly: solving dependencies
would cost a fifth of a forecast. As soon as there are any, FastAPI solves them first.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import Parameter, Signature, iscoroutinefunction, signature
from typing import Any, Self, TypeVar, get_args
from urllib.parse import parse_qsl

from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from service.http.duplicates import duplicates
from service.http.errors import Fault, InvalidRequest, UnsupportedMediaType
from service.http.giving_way import give_way
from service.http.json_lists import Content
from service.http.lanes import lanes_of
from service.http.problems import COMPONENTS, MOST_FAULTS, from_validation
from service.http.slices import SHORT, read_in_slices
from volatility.allocator import movable

JSON = "application/json"
_CONTENT_TYPE = b"content-type"
_GROWING = 1024 * 1024  # bytes of a body that will have some more

Schema = TypeVar("Schema", bound=BaseModel)
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Unread:
    """Annotation of a body of type :data:`.Content`, which its endpoint reads itself.

    Parameters
    ----------
    schema : what OpenAPI says of its JSON.
    media_types : those that are accepted; empty for a body that is declared as nothing.
    """

    schema: type[BaseModel]
    media_types: tuple[str, ...] = (JSON,)


class StrictRoute(APIRoute):
    """A route that reads a query to the letter, and answers HEAD as it does GET.

    Of an answer to HEAD the server leaves the body out.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        declared = get_flat_params(self.dependant)
        self._parameters = sorted(it.alias for it in declared if isinstance(it.field_info, Query))

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for this route."""
        return super().matches(_as_get(scope))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request.

        Raises
        ------
        InvalidRequest : ``unknown_parameter``, the query has one that the route does not;
            ``duplicate_parameter``, it has one twice.
        """
        if scope["query_string"]:
            self._check(scope["query_string"])
        await super().handle(_as_get(scope), receive, send)

    def _check(self, query: bytes) -> None:
        given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        needed = ", ".join(self._parameters) or "no parameter"
        unknown = {name: value for name, value in given if name not in self._parameters}
        faults = [
            Fault("unknown_parameter", f"{name}: there is no such parameter", name, value, needed)
            for name, value in unknown.items()
        ]
        times = Counter(name for name, _ in given if name not in unknown)
        faults += [
            Fault("duplicate_parameter", f"{name}: it is given {number} times", name, number, "one")
            for name, number in times.items()
            if number > 1
        ]
        if faults:
            raise InvalidRequest(faults[:MOST_FAULTS], stopped=len(faults) > MOST_FAULTS)


class BodyRoute(StrictRoute):
    """A route that reads the body that its endpoint declares, if it does, with :func:`read_json`.

    The body is a parameter whose type is a pydantic model, or ``Annotated[Content, Unread(...)]``.

    Attributes
    ----------
    schema : of the body; None where the endpoint declares none.

    Raises
    ------
    TypeError : an endpoint with a body is not a coroutine function, declares two, or one in a form
        that FastAPI would read by its own, laxer rules.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        reader = endpoint if isinstance(endpoint, _BodyReader) else _BodyReader.of(endpoint)
        self.schema = reader.schema if reader else None
        if reader is not None:
            options["openapi_extra"] = _described(reader.schema, options.get("openapi_extra"))
        super().__init__(path, reader or endpoint, **options)
        if self.body_field is not None:
            found = self.body_field.field_info.annotation
            raise TypeError(
                f"{path}: a body is declared as a pydantic model, neither optional nor in a list, "
                f"or as Annotated[Content, Unread(...)]; found {found}"
            )
        if reader and reader.needs_nothing_else and not self.dependencies:
            self.app = reader.answer


class _BodyReader:
    """An endpoint as FastAPI may call it: without its body, which is read from the request."""

    def __init__(self, endpoint: Callable[..., Awaitable[Any]], body: Parameter) -> None:
        declared = signature(endpoint, eval_str=True)
        others = [it for it in declared.parameters.values() if it.name != body.name]
        request = next((it.name for it in others if it.annotation is Request), None)
        if request is None:
            others.append(Parameter("request", Parameter.KEYWORD_ONLY, annotation=Request))
        unread = _unread(body)
        self.schema: type[BaseModel] = unread.schema if unread else body.annotation
        self.needs_nothing_else = len(others) == 1 and declared.return_annotation is Response
        self._endpoint = endpoint
        self._body = body.name
        self._media_types = unread.media_types if unread else None
        self._given_request = request
        self.__name__ = endpoint.__name__
        self.__doc__ = endpoint.__doc__
        self.__signature__ = Signature(others, return_annotation=declared.return_annotation)

    @classmethod
    def of(cls, endpoint: Callable[..., Any]) -> Self | None:
        parameters = signature(endpoint, eval_str=True).parameters.values()
        bodies = [it for it in parameters if _is_body(it)]
        if not bodies:
            return None
        if len(bodies) > 1 or not iscoroutinefunction(endpoint):
            raise TypeError(
                f"{endpoint.__qualname__} declares {len(bodies)} bodies; "
                "needed: one, by a coroutine function"
            )
        return cls(endpoint, bodies[0])

    async def __call__(self, **values: Any) -> Any:
        request: Request = values[self._given_request or "request"]
        if self._given_request is None:
            del values["request"]
        if self._media_types is None:
            values[self._body] = await read_json(self.schema, request)
        else:
            values[self._body] = await read_bytes(request, *self._media_types)
        return await self._endpoint(**values)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request as an ASGI application."""
        response = await self(request=Request(scope, receive, send))
        await response(scope, receive, send)


async def read_json(schema: type[Schema], request: Request) -> Schema:
    """Body of the given schema; a long one is read in a thread.

    Raises
    ------
    UnsupportedMediaType : the body is not declared as JSON.
    BodyTooLarge : it is longer than the service accepts.
    MalformedJson, InvalidRequest : it is not JSON, or does not fit the schema.
    Overloaded : too many long ones are being read already.
    """
    content = await read_bytes(request, JSON)
    if len(content) > SHORT:
        return await lanes_of(request.scope).work.run(_read_long, schema, content)
    return read(schema, content)


def _read_long(schema: type[Schema], content: Content) -> Schema:
    try:
        return read_in_slices(schema, content)
    finally:
        _let_go(content)


def _let_go(content: Content) -> None:
    """Free a long body in this thread, a part at a time: 16 MB at once take two milliseconds."""
    while isinstance(content, bytearray) and len(content) > SHORT:
        del content[len(content) // 2 :]
        give_way()


async def read_bytes(request: Request, *media_types: str) -> Content:
    """Body as it came.

    Raises
    ------
    UnsupportedMediaType : the body is declared as none of ``media_types``.
    BodyTooLarge : it is longer than the service accepts.
    """
    found = media_type(request)
    if found not in media_types:
        needed = " or ".join(filter(None, media_types))
        raise UnsupportedMediaType(
            f"the body is declared as {found or 'nothing'}; this route reads {needed}",
            field="content-type",
            found=found,
            needed=needed,
        )
    content: Content = b""
    is_moved = False
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        if content:  # one that grows in place, since joining parts would take twice the memory
            content = content if isinstance(content, bytearray) else bytearray(content)
            if not is_moved and len(content) > _GROWING:
                content, is_moved = movable(content), True
            content += message.get("body", b"")
        else:
            content = message.get("body", b"")
        if not message.get("more_body", False):
            return content


def read(schema: type[Schema], content: Content) -> Schema:
    """Read a body.

    Raises
    ------
    MalformedJson, InvalidRequest : it is not JSON, or does not fit the schema.
    BodyTooLarge : it has more values outside of lists than any request needs.
    """
    return read_short(schema, content) or read_in_slices(schema, content)


def read_short(schema: type[Schema], content: Content) -> Schema | None:
    """Read a body in one call; None if it is long, or has faults to be looked for in its lists.

    Raises
    ------
    MalformedJson, InvalidRequest : it is not JSON, or does not fit the schema.
    """
    if len(content) > SHORT:
        return None
    try:
        read = schema.model_validate_json(content)
    except ValidationError as error:
        if error.error_count() > MOST_FAULTS:
            return None
        details = error.errors(include_url=False)
        if any(isinstance(it, int) for detail in details for it in detail["loc"]):
            return None
        raise from_validation(details, schema) from error
    twice = duplicates(content, read)
    if twice:
        raise from_validation(twice, schema)
    return read


def media_type(request: Request) -> str:
    """Content type of the body, without parameters, in lower case; empty where none is given."""
    for name, value in request.scope["headers"]:
        if name == _CONTENT_TYPE:
            given: str = value.decode("latin-1")
            return given if given == JSON else given.partition(";")[0].strip().lower()
    return ""


def one_of(*forms: tuple[str, ...], message: str, nothing: str) -> Callable[[Model], Model]:
    """Validator of a model that may be given in one of several forms.

    Parameters
    ----------
    forms : the fields of each form, in the order of the model's; all others are to be None.
    message : what is needed, for whoever gave something else.
    nothing : what to call a model without any of the fields.
    """
    names = tuple(dict.fromkeys(name for form in forms for name in form))

    def check(model: Model) -> Model:
        given = tuple([name for name in names if getattr(model, name) is not None])
        if given not in forms:
            raise PydanticCustomError(
                "invalid_value",
                message + "; got {found}",
                {"code": "ambiguous_history", "found": " and ".join(given) or nothing},
            )
        return model

    return check


def _is_body(parameter: Parameter) -> bool:
    annotation = parameter.annotation
    return _unread(parameter) is not None or (
        isinstance(annotation, type) and issubclass(annotation, BaseModel)
    )


def _unread(parameter: Parameter) -> Unread | None:
    return next((it for it in get_args(parameter.annotation) if isinstance(it, Unread)), None)


def _described(schema: type[BaseModel], extra: dict[str, Any] | None) -> dict[str, Any]:
    """``openapi_extra`` of a route with the body among it; its schema joins in :mod:`.openapi`."""
    json = {JSON: {"schema": {"$ref": COMPONENTS + schema.__name__}}}
    body = (extra or {}).get("requestBody", {})
    described = {"required": True, "content": json | body.get("content", {})}
    return (extra or {}) | {"requestBody": described}


def _as_get(scope: Scope) -> Scope:
    """The request, as GET where it is HEAD: another scope, since the server looks at its own."""
    return {**scope, "method": "GET"} if scope["method"] == "HEAD" else scope
