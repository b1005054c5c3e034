"""How often and how much at once one client may ask."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic

from service.http.errors import RateLimited, TooManyAtOnce

_REMEMBERED = 10_000  # clients; an address that has not asked for long is forgotten first


@dataclass(slots=True)
class _Client:
    tokens: float  # requests that may come at once
    seen: float  # seconds of the monotonic clock
    at_once: int = 0


class Quotas:
    """Counts what every client asks for; used on the event loop's one thread.

    A client may ask ``rate`` times a second, and so many times at once after a pause of a second:
    a token bucket.

    Parameters
    ----------
    rate : requests a second of one client; None for any number.
    at_once : requests of one client that may be under way; None for any number.
    """

    def __init__(self, rate: float | None, at_once: int | None) -> None:
        self._rate = rate
        self._burst = max(1.0, rate or 0.0)
        self._at_once = at_once
        self._clients: OrderedDict[str, _Client] = OrderedDict()

    def begin(self, client: str) -> None:
        """Let a request of a client begin; :meth:`end` must follow.

        Raises
        ------
        RateLimited, TooManyAtOnce : it may not; nothing is to be ended then.
        """
        now = monotonic()
        known = self._clients.get(client)
        if known is None:
            self._forget()
            known = self._clients[client] = _Client(self._burst, now)
        else:
            self._clients.move_to_end(client)
        if self._at_once is not None and known.at_once >= self._at_once:
            raise TooManyAtOnce(
                f"{known.at_once} requests of this client are under way",
                field="client",
                found=known.at_once,
                needed=f"at most {self._at_once} at once",
            )
        if self._rate is not None:
            self._take(known, now, self._rate)
        known.at_once += 1

    def end(self, client: str) -> None:
        """Count a request as done."""
        self._clients[client].at_once -= 1

    def _take(self, known: _Client, now: float, rate: float) -> None:
        known.tokens = min(self._burst, known.tokens + (now - known.seen) * rate)
        known.seen = now
        if known.tokens < 1:
            error = RateLimited(
                f"more than {rate:g} requests a second of this client",
                field="client",
                found=f"more than {rate:g} a second",
                needed=f"at most {rate:g} a second",
            )
            error.retry_after = math.ceil((1 - known.tokens) / rate)
            raise error
        known.tokens -= 1

    def _forget(self) -> None:
        while len(self._clients) >= _REMEMBERED:
            idle = next((name for name, it in self._clients.items() if not it.at_once), None)
            if idle is None:
                return
            del self._clients[idle]
