import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from models_store import Store
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings
from service.forecasts.encoding import EncodedForecasts, encode
from service.forecasts.forecaster import IssuedForecast
from service.forecasts.query import Questions
from service.forecasts.requests import ForecastRequest
from service.models.catalogue import Catalogue
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.worlds import ASSET, NOW, bars_of, held_asset, json_rv


@pytest.fixture
def issued(world_settings: Settings) -> IssuedForecast:
    forecast = Store(world_settings.store_folder).load(ASSET, "har").forecast(make_series(), (0.8,))
    return IssuedForecast("0" * 32, forecast, "unknown", 0, None, ("first", "second"), ASSET)


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


@pytest.fixture
def holdings(settings: Settings) -> Iterator[Holdings]:
    history = HistoryStore(settings.database_url)
    holdings = Holdings(history)
    holdings.load()
    yield holdings
    history.close()


def request(**body: Any) -> ForecastRequest:
    return ForecastRequest.model_validate({"asset": ASSET, **body})


def test_answers_are_kept_until_a_bar_comes_in_or_a_session_closes(
    settings: Settings, holdings: Holdings
) -> None:
    now = NOW
    questions = Questions(Catalogue(Store(settings.store_folder)), holdings, lambda: now)
    encoded = EncodedForecasts()
    first = encoded.answer(questions.of(request()))
    assert encoded.answer(questions.of(request())) is first
    assert encoded.answer_batch([questions.of(request())])[0] is first
    others = [request(model="har"), request(levels=(0.8,)), request(history={"rv": json_rv()})]
    assert all(encoded.answer(questions.of(it)) is not first for it in others)
    now = NOW + timedelta(days=1)
    stale = encoded.answer(questions.of(request()))
    assert json.loads(stale.body)["stale_sessions"] == 1
    holdings.merge(held_asset(), bars_of(make_series(), 0.5), replace=True)
    changed = encoded.answer(questions.of(request()))
    assert changed is not stale
    assert encoded.answer(questions.of(request())) is changed


def test_what_came_with_the_request_is_not_kept(settings: Settings, holdings: Holdings) -> None:
    questions = Questions(Catalogue(Store(settings.store_folder)), holdings, lambda: NOW)
    encoded = EncodedForecasts()
    asked = [questions.of(request(history={"rv": json_rv()})) for _ in range(2)]
    one, other = (encoded.answer(it) for it in asked)
    assert one == other
    assert one is not other
