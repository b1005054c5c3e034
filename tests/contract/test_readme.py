"""The README's requests give the README's answers."""

import json
import re
import shlex
from collections.abc import Iterator
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
    for each in (given, promised):
        flatten_numbers(each)  # the last bits of a float differ between processors
        without_the_clock(each)
    assert given == pytest.approx(promised)


def without_the_clock(answer: dict) -> None:
    """Without how many sessions have closed since, and the id, in which the last bits are."""
    del answer["forecast_id"]
    assert answer.pop("stale_sessions") >= 0
    kept = [it for it in answer["warnings"] if "history is stale" not in it]
    answer["warnings"] = str(kept)


def flatten_numbers(answer: dict) -> None:
    (interval,) = answer.pop("intervals")
    for name, value in interval.items():
        for at, number in enumerate(value if isinstance(value, list) else [value]):
            answer[f"interval.{name}.{at}"] = number
    assert answer["skill"] is None
    answer["calibration"] = str(answer["calibration"])
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
    for target in set(re.findall(r"(?<!keys )\bmake ([a-z]+)\b", "\n".join(blocks("sh")))):
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_table_of_what_it_is_worth_is_that_of_the_page() -> None:
    """The opening's figures stand in docs/universal.md, whose command makes them."""
    page = (Path(__file__).parents[2] / "docs" / "universal.md").read_text()
    rows = {
        "universal, 22 bars": "`universal_22`",
        "universal, all bars": "`universal`",
        "combination": "`combination`",
        "HAR, fitted": "`har`",
        "EWMA": "`ewma`",
    }
    for beginning, model in rows.items():
        told = next(line for line in README.splitlines() if line.startswith(f"| {beginning}"))
        source = next(line for line in page.splitlines() if line.startswith(f"| {model} |"))
        figures = [cell.strip() for cell in told.split("|")[2:-1]]
        assert figures == [cell.strip() for cell in source.split("|")[2 : 2 + len(figures)]]
