"""Which scope a request needs, at the edges of each rule."""

import pytest

from service.security import scopes
from service.security.scopes import KeyScope, needed_for

READ, WRITE = ("GET", "HEAD", "OPTIONS"), ("POST", "PUT", "PATCH", "DELETE")
OPEN = (
    *("/", "/try", "/docs", "/openapi.json"),
    *("/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"),
)
ASKED = (
    *("/forecast", "/forecast/batch", "/hurst", "/news-impact", "/history"),
    *("/v2/repository/index", "/v1/timeseries/forecast"),
    *("/v2/models/A--har/infer", "/v2/models/A--har/versions/2/infer"),
)


def needed(methods: tuple[str, ...], *paths: str) -> set[KeyScope | None]:
    return {needed_for(method, path) for method in methods for path in paths}


def test_a_key_may_have_three_scopes() -> None:
    """By which databases know them, in the order in which they are listed."""
    assert scopes.SCOPES == ("forecast", "ingest", "admin")


def test_what_is_open_is_open_to_every_method() -> None:
    assert needed((*READ, *WRITE), *OPEN) == {None}
    assert set(OPEN) == scopes.OPEN
    assert {it for it in OPEN if "health" in it} == scopes.PROBES


def test_pages_and_their_files_are_open_to_be_read() -> None:
    assert needed(READ, "/view/A", "/static/0123/style.css") == {None}
    assert needed(("POST", "PUT"), "/view/A", "/static/x") == {"admin"}
    assert needed(READ, "/view", "/static", "/views/A") == {"forecast"}


def test_asking_needs_a_key_that_forecasts() -> None:
    assert needed(READ, "/metrics", "/assets", "/assets/A/bars", "/forecasts/0", "/any") == {
        "forecast"
    }
    assert needed(("POST",), *ASKED) == {"forecast"}
    assert needed(("PUT", "PATCH"), *ASKED) == {"admin"}


@pytest.mark.parametrize(
    "path",
    [
        *("/forecasts", "/hurst/A", "/v2/models/A--har/load", "/v2/repository/infer"),
        *("/v3/models/A/infer", "/admin/reload", "/admin/assets/A", "/assetsx", "/anything"),
    ],
)
def test_what_is_not_known_needs_a_key_that_may_do_all(path: str) -> None:
    assert needed(("POST", "PUT", "PATCH"), path) == {"admin"}


def test_bars_need_a_key_that_puts_them_and_to_take_away_one_that_may_do_all() -> None:
    assert needed(("POST", "PUT", "PATCH"), "/assets", "/assets/A", "/assets/A/bars") == {"ingest"}
    assert needed(("DELETE",), "/assets", "/assets/A", "/forecast", "/any") == {"admin"}
