"""Which sessions and which horizons a question is about."""

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from service.forecasts.choosing import sessions_until
from service.forecasts.horizons import check_horizons
from service.forecasts.requests import ForecastRequest
from tests.errors import details
from volatility.errors import UnsupportedHorizon

DATES = np.array(["2020-01-02", "2020-01-03", "2020-01-06"], "datetime64[D]")


@pytest.mark.parametrize(
    ("as_of", "number"),
    [
        (None, 3),
        (date(2020, 1, 1), 0),
        (date(2020, 1, 2), 1),
        (date(2020, 1, 5), 2),
        (date(2020, 1, 6), 3),
    ],
)
def test_sessions_are_counted_up_to_a_day_and_with_it(as_of: date | None, number: int) -> None:
    held: Any = SimpleNamespace(sessions=lambda: DATES)
    assert sessions_until(held, as_of) == number


@pytest.mark.parametrize(
    ("body", "code", "needed"),
    [
        ({"horizons": [5, 1, 5]}, "duplicate_horizon", "each horizon once, as in [5, 1]"),
        ({"horizons": [1], "horizon": 1}, "ambiguous_horizon", "either horizon or horizons"),
    ],
)
def test_a_list_of_horizons_has_each_once_and_nothing_beside(
    body: dict[str, Any], code: str, needed: str
) -> None:
    request = ForecastRequest.model_validate_json(json.dumps(body))
    with pytest.raises(UnsupportedHorizon) as refused:
        check_horizons(request, body["horizons"])
    assert refused.value.code == code
    assert details(refused.value) == ("horizons", body["horizons"], needed)
