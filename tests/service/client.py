import warnings
from typing import Any

from starlette.types import ASGIApp

with warnings.catch_warnings():
    # It asks for httpx2, a client that few use yet; httpx does all that is needed here.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient as _TestClient

__all__ = ["TestClient"]


class TestClient(_TestClient):
    """Calls the service by a name of the machine itself: without keys it has no other."""

    __test__ = False

    def __init__(self, app: ASGIApp, base_url: str = "http://127.0.0.1", **options: Any) -> None:
        super().__init__(app, base_url, **options)
