"""While models are exchanged no request fails, waits for it, or is answered by two versions."""

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from models_store import Store
from models_store.universal.store import UniversalStore
from service.settings import Settings
from tests.models_store.artifacts import make_files
from tests.models_store.universal.small import small_files
from tests.service.any_asset import made_up_bars
from tests.service.patience import eventually
from tests.service.processes import Serving, serving
from tests.service.worlds import ASSET, MODELS, damage, json_rv

SWAPS = 6
ITEMS = 300  # of a batch, more than are answered together


class Seen(NamedTuple):
    """What tells one version from another in the answers to one question."""

    version: int
    sha256: str
    rv: float
    skill: str


@pytest.fixture
def store(settings: Settings) -> Store:
    """Each model has a second version, and so has the model for every asset."""
    store = Store(settings.store_folder)
    for model, intercept in MODELS.items():
        store.publish(make_files(ASSET, model, 20 * intercept, further=(5,)))
    UniversalStore(store.root).publish(small_files())
    return store


@pytest.fixture
def served(settings: Settings, store: Store) -> Iterator[Serving]:
    with serving(settings, FOLLOW_SECONDS="0.02") as served:
        yield served


class Client:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def close(self) -> None:
        self._connection.close()

    def post(self, path: str, body: object = None) -> dict[str, Any]:
        content = None if body is None else json.dumps(body)
        self._connection.request("POST", path, content, {"content-type": "application/json"})
        answer = self._connection.getresponse()
        said = json.loads(answer.read())
        assert answer.status == 200, said
        return dict(said)


def seen(answer: dict[str, Any]) -> Seen:
    version, sha256 = answer["model_version"], answer["model_sha256"]
    return Seen(
        version, sha256, answer["rv"], json.dumps(answer["skill"]) + str(answer["warnings"])
    )


QUESTIONS: list[dict[str, Any]] = [
    {"asset": ASSET, "model": "har"},
    {"asset": ASSET, "model": "har", "history": {"rv": json_rv()}},
    {"asset": ASSET},
    {"history": {"bars": made_up_bars(60)}},  # of the model for every asset
]


def ask_until(port: int, question: dict[str, Any], done: threading.Event) -> list[Seen]:
    found = []
    with closing(Client(port)) as client:
        while not done.is_set():
            found.append(seen(client.post("/forecast", question)))
    return found


def ask_batches_until(port: int, done: threading.Event) -> list[set[Seen]]:
    found, items = [], [QUESTIONS[1], QUESTIONS[3]] * (ITEMS // 2)
    with closing(Client(port)) as client:
        while not done.is_set():
            said = client.post("/forecast/batch", {"items": items})
            assert said["failed"] == 0
            found.append({seen(it) for it in said["items"]})
    return found


def change(port: int, store: Store) -> None:
    """Promote, roll back, and publish, over HTTP and beside the service."""
    with closing(Client(port)) as client:
        for number in range(SWAPS):
            said = client.post(f"/admin/models/{ASSET}/har/promote", {"version": 2})
            assert said["served_version"] == 2
            store.promote(ASSET, "log_har", 2 - number % 2)  # the champion
            said = client.post(f"/admin/models/{ASSET}/har/roll-back")
            assert said["served_version"] == 1
            UniversalStore(store.root).publish(small_files(1.0 - (number + 1) / 50))


def test_each_answer_is_of_one_version(served: Serving, store: Store) -> None:
    done = threading.Event()
    with ThreadPoolExecutor(len(QUESTIONS) + 1) as clients:
        asking = [clients.submit(ask_until, served.port, it, done) for it in QUESTIONS]
        batches = clients.submit(ask_batches_until, served.port, done)
        try:
            change(served.port, store)
        finally:
            done.set()
        answers = [it.result() for it in asking]
    for found in answers:
        by_version = {(it.version, it.sha256, it.rv) for it in found}
        assert len(by_version) == len({it.version for it in found})
        assert len(by_version) > 1
    for found in answers[:2]:  # skill depends on the champion's version, too
        assert len(set(found)) <= 2 * len({it.version for it in found})
    for of_one in batches.result():
        assert len({it.version for it in of_one if it.sha256 in shas(answers[1])}) == 1
        assert len(of_one) == 2
    assert "bug" not in served.events()


def shas(found: list[Seen]) -> set[str]:
    return {it.sha256 for it in found}


@pytest.fixture
def client(served: Serving) -> Iterator[Client]:
    with closing(Client(served.port)) as client:
        yield client


def test_a_bad_version_is_refused_while_the_old_one_serves(
    client: Client, served: Serving, settings: Settings, store: Store
) -> None:
    before = client.post("/forecast", QUESTIONS[0])
    store.promote(ASSET, "har", 2)
    eventually(lambda: client.post("/forecast", QUESTIONS[0])["model_version"] == 2)
    store.roll_back(ASSET, "har")
    eventually(lambda: client.post("/forecast", QUESTIONS[0]) == before)
    damage(settings, "har", 2)
    path = store.root / ASSET / "har" / "current"
    path.write_text(path.read_text().replace('"version": 1', '"version": 2'))
    eventually(lambda: "artifact refused" in served.events())
    said = client.post("/forecast", QUESTIONS[0])
    assert (said["model_version"], said["rv"]) == (1, before["rv"])
    assert said["degraded_reason"].startswith("version 2 of har is refused: coefficients.json")
    store.promote(ASSET, "har", 1)
    eventually(lambda: client.post("/forecast", QUESTIONS[0]) == before)
