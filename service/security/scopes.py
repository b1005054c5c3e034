"""What a key may do, and which of it a request needs."""

from typing import Literal, get_args

Scope = Literal["forecast", "ingest", "admin"]

SCOPES: tuple[Scope, ...] = get_args(Scope)
# Probes carry no key, and the description of the service is public.
OPEN = frozenset(
    {"/health/live", "/health/ready", "/docs", "/docs/oauth2-redirect", "/openapi.json"}
)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKING = frozenset({"/forecast", "/forecast/batch", "/hurst"})  # by POST, and change nothing
_HELD = "/assets/"


def needed_for(method: str, path: str) -> Scope | None:
    """The scope that a request needs; None for what is open to all.

    A path that this module does not know of needs ``admin``, so that a new route is closed until
    it is opened here.
    """
    if path in OPEN:
        return None
    if method in _READING or (method == "POST" and path in _ASKING):
        return "forecast"
    return "ingest" if path.startswith(_HELD) else "admin"
