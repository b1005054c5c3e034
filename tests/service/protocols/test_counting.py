"""What is forecast in the words of a protocol is counted and logged as any other forecast is."""

import io
import json
from typing import Any

import pytest

from service.http.middleware import request_log
from tests.service.client import TestClient
from tests.service.operations.samples import samples
from tests.service.protocols.speaking import infer, numbers
from tests.service.worlds import ASSET, json_rv

USUAL = json_rv(30)
STRANGE = [*USUAL[:-1], 9.0]  # what training never saw
FLAGGED = ("roughcast_forecasts_flagged_total", ASSET, "clipped")


def series(rv: list[float]) -> dict[str, Any]:
    given = {
        "type": "univariate_time_series",
        "name": "daily rv",
        "series": rv,
        "frequency": "D",
        "start_timestamp": "2021-01-01T00:00:00Z",
    }
    return {"model": f"{ASSET}~har", "inputs": [given], "options": {"horizon": 1}}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> io.BytesIO:
    stream = io.BytesIO()
    monkeypatch.setattr(request_log, "stream", stream)
    return stream


def logged(stream: io.BytesIO) -> tuple[str | None, str | None, str | None]:
    """Asset, model and forecast of the last line."""
    line = json.loads(stream.getvalue().splitlines()[-1])
    return line["asset"], line["model"], line["forecast_id"]


def test_an_inference(client: TestClient, lines: io.BytesIO) -> None:
    found = infer(client, f"{ASSET}~har", numbers("rv", [USUAL]))
    assert logged(lines) == (ASSET, "har", found["forecast_id"][0])
    infer(client, f"{ASSET}~har", numbers("rv", [USUAL, STRANGE, STRANGE]))
    assert logged(lines) == (ASSET, "har", None)
    counted = samples(client)
    assert counted["roughcast_forecasts_total", ASSET, "har"] == 4
    assert counted[FLAGGED] == 2


def test_a_series(client: TestClient, lines: io.BytesIO) -> None:
    for rv in (USUAL, STRANGE):
        client.post("/v1/timeseries/forecast", json=series(rv)).raise_for_status()
        assert logged(lines) == (ASSET, "har", None)
    counted = samples(client)
    assert counted["roughcast_forecasts_total", ASSET, "har"] == 2
    assert counted[FLAGGED] == 1
