"""What a connection may do before and after the application sees its requests.

uvicorn reads headers of any length, waits for them and for bodies as long as a caller likes, and
keeps an answer until its caller has read it. :class:`BoundedProtocol` is its protocol with limits;
:func:`cut_off` closes what is overdue, called once a second, since a timer for each request would
cost a hundredth of a forecast.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from service.http.errors import (
    BodyTooSlow,
    HeadersTooLarge,
    MalformedRequest,
    Overloaded,
    ServiceError,
    UrlTooLong,
    status_of,
)
from service.http.middleware import CUT_OFF
from service.http.problems import problem_response
from service.http.turns import Turns

_LONGEST_SHOWN = 200  # characters of a URL
_READ_AT_ONCE = 16 * 1024  # bytes of a head, or of a short body
# Of a long one when it is its turn: of asyncio's 256 kB one body alone takes a millisecond.
_READ_IN_A_TURN = 64 * 1024
_SHORT_BODY = 32 * 1024  # bytes for which no turn is waited: 250 bars
_REASONS = (
    "overloaded",
    "malformed_request",
    "url_too_long",
    "headers_too_large",
    "head_too_slow",
    "body_too_slow",
    "reader_too_slow",
)
_LINGER = 2.0  # seconds in which a caller who is refused may read why


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one connection may do.

    Parameters
    ----------
    most_connections : at one time.
    most_url_bytes, most_header_bytes, most_headers : of one request.
    header_timeout : seconds from the opening of the connection, or the end of an answer, in which
        headers must have come.
    body_timeout : seconds from the headers in which the body must have come.
    write_timeout : seconds for which a caller may read nothing of an answer.
    """

    most_connections: int
    most_url_bytes: int
    most_header_bytes: int
    most_headers: int
    header_timeout: float
    body_timeout: float
    write_timeout: float


class ConnectionTally:
    """Connections, counted on the event loop's one thread.

    Attributes
    ----------
    open : now.
    refused : what the application never saw, or not to the end, by the code of the problem that was
        answered; ``head_too_slow`` and ``reader_too_slow`` are answered nothing.
    """

    def __init__(self) -> None:
        self.open = 0
        self.refused = Counter(dict.fromkeys(_REASONS, 0))  # from 0 on, so that the first one shows


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with limits; what breaks one is told why in a problem document.

    Subclasses set ``limits``, ``tally`` and ``turns``.
    """

    limits: ConnectionLimits
    tally: ConnectionTally
    turns: Turns

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.url = b""  # until a request begins
        self._refusal: ServiceError | None = None
        self._is_refused = False
        self._fed = 0  # bytes that are being parsed
        self._is_in_head = True
        self._head_bytes = 0  # of a request whose headers have not all come
        self._body_bytes = 0  # of one whose body has not
        self._awaited_since = self.loop.time()  # headers, or a body
        self._unread = 0  # bytes of answers that the caller has not read
        self._unread_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or refuse it where there are too many."""
        super().connection_made(transport)
        self.tally.open += 1
        self.read_at_once(_READ_AT_ONCE)
        most = self.limits.most_connections
        if len(self.connections) > most:
            self._refuse(Overloaded(f"there are {most} connections already; try again later"))
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a connection that is closed."""
        self.tally.open -= 1
        self.turns.leave(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what has come, unless the connection is about to be closed."""
        if self._is_refused:
            return
        self._fed = len(data)
        began_in_head, begun = self._is_in_head, self.cycle
        super().data_received(data)
        if began_in_head and self._is_in_head and self.cycle is begun:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.most_header_bytes + self.limits.most_url_bytes:
                self._refuse(self._headers_too_large())
        elif not self._is_in_head:
            self._body_bytes += len(data)
            if self._body_bytes > _SHORT_BODY and len(data) >= _READ_AT_ONCE:
                self.turns.wait(self)

    def on_headers_complete(self) -> None:
        """Hand a request to the application if its head is within the limits."""
        self._refusal = self._why_refused()
        if self._refusal is not None:
            raise self._refusal  # which ends the parsing, in send_400_response
        self._is_in_head = False
        self._head_bytes = 0
        self._awaited_since = self.loop.time()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Wait for the next head once a body has come."""
        self._is_in_head = True
        self._body_bytes = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request once an answer has been written."""
        self._awaited_since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what could not be parsed, or broke a limit while it was."""
        self._refuse(
            self._refusal or MalformedRequest(msg, needed="a request of HTTP/1.1 (RFC 9112)")
        )

    def cut_off(self, now: float) -> None:
        """Close the connection if something is overdue."""
        limits, unread = self.limits, self.transport.get_write_buffer_size()
        cycle: RequestResponseCycle | None = self.cycle
        waited = now - self._awaited_since
        if unread != self._unread:
            self._unread, self._unread_since = unread, now
        if unread:
            self._awaited_since = now  # from when the answer has been read
            if now - self._unread_since > limits.write_timeout:
                self.tally.refused["reader_too_slow"] += 1
                self.transport.abort()
        elif self._is_refused:
            return
        elif cycle is None or cycle.response_complete:
            if waited > limits.header_timeout:
                self._close_late(cycle)
        elif cycle.more_body and not cycle.response_started and waited > limits.body_timeout:
            self._refuse_slow_body(cycle)

    def read_at_once(self, number: int) -> None:
        """Read at most so many bytes in one go."""
        self.transport.max_size = number  # type: ignore[attr-defined]  # asyncio's, of sockets

    def _close_late(self, cycle: RequestResponseCycle | None) -> None:
        """Close a connection over which no head has come; one that is idle is not refused."""
        if cycle is None or self._head_bytes:
            self.tally.refused["head_too_slow"] += 1
        self.transport.close()

    def _refuse_slow_body(self, cycle: RequestResponseCycle) -> None:
        error = BodyTooSlow(
            f"the body has not come within {self.limits.body_timeout:g} seconds",
            field="body",
            needed=f"the whole body within {self.limits.body_timeout:g} seconds",
        )
        cycle.scope[CUT_OFF] = status_of(BodyTooSlow)  # type: ignore[literal-required]
        self._refuse(error)
        cycle.disconnected = True
        cycle.message_event.set()

    def _why_refused(self) -> ServiceError | None:
        limits, headers = self.limits, self.headers
        if len(self.url) > limits.most_url_bytes:
            return self._url_too_long()
        if len(headers) > limits.most_headers:
            return self._headers_too_large()
        if self._head_bytes + self._fed > limits.most_header_bytes:  # else they cannot be too long
            total = sum(len(name) + len(value) for name, value in headers)
            return self._headers_too_large() if total > limits.most_header_bytes else None
        return None

    def _url_too_long(self) -> UrlTooLong:
        most = self.limits.most_url_bytes
        return UrlTooLong(
            f"the URL has more than {most} bytes", field="url", needed=f"at most {most} bytes"
        )

    def _headers_too_large(self) -> HeadersTooLarge:
        number, size = self.limits.most_headers, self.limits.most_header_bytes
        needed = f"at most {number} headers of {size} bytes in all"
        return HeadersTooLarge(
            f"the headers are too many or too long; needed: {needed}",
            field="headers",
            needed=needed,
        )

    def _answers_before(self) -> bool:
        """Whether a request that has come whole, or begun to be answered, is not answered yet."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            return False
        return cycle.response_started or not cycle.more_body

    def _refuse(self, error: ServiceError) -> None:
        """Say why, once, and close when the caller has had time to read it.

        Closed at once, with bytes unread, a connection is reset, and the answer may be lost.
        """
        if self._is_refused:
            return
        self._is_refused = True
        self.tally.refused[error.code] += 1
        self._unset_keepalive_if_required()
        if self._answers_before():
            # What came stands behind it: a second answer would be taken for that of the first.
            self.cycle.keep_alive = False
            return
        answer = problem_response(error, self.url.decode("latin-1")[:_LONGEST_SHOWN])
        answer.headers["connection"] = "close"
        lines = [*self.server_state.default_headers, *answer.raw_headers]
        head = b"".join(b"%b: %b\r\n" % line for line in lines)
        self.transport.write(STATUS_LINE[answer.status_code] + head + b"\r\n" + bytes(answer.body))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)


def protocol(limits: ConnectionLimits, tally: ConnectionTally) -> type[BoundedProtocol]:
    """The protocol with these limits, which counts into ``tally``."""
    own = {"limits": limits, "tally": tally, "turns": Turns(_READ_AT_ONCE, _READ_IN_A_TURN)}
    return type("BoundedProtocol", (BoundedProtocol,), own)


def cut_off(connections: Iterable[asyncio.Protocol], now: float) -> None:
    """Close the connections on which something is overdue.

    Parameters
    ----------
    connections : all there are.
    now : by the clock of the event loop.
    """
    for it in list(connections):
        if isinstance(it, BoundedProtocol):
            it.cut_off(now)
