"""What surrounds every request: its id, its limits, its answer's headers, its line in the log.

Plain ASGI rather than Starlette's ``BaseHTTPMiddleware``, which starts a task and two streams for
each request and would cost more than a forecast. For the same reason requests are counted in plain
integers, and their lines are written without structlog's chain of processors.
"""

import re
import secrets
from bisect import bisect_left
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from time import perf_counter
from typing import BinaryIO

import structlog
from pydantic_core import to_json
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.cutting import LONGEST_NAME, cut
from service.http.errors import BodyTooLarge, InternalError
from service.http.limits import BodyLimits, values_in
from service.http.problems import problem_response
from service.http.starting import without_traceback

SCHEMA_VERSION = "1"
CUT_OFF = "roughcast.cut_off"  # of a scope: the status with which its connection was cut off
# Seconds, from a cached forecast (under a millisecond) to a batch of 10,000.
LATENCY_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_SHORT_BODY = 64 * 1024  # bytes that nobody counts
_AHEAD = 16  # times what has come of a long body, for which room is kept if so much is announced
_LONGEST_LENGTH = 18  # digits of a content length that are worth reading: an exabyte
REQUEST_ID, KEY_ID = "roughcast.request_id", "roughcast.key_id"  # of a request's scope
ABOUT = "roughcast.about"  # likewise: asset, model and id of its forecast, each if there is one
HEADERS = "roughcast.headers"  # likewise: those of its answer, where they are not the usual ones
_CLIENT_CLOSED_REQUEST = 499  # what nginx calls a caller who left before the answer
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
USUAL_HEADERS = (  # of every answer but pages and their files
    (b"roughcast-schema", SCHEMA_VERSION.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)

log = structlog.get_logger("service")


class RequestTally:
    """Requests by route: how many, with which status, and how long they took.

    Prometheus' own counters take a lock and a chain of objects for each of a request's four
    numbers, a tenth of a forecast. All requests are counted on the event loop's one thread.

    Attributes
    ----------
    statuses : requests by method, route and status.
    buckets : by method and route, requests in each of ``LATENCY_BUCKETS`` and beyond the last.
    seconds : their sum, by method and route.
    in_flight : requests that have come and are not answered yet.
    """

    def __init__(self) -> None:
        self.statuses: dict[tuple[str, str, int], int] = defaultdict(int)
        self.buckets: dict[tuple[str, str], list[int]] = defaultdict(_no_requests)
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.in_flight = 0

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; ``seconds`` from its head to the end of its answer."""
        self.statuses[method, route, status] += 1
        self.buckets[method, route][bisect_left(LATENCY_BUCKETS, seconds)] += 1
        self.seconds[method, route] += seconds


class RequestLog:
    """Writes a line of JSON for each request, as structlog writes all others.

    Attributes
    ----------
    stream : where to; None writes none.
    """

    def __init__(self) -> None:
        self.stream: BinaryIO | None = None

    def write(self, request_id: str, scope: Scope, status: int, seconds: float) -> None:
        """Write the line of one request."""
        if self.stream is None:
            return
        asset, model, forecast_id = scope.get(ABOUT) or _of_path(scope)
        line = to_json(
            {
                "request_id": request_id,
                "method": scope["method"],
                "path": _short(scope["path"]),
                "client": scope["client"][0] if scope.get("client") else None,
                "key": scope.get(KEY_ID),
                "asset": _short(asset),
                "model": _short(model),
                "forecast_id": forecast_id,
                "status": status,
                "milliseconds": round(seconds * 1e3, 3),
                "event": "request",
                "level": "info",
                "timestamp": datetime.now(UTC),
            }
        )
        with suppress(OSError):  # a full disk under the log must not stop the service
            self.stream.write(line + b"\n")
            self.stream.flush()


request_log = RequestLog()  # one a process, as the log itself


class RequestMiddleware:
    """Middleware around the whole application.

    Parameters
    ----------
    app : the application inside.
    tally : where requests are counted.
    limits : how much of bodies is read.
    """

    def __init__(self, app: ASGIApp, tally: RequestTally, limits: BodyLimits) -> None:
        self.app = app
        self.tally = tally
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count and log it whatever becomes of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, without_traceback(scope, send))
            return
        exchange = Exchange(scope, receive, send, self.limits)
        self.tally.in_flight += 1
        try:
            await self._answer(exchange)
        finally:
            self.tally.in_flight -= 1
            exchange.let_go()
            self._record(exchange)

    async def _answer(self, exchange: "Exchange") -> None:
        try:
            exchange.refuse_declared_length()
            await self.app(exchange.scope, exchange.receive, exchange.send)
        except BodyTooLarge as error:
            await exchange.answer(error)
        except ClientDisconnect:  # or too slow, so that the connection has been cut off
            exchange.status = exchange.scope.get(CUT_OFF, _CLIENT_CLOSED_REQUEST)
        except Exception:
            log.exception("bug", request_id=exchange.request_id, path=exchange.scope["path"])
            if not exchange.status:
                await exchange.answer(
                    InternalError(f"an unexpected error; the log has it as {exchange.request_id}")
                )

    def _record(self, exchange: "Exchange") -> None:
        scope, seconds = exchange.scope, perf_counter() - exchange.started
        route = getattr(scope.get("route"), "path", "unmatched")
        self.tally.count(scope["method"], route, exchange.status, seconds)
        request_log.write(exchange.request_id, scope, exchange.status, seconds)


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_declared_length",
        "_held",
        "_limits",
        "_read",
        "_receive",
        "_send",
        "_values",
        "request_id",
        "scope",
        "started",
        "status",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, limits: BodyLimits) -> None:
        self.started = perf_counter()
        self.scope = scope
        self.status = 0  # until the answer starts
        headers = dict(reversed(scope["headers"]))  # of a name given twice, the first
        self.request_id = scope[REQUEST_ID] = _request_id(headers.get(b"x-request-id", b""))
        self._declared_length = headers.get(b"content-length", b"")
        self._receive = receive
        self._send = send
        self._limits = limits
        self._read = self._held = self._values = 0

    async def receive(self) -> Message:
        """Read on, as long as the body is within its limit."""
        message = await self._receive()
        if message["type"] == "http.request":
            body = message.get("body", b"")
            self._read += len(body)
            if self._read > _SHORT_BODY:
                self._check_long(body)
            elif self._read > self._limits.most_bytes:
                raise self._limits.too_large(f"more than {self._limits.most_bytes} bytes")
        return message

    def let_go(self) -> None:
        """Count the body out of what is held."""
        self._limits.held -= self._held
        self._held = 0

    async def send(self, message: Message) -> None:
        """Send on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            request_id = (b"x-request-id", self.request_id.encode())
            own = self.scope.get(HEADERS, USUAL_HEADERS)
            message["headers"] = [*message["headers"], *own, request_id]
        await self._send(message)

    async def answer(self, error: BodyTooLarge | InternalError) -> None:
        """Answer with the problem document of ``error``."""
        response = problem_response(error, self.scope["path"])
        await response(self.scope, self.receive, self.send)

    def refuse_declared_length(self) -> None:
        """Refuse a body that is announced as too large before any of it is read."""
        if self._announced() > self._limits.most_bytes:
            raise self._limits.too_large(f"{self._declared_length.decode()} bytes")

    def _announced(self) -> int:
        declared = self._declared_length
        return int(declared[:_LONGEST_LENGTH]) if declared.isdigit() else 0

    def _check_long(self, body: bytes) -> None:
        """Check what has come of a long body, and count it as held with what is about to come.

        Of several that there is no room for together, all but as many as there is room for are so
        refused when a sixteenth of them has come, and not when most of it has.
        """
        limits = self._limits
        if self._read > limits.most_bytes:
            raise limits.too_large(f"more than {limits.most_bytes} bytes")
        self._values += values_in(body)
        limits.check_values(self._values)
        room = max(self._read, min(self._announced(), _AHEAD * self._read))
        limits.hold(room - self._held)
        self._held = room


def _request_id(given: bytes) -> str:
    """Take over the caller's id if it is harmless, so that logs can be joined; else make one."""
    return given.decode() if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _of_path(scope: Scope) -> tuple[str | None, str | None, str | None]:
    """The asset, the model and the forecast that a path names."""
    named = scope.get("path_params") or {}
    return named.get("asset"), named.get("model"), _short(named.get("forecast_id"))


def _short(name: str | None) -> str | None:
    """A name, or its beginning; nothing is called for the usual ones."""
    return name if name is None or len(name) <= LONGEST_NAME else cut(name)


def _no_requests() -> list[int]:
    return [0] * (len(LATENCY_BUCKETS) + 1)
