"""Forecasts as a table, for spreadsheets: a row a horizon."""

import json
from collections.abc import Iterator
from typing import Any

from service.http.errors import Fault, InvalidRequest
from volatility.names import in_percent

_SHARED = ("asset", "model", "model_version", "as_of", "target_date", "measure", "point")
_OWN = ("horizon", "rv", "volatility", "volatility_annualized")
_STATE = ("stale_sessions", "missing_sessions", "degraded_reason")


def rows_of(body: bytes) -> list[dict[str, Any]]:
    """Rows of a forecast, or of each of a term structure, by heading.

    Parameters
    ----------
    body : the JSON of the answer. Numbers have the same digits here.

    Notes
    -----
    Bounds of an interval at 80 % stand in ``rv_lower_80``, ``rv_upper_80`` and the same of
    ``volatility_annualized``, a quantile in ``rv_quantile_99``; warnings are separated by
    semicolons.
    """
    answer = json.loads(body)
    return [dict(_row(answer, at)) for at in answer.get("term_structure", [answer])]


def no_explanation() -> InvalidRequest:
    """Error for CSV with an explanation, which would be a table of its own for each horizon."""
    needed = "format=json, or no explain"
    detail = f"explain: a forecast as CSV has no explanation; needed: {needed}"
    return InvalidRequest([Fault("invalid_value", detail, "explain", True, needed)])


def _row(shared: dict[str, Any], own: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Cells of one horizon, by heading."""
    yield from ((name, shared[name]) for name in _SHARED)
    yield from ((name, own[name]) for name in _OWN)
    for interval in own["intervals"]:
        for unit in ("rv", "volatility_annualized"):
            for bound, value in zip(("lower", "upper"), interval[unit], strict=True):
                yield f"{unit}_{bound}_{in_percent(interval['level'])}", value
    for quantile in own.get("quantiles", ()):
        for unit in ("rv", "volatility_annualized"):
            yield f"{unit}_quantile_{in_percent(quantile['probability'])}", quantile[unit]
    yield from ((name, shared[name]) for name in _STATE)
    yield "forecast_id", own["forecast_id"]
    yield "warnings", "; ".join(own["warnings"])
