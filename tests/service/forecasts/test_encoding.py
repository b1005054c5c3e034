import json

import pytest

from models_store import Store
from service.forecasts.encoding import encode
from service.forecasts.forecaster import IssuedForecast
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.worlds import ASSET


@pytest.fixture
def issued(world_settings: Settings) -> IssuedForecast:
    forecast = Store(world_settings.store).load(ASSET, "har").forecast(make_series(), (0.8,))
    return IssuedForecast("0" * 32, forecast, "unknown", 0, None, ("first", "second"))


def test_a_bug_that_makes_a_number_infinite_cannot_make_the_answer_invalid_json(
    issued: IssuedForecast,
) -> None:
    broken = issued.forecast._replace(rv=float("nan"), volatility=float("inf"))
    answer = json.loads(encode(issued._replace(forecast=broken)), parse_constant=pytest.fail)
    assert (answer["rv"], answer["volatility"]) == (None, None)


def test_a_skill_that_is_not_known_is_null(issued: IssuedForecast) -> None:
    answer = json.loads(encode(issued))
    assert answer["skill"] is None
    assert answer["warnings"] == ["first", "second"]
