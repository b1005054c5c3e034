"""Limits that the guide promises, each of them at its very bound."""

from datetime import date
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models_store.universal.model import UniversalModel
from models_store.universal.store import UniversalStore
from service.assets.schemas import MAX_BARS
from service.database.base import Timeouts
from service.forecasts import batch, encoding, query, routes
from service.forecasts.batch import MOST_INVALID
from service.forecasts.encoding import EncodedForecasts, ForecastTally
from service.forecasts.policy import HistoryPolicy
from service.forecasts.query import Questions
from service.forecasts.requests import MAX_BATCH, MAX_EXPLAINED, ForecastRequest, HistoryInput
from service.http import slices
from service.http.errors import HistoryIncomplete, HistoryStale
from service.http.fields import MAX_VALUES
from service.http.problems import MOST_FAULTS
from service.models.universal import Universal
from service.protocols.schemas import MAX_TENSORS
from service.protocols.series_schemas import MAX_SERIES
from service.settings import Settings
from tests.errors import details
from tests.models_store.artifacts import make_manifest
from tests.models_store.universal.small import small_files
from volatility.calendars import get_calendar
from volatility.errors import UnknownModel
from volatility.formats.reading import MOST_COLUMNS
from volatility.series import DatedSeries


def test_limits_are_those_of_the_guide() -> None:
    """See the tables of docs/api.md."""
    assert (MAX_BATCH, MOST_INVALID, MAX_EXPLAINED) == (10_000, 1_000, 1_000)
    assert (MAX_BARS, MAX_VALUES, MOST_COLUMNS) == (100_000, 100_000, 64)
    assert (MAX_SERIES, MAX_TENSORS) == (1_000, 16)
    assert MOST_FAULTS == 20
    assert slices._MOST_OUTSIDE == 5_000
    assert slices.SHORT == 64 * 1024


def test_what_takes_milliseconds_is_done_in_a_thread() -> None:
    """From there on the event loop would keep others waiting."""
    assert (routes._LARGE_BATCH, batch._TOGETHER, query._MANY_BARS) == (64, 256, 2_000)


def test_a_database_may_take_as_long_as_settings_say_where_nobody_sets_it() -> None:
    usual = {name: it.default for name, it in Settings.model_fields.items()}
    assert Timeouts() == Timeouts(
        connect=usual["database_connect_timeout"],
        statement=usual["database_statement_timeout"],
        lock=usual["database_lock_timeout"],
    )
    assert Timeouts() == Timeouts(2, 10.0, 5.0)


DAYS = np.arange("2021-01-01", "2021-01-21", dtype="datetime64[D]")
HISTORY = DatedSeries(np.full(10, 1e-4), "garman_klass", DAYS[::2])
MODEL: Any = SimpleNamespace(
    manifest=make_manifest(), window_sessions=22, calendar=get_calendar("24/7")
)


def test_why_a_history_is_not_forecast_from_is_told_with_the_setting() -> None:
    with pytest.raises(HistoryStale) as stale:
        HistoryPolicy(3, None).check(HISTORY, 4, MODEL)
    assert str(stale.value) == (
        "the history ends on 2021-01-19, and 4 sessions have closed since; this service forecasts "
        "where at most 3 have (ROUGHCAST_MAX_STALE_SESSIONS)"
    )
    with pytest.raises(HistoryIncomplete) as incomplete:
        HistoryPolicy(None, 8).check(HISTORY, 4, MODEL)
    assert str(incomplete.value) == (
        "9 sessions are missing between 2021-01-01 and 2021-01-19, of which har sees 10; this "
        "service forecasts where at most 8 are (ROUGHCAST_MAX_MISSING_SESSIONS)"
    )


@pytest.fixture(scope="module")
def universal(tmp_path_factory: pytest.TempPathFactory) -> Universal:
    store = UniversalStore(tmp_path_factory.mktemp("store"))
    store.publish(small_files())
    model: UniversalModel = store.load(1)
    return Universal(model, None)


def test_a_measure_that_the_model_for_every_asset_does_not_know(universal: Universal) -> None:
    with pytest.raises(UnknownModel) as refused:
        universal.bound("stock", "XNYS", "implied_variance")
    measures = "garman_klass and parkinson"
    assert details(refused.value) == (
        "model",
        "universal",
        f"an asset that is measured by {measures}",
    )
    assert str(refused.value) == (
        f"universal was fitted on {measures}; got an asset that is measured by implied_variance"
    )


def test_it_is_made_for_daily_bars_in_its_measures(universal: Universal) -> None:
    assert universal.knows(86_400, "parkinson")
    assert not universal.knows(3_600, "parkinson")
    assert not universal.knows(86_400, "realized_variance")
    assert not Universal(None, None).knows(86_400, "parkinson")


def test_a_calendar_is_bound_once_under_its_own_name(universal: Universal) -> None:
    assert not universal.is_bound("XNYS")
    one = universal.bound("stock", "NYSE", "parkinson")
    assert universal.is_bound("XNYS")
    assert not universal.is_bound("NYSE")
    assert universal.bound("stock", "XNYS", "parkinson") is one
    others = [("etf", "XNYS", "parkinson"), ("stock", "XNYS", "garman_klass")]
    assert all(universal.bound(*it) is not one for it in others)
    assert universal.bound("stock", "XNYS", "parkinson", 30) is not one


def test_assets_that_it_was_fitted_on_are_known_however_they_are_written(
    universal: Universal,
) -> None:
    assert universal.span_of("Share") == (date(2010, 1, 4), date(2019, 12, 31))
    assert universal.span_of("OTHER") is None


class Compared:
    """A catalogue of one model that is open and compared."""

    def __init__(self) -> None:
        self.choices = self
        self.universal = self

    def get(self, *_: object) -> Any:
        return SimpleNamespace(model=SimpleNamespace(manifest=make_manifest()))

    def is_open(self, *_: object) -> bool:
        return True

    def is_compared(self, *_: object) -> bool:
        return True


BAR: Any = {"date": "2021-01-04", "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}


@pytest.mark.parametrize(
    ("history", "is_long"),
    [
        ({"bars": [BAR] * 2_000}, False),
        ({"bars": [BAR] * 2_001}, True),
        ({"rv": [1e-4] * 2_000}, False),
        ({"rv": [1e-4] * 2_001}, True),
    ],
)
def test_thousands_of_values_are_read_beside_others(history: Any, is_long: bool) -> None:
    compared: Any = Compared()
    questions = Questions(compared, compared, lambda: None)
    request = ForecastRequest(asset="A", model="har", history=HistoryInput(**history))
    assert questions.is_long(request) is is_long
    assert not questions.is_long(ForecastRequest(asset="A", model="har"))


def test_a_companion_s_bars_count_as_much() -> None:
    compared: Any = Compared()
    questions = Questions(compared, compared, lambda: None)
    for number, is_long in ((1_000, False), (1_001, True)):
        request = ForecastRequest.model_construct(
            asset="A",
            model="har",
            history=HistoryInput(rv=[1e-4] * 1_000),
            companions={"VIX": SimpleNamespace(bars=[BAR] * number)},  # type: ignore[dict-item]
        )
        assert questions.is_long(request) is is_long


def test_answers_that_are_kept_are_let_go_of_when_there_are_too_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = SimpleNamespace(asset="A", model="har", explanation=None, clipped=False)
    issued: Any = SimpleNamespace(
        forecast=said, forecast_id="0a1b", degraded_reason=None, stale_sessions=None
    )
    asked: Any = None
    monkeypatch.setattr(encoding, "IssuedForecast", SimpleNamespace)
    monkeypatch.setattr(encoding, "encode", lambda _issued: b"{}")
    monkeypatch.setattr(encoding, "_MAX_REMEMBERED", 2)
    kept = EncodedForecasts()
    for key in ("a", "b", None, "c"):
        kept._encode(asked, None if key is None else (key,), issued)
    assert list(kept._remembered) == [("c",)]


def test_forecasts_are_counted_by_asset_and_model() -> None:
    tally = ForecastTally()
    tally.count("A", "har")
    since = tally.since["A", "har"]
    tally.count("A", "har", 5)
    tally.count("B", "har", 2)
    assert tally.numbers == {("A", "har"): 6, ("B", "har"): 2}
    assert tally.since["A", "har"] == since > 0
