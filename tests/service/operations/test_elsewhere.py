"""A store in a bucket is served from its mirror, followed, and told of where it does not answer."""

from pathlib import Path

import pytest

from models_store import Store
from models_store.remote import Remote
from service.app import create_app
from service.http.errors import InvalidSetting
from service.server import main
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.models_store.buckets import failing, make_url, mirrored
from tests.service.client import TestClient
from tests.service.worlds import ASSET, bars_of, clock, first_held

PROMOTED = f"/admin/models/{ASSET}/har/promote"


@pytest.fixture(autouse=True)
def shipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One model and one asset, rather than dozens."""
    store = Store(tmp_path / "shipped")
    store.publish(make_files(ASSET, "har"), promote=True)
    monkeypatch.setattr("models_store.shipped.shipped_artifacts", lambda: store.root)
    bars = bars_of(make_series(60))
    monkeypatch.setattr("service.operations.seeding.shipped", lambda: [first_held(bars)])
    monkeypatch.setattr("service.operations.seeding.datasets.NAMES", (ASSET,))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        store=make_url(),
        store_mirror=tmp_path / "mirror",
        database_url=f"sqlite:///{tmp_path / 'history.sqlite3'}",
        follow_seconds=0,
    )


@pytest.fixture
def url(settings: Settings) -> str:
    assert isinstance(settings.store, str)
    return settings.store


def served(client: TestClient) -> int:
    version: int = client.get(f"/models/{ASSET}/har").json()["version"]
    return version


def test_a_first_start_puts_what_is_shipped_into_the_bucket_and_a_second_takes_it(
    settings: Settings, url: str, tmp_path: Path
) -> None:
    with TestClient(create_app(settings, clock)) as client:
        assert client.get("/health/ready").json()["models"] == 1
    assert f"{ASSET}/har/current" in Remote(url).listed()
    # Another machine, whose database has bars: from nothing it would not begin.
    other = settings.model_copy(update={"store_mirror": tmp_path / "other"})
    with TestClient(create_app(other, clock)) as client:
        assert client.get("/health/ready").json()["status"] == "ok"


def test_what_is_promoted_elsewhere_serves_and_what_is_promoted_here_is_there(
    settings: Settings, url: str, tmp_path: Path
) -> None:
    with TestClient(create_app(settings, clock)) as client:
        elsewhere = mirrored(url, tmp_path / "elsewhere")
        assert elsewhere.publish(make_files(ASSET, "har", 3e-4), promote=True) == 2
        assert served(client) == 1
        answer = client.post("/admin/reload").json()
        assert [(it["served_before"], it["served"]) for it in answer["swaps"]] == [(1, 2)]
        assert served(client) == 2
        assert client.post(PROMOTED, json={"version": 1}).json()["served_version"] == 1
        assert mirrored(url, elsewhere.root).served(ASSET, "har") == (1, 2, 1)


def test_while_the_bucket_is_away_what_is_here_serves_and_says_so(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        with failing(0, error=ConnectionError):
            assert client.post("/admin/reload").status_code == 200
            ready = client.get("/health/ready").json()
            assert (ready["status"], ready["models"]) == ("degraded", 1)
            (warning,) = ready["warnings"]
            assert warning.startswith("the store is not followed: memory://")
            refused = client.post(PROMOTED, json={"version": 1})
            assert (refused.status_code, refused.json()["code"]) == (503, "store_not_writable")
            assert "does not answer, or refuses" in refused.json()["detail"]
        assert client.post("/admin/reload").status_code == 200
        assert client.get("/health/ready").json()["status"] == "ok"
    with failing(0, error=ConnectionError), TestClient(create_app(settings, clock)) as client:
        assert served(client) == 1
        (warning,) = client.get("/health/ready").json()["warnings"]
        assert warning.startswith("the store is not followed: memory://")


def test_age_and_alerts_go_on_while_the_bucket_is_away(settings: Settings) -> None:
    with TestClient(create_app(settings, clock)) as client:
        follower = client.app_state["follower"]
        before = follower._looked
        with failing(0, error=ConnectionError):
            follower.look()
        assert follower._looked == before
        follower.look()
        assert follower._looked > before


def test_nothing_is_begun_while_the_bucket_is_away(settings: Settings) -> None:
    with (
        failing(0, error=ConnectionError),
        pytest.raises(InvalidSetting, match=r"ROUGHCAST_STORE .*memory://.* does not answer"),
    ):
        TestClient(create_app(settings, clock)).__enter__()


def test_commands_change_the_bucket(
    settings: Settings,
    url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = mirrored(url, tmp_path / "elsewhere")
    store.publish(make_files(ASSET, "har"), promote=True)
    store.publish(make_files(ASSET, "har", 3e-4))
    monkeypatch.setenv("ROUGHCAST_STORE", url)
    monkeypatch.setenv("ROUGHCAST_STORE_MIRROR", str(settings.store_folder))
    monkeypatch.setattr("service.server.logs.configure", lambda _level: None)

    def run(*arguments: str) -> object:
        with pytest.raises(SystemExit) as exited:
            main(["models", *arguments])
        return exited.value.code

    with failing(0, error=ConnectionError):
        assert run("list") != 0
        assert "does not answer" in capsys.readouterr().err
    assert run("promote", ASSET, "har", "2") == 0
    assert mirrored(url, store.root).served(ASSET, "har") == (2, 1)
    capsys.readouterr()
    with failing(0, error=ConnectionError):
        assert run("list") == 0
        said = capsys.readouterr()
        assert "the store is not followed" in said.err
        assert f"{ASSET} " in said.out
        assert run("roll-back", ASSET, "har") != 0
        assert "the store cannot be written: memory://" in capsys.readouterr().err


@pytest.mark.parametrize("store", ["s3://bucket/models", "memory://models", "var/models"])
def test_a_store_is_a_folder_or_a_url(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROUGHCAST_STORE", store)
    settings = Settings()
    assert str(settings.store) == store
    assert isinstance(settings.store, str) == ("://" in store)
    assert settings.store_folder.parts[:2] == (
        ("var", "mirrors") if "://" in store else ("var", "models")
    )
    chosen = settings.model_copy(update={"store_mirror": Path("here")})
    assert str(chosen.store_folder) == ("here" if "://" in store else store)
