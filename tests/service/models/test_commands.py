"""``python -m service models``, as an operator types it."""

import io
import json
from datetime import timedelta
from email.message import Message
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError
from urllib.request import Request

import pytest
import structlog

from models_store import Store, atomic, pruning
from models_store.shadows import shadow
from models_store.signatures import read_private_key, sign
from models_store.stored_comparisons import folders, promoted, recall
from service.models import commands
from service.server import main
from service.settings import Settings
from tests.errors import details
from tests.keys import write_keys
from tests.models_store.artifacts import flip_byte, make_files
from tests.service.processes import serving
from tests.service.worlds import ASSET, damage
from volatility.errors import UnknownAsset, UnknownModel


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Two assets; of one model there are three versions, of which the first serves."""
    store = Store(tmp_path / "store")
    for intercept in (1e-5, 2e-5, 3e-5):
        store.publish(make_files("A", "har", intercept))
    store.promote("A", "har", 1)
    store.publish(make_files("A", "log_har"))
    store.set_champion("A", "har")
    store.publish(make_files("B", "har"), promote=True)
    monkeypatch.setenv("ROUGHCAST_STORE", str(store.root))
    # It would send the log of all later tests to what captures this one's output.
    monkeypatch.setattr("service.server.logs.configure", lambda _level: None)
    return store


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as exited:
        main(["models", *arguments])
    assert isinstance(exited.value.code, int)
    return exited.value.code


def test_what_there_is_is_listed(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    store.promote("A", "har", 3)
    store.promote("A", "har", 2)
    (store.root / "B" / "har" / "current").write_text("{}")
    (store.root / "B" / "champion").write_text("{}")
    store.publish(make_files("C", "har"), promote=True)
    today = f"{store.pointer('A', 'har').promoted_at:%Y-%m-%d}"
    assert run("list") == 0
    har, log_har, broken, alone = capsys.readouterr().out.splitlines()
    assert (
        har
        == f"A                *har                      2 of 1, 2, 3, since {today}, before it 3, 1"
    )
    assert log_har == "A                 log_har                  none of 1"
    assert broken.startswith("B                 har                      its pointer ")
    assert alone == f"C                 har                      1 of 1, since {today}"
    assert run("list", "B") == 0
    assert capsys.readouterr().out == f"{broken}\n"


def test_what_is_not_there_is_refused_with_what_is(store: Store) -> None:
    """In full; the command prints the message alone."""
    with pytest.raises(UnknownAsset) as asset:
        commands._check_known(store, "a")
    assert str(asset.value) == "no models are published for asset 'a'; did you mean 'A'?"
    assert details(asset.value) == ("asset", "a", "one of A, B")
    with pytest.raises(UnknownModel) as model:
        commands._check_known(store, "A", "hra")
    assert str(model.value) == "asset A has no model 'hra'; did you mean 'har'?"
    assert details(model.value) == ("model", "hra", "one of har, log_har")


def test_a_version_is_promoted_and_rolled_back(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(commands, "log", fresh)
    with structlog.testing.capture_logs() as told:
        assert run("promote", "A", "har", "3") == 0
        assert store.served("A", "har") == (3, 1)
        assert recall(store, "A", promoted(store, "A"), "har", (), (1,)) is not None
        assert run("roll-back", "A", "har") == 0
    assert store.served("A", "har") == (1,)
    assert len(folders(store, "A")) == 2
    of = {"event": "audit", "log_level": "info", "asset": "A", "model": "har"}
    assert told == [
        of | {"action": "promote", "version": 3},
        of | {"action": "roll back", "version": 1},
    ]
    assert capsys.readouterr().err == (
        "version 3 of A/har is to serve\nversion 1 of A/har is to serve\n"
    )


def test_a_version_is_tried_and_the_trial_ended(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(commands, "log", fresh)
    with structlog.testing.capture_logs() as told:
        assert run("shadow", "A", "har", "3") == 0
        assert shadow(store, "A", "har").version == 3
        assert run("list", "A") == 0
        har, log_har = capsys.readouterr().out.splitlines()
        assert "1 of 1, 2, 3, 3 on trial, since" in har
        assert "trial" not in log_har
        assert run("end-shadow", "A", "har") == 0
    assert shadow(store, "A", "har") is None
    of = {"event": "audit", "log_level": "info", "asset": "A", "model": "har"}
    assert told == [of | {"action": "start shadow", "version": 3}, of | {"action": "end shadow"}]
    assert capsys.readouterr().err == "no version of A/har is on trial\n"
    (store.root / "A" / "har" / "shadow").write_text("{}")
    assert run("list", "A") == 0
    [har] = [it for it in capsys.readouterr().out.splitlines() if "*har" in it]
    assert "1 of 1, 2, 3, its pointer 'shadow' cannot be read" in har


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["promote", "A", "har", "9"], "A/har has no version 9"),
        (["shadow", "A", "har", "9"], "A/har has no version 9"),
        (["shadow", "A", "har"], "required: version"),
        (["end-shadow", "A", "ewma"], "asset A has no model 'ewma'"),
        (["promote", "A", "ewma", "1"], "asset A has no model 'ewma'"),
        (["promote", "C", "har", "1"], "no models are published for asset 'C'"),
        (["promote", "A", "har", "x"], "invalid int value: 'x'"),
        (["roll-back", "A", "har"], "no earlier version to roll back to"),
        (["list", "C"], "no models are published for asset 'C'"),
        (["prune", "C", "--keep", "1"], "no models are published for asset 'C'"),
        (["prune"], "required: --keep"),
        (["prune", "--keep", "-1"], "'-1' is no number of versions; needed: 0 or more"),
        (["prune", "--keep", "x"], "'x' is no number of versions"),
        ([], "required"),
    ],
)
def test_what_cannot_be_done_is_said(
    store: Store, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert said in capsys.readouterr().err
    assert store.served("A", "har") == (1,)


def test_without_a_store_nothing_is_made(
    tmp_path: Path,
    store: Store,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROUGHCAST_STORE", str(tmp_path / "none"))
    assert run("list") == 2
    assert "ROUGHCAST_STORE names no folder" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_a_damaged_or_unsigned_version_is_not_promoted(
    store: Store,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = store.root / "A" / "har" / "2" / "coefficients.json"
    path.write_bytes(flip_byte(path.read_bytes(), 5))
    assert run("promote", "A", "har", "2") == 2
    assert "A/har/2 is refused: coefficients.json" in capsys.readouterr().err
    private, public = write_keys(tmp_path)
    monkeypatch.setenv("ROUGHCAST_TRUSTED_KEYS", str(public))
    assert run("promote", "A", "har", "3") == 2
    assert "A/har/3 is refused: it is not signed" in capsys.readouterr().err
    sign(store.root / "A" / "har" / "3", read_private_key(private))
    assert run("promote", "A", "har", "3") == 0


@pytest.mark.parametrize("arguments", [["promote", "A", "har", "2"], ["roll-back", "A", "har"]])
def test_a_store_that_cannot_be_written_is_one_line(
    store: Store,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store.promote("A", "har", 3)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(store.root))

    monkeypatch.setattr(atomic, "_write_and_flush", refuse)
    assert run(*arguments) == 2
    assert capsys.readouterr().err == "the store cannot be written: Permission denied\n"
    assert store.served("A", "har") == (3, 1)


@pytest.fixture
def _settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pruning, "SETTLED", timedelta(0))


@pytest.mark.usefixtures("_settled")
def test_old_versions_are_removed(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = structlog.wrap_logger(None, wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(commands, "log", fresh)
    with structlog.testing.capture_logs() as told:
        assert run("prune", "B", "--keep", "0") == 0
        assert store.versions("A", "har") == [1, 2, 3]
        assert run("prune", "--keep", "1") == 0
    assert store.versions("A", "har") == [1, 3]
    assert [store.versions(*of) for of in (("A", "log_har"), ("B", "har"))] == [[1], [1]]
    assert told == [
        {
            "event": "audit",
            "log_level": "info",
            "action": "prune",
            "asset": "A",
            "model": "har",
            "versions": [2],
        }
    ]
    assert capsys.readouterr().err == "A/har: removed 2\n"


def test_why_nothing_is_removed_is_said(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prune", "--keep", "1") == 1
    assert capsys.readouterr().err == (
        "A/har: nothing is removed: promoted less than 10 minutes ago\n"
    )
    assert store.versions("A", "har") == [1, 2, 3]


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("modles", "list"), "'models'"),
        (("models", "promot", "A", "har", "1"), "'promote'"),
        (("models", "promote", "A", "log_hra", "1"), "'log_har'"),
        (("models", "roll-back", "a", "har"), "'A'"),
        (("models", "prune", "b", "--keep", "1"), "'B'"),
        (("models", "prune", "--keep", "1", "--hlep"), "'--help'"),
        (("keys", "make", "desk", "--scopes", "forcast"), "'forecast'"),
        (("--opneapi",), "'--openapi'"),
    ],
)
def test_what_is_misspelled_is_told_with_what_was_meant(
    words: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert f"did you mean {meant}?" in capsys.readouterr().err


def test_a_running_service_is_asked_to_look(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.server.logs.configure", lambda _level: None)
    store = Store(settings.store_folder)
    with serving(settings, FOLLOW_SECONDS="0") as served:
        monkeypatch.setenv("ROUGHCAST_PORT", str(served.port))
        assert run("reload") == 0
        store.publish(make_files(ASSET, "har", 2e-5), promote=True)
        assert run("reload", "--service", f"http://127.0.0.1:{served.port}/") == 0
        store.publish(make_files(ASSET, "har", 3e-5), promote=True)
        damage(settings, "har", 3)
        assert run("reload") == 1
    assert run("reload") == 2
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("{")]
    first, second, third, fourth = said
    assert (first, second) == ("nothing is new", f"version 2 of {ASSET}/har serves")
    assert third.startswith(f"{ASSET}/har is refused: coefficients.json")
    assert "does not answer as a service does" in fourth


@pytest.mark.parametrize(
    ("turned", "said", "status"),
    [
        ({}, ["nothing is new"], 0),
        (
            {
                "swaps": [{"asset": "A", "model": "har", "served": 3}],
                "champions": [{"asset": "A", "champion": "har"}],
            },
            ["version 3 of A/har serves", "the champion of A is har"],
            0,
        ),
        (
            {"refused": [{"asset": "A", "model": "har", "reason": "it is not signed"}]},
            ["A/har is refused: it is not signed"],
            1,
        ),
    ],
)
def test_what_serves_after_a_look_is_said(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    turned: dict[str, object],
    said: list[str],
    status: int,
) -> None:
    asked = []

    def answer(request: Request, timeout: float) -> io.BytesIO:
        asked.append((request.full_url, request.get_header("Authorization"), timeout))
        nothing: dict[str, object] = {"swaps": [], "champions": [], "refused": []}
        return io.BytesIO(json.dumps(nothing | turned).encode())

    monkeypatch.setattr("urllib.request.urlopen", answer)
    monkeypatch.setattr("service.server.logs.configure", lambda _level: None)
    monkeypatch.setenv("ROUGHCAST_API_KEY", " ")
    monkeypatch.setenv("ROUGHCAST_PORT", "8123")
    assert run("reload") == status
    assert asked == [("http://127.0.0.1:8123/admin/reload", None, 600.0)]
    assert capsys.readouterr().err.splitlines() == said


@pytest.mark.parametrize("body", [b"no JSON", b"{}", b"[]"])
def test_a_refusal_that_is_no_problem_is_told_by_its_phrase(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: bytes
) -> None:
    def refuse(request: Request, timeout: float) -> NoReturn:
        raise HTTPError(request.full_url, 502, "Bad Gateway", Message(), io.BytesIO(body))

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("service.server.logs.configure", lambda _level: None)
    assert run("reload", "--service", "http://desk.example:81/") == 2
    assert capsys.readouterr().err == "http://desk.example:81 refuses: 502 Bad Gateway\n"


def test_a_service_that_refuses_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def refuse(request: Request, timeout: float) -> NoReturn:
        key = request.get_header("Authorization")
        asked.append((request.get_method(), request.full_url, key, timeout))
        body = io.BytesIO(b'{"detail": "the key lacks the scope admin"}')
        raise HTTPError(request.full_url, 403, "Forbidden", Message(), body)

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    monkeypatch.setattr("service.server.logs.configure", lambda _level: None)
    monkeypatch.setenv("ROUGHCAST_API_KEY", "rc_1_2")
    assert run("reload", "--service", "https://desk.example") == 2
    assert asked == [("POST", "https://desk.example/admin/reload", "Bearer rc_1_2", 600.0)]
    assert "refuses: 403 the key lacks the scope admin" in capsys.readouterr().err
    assert run("reload", "--service", "https://me:secret@desk.example") == 2
    assert "secret" not in capsys.readouterr().err
