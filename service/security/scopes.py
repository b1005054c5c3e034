"""What a key may do, and which of it a request needs."""

from typing import Literal, get_args

KeyScope = Literal["forecast", "ingest", "admin"]

SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)
# Probes carry no key, and the description of the service is public.
PROBES = frozenset({"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"})
# Pages hold no number: what they show they ask for, with the key that a person gives them.
PAGES = frozenset({"/", "/try", "/docs"})
OPEN = PROBES | PAGES | {"/openapi.json"}
_UNDER_PAGES = "/view/", "/static/"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
# By POST, and change nothing.
_ASKING = frozenset(
    {
        *("/forecast", "/forecast/batch", "/hurst", "/news-impact", "/history"),
        *("/v2/repository/index", "/v1/timeseries/forecast"),
    }
)
_INFERENCES = "/v2/models/", "/infer"  # how their paths begin and end
_ASSETS = "/assets"


def needed_for(method: str, path: str) -> KeyScope | None:
    """The scope that a request needs; None for what is open to all.

    A path that this module does not know of needs ``admin``, so that a new route is closed until
    it is opened here.
    """
    if path in OPEN or (method in _READING and path.startswith(_UNDER_PAGES)):
        return None
    if method in _READING or (method == "POST" and _asks(path)):
        return "forecast"
    if method == "DELETE":  # what it takes away does not come back
        return "admin"
    return "ingest" if path == _ASSETS or path.startswith(f"{_ASSETS}/") else "admin"


def _asks(path: str) -> bool:
    begin, end = _INFERENCES
    return path in _ASKING or (path.startswith(begin) and path.endswith(end))
