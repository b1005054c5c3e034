"""The service as it starts on a fresh machine: shipped models, shipped bars, nothing else."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import verified
from volatility import datasets
from volatility.calendars import get_calendar
from volatility.series import daily_series

NOW = datetime(2021, 10, 28, 12, tzinfo=UTC)  # the day after the last shipped bar


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("fresh")
    settings = Settings(
        store=folder / "var" / "store",
        database_url=f"sqlite:///{folder / 'var' / 'history.sqlite3'}",
    )
    with TestClient(create_app(settings, lambda: NOW)) as client:
        yield client


def ask(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def served(client: TestClient) -> list[tuple[str, str]]:
    return [(it["asset"], it["model"]) for it in client.get("/models").json()["models"]]


def test_everything_is_ready(client: TestClient) -> None:
    answer = verified(client).get("/health/ready").json()
    assert (answer["status"], answer["refused"], answer["warnings"]) == ("ok", [], [])
    assert answer["assets"] == len(datasets.NAMES)


@pytest.mark.parametrize("asset", datasets.NAMES)
def test_held_history_is_what_was_shipped(client: TestClient, asset: str) -> None:
    dataset = datasets.load(asset)
    series, _ = daily_series(dataset.bars, dataset.measure, get_calendar(dataset.calendar))
    answer = client.get(f"/assets/{asset}/history").json()
    assert answer["measure"] == dataset.measure
    assert answer["rv"] == series.rv.tolist()  # to the last bit, through the database
    assert answer["dates"] == [str(date) for date in series.dates]


@pytest.mark.parametrize("asset", datasets.NAMES)
def test_auto_is_the_champion_and_nothing_is_degraded(client: TestClient, asset: str) -> None:
    answer = ask(client, asset=asset)
    champion = {it["asset"]: it["champion"] for it in client.get("/assets").json()["assets"]}
    assert answer["model"] == champion[asset]
    assert answer["degraded_reason"] is None
    assert answer["skill"]["in_confidence_set"] is True
    stale = client.get("/assets").json()["assets"]
    assert answer["stale_sessions"] == {it["asset"]: it["stale_sessions"] for it in stale}[asset]


@pytest.mark.parametrize("asset", datasets.NAMES)
def test_auto_is_below_the_hardest_benchmark_on_the_test_part(
    client: TestClient, asset: str
) -> None:
    told = ask(client, asset=asset)["skill"]["calendar_log_har"]
    assert told["qlike_ratio"] < 1
    manifest = client.get(f"/models/{asset}/combination").json()["manifest"]
    margin = manifest["evaluation"]["margins"]["calendar_log_har"]
    assert told == pytest.approx(margin)


def test_the_newest_asset_is_not_stale_and_the_others_say_so(client: TestClient) -> None:
    assert ask(client, asset="BTC-USD")["stale_sessions"] == 0
    index = ask(client, asset="SPX")
    assert index["stale_sessions"] == 386  # sessions of XNYS from 2020-04-20 to 2021-10-27
    assert any("stale" in warning for warning in index["warnings"])


def test_every_model_forecasts_alone_and_in_a_batch_alike(client: TestClient) -> None:
    items: list[dict[str, Any]] = [
        {"asset": asset, "model": model} for asset, model in served(client)
    ]
    of_rv = [item for item in items if not needs_columns(client, **item)]
    assert len(items) > len(of_rv) > len(items) / 2
    rv = [1e-3 * (1 + 0.1 * np.sin(at)) for at in range(230)]
    items += [item | {"history": {"rv": rv[:-left_out]}} for left_out in (1, 2) for item in of_rv]
    batch = client.post("/forecast/batch", json={"items": items})
    assert batch.json()["failed"] == 0
    singles = [client.post("/forecast", json=item).content for item in items]
    assert batch.content == b'{"failed":0,"items":[' + b",".join(singles) + b"]}"


def needs_columns(client: TestClient, asset: str, model: str) -> bool:
    """Whether rv alone does not tell all that a model sees."""
    return bool(client.get(f"/models/{asset}/{model}").json()["manifest"]["columns"])


def test_models_of_the_paper_s_tables_are_compared_and_forecast_bitcoin(client: TestClient) -> None:
    paper = {
        *("moving_average", "lstm", "transfer", "har"),  # Table 3
        *("transfer_full", "transfer_differential", "transfer_gradual", "transfer_aggressive"),
        *("hybrid", "dynamic_attention"),  # with those above and below, Table 5
        *("residual_boosting", "regime_ensemble", "transfer_residual"),
    }
    assert paper <= {row["model"] for row in client.get("/compare/BTC-USD").json()["rows"]}
    for model in paper:
        assert ask(client, asset="BTC-USD", model=model)["rv"] > 0


def test_what_networks_show_of_themselves_is_visible(client: TestClient) -> None:
    answer = ask(client, asset="BTC-USD", model="regime_ensemble")
    probabilities = answer["diagnostics"]["regime_probabilities"]
    assert len(probabilities) == 3
    assert sum(probabilities) == pytest.approx(1, abs=1e-6)
    (alpha,) = ask(client, asset="BTC-USD", model="dynamic_attention")["diagnostics"]["alpha"]
    assert 0 < alpha < 1
    hybrid = client.get("/models/BTC-USD/hybrid").json()["manifest"]
    assert 0 < hybrid["learned"]["alpha"] < 1
    assert len(hybrid["histories"]["training_1"]["validation_losses"]) > 1


def test_every_model_is_compared(client: TestClient) -> None:
    for asset in datasets.NAMES:
        table = client.get(f"/compare/{asset}").json()
        compared = sorted(row["model"] for row in table["rows"])
        assert compared == [model for of, model in served(client) if of == asset]
        assert table["excluded"] == []
        assert {"last_value", "har", "log_har"} <= {row["model"] for row in table["rows"]}
        for row in table["rows"]:
            # It foresees of the target what it follows of yesterday.
            cannot_be_told = (asset, row["model"]) == ("SPX", "ridge")
            assert row["information_lag"] == (None if cannot_be_told else 1)


@pytest.mark.parametrize("asset", datasets.NAMES)
def test_roughness_is_reported(client: TestClient, asset: str) -> None:
    answer = client.get(f"/hurst/{asset}").json()
    assert len(answer["estimates"]) == 6
    assert all(it["standard_error"] for it in answer["estimates"] if it["hurst"] is not None)
    assert answer["verdict"] in {"several_scales", "not_rough", "inconclusive"}


def test_a_replay_of_the_crash_of_2020(client: TestClient) -> None:
    before, after = (ask(client, asset="SPX", as_of=day) for day in ("2020-02-19", "2020-03-16"))
    assert (after["as_of"], after["target_date"]) == ("2020-03-16", "2020-03-17")
    assert after["volatility_annualized"] > 3 * before["volatility_annualized"]
    holiday = client.post("/forecast", json={"asset": "SPX", "as_of": "2020-02-17"})
    assert (holiday.status_code, holiday.json()["code"]) == (422, "not_a_session")
    assert "XNYS" in holiday.json()["detail"]


def test_hourly_bars_are_put_and_forecast_from(client: TestClient) -> None:
    bars = datasets.load("BTC-USD-1H").bars
    rows = [
        {"timestamp": f"{time}Z", "open": opened, "high": high, "low": low, "close": close}
        for time, opened, high, low, close in zip(
            bars.timestamps[-24 * 40 :].astype(str),
            *(
                getattr(bars, name)[-24 * 40 :].tolist()
                for name in ("open", "high", "low", "close")
            ),
            strict=True,
        )
    ]
    inline = ask(client, asset="BTC-USD-1H", model="har", history={"bars": rows})
    held = ask(client, asset="BTC-USD-1H", model="har")
    assert inline["rv"] == held["rv"]
    assert inline["as_of"] == "2019-10-16"  # the last day with all of its hours
    assert any("lacks some of its bars" in warning for warning in inline["warnings"])
    put = client.put("/assets/BTC-USD-1H/bars", json={"bars": rows}).json()
    assert (put["added"], put["unchanged"]) == (0, len(rows))
    dated = [{**row, "date": "2019-10-16"} for row in rows[:1]]
    del dated[0]["timestamp"]
    refused = client.put("/assets/BTC-USD-1H/bars", json={"bars": dated})
    assert (refused.status_code, refused.json()["code"]) == (422, "unclear_time")


def test_no_answer_holds_a_number_that_json_does_not_have(client: TestClient) -> None:
    paths = ["/models", "/assets", "/health/ready"]
    for asset in datasets.NAMES:
        paths += [f"/hurst/{asset}", f"/compare/{asset}", f"/assets/{asset}/history"]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, path
        json.loads(answer.content, parse_constant=pytest.fail)
