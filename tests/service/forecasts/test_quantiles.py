"""Quantiles on request: of the outcome, from the errors that the intervals are made of."""

from typing import Any

import pytest

from tests.service.client import TestClient
from tests.service.worlds import ASSET


@pytest.fixture
def client(module_client: TestClient) -> TestClient:
    return module_client


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": "har", **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_quantiles_are_in_the_order_asked_and_lie_about_the_forecast(client: TestClient) -> None:
    answer = ask(client, quantiles=[0.95, 0.05, 0.5])
    assert [it["probability"] for it in answer["quantiles"]] == [0.95, 0.05, 0.5]
    high, low, middle = answer["quantiles"]
    for name in ("rv", "volatility_annualized"):
        assert low[name] < middle[name] < high[name]
        assert low[name] < answer[name] < high[name]
    ratio = high["rv"] / answer["rv"]
    assert high["volatility_annualized"] == pytest.approx(
        answer["volatility_annualized"] * ratio**0.5
    )


def test_an_answer_without_a_question_for_quantiles_has_none(client: TestClient) -> None:
    plain, asked = ask(client), ask(client, quantiles=[0.5])
    assert "quantiles" not in plain
    assert plain["forecast_id"] != asked["forecast_id"]
    del asked["quantiles"]
    assert {**asked, "forecast_id": plain["forecast_id"]} == plain


def test_a_quantile_further_out_than_the_errors_is_refused(client: TestClient) -> None:
    answer = client.post(
        "/forecast", json={"asset": ASSET, "model": "har", "quantiles": [0.5, 0.0001]}
    )
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["code"], problem["field"]) == ("unsupported_quantile", "quantiles")
    assert problem["found"] == 0.0001
    assert problem["needed"] == "between 0.0026 and 0.9974"  # 1 / 379: its walk-forward has 378


@pytest.mark.parametrize("wrong", [[0], [1], [-0.1], ["x"], [0.5] * 100])
def test_what_is_no_probability_is_refused(client: TestClient, wrong: list[Any]) -> None:
    answer = client.post("/forecast", json={"asset": ASSET, "quantiles": wrong})
    assert answer.status_code == 422
    assert answer.json()["field"].startswith("quantiles")


def test_a_batch_gives_the_same_and_a_bad_one_fails_alone(client: TestClient) -> None:
    items: list[dict[str, Any]] = [
        {"asset": ASSET, "model": "har", **more}
        for more in ({"quantiles": [0.1, 0.9]}, {"quantiles": [0.0001]}, {})
    ]
    answer = client.post("/forecast/batch", json={"items": items}).json()
    assert answer["failed"] == 1
    first, bad, last = answer["items"]
    assert first == ask(client, quantiles=[0.1, 0.9])
    assert bad["code"] == "unsupported_quantile"
    assert last == ask(client)
