"""What the guard and the keys say of what is refused, and what is written down."""

from typing import Any

import pytest
import structlog
from starlette.requests import Request
from structlog.testing import capture_logs

from service.database.base import USUAL
from service.database.opening import open_database
from service.database.upgrading import upgrade
from service.http.errors import Forbidden, HostNotAllowed, Unauthorized, UnknownKey
from service.http.middleware import REQUEST_ID
from service.security import audit
from service.security.audit import audited, sender
from service.security.guard import KEY, Guard, Policy
from service.security.keys import ApiKey, KeyRing, make_key
from service.security.store import KeyStore
from tests.errors import details

PRESENT, TEXT = make_key("desk", ["ingest", "forecast"], 7)


async def nothing(_scope: object, _receive: object, _send: object) -> None:
    """An application."""


def admitted(policy: Policy, method: str = "GET", **headers: str) -> dict[str, Any]:
    """The scope of a request that is let in."""
    ring = KeyRing()
    ring.replace([PRESENT])
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": "/assets/A",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "state": {"keys": ring},
    }
    assert Guard(nothing, policy, None)._admit(scope) is None
    return scope


KEYS = Policy(keys_required=True, hosts=frozenset())


@pytest.mark.parametrize(
    ("given", "said"),
    [({}, "no key is given"), ({"authorization": "Bearer rc_1_2"}, "the key is not known")],
)
def test_who_brings_no_good_key_is_told_how(given: dict[str, str], said: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        admitted(KEYS, **given)
    assert str(refused.value) == said
    needed = "Authorization: Bearer KEY, with a key that is not revoked"
    assert details(refused.value) == ("authorization", None, needed)


def test_a_key_that_may_not_do_it_is_told_what_it_may() -> None:
    with pytest.raises(Forbidden) as refused:
        admitted(KEYS, "DELETE", authorization=f"Bearer {TEXT}")
    assert str(refused.value) == f"the key {PRESENT.id} may not do this"
    needed = "a key with the scope admin"
    assert details(refused.value) == ("authorization", "forecast ingest", needed)


def test_a_key_is_known_behind_the_guard() -> None:
    scope = admitted(KEYS, authorization=f"bEARER  {TEXT} ")
    assert (scope[KEY], scope["roughcast.key_id"]) == (PRESENT, PRESENT.id)
    open_to_all = admitted(Policy(keys_required=False, hosts=frozenset()))
    assert (open_to_all[KEY], open_to_all["roughcast.key_id"]) == (None, None)


@pytest.mark.parametrize(("host", "said"), [("evil", "evil"), ("", "nothing")])
def test_a_name_that_is_not_the_service_s_is_told(host: str, said: str) -> None:
    with pytest.raises(HostNotAllowed, match=f"this service is not called {said}$") as refused:
        admitted(Policy(keys_required=False, hosts=frozenset({"good"})), host=host)
    needed = "a name that ROUGHCAST_ALLOWED_HOSTS lists"
    assert details(refused.value) == ("host", host, needed)


def test_a_key_that_is_not_in_use_cannot_be_revoked(tmp_path: object) -> None:
    database = open_database(f"sqlite:///{tmp_path}/keys.sqlite3", USUAL)
    with database.starting() as connection:
        upgrade(connection)
    with pytest.raises(UnknownKey, match="no key 12345678 is in use") as refused:
        KeyStore(database).revoke("12345678", 1)
    needed = "an id as keys list shows it, of a key that is not revoked"
    assert details(refused.value) == ("id", "12345678", needed)
    database.close()


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (PRESENT, {"key": PRESENT.id, "name": "desk", "client": "192.0.2.1"}),
        (None, {"key": None, "name": None, "client": ""}),
    ],
)
def test_what_was_changed_is_written_down_with_who_did_it(
    key: ApiKey | None, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(audit, "log", fresh)  # not one that writes where an earlier test said
    scope: dict[str, Any] = {"type": "http", KEY: key, REQUEST_ID: "its id"}
    request = Request(scope | ({"client": ("192.0.2.1", 7)} if key else {}))
    with capture_logs() as lines:
        audited(request, "put bars", asset="A", added=3)
    expected = {"event": "audit", "log_level": "info", "action": "put bars", **told}
    assert lines == [expected | {"request_id": "its id", "asset": "A", "added": 3}]
    assert sender(request) == (key.id if key else "")
