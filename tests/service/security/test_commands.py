"""``python -m service keys``, as an operator types it."""

import subprocess
import sys
from pathlib import Path

import pytest

from service.database.base import USUAL
from service.database.opening import open_database
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


def test_a_key_is_made_listed_and_revoked(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("make", "desk", "--scopes", "ingest", "forecast") == 0
    text = capsys.readouterr().out.strip()
    key = ring_of(url).find(text)
    assert key is not None
    assert key.name == "desk"
    assert key.scopes == {"forecast", "ingest"}
    assert run("list") == 0
    listed = capsys.readouterr().out
    assert [key.id in listed, "good" in listed, "forecast ingest" in listed] == [True] * 3
    assert text not in listed
    assert run("revoke", key.id) == 0
    assert ring_of(url).find(text) is None
    capsys.readouterr()
    assert run("list") == 0
    assert "revoked 20" in capsys.readouterr().out


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
