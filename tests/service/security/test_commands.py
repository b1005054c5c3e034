"""``python -m service keys``, as an operator types it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from service.database.base import USUAL
from service.database.opening import open_database
from service.security import commands
from service.security.keys import KeyRing
from service.security.store import KeyStore
from service.server import main


@pytest.fixture(autouse=True)
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Of a database that is not there yet."""
    url = f"sqlite:///{tmp_path / 'history.sqlite3'}"
    monkeypatch.setenv("ROUGHCAST_DATABASE_URL", url)
    # It would send the log of all later tests to what captures this one's output.
    monkeypatch.setattr("service.server.logs.configure", lambda _level: None)
    return url


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exited:
        main(["keys", *arguments])
    assert isinstance(exited.value.code, int)
    return exited.value.code


def ring_of(url: str) -> KeyRing:
    database, ring = open_database(url, USUAL), KeyRing()
    KeyStore(database).fill(ring)
    database.close()
    return ring


def test_a_key_is_made_listed_and_revoked(
    url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(commands, "log", fresh)
    with structlog.testing.capture_logs() as lines:
        assert run("make", "desk", "--scopes", "ingest", "forecast") == 0
    said = capsys.readouterr()
    text = said.out.strip()
    key = ring_of(url).find(text)
    assert key is not None
    assert said.err == f"key {key.id} of desk; it is shown this once:\n"
    audit = {"event": "audit", "log_level": "info", "key": key.id}
    made = {"action": "make key", "name": "desk", "scopes": ["forecast", "ingest"]}
    assert [it for it in lines if it["event"] == "audit"] == [audit | made]
    assert key.name == "desk"
    assert key.scopes == {"forecast", "ingest"}
    assert run("list") == 0
    listed = capsys.readouterr().out
    made_on = datetime.fromtimestamp(key.created_at, UTC).date()
    row = f"{key.id}  {made_on}  {{:<18}}  forecast ingest         desk\n"
    assert listed == row.format("good")
    with structlog.testing.capture_logs() as lines:
        assert run("revoke", key.id) == 0
    assert lines == [audit | {"action": "revoke key"}]
    assert capsys.readouterr().err == f"key {key.id} is revoked\n"
    assert ring_of(url).find(text) is None
    assert run("list") == 0
    revoked = [f"revoked {made_on + timedelta(days=it)}" for it in (0, 1)]  # at midnight
    assert capsys.readouterr().out in map(row.format, revoked)


def test_only_a_key_that_is_made_makes_a_database(tmp_path: Path, capsys: object) -> None:
    assert capsys
    for arguments in (["list"], ["revoke", "12345678"]):
        assert run(*arguments) == 2
        assert not (tmp_path / "history.sqlite3").exists()


def test_what_is_printed_is_the_key_alone(url: str) -> None:
    """So that a script can keep it; what is logged goes elsewhere."""
    command = [sys.executable, "-m", "service", "keys", "make", "desk"]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ring_of(url).find(found.stdout.removesuffix("\n")) is not None
    assert '"action":"make key"' in found.stderr


def test_a_key_reads_forecasts_unless_more_is_said(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("make", "bot") == 0
    key = ring_of(url).find(capsys.readouterr().out.strip())
    assert key is not None
    assert key.scopes == {"forecast"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["revoke", "12345678"], "no key 12345678 is in use"),
        (["make", ""], "'' is no name"),
        (["make", "a\nb"], "is no name"),
        (["make", "x" * 65], "1 to 64 printable characters"),
        (["make", "desk", "--scopes", "all"], "invalid choice: 'all'"),
        ([], "required"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("make", "first") == 0
    assert run(*arguments) == 2
    assert said in capsys.readouterr().err


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite3").write_bytes(b"no database" * 100)
    found = subprocess.run(
        [sys.executable, "-m", "service", "keys", "list"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.count("\n") == 1
    assert "damaged" in found.stderr
    assert str(tmp_path) not in found.stderr
