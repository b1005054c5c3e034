"""Who is let in, seen from outside."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.routing import Route

from models_store.signatures import read_private_key, sign
from service.app import create_app
from service.database.base import USUAL
from service.database.opening import open_database
from service.http.errors import InvalidSetting
from service.http.problems import MEDIA_TYPE
from service.security import audit
from service.security.guard import Policy, is_loopback
from service.security.keys import make_key
from service.security.scopes import OPEN, SCOPES, KeyScope, needed_for
from service.security.store import KeyStore
from service.settings import Settings
from tests.keys import write_keys
from tests.service.client import TestClient
from tests.service.worlds import ASSET, clock


def add_key(
    settings: Settings, *scopes: KeyScope, name: str = "desk"
) -> tuple[str, dict[str, str]]:
    """Make a key; its id, and the headers that bring it."""
    database = open_database(settings.database_url, USUAL)
    key, text = make_key(name, scopes, 0)
    KeyStore(database).add(key)
    database.close()
    return key.id, {"authorization": f"Bearer {text}"}


def with_keys(settings: Settings, **others: Any) -> Settings:
    return settings.model_copy(update={"authentication": "keys", **others})


@pytest.fixture
def prepared(settings: Settings) -> Settings:
    """With its tables and bars."""
    with TestClient(create_app(settings, clock)):
        return settings


@pytest.fixture
def reader(prepared: Settings) -> dict[str, str]:
    return add_key(prepared, "forecast")[1]


@pytest.fixture
def client(prepared: Settings, reader: dict[str, str]) -> Iterator[TestClient]:
    assert reader
    with TestClient(create_app(with_keys(prepared), clock)) as client:
        yield client


def test_without_a_key_nothing_but_probes_and_documentation_answers(client: TestClient) -> None:
    for path in OPEN:
        assert client.get(path).status_code == 200, path
    for path in ("/assets", "/models", "/metrics", f"/forecast/{ASSET}", "/no/such/path"):
        answer = client.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.json()["code"] == "unauthorized"
        assert answer.headers["x-request-id"]
    assert client.post("/forecast", json={"asset": ASSET}).status_code == 401


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", "Bearer rc_00000000_x", "Basic {key}", "{key}", "Bearer {key}x", "é"],
)
def test_what_is_no_key_is_refused(client: TestClient, reader: dict[str, str], given: str) -> None:
    key = reader["authorization"].removeprefix("Bearer ")
    headers = {"authorization": given.format(key=key).encode("latin-1")}
    answer = client.get("/assets", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert key not in answer.text


def test_a_key_does_what_its_scopes_say(client: TestClient, prepared: Settings) -> None:
    asked = {"forecast": ("POST", "/forecast"), "ingest": ("PUT", f"/assets/{ASSET}/bars")}
    bodies = {"forecast": {"asset": ASSET}, "ingest": {"bars": []}}
    for scope in SCOPES:
        headers = add_key(prepared, scope)[1]
        with TestClient(create_app(with_keys(prepared), clock)) as fresh:
            for needed, (method, path) in asked.items():
                answer = fresh.request(method, path, json=bodies[needed], headers=headers)
                if needed == scope:
                    assert answer.status_code in (200, 422)
                    continue
                assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
                assert answer.json()["found"] == scope
                assert answer.json()["needed"] == f"a key with the scope {needed}"
    assert client.get("/assets").status_code == 401


def test_every_route_needs_the_scope_that_its_work_is_worth(client: TestClient) -> None:
    app: Any = client.app
    found = {
        f"{method} {route.path}": needed_for(method, route.path.replace("{asset}", "X"))
        for route in app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    writing = {key for key, scope in found.items() if scope not in ("forecast", None)}
    assert {key: found[key] for key in writing} == {
        "POST /assets": "ingest",
        "PUT /assets/{asset}/bars": "ingest",
        "DELETE /assets/{asset}": "admin",
        "POST /admin/reload": "admin",
        "POST /admin/models/{asset}/{model}/promote": "admin",
        "POST /admin/models/{asset}/{model}/roll-back": "admin",
        "POST /admin/models/{asset}/{model}/shadow": "admin",
        "DELETE /admin/models/{asset}/{model}/shadow": "admin",
    }
    pages = {"/view/{asset}", "/static/{of}/{name}"}
    assert {key.partition(" ")[2] for key, scope in found.items() if scope is None} == OPEN | pages
    assert needed_for("POST", "/admin/reload") == needed_for("DELETE", "/models/X/y") == "admin"


def test_a_key_that_another_process_revokes_is_good_for_nothing_soon(
    client: TestClient, prepared: Settings
) -> None:
    key_id, headers = add_key(prepared, "forecast", name="gone")

    def until(status: int) -> bool:
        return any(
            client.get("/assets", headers=headers).status_code == status for _ in range(2000)
        )

    assert until(200)
    database = open_database(prepared.database_url, USUAL)
    KeyStore(database).revoke(key_id, 1)
    database.close()
    assert until(401)


def test_on_an_address_of_the_machine_no_key_is_needed(prepared: Settings) -> None:
    with TestClient(create_app(prepared, clock)) as client:
        assert client.get("/assets").status_code == 200
        assert client.get("/assets", headers={"authorization": "Bearer x"}).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_elsewhere_it_does_not_start_without_a_key(prepared: Settings, host: str) -> None:
    elsewhere = prepared.model_copy(update={"host": host})
    closed = TestClient(create_app(elsewhere, clock))
    with pytest.raises(InvalidSetting, match="keys make NAME") as refused, closed:
        pass
    assert refused.value.field == "authentication"
    headers = add_key(prepared, "forecast")[1]
    with TestClient(create_app(elsewhere, clock)) as client:
        assert client.get("/assets").status_code == 401
        assert client.get("/assets", headers=headers).status_code == 200


def test_it_stands_open_elsewhere_only_where_a_setting_says_so(prepared: Settings) -> None:
    open_to_all = prepared.model_copy(update={"host": "192.0.2.1", "authentication": "none"})
    with TestClient(create_app(open_to_all, clock), "http://anything") as client:
        assert client.get("/assets").status_code == 200


def test_a_page_with_a_name_of_its_own_for_this_machine_is_refused(prepared: Settings) -> None:
    with TestClient(create_app(prepared, clock)) as client:
        for host in ("evil.example", "127.0.0.1.evil.example", "", "[::2]:8000"):
            answer = client.get("/assets", headers={"host": host})
            assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")
        for host in ("localhost", "LOCALHOST:8000", "127.0.0.1:9", "[::1]:8000", "[::1]"):
            assert client.get("/assets", headers={"host": host}).status_code == 200


def test_the_names_that_are_set_are_the_only_ones(prepared: Settings) -> None:
    named = prepared.model_copy(update={"allowed_hosts": ("vol.example.com",)})
    with TestClient(create_app(named, clock), "http://vol.example.com:8080") as client:
        assert client.get("/assets").status_code == 200
        assert client.get("/assets", headers={"host": "VOL.example.com."}).status_code == 200
        assert client.get("/health/ready", headers={"host": "127.0.0.1"}).status_code == 200
        for host in ("example.com", "vol.example.com:x", "[::1]evil.com", "localhost:x:evil"):
            assert client.get("/assets", headers={"host": host}).status_code == 421


def test_quotas_are_counted_by_key(prepared: Settings) -> None:
    one, another = (add_key(prepared, "forecast")[1] for _ in range(2))
    limited = with_keys(prepared, rate_limit=0.001)
    with TestClient(create_app(limited, clock)) as client:
        assert client.get("/assets", headers=one).status_code == 200
        answer = client.get("/assets", headers=one)
        assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
        assert 990 <= int(answer.headers["retry-after"]) <= 1000
        assert client.get("/assets", headers=another).status_code == 200


def test_probes_are_counted_to_nobody_and_refusals_to_their_address(prepared: Settings) -> None:
    _, headers = add_key(prepared, "forecast")
    limited = with_keys(prepared, rate_limit=0.001)
    with TestClient(create_app(limited, clock)) as client:
        for _ in range(3):
            assert client.get("/health/live").status_code == 200
        assert [client.get("/assets").status_code for _ in range(3)] == [401, 429, 429]
        assert client.get("/health/ready").status_code == 200
        assert client.get("/assets", headers=headers).status_code == 200


def test_a_header_that_is_given_twice_counts_as_none(prepared: Settings) -> None:
    _, headers = add_key(prepared, "forecast")
    key = headers["authorization"]
    with TestClient(create_app(with_keys(prepared), clock)) as client:
        for pair in ((key, "Bearer x"), ("Bearer x", key), (key, key)):
            twice = [("authorization", it) for it in pair]
            assert client.get("/assets", headers=twice).status_code == 401
    with TestClient(create_app(prepared, clock)) as client:
        hosts = [("host", "evil.example"), ("host", "localhost")]
        assert client.get("/assets", headers=hosts).status_code == 421


def test_pages_that_may_call_can_read_how_they_are_refused(prepared: Settings) -> None:
    desk, allowed = "https://desk.example.com", "access-control-allow-origin"
    add_key(prepared, "forecast")
    named = with_keys(prepared, cors_origins=(desk,), max_body_bytes=10)
    with TestClient(create_app(named, clock)) as client:
        asking = {
            "origin": desk,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }
        assert client.options("/forecast", headers=asking).status_code == 200
        refused = client.get("/assets", headers={"origin": desk})
        assert (refused.status_code, refused.headers[allowed]) == (401, desk)
        large = client.post("/forecast", content=b"x" * 11, headers={"origin": desk})
        assert (large.status_code, large.headers[allowed]) == (413, desk)


def test_a_request_that_is_done_counts_no_more(prepared: Settings) -> None:
    limited = prepared.model_copy(update={"concurrency_limit": 1})
    with TestClient(create_app(limited, clock)) as client:
        for path in ("/assets", "/no/such/path", "/assets"):
            assert client.get(path).status_code != 429


def test_pages_of_other_origins_are_kept_out_unless_a_setting_names_them(
    prepared: Settings,
) -> None:
    asking = {"origin": "https://desk.example.com", "access-control-request-method": "POST"}
    with TestClient(create_app(prepared, clock)) as client:
        assert (
            "access-control-allow-origin" not in client.options("/forecast", headers=asking).headers
        )
    named = prepared.model_copy(update={"cors_origins": ("https://desk.example.com",)})
    with TestClient(create_app(named, clock)) as client:
        answer = client.options("/forecast", headers=asking)
        assert answer.headers["access-control-allow-origin"] == "https://desk.example.com"
        other = asking | {"origin": "https://evil.example"}
        assert (
            "access-control-allow-origin" not in client.options("/forecast", headers=other).headers
        )


def test_every_answer_tells_browsers_to_be_careful(client: TestClient) -> None:
    for path in ("/health/live", "/assets"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"] == "frame-ancestors 'none'"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


def test_who_changed_what_is_written_down(
    prepared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(audit, "log", fresh)  # not one that writes where an earlier test said
    key_id, headers = add_key(prepared, "ingest", name="feed")
    bar = {"date": "2021-01-04", "open": 1.0, "high": 1.1, "low": 0.9, "close": 1.05}
    app = create_app(with_keys(prepared), clock)
    with TestClient(app) as client, structlog.testing.capture_logs() as lines:
        url = "/assets/NEW/bars?calendar=24/7&kind=crypto"
        assert client.put(url, json={"bars": [bar]}, headers=headers).status_code == 200
        assert client.put(url, json={"bars": [{}]}, headers=headers).status_code == 422
    (line,) = [it for it in lines if it["event"] == "audit"]
    assert (line["key"], line["name"], line["client"]) == (key_id, "feed", "testclient")
    assert (line["action"], line["asset"], line["added"]) == ("put bars", "NEW", 1)
    assert (line["replace"], line["replaced"], line["unchanged"]) == (False, 0, 0)


def test_no_level_of_the_log_leaves_out_what_was_changed() -> None:
    """Loggers that filter are of other classes, which structlog makes by level."""
    assert type(audit.log.bind()) is structlog.BoundLogger


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_an_address_of_the_machine_itself_is_known(host: str, is_local: bool) -> None:
    assert is_loopback(host) == is_local
    assert Policy.of(host, "auto", ()).keys_required is not is_local
    assert Policy.of(host, "keys", ()).keys_required
    assert not Policy.of(host, "none", ()).keys_required
    assert Policy.of(host, "keys", ()).hosts == frozenset()


def test_a_service_that_asks_for_signatures_serves_nothing_else(
    prepared: Settings, tmp_path: Path
) -> None:
    private, public = write_keys(tmp_path)
    asking = prepared.model_copy(update={"trusted_keys": (public,)})
    with TestClient(create_app(asking, clock)) as client:
        refused = client.get("/health/ready")
        assert refused.status_code == 503
        assert "not signed" in refused.text
    sign(prepared.store_folder / ASSET / "har" / "1", read_private_key(private))
    with TestClient(create_app(asking, clock)) as client:
        assert client.get(f"/forecast/{ASSET}?model=har").status_code == 200
        assert client.get(f"/forecast/{ASSET}?model=log_har").status_code == 503


def test_lists_in_the_environment_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUGHCAST_ALLOWED_HOSTS", "vol.example.com, 10.0.0.1,")
    monkeypatch.setenv("ROUGHCAST_TRUSTED_KEYS", "a.pem,b.pem")
    settings = Settings()
    assert settings.allowed_hosts == ("vol.example.com", "10.0.0.1")
    assert settings.trusted_keys == (Path("a.pem"), Path("b.pem"))
    assert settings.cors_origins == ()
    monkeypatch.setenv("ROUGHCAST_TRUSTED_KEYS", "")
    assert Settings().trusted_keys == ()
    monkeypatch.setenv("ROUGHCAST_TRUSTED_KEYS", " , ")
    with pytest.raises(ValueError, match="nothing named"):
        Settings()
