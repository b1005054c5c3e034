"""The README's requests give the README's answers."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models_store.shipped import shipped_artifacts
from models_store.store import Store
from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from training.publishing.store_results import BEGIN, END, details, overview, read_results

README = (Path(__file__).parents[2] / "README.md").read_text()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("fresh")
    settings = Settings(
        store=folder / "store", database_url=f"sqlite:///{folder / 'history.sqlite3'}"
    )
    with TestClient(create_app(settings)) as started:
        yield started


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def requests() -> list[tuple[str, str]]:
    """Path and body of every forecast that the README asks for with a body of its own."""
    found = []
    for block in blocks("sh"):
        for command in re.findall(r"curl .*?(?:\n\n|\n$|$)", block, flags=re.DOTALL):
            words = shlex.split(command.replace("\\\n", " "))
            if "-d" in words and "MINE" not in command:
                url = next(word for word in words if word.startswith("http"))
                found.append(
                    (url.removeprefix("http://127.0.0.1:8000"), words[words.index("-d") + 1])
                )
    return found


def test_the_example_request_returns_the_example_answer(client: TestClient) -> None:
    path, body = requests()[0]
    (answer,) = blocks("json")
    response = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200, response.text
    given, promised = response.json(), json.loads(answer)
    for each in (given, promised):  # the last bits of a float differ between processors
        flatten_numbers(each)
    assert given == pytest.approx(promised)


def flatten_numbers(answer: dict) -> None:
    (interval,) = answer.pop("intervals")
    for name, value in interval.items():
        for at, number in enumerate(value if isinstance(value, list) else [value]):
            answer[f"interval.{name}.{at}"] = number
    skill = answer.pop("skill")
    answer |= {
        f"skill.{name}": str(value) if name == "span" else value for name, value in skill.items()
    }
    answer["calibration"] = str(answer["calibration"])
    answer["warnings"] = str(answer["warnings"])
    answer["diagnostics"] = str(answer["diagnostics"])


def test_every_other_request_is_answered(client: TestClient) -> None:
    assert len(requests()) == 2
    for path, body in requests()[1:]:
        response = client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert response.status_code == 200, response.text


def test_the_results_are_those_of_the_shipped_models() -> None:
    results = read_results(Store(shipped_artifacts()))
    page = (Path(__file__).parents[2] / "docs" / "results.md").read_text()
    for text, expected in ((README, overview(results)), (page, details(results))):
        assert text.split(BEGIN)[1].split(END)[0].strip() == expected.strip()


def test_every_link_leads_somewhere() -> None:
    root = Path(__file__).parents[2]
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    for link in links:
        assert (root / link).exists(), link


def test_every_make_target_named_exists() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    for target in set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(blocks("sh")))):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_example_is_not_stale_by_the_clock(client: TestClient) -> None:
    """It replays a day, so it reads the same today as when it was written."""
    path, body = requests()[0]
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"}).json()
    assert answer["as_of"] == json.loads(body)["as_of"]
    assert answer["stale_sessions"] == 0
    assert datetime.now(UTC).date().isoformat() > answer["target_date"]
