"""docs/api.md is true: its requests get its answers, and its codes are all there are."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from service.app import create_app
from service.http.codes import CODES as ERROR_CODES
from service.settings import Settings
from tests.pages import commands
from tests.service.answering import answering
from tests.service.client import TestClient
from tests.service.forecasts import test_bad_input as bad
from tests.service.http.examples import FILE, answers

GUIDE = (Path(__file__).parents[2] / "docs" / "api.md").read_text()
EXAMPLES = re.findall(r"```sh\n(curl [^`]*)```\n```json\n(.*?)```", GUIDE, re.DOTALL)
CODES = {code: int(status) for code, status in re.findall(r"^\| `(\w+)` \| (\d+) \|", GUIDE, re.M)}

SHORTENED = {"contributions", "cumulated", "dates", "estimates", "points", "rows"}

# Seen in other tests: they are about the service's state or routes of their own.
ELSEWHERE = {
    "ambiguous_column": 422,
    **dict.fromkeys(("ambiguous_dates", "ambiguous_layout", "ambiguous_numbers"), 422),
    **dict.fromkeys(("ambiguous_ticker", "damaged_content", "malformed_excel"), 422),
    **dict.fromkeys(("malformed_parquet", "no_table"), 422),
    "artifact_refused": 503,
    "asset_in_use": 409,
    "asset_mismatch": 422,
    "body_too_large": 413,
    "body_too_slow": 408,
    "comparison_unavailable": 503,
    "database_unavailable": 503,
    "duplicate_field": 422,
    "duplicate_parameter": 422,
    "forbidden": 403,
    "history_damaged": 503,
    "history_incomplete": 422,
    "history_stale": 422,
    "host_not_allowed": 421,
    "headers_too_large": 431,
    "internal_error": 500,
    "known_at_in_batch": 422,
    "known_at_with_history": 422,
    "malformed_request": 400,
    "misaligned_time": 422,
    "missing_columns": 422,
    "missing_companions": 422,
    "model_version_in_batch": 422,
    "no_history": 404,
    "not_a_session": 422,
    "not_acceptable": 406,
    "not_replayable": 410,
    "outside_session": 422,
    "prediction_failed": 503,
    "rate_limited": 429,
    "store_not_writable": 503,
    "too_many_at_once": 429,
    "unauthorized": 401,
    "overloaded": 503,
    "too_many_columns": 422,
    "too_many_explained": 422,
    "too_many_values": 413,
    "not_ready": 503,
    "unclear_calendar": 422,
    "unknown_calendar": 422,
    "unknown_forecast": 404,
    "unsupported_quantile": 422,
    "url_too_long": 414,
    "wrong_interval": 422,
    "unknown_parameter": 422,
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("guide") / "store"


@pytest.fixture(scope="module")
def client(store: Path) -> Iterator[TestClient]:
    settings = Settings(store=store, database_url=f"sqlite:///{store.parent}/h.sqlite3")
    with TestClient(create_app(settings, lambda: datetime(2022, 1, 1, tzinfo=UTC))) as client:
        yield client


def test_requests_get_answers_shown(client: TestClient) -> None:
    bodies_and_cut_short = 2  # a body without its request, and an answer with half of its entries
    assert len(EXAMPLES) == GUIDE.count("```json\n") - bodies_and_cut_short
    for command, answer in EXAMPLES:  # in the guide's order: one adds bars that a later one shows
        check_example(client, command, answer)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_requests_without_an_answer_shown_are_answered(tmp_path: Path) -> None:
    """Those that are piped into curl: with bars and variances that are made or printed."""
    answered = {command.rstrip("\n") for command, _ in EXAMPLES}
    others = [it for it in commands("docs/api.md") if it not in answered]
    settings = Settings(store=tmp_path / "store", database_url=f"sqlite:///{tmp_path}/h.sqlite3")
    with answering(settings, lambda: datetime(2022, 1, 1, tzinfo=UTC)) as url:
        update = next(it for it in answered if "assets/BTC-USD/bars" in it and "-X PUT" in it)
        for command in (update, *others):  # of which one adds the bar that follows
            here = command.replace("localhost:8000", url.removeprefix("http://"))
            here = re.sub(r"\bcurl ", "curl --fail-with-body ", here)
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", here],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{command}{done.stdout}{done.stderr}"
            assert json.loads(done.stdout)


def check_example(client: TestClient, command: str, answer: str) -> None:
    found = client.request(**request_of(command))
    assert_same(json.loads(answer), found.json())


def test_requests_of_the_description_get_answers_of_its_form(
    client: TestClient, store: Path
) -> None:
    """Those of ``service/http/examples.json``; their answers are written by ``make openapi``."""
    document = client.get("/openapi.json").json()
    operations = {of["operationId"]: of for it in document["paths"].values() for of in it.values()}
    given = json.loads(FILE.read_text())
    for operation, answer in answers(client, store, given):
        assert answer.status_code in (200, 201), (operation, answer.text)
        said = operations[operation]["responses"][str(answer.status_code)]["content"]
        form = answer.headers["content-type"].partition(";")[0]
        example = said[form]["example"]
        assert example == given[operation]["answer"]
        if form == "application/json":
            schema = {**said[form]["schema"], "components": document["components"]}
            validator = jsonschema_rs.Draft202012Validator(schema)
            for it in (example, answer.json()):
                validator.validate(it)
            assert_alike(example, answer.json())


def assert_alike(example: Any, answer: Any) -> None:
    """The example has the fields of the answer, and fewer entries where there are many."""
    if isinstance(example, dict):
        assert set(example) <= set(answer)
        for name, part in example.items():
            assert_alike(part, answer[name])
    elif isinstance(example, list):
        for part, found in zip(example, answer, strict=False):
            assert_alike(part, found)


def test_the_codes_of_the_description_are_those_of_the_guide() -> None:
    assert set(ERROR_CODES) == set(CODES)


def test_there_is_an_example_of_every_route_for_data() -> None:
    paths = {request_of(command)["url"].split("?")[0] for command, _ in EXAMPLES}
    assert paths == {
        "/forecast",
        "/forecast/batch",
        "/hurst/BTC-USD",
        "/compare/BTC-USD",
        "/compare/BTC-USD/losses",
        "/news-impact/SPX",
        "/assets/SPX/cone",
        "/assets/BTC-USD/bars",
        "/assets/BTC-USD/history",
        "/performance/BTC-USD",
        "/admin/models/SPX/har/promote",
        "/admin/models/SPX/lhar/shadow",
        "/admin/reload",
        "/v2/models/SPX~har/infer",
        "/v1/timeseries/forecast",
    }


def test_every_code_is_in_the_table_with_its_status() -> None:
    tables: list[dict[str, Any]] = [bad.FORECASTS, bad.RAW, bad.GETS, bad.HURSTS, bad.PUTS]
    seen = {
        code: status
        for table in tables
        for case in table.values()
        for status, code in [next_status_and_code(case)]
    }
    assert seen | ELSEWHERE == CODES


def next_status_and_code(case: tuple[Any, ...]) -> tuple[int, str]:
    at = next(index for index, part in enumerate(case) if type(part) is int)
    return case[at], case[at + 1]


def request_of(command: str) -> dict[str, Any]:
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    request: dict[str, Any] = {"method": "GET", "headers": {}}
    for word in words:
        match word:
            case "-s":
                continue
            case "-X":
                request["method"] = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                request["headers"][name] = value
            case "-d":
                request["content"] = next(words)
                if request["method"] == "GET":
                    request["method"] = "POST"
            case _:
                request["url"] = re.sub("^(http://)?(localhost|127.0.0.1):8000", "", word)
    return request


def assert_same(shown: Any, found: Any, name: str = "") -> None:
    """The same fields and, as far as they are written out, the same values."""
    if isinstance(shown, dict):
        left_out = set(found) - set(shown)
        assert set(shown) <= set(found)
        assert name == "diebold_mariano" or not left_out
        for field, part in shown.items():
            assert_same(part, found[field], field)
    elif isinstance(shown, list):
        for part, of in zip(shown, found, strict=name not in SHORTENED):
            assert_same(part, of, name)
    elif isinstance(shown, str):
        assert found.startswith(shown.removesuffix("…"))
    elif isinstance(shown, float):
        assert found == pytest.approx(shown, rel=0.01, abs=1e-5)
    else:
        assert found == shown
