"""The report on the S&P 500, number by number: a change of any is a change of method.

The numbers were computed by this code; that they are right is for the other tests, which compare
with formulas, simulations and other libraries.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from volatility import datasets
from volatility.calendars import get_calendar
from volatility.hurst import HurstReport, report
from volatility.seasonality import day_classes
from volatility.series import daily_series

FILE = Path(__file__).with_name("numbers.json")


def numbers() -> dict[str, Any]:
    """The report as lists and dictionaries; of points the first and the last."""
    data = datasets.load("SPX")
    calendar = get_calendar(data.calendar)
    series, _ = daily_series(data.bars, data.measure, calendar)
    found: HurstReport = report(
        0.5 * series.log_rv,
        measure=data.measure,
        day_classes=day_classes(series.dates, calendar),
    )
    said: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(found), default=_listed))
    for estimate in said["estimates"]:
        estimate["points"] = [
            len(estimate["points"]),
            *estimate["points"][:: len(estimate["points"]) - 1],
        ]
    return said


def _listed(values: Any) -> Any:
    return values.tolist()


def flat(found: Any, name: str = "") -> dict[str, Any]:
    """Leaves by the way that leads to them."""
    if isinstance(found, dict | list):
        pairs = found.items() if isinstance(found, dict) else enumerate(found)
        return {k: v for key, it in pairs for k, v in flat(it, f"{name}.{key}").items()}
    return {name: found}


def test_every_number_of_a_report_is_what_it_was() -> None:
    expected = flat(json.loads(FILE.read_text()))
    found = flat(numbers())
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        # Optima are found to about a millionth.
        close = pytest.approx(value, rel=1e-5, abs=1e-7) if isinstance(value, float) else value
        assert found[name] == close, name
