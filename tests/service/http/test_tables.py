"""Sessions and comparisons as CSV: the numbers of JSON."""

import csv
import io
from typing import Any

import pytest

from service.models.comparison import rows_of
from tests.service.client import TestClient
from tests.service.worlds import ASSET

HISTORY, COMPARE = f"/assets/{ASSET}/history", f"/compare/{ASSET}"


def rows_at(client: TestClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path, headers={"accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.endswith("\r\n")
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def as_text(value: Any) -> str:
    return "" if value is None else str(value)


def test_a_history_is_a_row_a_session(client: TestClient) -> None:
    said = client.get(f"{HISTORY}?limit=5").json()
    rows = rows_at(client, f"{HISTORY}?limit=5")
    assert [it["date"] for it in rows] == said["dates"]
    for name in ("rv", "volatility_annualized"):
        assert [float(it[name]) for it in rows] == said[name]
    assert list(rows[0]) == ["date", "rv", "volatility_annualized"]


def test_a_comparison_is_a_row_a_model(client: TestClient) -> None:
    said = client.get(COMPARE).json()
    rows = rows_at(client, COMPARE)
    assert [it["model"] for it in rows[: len(said["rows"])]] == [it["model"] for it in said["rows"]]
    for row, told in zip(rows, said["rows"], strict=False):
        for name in ("version", "qlike_loss", "rmse_volatility", "crps_log", "information_lag"):
            assert row[name] == as_text(told[name])
        assert row["coverage_80"] == as_text(told["coverage"]["0.8"])
        assert row["interval_loss_log_95"] == as_text(told["interval_loss_log"]["0.95"])
        assert row["coverage_by_tercile_80_high"] == as_text(told["coverage_by_tercile"]["0.8"][2])
        assert row["in_confidence_set"] == ("true" if told["in_confidence_set"] else "false")
        for other, test in told["diebold_mariano"].items():
            assert row[f"diebold_mariano_{other}_pvalue"] == as_text(test["pvalue"])
        assert (row["asset"], row["nobs"]) == (ASSET, str(said["nobs"]))
        assert [row["first_target_date"], row["last_target_date"]] == said["span"]
        assert row["warning"] == ""


def test_what_is_left_out_of_a_comparison_has_its_reason() -> None:
    answer: Any = {
        "asset": "A",
        "measure": "parkinson",
        "horizon": 5,
        "baseline": "har",
        "nobs": 9,
        "span": ["2020-01-01", "2020-02-01"],
        "warnings": {"har": "late"},
        "rows": [{"model": "har", "coverage": {"0.995": None, "0.8": 0.75}}],
        "excluded": [{"model": "lstm", "version": None, "reason": "of other data"}],
    }
    har, lstm = rows_of(answer)
    assert (har["coverage_80"], har["warning"]) == (0.75, "late")
    assert (lstm["model"], lstm["excluded"], lstm["horizon"]) == ("lstm", "of other data", 5)


@pytest.mark.parametrize("path", [HISTORY, COMPARE])
def test_the_query_goes_before_the_header(client: TestClient, path: str) -> None:
    as_csv = client.get(f"{path}?format=csv")
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    said = client.get(f"{path}?format=json", headers={"accept": "text/csv"})
    assert said.headers["content-type"] == "application/json"
    assert said.json()["asset"] == ASSET
    assert client.get(f"{path}?format=xls").json()["field"] == "format"
