import csv
import gzip
import io
import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.training.evaluation.rows import make_comparison, make_row
from tests.training.evaluation.studies import results
from training.evaluation.across import across_assets
from training.evaluation.tables import (
    Value,
    _of_model,
    _text,
    forecasts_csv_gz,
    results_csv,
    results_json,
    tidy_rows,
)
from volatility.evaluation.compare import BENCHMARKS
from volatility.evaluation.losses import qlike_loss


def test_one_row_an_asset_horizon_part_and_model() -> None:
    frame = pd.read_csv(io.BytesIO(results_csv(results())))
    key = ["asset", "horizon", "part", "model"]
    assert len(frame) == 2 * 2 * (5 + 4)
    assert not frame.duplicated(key).any()
    assert set(frame["part"]) == {"test", "selection"}
    assert set(frame["measure"]) == {"garman_klass"}
    assert frame["in_confidence_set"].dtype == bool


def test_a_row_holds_every_loss_score_and_test() -> None:
    frame = pd.read_csv(io.BytesIO(results_csv(results()))).set_index(
        ["asset", "horizon", "part", "model"]
    )
    comparison = results()[1].comparisons["selection"]
    for row in comparison.rows:
        found = frame.loc[[("FIRST", 5, "selection", row.model)]].iloc[0]
        expected = {
            "qlike_loss": row.qlike_loss,
            "qlike_ratio": row.qlike_ratio,
            "rmse_volatility": row.rmse_volatility,
            "mae_volatility": row.mae_volatility,
            "r_squared_log": row.r_squared_log,
            "correlation_log": row.correlation_log,
            "interval_loss_log_0.8": row.interval_loss_log[0.8],
            "interval_loss_log_0.95": row.interval_loss_log[0.95],
            "coverage_0.8": row.coverage[0.8],
            "coverage_0.95": row.coverage[0.95],
            "coverage_low_0.8": row.coverage_by_tercile[0.8][0],
            "coverage_middle_0.8": row.coverage_by_tercile[0.8][1],
            "coverage_high_0.95": row.coverage_by_tercile[0.95][2],
            "confidence_set_pvalue": row.confidence_set_pvalue,
            **{f"spa_pvalue_{name}": p for name, p in comparison.spa_pvalue.items()},
            **{f"one_day_share_{name}": day.share for name, day in row.influence.items()},
            **{
                f"qlike_ratio_without_{name}": day.qlike_ratio_without
                for name, day in row.influence.items()
            },
        }
        for benchmark, test in row.diebold_mariano.items():
            expected[f"dm_statistic_{benchmark}"] = test.statistic
            expected[f"dm_pvalue_{benchmark}"] = test.pvalue
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-9), name
        assert found["in_confidence_set"] == row.in_confidence_set
        assert found["coverage_nobs"] == row.coverage_nobs
        assert found["nobs"] == comparison.nobs
        assert found["start"] == str(comparison.span[0])
    assert np.isnan(frame.loc[[("FIRST", 5, "selection", "har")]].iloc[0]["dm_pvalue_har"])


def test_what_does_not_exist_is_empty_and_numbers_have_ten_digits() -> None:
    first = results()[0]
    comparison = first.comparisons["test"]
    bare = replace(
        comparison.rows[0],
        qlike_loss=1 / 3,
        coverage={},
        coverage_by_tercile={},
        interval_loss_log={},
        coverage_after_breaks={},
        crps_log=None,
        information_lag=None,
    )
    lone = replace(first, comparisons={"test": replace(comparison, rows=(bare,))})
    (row,) = csv.DictReader(io.StringIO(results_csv([lone]).decode()))
    assert row["qlike_loss"] == "0.3333333333"
    for name in (
        "coverage_0.8",
        "coverage_high_0.95",
        "coverage_after_breaks_0.8",
        "crps_log",
        "interval_loss_log_0.8",
        "information_lag",
    ):
        assert row[name] == ""


def test_seeds_are_told_of_by_their_number_mean_and_deviation() -> None:
    first = results()[0]
    comparison = first.comparisons["test"]
    rows = [replace(comparison.rows[0], qlike_loss_by_seed={7: 0.5, 8: 0.52}), comparison.rows[1]]
    lone = replace(first, comparisons={"test": replace(comparison, rows=tuple(rows))})
    network, other = csv.DictReader(io.StringIO(results_csv([lone]).decode()))
    names = ("seeds", "qlike_seed_mean", "qlike_seed_deviation")
    assert [network[name] for name in names] == ["2", "0.51", "0.01414213562"]
    assert [other[name] for name in names] == ["0", "", ""]


def test_json_holds_the_rows_the_data_and_the_settings() -> None:
    across = across_assets(results(), 1, "test")
    content = json.loads(results_json(results(), across, {"seed": 7}))
    assert content["settings"] == {"seed": 7}
    assert len(content["results"]) == len(tidy_rows(results()))
    assert content["results"][0].keys() == tidy_rows(results())[0].keys()
    assert [row["model"] for row in content["across_assets"]] == [row.model for row in across]
    data = content["data"][0]
    target = results()[0].study.data.target
    dates = target.series.dates
    assert {name: it for name, it in data.items() if name != "sha256"} == {
        "asset": "FIRST",
        "measure": "garman_klass",
        "horizon": 1,
        "source": "simulated",
        "calendar": "24/7",
        "start": str(dates[0]),
        "end": str(dates[-1]),
        "sessions": 700,
    }
    comparison = results()[0].comparisons["test"]
    key = {"asset": "FIRST", "horizon": 1, "part": "test", "model": "har"}
    [first] = [it for it in content["results"] if key.items() <= it.items()]
    assert (first["start"], first["end"]) == tuple(map(str, comparison.span))
    assert data["sha256"] == results()[0].study.data.target.series.sha256


def test_what_is_not_a_number_is_null() -> None:
    first = results()[0]
    comparison = first.comparisons["test"]
    odd = replace(comparison.rows[0], r_squared_log=float("nan"))
    lone = replace(first, comparisons={"test": replace(comparison, rows=(odd,))})
    (row,) = json.loads(results_json([lone], [], {}))["results"]
    assert row["r_squared_log"] is None


def test_forecasts_of_every_model_can_be_scored_again() -> None:
    content = forecasts_csv_gz(results())
    assert content == forecasts_csv_gz(results())
    frame = pd.read_csv(io.BytesIO(gzip.decompress(content)))
    comparison = results()[0].comparisons["test"]
    own = frame[(frame["asset"] == "FIRST") & (frame["horizon"] == 1)]
    for row in comparison.rows:
        part = own[(own["model"] == row.model) & (own["target_date"] >= str(comparison.span[0]))]
        assert len(part) == comparison.nobs
        assert (part["as_of"] < part["target_date"]).all()
        rv, forecast = part["rv"].to_numpy(), part["forecast"].to_numpy()
        assert qlike_loss(rv, forecast) == pytest.approx(row.qlike_loss, rel=1e-8)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (math.nan, ""),
        (True, "true"),
        (False, "false"),
        (1 / 3, "0.3333333333"),
        (3, "3"),
        ("har", "har"),
    ],
)
def test_a_cell_is_written_as_every_reader_of_csv_has_it(cell: Value, text: str) -> None:
    assert _text(cell) == text


def test_every_number_of_a_model_has_its_column() -> None:
    comparison = make_comparison(make_row(), spa_pvalue={"har": 0.25}, warnings={"mine": "late"})
    by_benchmark = {
        f"{name}_{benchmark}": value
        for place, benchmark in enumerate(BENCHMARKS, start=1)
        for name, value in {
            "dm_statistic": 1.0,
            "dm_pvalue": 0.1 * place,
            "spa_pvalue": 0.25 if benchmark == "har" else None,
            "one_day_share": 0.1 * place,
            "one_day_date": f"2020-03-0{place}",
            "qlike_ratio_without": 1 + 0.01 * place,
        }.items()
    }
    found = _of_model(comparison.rows[0], comparison)
    assert {name: it for name, it in found.items() if name in by_benchmark} == by_benchmark
    others = {name: it for name, it in found.items() if not name.endswith(BENCHMARKS)}
    assert others == {
        "model": "mine",
        "qlike_loss": 0.21,
        "qlike_ratio": 0.93,
        "rmse_volatility": 0.0031,
        "mae_volatility": 0.0024,
        "r_squared_log": 0.512,
        "correlation_log": 0.723,
        "interval_loss_log_0.8": 1.801,
        "coverage_0.8": 0.794,
        "coverage_low_0.8": 0.701,
        "coverage_middle_0.8": 0.802,
        "coverage_high_0.8": 0.903,
        "coverage_after_breaks_0.8": 0.614,
        "interval_loss_log_0.95": 2.952,
        "coverage_0.95": 0.947,
        "coverage_low_0.95": 0.911,
        "coverage_middle_0.95": 0.922,
        "coverage_high_0.95": 0.933,
        "coverage_after_breaks_0.95": 0.825,
        "crps_log": 0.406,
        "coverage_nobs": 77,
        "in_confidence_set": True,
        "confidence_set_pvalue": 0.5,
        "information_lag": 1,
        "seeds": 0,
        "qlike_seed_mean": None,
        "qlike_seed_deviation": None,
        "timing_warning": "late",
    }
