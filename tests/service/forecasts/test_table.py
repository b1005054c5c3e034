"""Forecasts as CSV: the same numbers, a row a horizon."""

import csv
import io
import json
from typing import Any

import pytest

from service.forecasts.table import rows_of as rows_of_answer
from service.http.tables import table as as_table
from tests.service.client import TestClient
from tests.service.worlds import ASSET

PATH = f"/forecast/{ASSET}"


def rows_of(table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table, newline="")))


def at_horizon(horizon: int, rv: float, warnings: list[str]) -> dict[str, Any]:
    return {
        "horizon": horizon,
        "forecast_id": f"{horizon:032x}",
        "rv": rv,
        "volatility": rv**0.5,
        "volatility_annualized": 19 * rv**0.5,
        "intervals": [
            {"level": 0.8, "rv": [rv / 2, 2 * rv], "volatility_annualized": [rv / 3, 3 * rv]}
        ],
        "quantiles": [{"probability": 0.99, "rv": 5 * rv, "volatility_annualized": 7 * rv}],
        "warnings": warnings,
    }


def test_a_term_structure_is_a_row_a_horizon() -> None:
    shared = {
        "asset": "A",
        "model": "har",
        "model_version": 3,
        "as_of": "2021-02-03",
        "target_date": "2021-02-04",
        "measure": "garman_klass",
        "point": "mean",
        "stale_sessions": 0,
        "missing_sessions": None,
        "degraded_reason": 'no "hexp"',
    }
    each = [at_horizon(1, 0.1 + 0.2, ["one, two", "three"]), at_horizon(22, 1e-5, [])]
    answer = json.dumps({**shared, "term_structure": each}).encode()
    table = bytes(as_table(rows_of_answer(answer)).body).decode()
    assert table.count("\r\n") == 3
    first, last = rows_of(table)
    assert first["rv"] == "0.30000000000000004"  # every digit
    assert (first["horizon"], last["horizon"]) == ("1", "22")
    assert (last["rv"], last["rv_lower_80"], last["rv_upper_80"]) == ("1e-05", "5e-06", "2e-05")
    assert float(last["volatility_annualized_lower_80"]) == 1e-5 / 3
    assert float(last["volatility_annualized_upper_80"]) == 3 * 1e-5
    assert float(last["rv_quantile_99"]) == 5 * 1e-5
    assert float(last["volatility_annualized_quantile_99"]) == 7 * 1e-5
    assert (first["warnings"], last["warnings"]) == ("one, two; three", "")
    assert first["missing_sessions"] == ""
    assert {it: first[it] for it in shared if it != "missing_sessions"} == {
        it: str(value) for it, value in shared.items() if it != "missing_sessions"
    }
    assert next(iter(first)) == "asset"
    assert list(first)[-1] == "warnings"


@pytest.mark.parametrize(
    ("query", "accept", "form"),
    [
        ("", "*/*", "application/json"),
        ("", "text/csv", "text/csv; charset=utf-8"),
        ("&format=csv", "application/json", "text/csv; charset=utf-8"),
        ("&format=json", "text/csv", "application/json"),
    ],
)
def test_the_query_decides_and_then_the_header(
    client: TestClient, query: str, accept: str, form: str
) -> None:
    answer = client.get(f"{PATH}?model=har{query}", headers={"accept": accept})
    assert answer.headers["content-type"] == form


def test_the_numbers_are_those_of_json(client: TestClient) -> None:
    query = f"{PATH}?model=har&horizons=1&levels=0.8,0.95&quantiles=0.05,0.5"
    said = client.get(query).json()
    (own,) = said["term_structure"]
    (row,) = rows_of(client.get(f"{query}&format=csv").text)
    for interval in own["intervals"]:
        for name in ("rv", "volatility_annualized"):
            bounds = [
                float(row[f"{name}_{it}_{100 * interval['level']:.0f}"])
                for it in ("lower", "upper")
            ]
            assert bounds == interval[name]
    for quantile in own["quantiles"]:
        assert float(row[f"rv_quantile_{100 * quantile['probability']:.0f}"]) == quantile["rv"]
    assert row["forecast_id"] == own["forecast_id"]


@pytest.mark.parametrize(("query", "accept"), [("&format=csv", "*/*"), ("", "text/csv")])
def test_a_table_that_is_to_explain_is_refused(client: TestClient, query: str, accept: str) -> None:
    path, headers = f"{PATH}?explain=true{query}", {"accept": accept}
    answer = client.get(path, headers=headers)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_value")
    assert (problem["field"], problem["found"]) == ("explain", True)
    assert problem["needed"] == "format=json, or no explain"
    assert client.get(f"{PATH}?explain=false{query}", headers=headers).status_code == 200


def test_what_is_wrong_is_told_as_ever(client: TestClient) -> None:
    unknown = client.get("/forecast/NOBODY?format=csv")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_asset")
    form = client.get(f"{PATH}?format=xlsx")
    assert (form.status_code, form.json()["field"]) == (422, "format")
