from datetime import timedelta

import numpy as np
import pytest

from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW, json_rv
from volatility.hurst import HurstReport, report
from volatility.simulation.fractional import rough_log_volatility

ESTIMATORS = {
    "rescaled_range",
    "dfa",
    "variogram",
    "wavelet",
    "whittle",
    "variogram_corrected",
}


def test_a_held_asset_is_examined_by_every_estimator(client: TestClient) -> None:
    series = make_series()
    expected = report(0.5 * series.log_rv, measure="garman_klass")
    answer = client.get(f"/hurst/{ASSET}").json()
    assert (answer["asset"], answer["as_of"], answer["nobs"]) == (ASSET, LAST, 400)
    assert answer["measure"] == "garman_klass"
    assert {estimate["estimator"] for estimate in answer["estimates"]} == ESTIMATORS
    assert (answer["verdict"], answer["reason"]) == (expected.verdict, expected.reason)
    assert answer["headline_estimator"] == expected.headline_estimator
    assert answer["upper_bound"] == pytest.approx(expected.upper_bound)
    for found in answer["estimates"]:
        estimate = expected.estimate(found["estimator"])
        # The held bars give the series back to the last bits but one or two.
        assert found["hurst"] == pytest.approx(estimate.hurst, abs=1e-9)
        assert found["standard_error"] == pytest.approx(estimate.standard_error, abs=1e-9)
        assert [point["scale"] for point in found["points"]] == list(estimate.scales)


def test_a_series_that_is_sent_is_examined(client: TestClient) -> None:
    rv = json_rv(300)
    answer = client.post("/hurst", json={"rv": rv, "measure": "parkinson"}).json()
    same = {"log_volatility": (0.5 * np.log(rv)).tolist(), "measure": "parkinson"}
    assert client.post("/hurst", json=same).json() == answer
    assert (answer["asset"], answer["as_of"], answer["nobs"]) == (None, None, 300)


def test_the_number_of_intraday_returns_is_used(client: TestClient) -> None:
    path = rough_log_volatility(0.3, 600, np.random.default_rng(1))
    body = {"log_volatility": np.ravel(path).tolist(), "measure": "realized_variance"}
    hours = client.post("/hurst", json=body | {"intraday_nobs": 24}).json()
    minutes = client.post("/hurst", json=body | {"intraday_nobs": 1440}).json()
    assert hours["estimates"] != minutes["estimates"]


def test_an_overlapping_measure_is_an_artefact(client: TestClient) -> None:
    returns = np.random.default_rng(2).standard_normal(1000) * 0.01
    windows = np.lib.stride_tricks.sliding_window_view(returns, 22)
    answer = client.post("/hurst", json={"rv": windows.var(axis=1).tolist()}).json()
    assert answer["verdict"] == "artefact"
    assert answer["hurst"] is None


def test_a_report_is_made_once_for_each_state_of_the_history(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counting(*arguments: object, **options: object) -> HurstReport:
        made.append(arguments)
        return report(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("service.hurst.reports.report", counting)
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=1))) as client:
        before = [client.get(f"/hurst/{ASSET}").json() for _ in range(3)]
        bar = {"date": "2021-02-04", "open": 100, "high": 104, "low": 99, "close": 101}
        client.put(f"/assets/{ASSET}/bars", json={"bars": [bar]})
        after = client.get(f"/hurst/{ASSET}").json()
    assert len(made) == 2
    assert before[0] == before[2]
    assert (after["nobs"], after["as_of"]) == (401, "2021-02-04")
