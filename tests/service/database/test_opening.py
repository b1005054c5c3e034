"""What a URL may say, and what an error must not."""

import sys

import pytest

from service.database.base import USUAL
from service.database.opening import open_database
from service.http.errors import DatabaseUnavailable, InvalidSetting


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("nonsense secret", "cannot be read"),
        ("postgresql://u:secret@host:port/name", "cannot be read"),
        ("mysql://u:secret@host/name", "is of mysql"),
        ("postgresql+asyncpg://u:secret@host/name", "is of postgresql+asyncpg"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///secret?timeout=5", "has options"),
    ],
)
def test_a_url_of_no_use_is_refused_without_repeating_it(url: str, found: str) -> None:
    with pytest.raises(InvalidSetting, match="needed: ") as caught:
        open_database(url, USUAL)
    assert found in str(caught.value)
    assert caught.value.field == "database_url"
    assert "secret" not in str(caught.value)


def test_without_its_driver_postgresql_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "service.database.postgres", raising=False)
    with pytest.raises(InvalidSetting, match=r"pip install 'roughcast\[postgres\]'"):
        open_database("postgresql://u:secret@host/name", USUAL)


def test_a_server_that_is_not_there_is_not_named() -> None:
    database = open_database("postgresql://owner:secret@127.0.0.1:1/ledger", USUAL)
    with (
        pytest.raises(DatabaseUnavailable, match="cannot be reached") as caught,
        database.reading(),
    ):
        pass
    database.close()
    text = str(caught.value)
    assert not [it for it in ("owner", "secret", "127.0.0.1", "ledger") if it in text]
    assert "ROUGHCAST_DATABASE_URL" in text
    assert caught.value.__suppress_context__
