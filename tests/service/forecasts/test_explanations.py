"""What moved a forecast, on request: contributions that sum to it."""

import json
from collections.abc import Iterator
from math import log
from typing import Any

import pytest

from service.app import create_app
from service.forecasts import batch
from service.settings import Settings
from tests.models_store.artifacts import HAR, INTERCEPT, MEAN_RV, make_series
from tests.service.any_asset import made_up_bars, publish_universal
from tests.service.client import TestClient
from tests.service.worlds import ASSET, DRIFT, bars_of, clock, json_bars, publish_others

BARS = json_bars(bars_of(make_series(), DRIFT))


@pytest.fixture(scope="module")
def client(module_settings: Settings) -> Iterator[TestClient]:
    publish_others(module_settings)
    publish_universal(module_settings)
    with TestClient(create_app(module_settings, clock)) as client:
        yield client


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": "har", **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def check_sum(answer: dict[str, Any]) -> None:
    told = answer["explanation"]
    total = sum(it["value"] for it in told["contributions"])
    assert told["total"] == pytest.approx(total, rel=1e-12)
    assert sum(told["groups"].values()) == pytest.approx(total, rel=1e-12)
    expected = log(answer["rv"]) if told["of"] == "log_rv" else answer["rv"]
    assert total == pytest.approx(expected, rel=1e-9)


def test_a_model_in_levels_is_explained_in_variances(client: TestClient) -> None:
    answer = ask(client, explain=True)
    told = answer["explanation"]
    assert told["of"] == "rv"
    check_sum(answer)
    baseline, *others = told["contributions"]
    # Of a history in which every session has the mean rv of training, 2e-4.
    assert baseline["value"] == pytest.approx(INTERCEPT + 0.9 * MEAN_RV)
    assert [baseline[name] for name in ("regressor", "usual", "member")] == [None] * 3
    newest = make_series().rv[-1]
    for it in others:
        assert it["usual"] == pytest.approx(MEAN_RV)
        assert it["value"] == pytest.approx(HAR[it["name"]] * (it["regressor"] - it["usual"]))
    assert others[0]["regressor"] == pytest.approx(newest)
    assert list(told["groups"]) == ["baseline", "recent_volatility"]


def test_the_forecast_stays_the_same(client: TestClient) -> None:
    plain, told = ask(client, levels=[0.8]), ask(client, levels=[0.8], explain=True)
    assert "explanation" not in plain
    del told["explanation"]
    assert told == plain
    assert ask(client, levels=[0.8]) == plain  # what is kept of a question without it
    assert "explanation" in ask(client, levels=[0.8], explain=True)


def test_every_form_of_history_and_every_model_is_explained(client: TestClient) -> None:
    for model in ("har", "leverage", "regimes", "universal", "auto"):
        for more in ({}, {"as_of": "2021-01-15"}, {"history": {"bars": BARS}}):
            check_sum(ask(client, model=model, explain=True, **more))
    rv = make_series().rv.tolist()[-22:]
    check_sum(ask(client, explain=True, history={"rv": rv}))
    stranger = ask(
        client, asset="NEW", model="auto", explain=True, history={"bars": made_up_bars(400)}
    )
    check_sum(stranger)
    assert {"level", "baseline", "network", "calendar", "own_scale"} <= set(
        stranger["explanation"]["groups"]
    )


def test_leverage_is_told_by_its_regressor(client: TestClient) -> None:
    answer = ask(client, model="leverage", explain=True)
    [fall] = [it for it in answer["explanation"]["contributions"] if it["group"] == "leverage"]
    assert fall["name"] == "negative_mean_1:return"
    assert fall["value"] == pytest.approx(-1e-3 * fall["regressor"])
    assert fall["usual"] == 0


def test_a_network_says_that_it_is_no_sum(client: TestClient) -> None:
    answer = ask(client, model="regimes", explain=True)
    names = [it["name"] for it in answer["explanation"]["contributions"]]
    assert names == ["network", "bias_correction"]
    assert any("no sum of parts" in warning for warning in answer["warnings"])
    assert not any("no sum" in it for it in ask(client, model="regimes")["warnings"])


def test_get_gives_the_bytes_of_post(client: TestClient) -> None:
    for explain in (True, False):
        posted = client.post("/forecast", json={"asset": ASSET, "explain": explain})
        got = client.get(f"/forecast/{ASSET}", params={"explain": str(explain).lower()})
        assert got.content == posted.content
    refused = client.get(f"/forecast/{ASSET}?explain=perhaps").json()
    assert (refused["status"], refused["field"]) == (422, "explain")


def test_every_horizon_of_a_term_structure_is_explained(client: TestClient) -> None:
    body = {"model": "universal", "horizons": [1, 5, 22], "explain": True}
    entries = ask(client, **body)["term_structure"]
    for entry in entries:
        check_sum(entry)
    alone = ask(client, model="universal", horizon=5, explain=True)
    assert entries[1]["explanation"] == alone["explanation"]


def test_a_batch_explains_those_that_ask(client: TestClient) -> None:
    items = [{"asset": ASSET, "model": "har", "explain": at == 1} for at in range(3)]
    answer = client.post("/forecast/batch", json={"items": items})
    assert answer.json()["failed"] == 0
    singles = [client.post("/forecast", json=item).content for item in items]
    assert answer.content == b'{"failed":0,"items":[' + b",".join(singles) + b"]}"


def test_a_batch_explains_so_many_and_refuses_the_rest_alone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "MAX_EXPLAINED", 3)
    items: list[dict[str, Any]] = [
        {"asset": ASSET, "model": "universal", "horizons": [1, 5], "explain": True},
        {"asset": ASSET, "model": "har"},
        {"asset": ASSET, "model": "har", "explain": True},
        {"asset": ASSET, "model": "har", "explain": True},
        {"asset": ASSET, "model": "har"},
    ]
    answer = client.post("/forecast/batch", json={"items": items}).json()
    assert answer["failed"] == 1
    problem = answer["items"][3]
    assert (problem["status"], problem["code"], problem["field"], problem["found"]) == (
        422,
        "too_many_explained",
        "explain",
        4,
    )
    assert "at most 3 forecasts of a batch" in problem["needed"]
    assert "rv" in answer["items"][4]


@pytest.mark.parametrize("wrong", ["true", 1, None])
def test_what_is_neither_true_nor_false_is_refused(client: TestClient, wrong: object) -> None:
    answer = client.post(
        "/forecast",
        content=json.dumps({"asset": ASSET, "explain": wrong}),
        headers={"content-type": "application/json"},
    )
    assert (answer.status_code, answer.json()["field"]) == (422, "explain")
