"""Pages and their files: what is sent, and what a browser is allowed to do with it."""

import gzip
import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.app import create_app
from service.dashboard import files
from service.security.scopes import needed_for
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import ASSET, clock

PAGES = ("/", "/try", "/docs", f"/view/{ASSET}")
EVIL = "<img src=x onerror=alert(1)>\"'"
STATIC = Path(files.__file__).with_name("static")


@pytest.fixture(scope="module")
def client(world_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(world_settings, clock)) as client:
        yield client


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_nothing_but_the_service_s_own_files(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    loaded = re.findall(r'(?:src|href)="([^"]*)"', answer.text)
    assert any(it.endswith("/style.css") for it in loaded)
    for it in loaded:
        assert it.startswith(("/", "#")), it
        if it.startswith("/static/"):
            assert client.get(it).status_code == 200, it
    assert client.head(path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_run_and_reach_the_service_alone(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    policy = dict(it.split(" ", 1) for it in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert len(headers.get_list("content-security-policy")) == 1


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_script_or_style_of_its_own(client: TestClient, path: str) -> None:
    text = client.get(path).text
    assert re.findall(r"<script(?![^>]*\bsrc=)", text) == []
    assert re.findall(r"<style|\bstyle=|\bon[a-z]+=", text) == []


def test_other_answers_keep_their_headers(client: TestClient) -> None:
    headers = client.get("/assets").headers
    assert headers["content-security-policy"] == "frame-ancestors 'none'"
    assert headers["cache-control"] == "no-store"


def test_a_page_of_an_asset_that_is_none_is_the_same_page(client: TestClient) -> None:
    some, none = (client.get(f"/view/{name}").text for name in (ASSET, "NOTHING"))
    assert none == some.replace(ASSET, "NOTHING")


def test_the_name_of_an_asset_is_text(client: TestClient) -> None:
    answer = client.get("/view/" + EVIL.replace("<", "%3C").replace(">", "%3E"))
    assert answer.status_code == 200
    assert "<img" not in answer.text
    assert f'data-asset="{html.escape(EVIL)}"' in answer.text.replace("&#34;", "&quot;").replace(
        "&#39;", "&#x27;"
    )


def test_no_script_reads_text_as_html() -> None:
    for path in STATIC.glob("*.js"):
        text = path.read_text()
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in text, (path.name, way)


@pytest.mark.parametrize("path", ["/?asset=SPX", "/view/A?x=1", "/docs?x"])
def test_a_page_has_no_parameters(client: TestClient, path: str) -> None:
    assert client.get(path).json()["code"] == "unknown_parameter"


@pytest.mark.parametrize("name", ["plotly.min.js", "swagger-ui-bundle.js", "style.css", "mark.svg"])
def test_a_file_is_kept_for_good_and_compressed(client: TestClient, name: str) -> None:
    path = f"/static/{files.stamp()}/{name}"
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    small = client.get(path, headers={"accept-encoding": "br, gzip;q=0.5"})
    assert small.headers["content-encoding"] == "gzip"
    assert small.content == plain.content
    assert int(small.headers["content-length"]) == len(gzip.compress(plain.content, 6, mtime=0))
    for answer in (plain, small):
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "accept-encoding"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_client_that_rules_gzip_out_gets_none(client: TestClient) -> None:
    path = f"/static/{files.stamp()}/style.css"
    answer = client.get(path, headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in answer.headers


def test_a_file_of_another_version_is_asked_for_again(client: TestClient) -> None:
    assert client.get("/static/older/style.css").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["none.js", "..%2Ffiles.py", "style.css%00", ".", "files.py"])
def test_nothing_else_is_sent(client: TestClient, name: str) -> None:
    answer = client.get(f"/static/{files.stamp()}/{name}")
    assert (answer.status_code, answer.json()["code"]) == (404, "route_not_found")


def test_swagger_reads_the_version_of_openapi_that_is_written(client: TestClient) -> None:
    bundle = files.find("swagger-ui-bundle.js")
    assert bundle is not None
    assert client.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert re.search(rb'PACKAGE_VERSION:"5\.', bundle.content)


def test_the_style_that_the_policy_forbids_is_not_made(client: TestClient) -> None:
    """Plotly adds a style for maps where a page lacks an element of its id."""
    [name] = files.style_ids()
    assert f'<template id="{name}">' in client.get(f"/view/{ASSET}").text


def test_pages_need_no_key_and_what_they_ask_does() -> None:
    for path in (*PAGES, "/static/x/style.css"):
        assert needed_for("GET", path) is None
    assert needed_for("POST", "/view/A") == "admin"
    for method, path in (
        ("GET", "/assets"),
        ("GET", "/history"),
        ("POST", "/history"),
        ("POST", "/news-impact"),
        ("GET", "/performance"),
        ("GET", "/assets/A/cone"),
    ):
        assert needed_for(method, path) == "forecast"
    assert needed_for("GET", "/viewer") == "forecast"


def test_pages_are_no_part_of_the_description(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert not [it for it in paths if it in PAGES or it.startswith(("/view", "/static"))]
    assert {"/history", "/news-impact", "/compare/{asset}/losses", "/performance"} <= paths.keys()
