"""Several horizons in one answer, each the same as alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from models_store import Store
from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_network_files, make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, MODELS, bars_of, clock, json_bars, json_rv

HORIZONS = [1, 5, 22]
# The second half of the sample, of which intervals and skill are told.
QUESTIONS: dict[str, dict[str, Any]] = {
    "held": {},
    "a model": {"model": "har", "levels": [0.8]},
    "a day": {"as_of": "2020-12-01"},
    "bars": {"history": {"bars": json_bars(bars_of(make_series().tail(60)))}},
    "rv": {"model": "har", "history": {"rv": json_rv()}},
}


def publish_further(settings: Settings) -> None:
    """Let linear models forecast three horizons, and a network one."""
    store = Store(settings.store_folder)
    for model, intercept in MODELS.items():
        files = make_files(ASSET, model, intercept, further=(5, 22))
        store.promote(ASSET, model, store.publish(files))
    store.promote(ASSET, "regimes", store.publish(make_network_files(ASSET, "regimes")))


@pytest.fixture(scope="module")
def client(module_settings: Settings) -> Iterator[TestClient]:
    publish_further(module_settings)
    with TestClient(create_app(module_settings, clock)) as client:
        yield client


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("question", QUESTIONS)
def test_each_horizon_says_what_it_says_alone(client: TestClient, question: str) -> None:
    body = QUESTIONS[question]
    answer = ask(client, horizons=HORIZONS, **body)
    entries = answer.pop("term_structure")
    alone = [ask(client, horizon=horizon, **body) for horizon in HORIZONS]
    assert [{**answer, **entry} for entry in entries] == alone
    assert len({entry["forecast_id"] for entry in entries}) == 3
    assert all(entry["intervals"] for entry in entries)


def test_the_order_is_that_of_the_question(client: TestClient) -> None:
    entries = ask(client, horizons=[22, 1])["term_structure"]
    assert [entry["horizon"] for entry in entries] == [22, 1]
    (entry,) = ask(client, horizons=[5])["term_structure"]
    assert entry["rv"] == ask(client, horizon=5)["rv"]


def test_errors_that_overlap_are_worth_fewer(client: TestClient) -> None:
    for entry in ask(client, horizons=HORIZONS)["term_structure"]:
        told, horizon = entry["calibration"], entry["horizon"]
        assert told["effective_nobs"] == int(2 * told["nobs"] / (horizon + 1))


def test_skill_is_that_of_the_horizon(client: TestClient) -> None:
    entries = ask(client, model="last_value", horizons=HORIZONS)["term_structure"]
    ratios = []
    for entry in entries:
        compared = client.get(f"/compare/{ASSET}", params={"horizon": entry["horizon"]}).json()
        (row,) = [row for row in compared["rows"] if row["model"] == "last_value"]
        assert entry["skill"]["qlike_ratio"] == row["qlike_ratio"]
        assert (entry["skill"]["nobs"], entry["skill"]["span"]) == (
            compared["nobs"],
            compared["span"],
        )
        ratios.append(row["qlike_ratio"])
    assert len(set(ratios)) == 3


def test_a_batch_gives_the_bytes_of_single_answers_and_refuses_an_item_alone(
    client: TestClient,
) -> None:
    items: list[dict[str, Any]] = [
        {"asset": ASSET, "horizons": HORIZONS},
        {"asset": ASSET, "horizons": [1, 7]},
        {"asset": ASSET, "horizon": 5},
        {"asset": ASSET, "model": "har", "horizons": [5, 22], "history": {"rv": json_rv(17)}},
        {"asset": ASSET, "model": "har", "horizons": [5, 22], "history": {"rv": json_rv()}},
    ]
    answer = client.post("/forecast/batch", json={"items": items})
    assert answer.json()["failed"] == 2
    refused = [it.get("code") for it in answer.json()["items"]]
    assert refused == [None, "unsupported_horizon", None, "history_too_short", None]
    for place in (0, 2, 4):
        single = client.post("/forecast", json=items[place])
        assert single.content in answer.content


def test_a_batch_alone_compares_what_it_needs(client: TestClient) -> None:
    """Nothing was asked before: the models have not been compared at these horizons."""
    items = [{"asset": ASSET, "horizons": HORIZONS}] * 2
    answer = client.post("/forecast/batch", json={"items": items}).json()
    assert answer["failed"] == 0
    assert all(entry["skill"] for it in answer["items"] for entry in it["term_structure"])


def test_get_gives_the_bytes_of_post(client: TestClient) -> None:
    by_query: list[tuple[dict[str, str], dict[str, Any]]] = [
        ({}, {}),
        ({"horizon": "5"}, {"horizon": 5}),
        ({"horizons": "1,5,22", "model": "har"}, {"horizons": HORIZONS, "model": "har"}),
        ({"as_of": "2020-12-01"}, {"as_of": "2020-12-01"}),
        ({"levels": "0.95"}, {"levels": [0.95]}),
        ({"levels": "0.95,.8", "horizon": "5"}, {"levels": [0.95, 0.8], "horizon": 5}),
        ({"quantiles": "0.05,0.5,0.95"}, {"quantiles": [0.05, 0.5, 0.95]}),
        ({"quantiles": "0.5", "horizons": "1,5"}, {"quantiles": [0.5], "horizons": [1, 5]}),
    ]
    for query, body in by_query:
        posted = client.post("/forecast", json={"asset": ASSET, **body})
        assert posted.status_code == 200
        assert client.get(f"/forecast/{ASSET}", params=query).content == posted.content


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ({"horizon": "1", "horizons": "1,5"}, 422, "ambiguous_horizon", "horizons"),
        ({"horizons": "1;5"}, 422, "invalid_value", "horizons"),
        ({"horizons": ",".join(["1"] * 17)}, 422, "too_many_items", "horizons"),
        ({"horizons": "1,5,1"}, 422, "duplicate_horizon", "horizons"),
        ({"levels": "0.8,0.95,0.80"}, 422, "duplicate_level", "levels"),
        ({"quantiles": "0.5,0.5"}, 422, "duplicate_quantile", "quantiles"),
        ({"levels": ""}, 422, "invalid_value", "levels"),  # no intervals: POST alone
        ({"levels": "0.8;0.95"}, 422, "invalid_value", "levels"),
        ({"levels": "0.7"}, 422, "unsupported_level", "levels"),
        ({"quantiles": "half"}, 422, "invalid_value", "quantiles"),
        ({"quantiles": "0.5,1"}, 422, "invalid_value", "quantiles[1]"),
        ({"horizons": "1,7"}, 422, "unsupported_horizon", "horizon"),
        ({"horizon": "x"}, 422, "wrong_type", "horizon"),
        ({"model": "gpt"}, 404, "unknown_model", "model"),
        ({"as_of": "2020-13-01"}, 422, "invalid_date", "as_of"),
    ],
)
def test_a_bad_query_names_the_field(
    client: TestClient, query: dict[str, str], status: int, code: str, field: str
) -> None:
    answer = client.get(f"/forecast/{ASSET}", params=query)
    found = answer.json()
    assert (answer.status_code, found["code"], found["field"]) == (status, code, field)


def test_one_and_several_horizons_do_not_go_together(client: TestClient) -> None:
    body = {"asset": ASSET, "horizon": 1, "horizons": [1]}
    assert client.post("/forecast", json=body).json()["code"] == "ambiguous_horizon"
    assert client.post("/forecast", json={"asset": ASSET, "horizons": []}).status_code == 422


def test_a_model_that_lacks_one_of_the_horizons_refuses_all(client: TestClient) -> None:
    body = {"asset": ASSET, "model": "regimes", "horizons": HORIZONS}
    problem = client.post("/forecast", json=body).json()
    assert (problem["code"], problem["found"], problem["needed"]) == (
        "unsupported_horizon",
        5,
        "one of [1]",
    )


def test_a_comparison_leaves_out_what_does_not_forecast_so_far(client: TestClient) -> None:
    compared = client.get(f"/compare/{ASSET}", params={"horizon": 22}).json()
    assert compared["horizon"] == 22
    assert {row["model"] for row in compared["rows"]} == set(MODELS)
    assert compared["excluded"] == [
        {"model": "regimes", "version": 1, "reason": "forecasts [1] sessions ahead, not 22"}
    ]
    problem = client.get(f"/compare/{ASSET}", params={"horizon": 7}).json()
    assert (problem["code"], problem["needed"]) == ("unsupported_horizon", "one of [1, 5, 22]")


def test_a_corrected_bar_changes_the_answer_that_was_kept(settings: Settings) -> None:
    publish_further(settings)
    question = {"asset": ASSET, "horizons": HORIZONS}
    with TestClient(create_app(settings, clock)) as client:
        first = _post(client, question)
        assert _post(client, question) == first
        bars = json_bars(bars_of(make_series(seed=1).tail(1)))
        put = client.put(f"/assets/{ASSET}/bars?replace=true", json={"bars": bars})
        assert put.status_code == 200, put.text
        second = _post(client, question)
    later, before = (json.loads(it)["term_structure"] for it in (second, first))
    assert all(one["rv"] != other["rv"] for one, other in zip(later, before, strict=True))


def _post(client: TestClient, body: dict[str, Any]) -> bytes:
    return client.post("/forecast", json=body).content


def test_a_horizon_is_asked_once(client: TestClient) -> None:
    body = {"asset": ASSET, "horizons": [1, 1, 5]}
    problem = client.post("/forecast", json=body).json()
    assert (problem["status"], problem["code"]) == (422, "duplicate_horizon")
    assert problem["found"] == "[1, 1, 5]"
    assert problem["needed"] == "each horizon once, as in [1, 5]"


@pytest.mark.parametrize(
    ("query", "needed"),
    [
        ("levels=0.8;0.95", "numbers separated by commas, such as 0.8,0.95"),
        ("quantiles=half", "numbers separated by commas, such as 0.8,0.95"),
        ("horizons=1,5.5", "whole numbers separated by commas, such as 1,5,10,22"),
    ],
)
def test_a_list_that_is_none_is_told_in_words(client: TestClient, query: str, needed: str) -> None:
    answer = client.get(f"/forecast/{ASSET}?{query}")
    name, _, found = query.partition("=")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_value")
    assert (answer.json()["field"], answer.json()["found"]) == (name, found)
    assert answer.json()["needed"] == f"Input should be {needed}"
