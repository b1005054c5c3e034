"""When models won and lost against one of them, by the forecasts in the artifacts."""

import numpy as np
import pytest

from models_store import Store
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.worlds import ASSET, publish_shifted
from volatility.evaluation.losses import qlike_losses


def losses_of(settings: Settings, model: str) -> np.ndarray:
    track = Store(settings.store_folder).load(ASSET, model).track
    tested = track.target_dates.astype(str) >= "2020-07-01"
    return qlike_losses(track.rv[tested], track.forecast[tested])


@pytest.mark.parametrize("against", [None, "last_value"])
def test_losses_are_summed_up_date_by_date(
    client: TestClient, settings: Settings, against: str | None
) -> None:
    query = f"?against={against}" if against else ""
    answer = client.get(f"/compare/{ASSET}/losses{query}").json()
    other = against or "har"
    assert (answer["asset"], answer["horizon"], answer["against"]) == (ASSET, 1, other)
    compared = client.get(f"/compare/{ASSET}").json()
    rows = [it for it in compared["rows"] if it["model"] != other]
    assert [it["model"] for it in answer["models"]] == [it["model"] for it in rows]
    assert [it["in_confidence_set"] for it in answer["models"]] == [
        it["in_confidence_set"] for it in rows
    ]
    assert [answer["dates"][0], answer["dates"][-1]] == compared["span"]
    assert answer["nobs"] == compared["nobs"] == len(answer["dates"])
    for it in answer["models"]:
        differences = losses_of(settings, it["model"]) - losses_of(settings, other)
        np.testing.assert_allclose(it["cumulated"], np.cumsum(differences), atol=1e-12)


def test_as_many_models_as_are_wanted(client: TestClient) -> None:
    all_of_them = client.get(f"/compare/{ASSET}/losses").json()["models"]
    assert client.get(f"/compare/{ASSET}/losses?limit=1").json()["models"] == all_of_them[:1]


def test_a_model_that_is_left_out_is_not_shown(settings: Settings, client: TestClient) -> None:
    publish_shifted(settings, "log_har")
    client.post("/admin/reload").raise_for_status()
    answer = client.get(f"/compare/{ASSET}/losses").json()
    assert [it["model"] for it in answer["models"]] == ["last_value"]


@pytest.mark.parametrize(
    ("path", "status", "code", "field"),
    [
        (f"{ASSET}/losses?against=garch", 404, "unknown_model", "against"),
        (f"{ASSET}/losses?horizon=5", 422, "unsupported_horizon", "horizon"),
        (f"{ASSET}/losses?limit=0", 422, "invalid_value", "limit"),
        ("NOTHING/losses", 404, "unknown_asset", "asset"),
    ],
)
def test_what_is_not_compared(
    client: TestClient, path: str, status: int, code: str, field: str
) -> None:
    answer = client.get(f"/compare/{path}")
    found = answer.json()
    assert (answer.status_code, found["code"], found["field"]) == (status, code, field)
