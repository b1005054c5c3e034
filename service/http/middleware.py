"""What surrounds every request: its id, its size limit, its answer's headers, its line in the log.

Plain ASGI rather than Starlette's ``BaseHTTPMiddleware``, which starts a task and two streams for
each request and would cost more than a forecast.
"""

import re
import secrets
from time import perf_counter

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.errors import BodyTooLarge, InternalError
from service.http.problems import problem_response
from service.operations.metrics import Metrics

SCHEMA_VERSION = "1"
_LONGEST_LENGTH = 18  # digits of a content length that are worth reading: an exabyte
_CLIENT_CLOSED_REQUEST = 499  # what nginx calls a caller who left before the answer
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SCHEMA_HEADER = (b"roughcast-schema", SCHEMA_VERSION.encode())

log = structlog.get_logger("service")


class Envelope:
    """Middleware around the whole application.

    Parameters
    ----------
    app : the application inside.
    metrics : where requests are counted.
    max_body_bytes : longest request body that is read.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, max_body_bytes: int) -> None:
        self.app = app
        self.metrics = metrics
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = Exchange(scope, receive, send, self.max_body_bytes)
        try:
            await self._answer(exchange)
        finally:
            self._record(exchange)

    async def _answer(self, exchange: "Exchange") -> None:
        try:
            exchange.refuse_declared_length()
            await self.app(exchange.scope, exchange.receive, exchange.send)
        except BodyTooLarge as error:
            await exchange.answer(error)
        except ClientDisconnect:
            exchange.status = _CLIENT_CLOSED_REQUEST
        except Exception:
            log.exception("bug", request_id=exchange.request_id, path=exchange.scope["path"])
            if not exchange.status:
                await exchange.answer(
                    InternalError(f"an unexpected error; the log has it as {exchange.request_id}")
                )

    def _record(self, exchange: "Exchange") -> None:
        scope, seconds = exchange.scope, perf_counter() - exchange.started
        route = getattr(scope.get("route"), "path", "unmatched")
        self.metrics.count_request(scope["method"], route, exchange.status, seconds)
        log.info(
            "request",
            request_id=exchange.request_id,
            method=scope["method"],
            path=scope["path"],
            status=exchange.status,
            milliseconds=round(seconds * 1e3, 3),
        )


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_read",
        "_receive",
        "_send",
        "max_body_bytes",
        "request_id",
        "scope",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, max_body_bytes: int) -> None:
        self.started = perf_counter()
        self.scope = scope
        self.status = 0  # until the answer starts
        self.max_body_bytes = max_body_bytes
        self.request_id = _request_id(scope)
        self._receive = receive
        self._send = send
        self._read = 0

    async def receive(self) -> Message:
        """Read on, as long as the body is within its limit."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._read += len(message.get("body", b""))
            if self._read > self.max_body_bytes:
                raise self._too_large(f"more than {self.max_body_bytes} bytes")
        return message

    async def send(self, message: Message) -> None:
        """Send on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            request_id = (b"x-request-id", self.request_id.encode())
            message["headers"] = [*message["headers"], _SCHEMA_HEADER, request_id]
        await self._send(message)

    async def answer(self, error: BodyTooLarge | InternalError) -> None:
        """Answer with a problem document."""
        response = problem_response(error, self.scope["path"])
        await response(self.scope, self.receive, self.send)

    def refuse_declared_length(self) -> None:
        """Refuse a body that is announced as too large before any of it is read."""
        declared = Headers(scope=self.scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:_LONGEST_LENGTH]) > self.max_body_bytes:
            raise self._too_large(f"{declared} bytes")

    def _too_large(self, found: str) -> BodyTooLarge:
        return BodyTooLarge(
            f"the body has {found}; at most {self.max_body_bytes} are accepted",
            field="body",
            found=found,
            needed=f"at most {self.max_body_bytes} bytes",
        )


def _request_id(scope: Scope) -> str:
    """Take over the caller's id if it is harmless, so that logs can be joined; else make one."""
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
