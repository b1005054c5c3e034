from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models_store import Store
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings
from service.forecasts import batch
from service.forecasts.batch import asked_of
from service.forecasts.encoding import EncodedForecasts
from service.forecasts.forecaster import IssuedForecast, forecast, forecast_batch
from service.forecasts.query import ClockReading, Question, Questions
from service.forecasts.requests import ForecastRequest
from service.models.catalogue import Catalogue
from service.models.choice import Choice
from service.models.skill import ModelSkill
from service.models.universal import Universal
from service.settings import Settings
from tests.models_store.artifacts import LEVERAGE, make_files, make_series
from tests.service.worlds import ASSET, clock, json_rv
from volatility.errors import HistoryTooShort, RoughcastError, UnknownAsset
from volatility.series import RealizedSeries

SOURCE = Universal(None, None)  # which nothing is asked of


@pytest.fixture
def questions(world_settings: Settings) -> Questions:
    history = HistoryStore(world_settings.database_url)
    holdings = Holdings(history)
    holdings.load()
    history.close()
    return Questions(Catalogue(Store(world_settings.store_folder)), holdings, clock)


@pytest.fixture
def question(world_settings: Settings) -> Question:
    model = Store(world_settings.store_folder).load(ASSET, "har")
    last = make_series().dates[-1]
    choice = Choice(model, None, "third", ASSET, SOURCE)
    return Question(choice, make_series(), 1, (0.8,), None, last, ("first",), (), False)


def request(**body: Any) -> ForecastRequest:
    return ForecastRequest.model_validate({"asset": ASSET, **body})


def test_a_forecast_is_a_value(questions: Questions) -> None:
    question = questions.of(request(model="har"))
    assert isinstance(question, Question)
    issued, model = forecast(question), question.choice.model
    assert issued.forecast.rv == pytest.approx(model.forecast(make_series()).rv)  # rv from bars
    assert (issued.forecast.model, len(issued.forecast_id)) == ("har", 32)
    assert isinstance(issued.skill, ModelSkill)
    assert issued.skill.baseline == "har"
    assert (issued.stale_sessions, issued.degraded_reason, issued.warnings) == (0, None, ())


def test_warnings_of_question_model_and_skill_come_together(question: Question) -> None:
    rv = np.full(22, make_series().rv.max() * 50)  # is clipped, which is worth a warning
    issued = forecast(question._replace(history=RealizedSeries(rv, "garman_klass")))
    first, clipped, third = issued.warnings
    assert (first, third) == ("first", "third")
    assert "clipped" in clipped
    assert issued.stale_sessions is None


def test_the_id_changes_with_everything_that_the_numbers_depend_on(question: Question) -> None:
    model, series = question.choice.model, make_series()
    other = replace(series, rv=np.append(series.rv[:-1], 2 * series.rv[-1]))
    earlier = replace(series, dates=series.dates - 1)
    asked = [
        question,
        question._replace(levels=(0.95,)),
        question._replace(history=other),
        question._replace(history=earlier),
        question._replace(history=RealizedSeries(series.rv, series.measure)),
        question._replace(choice=Choice(replace(model, sha256="0" * 64), None, "", ASSET, SOURCE)),
    ]
    ids = {forecast(it).forecast_id for it in asked}
    assert len(ids) == len(asked)
    # But not with what was known before the window, nor with what is said beside the numbers.
    for same in (question._replace(history=series.tail(22)), question._replace(warnings=())):
        assert forecast(same).forecast_id == forecast(question).forecast_id


def test_the_id_looks_as_far_back_as_the_window_in_every_column(
    question: Question, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    version = store.publish(make_files(coefficients=LEVERAGE))
    model = store.load("TEST", "har", version)
    question = question._replace(choice=Choice(model, None, "", ASSET, SOURCE))
    series = make_series()

    def ids(place: int) -> list[str]:
        """Of histories in each of which one array differs, at one place or up to there."""
        returns, rv, dates = series.columns["return"].copy(), series.rv.copy(), series.dates.copy()
        returns[place] += 0.01
        rv[place] *= 1.1
        dates[: len(dates) + place + 1] -= 1
        histories = [
            replace(series, columns={"return": returns}),
            replace(series, rv=rv),
            replace(series, dates=dates),
        ]
        return [forecast(question._replace(history=it)).forecast_id for it in histories]

    same = forecast(question).forecast_id
    assert len({same, *ids(-22)}) == 4
    assert set(ids(-23)) == {same}


def test_a_batch_gives_the_values_of_single_forecasts_and_errors_in_their_places(
    questions: Questions,
) -> None:
    good = [request(), request(model="har"), request(history={"rv": json_rv()})]
    short = request(model="har", history={"rv": json_rv(17)})
    items = [good[0], short, request(asset="DOGE"), *good[1:]]
    asked = asked_of(items, questions, questions.read_clock())
    assert isinstance(asked[2], UnknownAsset)
    answers = forecast_batch([it for it in asked if isinstance(it, Question)])
    assert isinstance(answers[1], HistoryTooShort)
    issued = [it for it in answers if isinstance(it, IssuedForecast)]
    assert issued == [forecast(questions.of(it)) for it in good]


def test_all_items_are_asked_at_one_time(questions: Questions) -> None:
    """A session that closes while a batch is answered does not divide it."""
    now, read = questions.read_clock(), 0

    def read_clock(_self: Questions) -> ClockReading:
        nonlocal read
        read += 1
        return now

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Questions, "read_clock", read_clock)
        items = [request()] * 600
        answered = batch.answer(items, questions, EncodedForecasts(), "/forecast/batch")
    assert read == 1
    assert answered.forecasts.total() == 600
    assert len(answered.parts) == 5  # its head, three parts, and its end


def test_what_cannot_be_answered_is_raised(questions: Questions) -> None:
    with pytest.raises(RoughcastError, match="17"):
        forecast(questions.of(request(history={"rv": json_rv(17)})))
