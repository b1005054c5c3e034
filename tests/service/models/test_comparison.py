import io
import json
from dataclasses import replace

import numpy as np
import pytest

from models_store import Store, artifact
from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import HAR, make_files
from tests.service.client import TestClient
from tests.service.worlds import ASSET, MODELS, clock, damage, publish_shifted
from volatility.evaluation.compare import compare
from volatility.evaluation.losses import qlike_loss


def test_the_table_is_that_of_the_artifacts(client: TestClient, settings: Settings) -> None:
    store = Store(settings.store_folder)
    tracks = [store.load(ASSET, model).track for model in MODELS]
    start = tracks[0].target_dates[tracks[0].target_dates.astype(str) >= "2020-07-01"][0]
    expected = compare(tracks, start)
    table = client.get(f"/compare/{ASSET}").json()
    assert table["asset"] == ASSET
    assert table["measure"] == "garman_klass"
    assert (table["horizon"], table["baseline"], table["nobs"]) == (1, "har", expected.nobs)
    assert table["span"] == [str(day) for day in expected.span] == ["2020-07-01", "2021-02-03"]
    assert table["protocol"] == "walk-forward"
    assert table["confidence_level"] == 0.9
    assert table["excluded"] == []
    for row, of in zip(table["rows"], expected.rows, strict=True):
        assert row["model"] == of.model
        assert (row["version"], row["refit_every"]) == (1, 22)
        for name in (
            "qlike_loss",
            "qlike_ratio",
            "rmse_volatility",
            "mae_volatility",
            "r_squared_log",
            "correlation_log",
            "crps_log",
            "coverage_nobs",
            "in_confidence_set",
            "confidence_set_pvalue",
            "information_lag",
            "qlike_seed_mean",
            "qlike_seed_deviation",
        ):
            assert row[name] == getattr(of, name), name
        assert row["coverage"] == {str(level): it for level, it in of.coverage.items()}
        for name in ("coverage_after_breaks", "interval_loss_log"):
            assert row[name] == {str(level): it for level, it in getattr(of, name).items()}, name
        terciles = {str(level): list(it) for level, it in of.coverage_by_tercile.items()}
        assert row["coverage_by_tercile"] == terciles
        assert row["diebold_mariano"] == {
            name: {"statistic": test.statistic, "pvalue": test.pvalue}
            for name, test in of.diebold_mariano.items()
        }
        assert row["influence"] == {
            name: {
                "share": day.share,
                "date": str(day.date),
                "qlike_ratio_without": day.qlike_ratio_without,
            }
            for name, day in of.influence.items()
        }
    assert table["spa_pvalue"] == expected.spa_pvalue
    assert table["warnings"] == {}


def test_the_lowest_qlike_comes_first_and_first_in_each_row(client: TestClient) -> None:
    rows = client.get(f"/compare/{ASSET}").json()["rows"]
    losses = [row["qlike_loss"] for row in rows]
    assert losses == sorted(losses)
    assert list(rows[0])[2] == "qlike_loss"


def test_a_model_a_day_late_is_caught_and_left_out(settings: Settings) -> None:
    publish_shifted(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        table = client.get(f"/compare/{ASSET}").json()
        ready = client.get("/health/ready").json()
    assert {row["model"] for row in table["rows"]} == {"har", "last_value"}
    [excluded] = table["excluded"]
    assert (excluded["model"], excluded["version"]) == ("log_har", 2)
    assert excluded["reason"].startswith("misaligned: log_har follows the news of 2 sessions")
    assert ready["status"] == "degraded"
    assert "TEST/log_har misaligned" in ready["warnings"][0]


def test_a_model_that_may_be_a_day_late_is_compared_with_a_warning(settings: Settings) -> None:
    publish_shifted(settings, "log_har", HAR)
    with TestClient(create_app(settings, clock)) as client:
        table = client.get(f"/compare/{ASSET}").json()
    assert table["excluded"] == []
    assert set(table["warnings"]) == {"log_har"}
    assert table["warnings"]["log_har"].endswith("its forecasts may stand by the wrong dates")
    lags = {row["model"]: row["information_lag"] for row in table["rows"]}
    assert lags["log_har"] == 2


def test_a_refused_model_is_left_out_with_its_reason(settings: Settings) -> None:
    damage(settings, "last_value")
    with TestClient(create_app(settings, clock)) as client:
        table = client.get(f"/compare/{ASSET}").json()
    [excluded] = table["excluded"]
    assert excluded["model"] == "last_value"
    assert excluded["reason"].startswith("refused: coefficients.json has sha256")


def test_without_har_the_next_plainest_model_is_the_baseline(settings: Settings) -> None:
    damage(settings, "har")
    with TestClient(create_app(settings, clock)) as client:
        table = client.get(f"/compare/{ASSET}").json()
        skill = client.post("/forecast", json={"asset": ASSET, "model": "last_value"}).json()
    assert table["baseline"] == skill["skill"]["baseline"] == "log_har"
    ratios = {row["model"]: row["qlike_ratio"] for row in table["rows"]}
    assert ratios["log_har"] == 1.0


def test_scores_that_do_not_exist_are_null(settings: Settings) -> None:
    """A model compared with itself: no difference, so no statistic."""
    store = Store(settings.store_folder)
    store.promote(ASSET, "log_har", store.publish(make_files(ASSET, "log_har", MODELS["har"])))
    with TestClient(create_app(settings, clock)) as client:
        answer = client.get(f"/compare/{ASSET}")
        skill = client.post("/forecast", json={"asset": ASSET}).json()["skill"]
    json.loads(answer.content, parse_constant=_refuse)
    rows = {row["model"]: row for row in answer.json()["rows"]}
    assert rows["log_har"]["qlike_ratio"] == skill["qlike_ratio"] == 1.0


def _refuse(literal: str) -> float:
    raise AssertionError(f"{literal} is not JSON")


def test_single_seeds_stand_beside_the_mean_that_serves(settings: Settings) -> None:
    store = Store(settings.store_folder)
    served = store.load(ASSET, "log_har")
    track = served.track
    seeds = {7: track.forecast * 1.2, 8: track.forecast * 0.9}
    files = make_files(ASSET, "log_har", intercept=MODELS["log_har"])
    with np.load(io.BytesIO(files[artifact.REFERENCE])) as reference:
        files = artifact.encode(
            served.manifest.model_copy(update={"seeds": tuple(seeds)}),
            files["coefficients.json"],
            {1: replace(track, by_seed=seeds)},
            {"rv": reference["rv"]},
            {1: reference["forecast"]},
        )
    store.promote(ASSET, "log_har", store.publish(files))
    with TestClient(create_app(settings, clock)) as client:
        rows = {row["model"]: row for row in client.get(f"/compare/{ASSET}").json()["rows"]}
        manifest = client.get(f"/models/{ASSET}/log_har").json()["manifest"]
    tested = track.target_dates >= np.datetime64("2020-07-01")
    losses = [qlike_loss(track.rv[tested], forecast[tested]) for forecast in seeds.values()]
    assert rows["log_har"]["qlike_seed_mean"] == pytest.approx(np.mean(losses))
    assert rows["log_har"]["qlike_seed_deviation"] == pytest.approx(np.std(losses, ddof=1))
    assert rows["har"]["qlike_seed_mean"] is rows["har"]["qlike_seed_deviation"] is None
    assert manifest["seeds"] == [7, 8]
