"""Forecasts as values are those that are written as JSON, and as well recorded."""

import json
from typing import Any

import pytest

from service.forecasts.encoding import encode, encode_term_structure
from service.forecasts.forecaster import IssuedForecast
from service.forecasts.issuing import IssuedForecasts
from service.forecasts.query import Questions
from service.forecasts.requests import ForecastRequest, HistoryInput
from tests.service.client import TestClient
from tests.service.worlds import ASSET, json_rv
from volatility.errors import HistoryTooShort, RoughcastError, UnknownAsset

HELD = ForecastRequest(asset=ASSET, model="har")
SENT = ForecastRequest(asset=ASSET, model="har", history=HistoryInput(rv=json_rv()))
SHORT = ForecastRequest(asset=ASSET, model="har", history=HistoryInput(rv=json_rv(9)))
SEVERAL = ForecastRequest(asset=ASSET, model="har", horizons=(1,))


@pytest.fixture
def questions(client: TestClient) -> Questions:
    found: Questions = client.app_state["questions"]
    return found


def written(client: TestClient, request: ForecastRequest) -> Any:
    body = request.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return client.post("/forecast", json=body).json()


def test_they_say_what_json_says(client: TestClient, questions: Questions) -> None:
    issued = IssuedForecasts()
    for request in (HELD, SENT):
        one = issued.answer(questions.of(request))
        assert isinstance(one, IssuedForecast)
        assert json.loads(encode(one)) == written(client, request)
    several = issued.answer(questions.of(SEVERAL))
    assert not isinstance(several, IssuedForecast)
    assert json.loads(encode_term_structure(several)) == written(client, SEVERAL)


def test_those_of_held_history_are_told_of(questions: Questions) -> None:
    told: list[Any] = []
    issued = IssuedForecasts(lambda asked, answer: told.append((asked, answer)))
    asked = [questions.of(it) for it in (HELD, SENT, SEVERAL)]
    answers = [issued.answer(it) for it in asked]
    assert told == [(asked[0], answers[0]), (asked[2], answers[2])]
    told.clear()
    assert issued.answer_batch(asked) == answers
    assert told == [(asked[0], answers[0]), (asked[2], answers[2])]


def test_a_batch_keeps_errors_in_their_places(questions: Questions) -> None:
    told: list[Any] = []
    issued = IssuedForecasts(lambda *it: told.append(it))
    error = UnknownAsset("there is none")
    given = [error, questions.of(HELD), questions.of(SHORT), error, questions.of(SENT)]
    found = issued.answer_batch(given)
    assert found[0] is found[3] is error
    assert isinstance(found[2], HistoryTooShort)
    assert [isinstance(it, RoughcastError) for it in found] == [True, False, True, True, False]
    assert len(told) == 1
