"""What a key is, and how it is recognized."""

from dataclasses import replace

import pytest

from service.database.base import USUAL
from service.database.opening import open_database
from service.database.upgrading import upgrade
from service.http.errors import UnknownKey
from service.security.keys import ApiKey, KeyRing, make_key
from service.security.store import KeyStore


def ring_of(*keys: ApiKey) -> KeyRing:
    ring = KeyRing()
    ring.replace(keys)
    return ring


def test_a_key_is_found_by_its_whole_text_alone() -> None:
    key, text = make_key("desk", ["forecast"], 0)
    other, _ = make_key("desk", ["forecast"], 0)
    ring = ring_of(key, other)
    assert ring.find(text) == key
    wrong = [text[:-1], text + "x", text.upper(), "", "rc", "rc_", f"rc_{key.id}", text[3:]]
    wrong += [text.replace(key.id, other.id), f"xx{text[2:]}", f"rc_{key.id}_", f"rc_{key.id}_é"]
    assert [ring.find(it) for it in wrong] == [None] * len(wrong)


def test_what_is_kept_of_a_key_does_not_tell_it() -> None:
    key, text = make_key("desk", ["forecast"], 0)
    secret = text.rpartition(key.id)[2][1:]
    assert len(secret) >= 43  # 256 bits
    assert secret not in repr(key)
    assert make_key("desk", ["forecast"], 0)[1] != text


def test_a_ring_that_no_key_was_read_into_finds_none() -> None:
    ring = KeyRing()
    assert len(ring.keys) == 0
    _, text = make_key("ops", ["forecast"], 0)
    assert ring.find(text) is None


def test_a_revoked_key_is_no_key() -> None:
    key, text = make_key("desk", ["forecast"], 0)
    assert ring_of(replace(key, revoked_at=1)).find(text) is None


def test_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("service.security.keys.hmac.compare_digest", compare)
    key, text = make_key("desk", ["forecast"], 0)
    ring = ring_of(key)
    assert ring.find(text) is key
    assert ring.find(text[:-1] + "?") is None
    assert [other for _, other in compared] == [key.sha256] * 2


def test_a_database_keeps_keys(database_url: str) -> None:
    database = open_database(database_url, USUAL)
    with database.starting() as connection:
        upgrade(connection)
    store, ring = KeyStore(database), KeyRing()
    key, text = make_key("desk", ["ingest", "forecast"], 5)
    revoked, its_text = make_key("old", ["admin"], 3)
    store.add(key)
    store.add(revoked)
    store.revoke(revoked.id, 7)
    assert store.all() == [replace(revoked, revoked_at=7), key]
    store.fill(ring)
    assert (ring.find(text), ring.find(its_text)) == (key, None)
    for gone in (revoked.id, "00000000"):
        with pytest.raises(UnknownKey, match=f"no key {gone} is in use"):
            store.revoke(gone, 9)
    database.close()
