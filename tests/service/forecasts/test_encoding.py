import json
from dataclasses import replace

import numpy as np
import pytest

from models_store import Store
from service.forecasts.encoding import encode
from service.forecasts.query import Question
from service.models.catalogue import Choice
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.worlds import ASSET
from volatility.series import RealizedSeries


@pytest.fixture
def question(world_settings: Settings) -> Question:
    model = Store(world_settings.store).load(ASSET, "har")
    return Question(Choice(model, None), make_series(), 1, (0.8,), 0, ("first",))


def test_a_bug_that_makes_a_number_infinite_cannot_make_the_answer_invalid_json(
    question: Question,
) -> None:
    forecast = question.choice.model.forecast(question.history, question.levels)
    broken = forecast._replace(rv=float("nan"), volatility=float("inf"))
    answer = json.loads(encode(question, broken, "unknown"), parse_constant=pytest.fail)
    assert (answer["rv"], answer["volatility"]) == (None, None)


def test_warnings_of_question_model_and_skill_come_together(question: Question) -> None:
    forecast = question.choice.model.forecast(question.history, question.levels)
    answer = json.loads(encode(question, forecast._replace(warnings=("second",)), "third"))
    assert answer["warnings"] == ["first", "second", "third"]
    assert answer["skill"] is None


def test_the_id_changes_with_everything_that_the_numbers_depend_on(question: Question) -> None:
    model, series = question.choice.model, question.history
    other = replace(series, rv=np.append(series.rv[:-1], 2 * series.rv[-1]))
    later = replace(series, dates=series.dates + 1)
    questions = [
        question,
        replace(question, levels=(0.95,)),
        replace(question, horizon=2),
        replace(question, history=other),
        replace(question, history=later),
        replace(question, history=RealizedSeries(series.rv, series.measure)),
        replace(question, choice=Choice(replace(model, sha256="0" * 64), None)),
    ]
    forecast = model.forecast(series, question.levels)
    ids = {json.loads(encode(it, forecast, "unknown"))["forecast_id"] for it in questions}
    assert len(ids) == len(questions)
    # But not with what was known before the window, nor with what is said beside the numbers.
    same = [replace(question, history=series.tail(22)), replace(question, warnings=())]
    for it in same:
        found = json.loads(encode(it, forecast, "unknown"))["forecast_id"]
        assert found == json.loads(encode(question, forecast, "unknown"))["forecast_id"]
