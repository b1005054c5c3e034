import json
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from models_store import Store
from service.assets.database import HistoryStore
from service.assets.holdings import Holdings
from service.forecasts import encoding
from service.forecasts.encoding import EncodedForecasts, encode, encode_term_structure
from service.forecasts.forecaster import IssuedForecast
from service.forecasts.query import Questions
from service.forecasts.requests import ForecastRequest
from service.models.catalogue import Catalogue
from service.models.skill import ModelSkill
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


SKILL = ModelSkill("har", 0.9, 0.01, True, 300, (date(2020, 1, 2), date(2020, 12, 30)), (0.8, 0.2))


def test_each_part_of_a_skill_is_said_under_its_name(issued: IssuedForecast) -> None:
    said = json.loads(encode(issued._replace(skill=SKILL)))["skill"]
    assert said == {
        "baseline": "har",
        "qlike_ratio": 0.9,
        "dm_pvalue": 0.01,
        "in_confidence_set": True,
        "nobs": 300,
        "span": ["2020-01-02", "2020-12-30"],
        "calendar_log_har": {"qlike_ratio": 0.8, "dm_pvalue": 0.2},
        "source": "test",
    }
    alone = SKILL._replace(calendar_log_har=None, in_confidence_set=None, source="live")
    said = json.loads(encode(issued._replace(skill=alone)))["skill"]
    assert [said[it] for it in ("calendar_log_har", "in_confidence_set", "source")] == [
        *(None, None, "live"),
    ]


def test_what_was_observed_live_stands_in_the_interval_of_its_level(issued: IssuedForecast) -> None:
    [first] = issued.forecast.intervals
    both = issued.forecast._replace(intervals=(first, first._replace(level=0.95)))
    live = ((0.95, 0.91, 260), (0.5, 0.4, 300))
    found = json.loads(encode(issued._replace(forecast=both, coverage=live)))["intervals"]
    told = [(it["level"], it["coverage_observed"], it["nobs"], it["observed"]) for it in found]
    assert told == [(0.8, first.coverage_observed, first.nobs, "test"), (0.95, 0.91, 260, "live")]


def test_a_history_without_dates_has_no_missing_sessions(issued: IssuedForecast) -> None:
    gaps = issued.forecast._replace(missing_sessions=3)
    assert json.loads(encode(issued._replace(forecast=gaps)))["missing_sessions"] == 3
    nowhere = issued._replace(forecast=gaps._replace(as_of=None), stale_sessions=None)
    answer = json.loads(encode(nowhere))
    assert (answer["missing_sessions"], answer["stale_sessions"]) == (None, None)


def test_a_term_structure_says_once_what_is_shared(issued: IssuedForecast) -> None:
    later = issued._replace(forecast=issued.forecast._replace(horizon=5, rv=0.5))
    alone = [json.loads(encode(it)) for it in (issued, later)]
    answer = json.loads(encode_term_structure([issued, later]))
    each = answer.pop("term_structure")
    assert [answer | it for it in each] == alone
    assert [it["horizon"] for it in each] == [1, 5]
    assert not set(answer) & set(each[0])


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


def test_what_is_answered_anew_from_held_history_is_told_with_its_bytes(
    settings: Settings, holdings: Holdings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is taken; beyond so many, what is kept is let go of, and is not told of again."""
    monkeypatch.setattr(encoding, "_MAX_REMEMBERED", 2)
    questions = Questions(Catalogue(Store(settings.store_folder)), holdings, lambda: NOW)
    told, takes = list[tuple[Any, ...]](), [False, True]

    def made(*of: Any) -> bool:
        told.append(of)
        return takes.pop(0) if takes else True

    encoded = EncodedForecasts(made)
    asked = questions.of(request())
    for times in (1, 2, 2):
        answer = encoded.answer(asked)
        assert len(told) == times
        question, issued, body = told[-1]
        assert (question, body) == (asked, answer.body)
        assert issued.forecast_id == answer.ids == json.loads(body)["forecast_id"]
    encoded.answer(questions.of(request(history={"rv": json_rv()})))
    assert len(told) == 2
    explained = questions.of(request(model="har", explain=True))
    assert encoded.answer(explained) is not encoded.answer(explained)  # it is long
    assert len(told) == 4
    kept = encoded.answer(asked)
    for level in (0.8, 0.95):
        encoded.answer(questions.of(request(levels=(level,))))
    assert encoded.answer(asked) is not kept
