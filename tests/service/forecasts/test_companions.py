"""Models that look at companions: held, sent with the request, stale, or not there at all."""

import copy
import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models_store import LoadedModel, Store
from models_store.horizon import PredictedRv
from service.app import create_app
from service.assets.database import HistoryStore
from service.forecasts.requests import ForecastRequest
from service.models.choice import Choice
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.databases import file_in
from tests.service.worlds import json_bars, settings_in, verified
from tests.simulated_panel import simulated_bars
from training.cli import main
from volatility import datasets
from volatility.arrays import DateArray, Windows
from volatility.bars import Bars
from volatility.calendars import Calendar, get_calendar
from volatility.companions import Companion, accompanied, aligned, as_measured
from volatility.frames import to_frame
from volatility.series import daily_series

ASSET, SESSIONS = "MINE", 1_100
PLAIN, ACCOMPANIED = "hexp", "hexp_companions"
XNYS = get_calendar("XNYS")
BARS = simulated_bars(SESSIONS, "XNYS", seed=1)
FITTED = SESSIONS - 20  # the newest sessions came after the fit
LAST = BARS.dates[-1]


def vix_bars() -> Bars:
    """An index that runs with the asset's range, in percent; its bars are not those of a price."""
    series, _ = daily_series(BARS, "parkinson", XNYS)
    level = 100 * np.sqrt(252 * pd.Series(series.rv).ewm(com=5).mean().to_numpy())
    other = level * 1.5  # an open outside of low and high, as real files of the VIX have
    return Bars(BARS.timestamps, other, level, level, level, BARS.interval)


VIX = vix_bars()
CLOSES = as_measured(VIX, "implied_variance")


def write(bars: Bars, path: Path) -> str:
    frame = to_frame(bars).rename(columns={"timestamp": "date"})
    frame["date"] = frame["date"].dt.date
    frame.to_csv(path, index=False)
    return str(path)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world")
    fitted = slice(FITTED)
    options = ["--asset", ASSET, "--bars", write(BARS.where(fitted), folder / "mine.csv")]
    vix = f"VIX={write(VIX.where(fitted), folder / 'vix.csv')}"
    options += ["--calendar", "XNYS", "--companion", vix, "--horizons", "1", "5", "--jobs", "1"]
    options += ["--store", str(folder / "store")]
    assert main(["retrain", "--models", ACCOMPANIED, *options]) == 0
    for other in datasets.NAMES:  # which a new store begins with
        shutil.rmtree(folder / "store" / other)
    settings = settings_in(folder)
    with TestClient(create_app(settings, now)) as client:
        put(client, ASSET, BARS, calendar="XNYS")
    history = HistoryStore(settings.database_url)
    for other in datasets.NAMES:  # which a new database begins with
        history.delete(other)
    history.close()
    return folder


@pytest.fixture(scope="module")
def settings(world: Path) -> Settings:
    return settings_in(world)


def now() -> datetime:
    day: datetime = (LAST + 1).astype("M8[s]").item()
    return day.replace(tzinfo=UTC)


@pytest.fixture
def client(settings: Settings, tmp_path: Path) -> Iterator[TestClient]:
    """Holds the asset, and nothing of its companion."""
    own = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'h.sqlite3'}"})
    shutil.copy(file_in(settings.database_url), file_in(own.database_url))
    with TestClient(create_app(own, now)) as client:
        yield verified(client)


def put(client: TestClient, asset: str, bars: Bars, **options: str) -> dict[str, Any]:
    answer = client.put(f"/assets/{asset}/bars", json={"bars": json_bars(bars)}, params=options)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ask(client: TestClient, model: str = ACCOMPANIED, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json={"asset": ASSET, "model": model, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def expected(settings: Settings, until: np.datetime64 = LAST, horizon: int = 1) -> float:
    """What the artifact says of bars that were aligned here."""
    model = Store(settings.store_folder).load(ASSET, ACCOMPANIED)
    series, _ = daily_series(BARS, "garman_klass", XNYS, model.manifest.own_columns)
    vix, _ = daily_series(CLOSES, "implied_variance", XNYS, ("return",))
    seen = accompanied(series.until(until), XNYS, [Companion("VIX", vix, "XNYS")])
    return model.forecast(seen, horizon=horizon).rv


def test_the_manifest_tells_what_it_looked_at(settings: Settings) -> None:
    manifest = Store(settings.store_folder).load(ASSET, ACCOMPANIED).manifest
    [vix] = manifest.companions
    assert (vix.asset, vix.calendar, vix.measure) == ("VIX", "XNYS", "implied_variance")
    assert (vix.nobs, vix.source) == (FITTED, "vix.csv")
    assert manifest.stand_in == PLAIN
    assert {"VIX:log_rv", "VIX:return"} < set(manifest.columns)
    assert manifest.hyperparameters["companions"] == "VIX"


def test_a_held_companion_is_looked_at(client: TestClient, settings: Settings) -> None:
    told = put(client, "VIX", VIX)
    assert "measure implied_variance is taken" in " ".join(told["warnings"])
    assert not any("high" in it for it in told["warnings"])
    answer = ask(client)
    assert (answer["model"], answer["degraded_reason"]) == (ACCOMPANIED, None)
    assert answer["rv"] == expected(settings)
    assert answer["rv"] != pytest.approx(ask(client, PLAIN)["rv"], rel=1e-3)
    assert not any("VIX" in it for it in answer["warnings"])
    assert ask(client) == answer
    structure = ask(client, horizons=[1, 5])["term_structure"]
    assert [it["rv"] for it in structure] == [expected(settings, horizon=it) for it in (1, 5)]


def test_what_a_companion_adds_is_told(client: TestClient) -> None:
    put(client, "VIX", VIX)
    answer = ask(client, explain=True)
    told = answer["explanation"]
    assert told["total"] == pytest.approx(np.log(answer["rv"]), abs=1e-9)
    of_vix = [it for it in told["contributions"] if ":VIX:" in it["name"]]
    assert of_vix
    assert {it["group"] for it in of_vix} == {"companions"}
    assert told["groups"]["companions"] == pytest.approx(sum(it["value"] for it in of_vix))


def test_a_sent_companion_is_looked_at(client: TestClient, settings: Settings) -> None:
    answer = ask(client, companions={"VIX": {"bars": json_bars(VIX)}})
    assert (answer["model"], answer["degraded_reason"]) == (ACCOMPANIED, None)
    assert answer["rv"] == expected(settings)
    both: dict[str, Any] = {
        "companions": {"VIX": {"bars": json_bars(VIX)}},
        "history": {"bars": json_bars(BARS)},
    }
    assert ask(client, **both)["rv"] == answer["rv"]
    assert ask(client)["model"] == PLAIN  # nothing of it was kept


def test_a_day_is_replayed_with_what_was_known_of_the_companion(
    client: TestClient, settings: Settings
) -> None:
    put(client, "VIX", VIX)
    day = BARS.dates[-7]
    answer = ask(client, as_of=str(day))
    assert answer["rv"] == expected(settings, day)


def test_a_day_before_all_history_is_refused(client: TestClient) -> None:
    put(client, "VIX", VIX)
    day = str(BARS.dates[0] - 28)
    asked = {"asset": ASSET, "model": ACCOMPANIED, "as_of": day}
    refused = client.post("/forecast", json=asked)
    assert (refused.status_code, refused.json()["code"]) == (422, "history_too_short")


@pytest.mark.parametrize("sent", [False, True])
def test_without_a_companion_the_plain_model_answers(client: TestClient, sent: bool) -> None:
    body: dict[str, Any] = {"history": {"bars": json_bars(BARS)}} if sent else {}
    answer, plain = ask(client, **body), ask(client, PLAIN, **body)
    assert answer["model"] == PLAIN
    assert "nothing is held of VIX" in answer["degraded_reason"]
    assert f"{PLAIN} answers instead" in answer["degraded_reason"]
    told = ("degraded_reason", "warnings")
    assert {k: v for k, v in answer.items() if k not in told} == {
        k: v for k, v in plain.items() if k not in told
    }
    assert plain["degraded_reason"] is None
    assert ask(client, horizons=[1, 5], **body)["model"] == PLAIN


def test_a_companion_that_is_late_is_told_and_one_that_is_old_is_missing(
    client: TestClient,
) -> None:
    put(client, "VIX", VIX.where(slice(-2)))
    late = ask(client)
    assert late["model"] == ACCOMPANIED
    assert f"it ends on {VIX.dates[-3]}, and 2 of its sessions had closed" in str(late["warnings"])
    put(client, "VIX", VIX)
    assert "VIX" not in str(ask(client)["warnings"])  # the answer of before is not remembered
    old = ask(client, companions={"VIX": {"bars": json_bars(VIX.where(slice(-9)))}})
    assert old["model"] == PLAIN
    reason = "nothing of VIX that is at most 5 days old is known at the newest session; needed:"
    assert reason in old["degraded_reason"]


def test_a_companion_without_enough_history_is_missing(client: TestClient) -> None:
    few = ask(client, companions={"VIX": {"bars": json_bars(VIX.where(slice(-100, None)))}})
    assert few["model"] == PLAIN
    reason = few["degraded_reason"]
    assert "VIX is known at 100 of the 250 sessions of the window; needed: at 125" in reason


def test_what_is_wrong_with_a_companion_is_told(client: TestClient) -> None:
    bars = json_bars(CLOSES)
    wrong = copy.deepcopy(bars)
    for name in ("open", "high", "low", "close"):
        wrong[5][name] = -1.0
    refused = client.post(
        "/forecast",
        json={"asset": ASSET, "model": ACCOMPANIED, "companions": {"VIX": {"bars": wrong}}},
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "non_positive_price")
    assert refused.json()["field"].startswith("companions.VIX.")
    bodies: list[dict[str, Any]] = [
        {"companions": {"VIX": {"bars": []}}},
        {"companions": {f"X{place}": {"bars": bars[:1]} for place in range(9)}},
        {"companions": {"VIX": bars[:1]}},
    ]
    for body in bodies:
        assert client.post("/forecast", json={"asset": ASSET, **body}).status_code == 422
    unused = ask(client, PLAIN, companions={"VXN": {"bars": bars[-3:]}})
    assert f"{PLAIN} does not look at the companion VXN" in unused["warnings"]


def test_the_index_itself_is_held_and_not_forecast(client: TestClient) -> None:
    csv = io.StringIO()
    to_frame(VIX).rename(columns={"timestamp": "date"}).to_csv(csv, index=False)
    answer = client.put(
        "/assets/VIX/bars", content=csv.getvalue(), headers={"content-type": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    held = client.get("/assets/VIX/history").json()
    assert held["measure"] == "implied_variance"
    assert held["rv"][-1] == pytest.approx((VIX.close[-1] / 100) ** 2 / 252)
    refused = client.post("/forecast", json={"asset": "VIX"})
    assert (refused.status_code, refused.json()["code"]) == (404, "unknown_model")
    assert "implied_variance" in refused.json()["detail"]
    assert client.get("/hurst/VIX").status_code == 200


def test_a_batch_answers_each_with_its_own(client: TestClient, settings: Settings) -> None:
    items = [
        {"asset": ASSET, "model": ACCOMPANIED},
        {"asset": ASSET, "model": ACCOMPANIED, "companions": {"VIX": {"bars": json_bars(VIX)}}},
    ]
    answer = client.post("/forecast/batch", json={"items": items}).json()
    assert [it["model"] for it in answer["items"]] == [PLAIN, ACCOMPANIED]
    assert answer["items"][1]["rv"] == expected(settings)


def test_a_held_companion_on_another_calendar_is_not_looked_at(tmp_path: Path) -> None:
    london = simulated_bars(SESSIONS, "XLON", seed=2)
    fitted = ["--asset", ASSET, "--bars", write(BARS, tmp_path / "mine.csv"), "--calendar", "XNYS"]
    fitted += ["--companion", f"UKX={write(london, tmp_path / 'ukx.csv')}"]  # without @XLON
    store = ["--store", str(tmp_path / "store"), "--horizons", "1", "--jobs", "1"]
    assert main(["retrain", "--models", ACCOMPANIED, *fitted, *store]) == 0
    with TestClient(create_app(settings_in(tmp_path), now)) as client:
        put(client, ASSET, BARS, calendar="XNYS")
        put(client, "UKX", london, calendar="XLON")
        answer = ask(client)
        needed = "UKX is held with calendar XLON; the model was fitted with it in 24/5"
        assert answer["model"] == PLAIN
        assert needed in answer["degraded_reason"]
        sent = ask(client, companions={"UKX": {"bars": json_bars(london)}})
        assert sent["model"] == ACCOMPANIED


def test_a_held_companion_of_other_bars_is_not_looked_at(client: TestClient) -> None:
    put(client, "VIX", VIX)
    holdings = client.app_state["holdings"]
    held = holdings.find("VIX")
    held.asset = replace(held.asset, bar_interval=3_600)
    reason = ask(client)["degraded_reason"]
    assert (
        "VIX is held with bars of 3600 seconds; the model was fitted with bars of 86400" in reason
    )


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Windows of each call of a model with companions."""
    calls: list[int] = []
    predict_rv = LoadedModel.predict_rv

    def counting(self: LoadedModel, windows: Windows, horizon: int = 1) -> PredictedRv:
        calls.append(len(windows["rv"]))
        return predict_rv(self, windows, horizon)

    monkeypatch.setattr(LoadedModel, "predict_rv", counting)
    return calls


def test_past_errors_are_remembered_beside_the_companions(
    client: TestClient, counted: list[int]
) -> None:
    questions = client.app_state["questions"]
    request = ForecastRequest(asset=ASSET, model=ACCOMPANIED)
    ask(client)  # which opens the models
    client.app_state["ledger"].recorder.stop()  # which forecasts the benchmarks as well
    counted.clear()
    assert not questions.is_long(request)  # nothing of it is held, and the plain model answers
    put(client, "VIX", VIX.where(slice(-1)))
    assert questions.is_long(request)
    of_before = ask(client)["calibration"]
    assert counted == [20, 1]  # the sessions after the fit, and the next
    counted.clear()
    assert not questions.is_long(request)
    assert questions.is_long(ForecastRequest(asset=ASSET, model=ACCOMPANIED, horizon=5))
    replay = {"asset": ASSET, "model": ACCOMPANIED, "as_of": str(LAST)}
    assert questions.is_long(ForecastRequest.model_validate(replay))
    for levels in ([0.8], [0.95]):
        assert ask(client, levels=levels)["calibration"] == of_before
    assert ask(client, quantiles=[0.5])["calibration"] == of_before
    assert counted == [1] * 3
    counted.clear()
    put(client, "VIX", VIX)  # another revision
    assert questions.is_long(request)
    ask(client)
    ask(client, levels=[0.8])
    assert counted == [20, 1, 1]


def test_past_errors_are_computed_once_beside_what_is_sent(
    client: TestClient, counted: list[int]
) -> None:
    ask(client, companions={"VIX": {"bars": json_bars(VIX)}}, quantiles=[0.5, 0.9])
    assert counted == [20, 1]


def test_companions_are_aligned_once_for_all_questions(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(client, "VIX", VIX)
    lengths: list[int] = []

    def counting(companion: Companion, dates: DateArray, calendar: Calendar) -> Any:
        lengths.append(len(dates))
        return aligned(companion, dates, calendar)

    monkeypatch.setattr("volatility.companions.aligned", counting)
    ask(client, horizons=[1, 5])
    ask(client, levels=[0.8])
    assert lengths == [SESSIONS]
    ask(client, companions={"VIX": {"bars": json_bars(VIX)}}, horizons=[1, 5])
    assert lengths == [SESSIONS] * 2


def test_sent_bars_outside_of_sessions_are_left_out(client: TestClient) -> None:
    bars = json_bars(VIX)
    friday = next(at for at, it in enumerate(VIX.dates) if it.item().weekday() == 4)
    saturday = bars[friday] | {"date": str(VIX.dates[friday] + 1)}
    answer = ask(client, companions={"VIX": {"bars": bars}})
    with_one = [*bars[: friday + 1], saturday, *bars[friday + 1 :]]
    other = ask(client, companions={"VIX": {"bars": with_one}})
    assert (other["model"], other["rv"]) == (ACCOMPANIED, answer["rv"])
    assert "companion VIX: bars outside of sessions of XNYS left out: 1" in other["warnings"]


def test_rv_alone_is_refused_by_the_model_that_was_asked(client: TestClient) -> None:
    series, _ = daily_series(BARS, "garman_klass", XNYS)
    body = {"asset": ASSET, "model": ACCOMPANIED, "history": {"rv": series.rv.tolist()}}
    refused = client.post("/forecast", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "missing_columns")
    assert refused.json()["detail"].startswith(f"{ACCOMPANIED} of {ASSET} needs ")


def test_a_stand_in_with_companions_does_not_answer(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = client.app_state["catalogue"]
    accompanied = catalogue.resolve(ASSET, ACCOMPANIED)
    monkeypatch.setattr(catalogue, "choice", lambda *_asked: accompanied)
    refused = client.post("/forecast", json={"asset": ASSET, "model": ACCOMPANIED})
    assert (refused.status_code, refused.json()["code"]) == (422, "missing_companions")
    assert f"{PLAIN}, which is to answer instead, looks at companions" in refused.json()["detail"]


def test_where_the_stand_in_is_refused_the_ladder_answers_auto(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = client.app_state["catalogue"]
    changed = {"auto": catalogue.resolve(ASSET, ACCOMPANIED), PLAIN: None}
    choice = catalogue.choice

    def changed_choice(asset: str, model: str) -> Choice | None:
        return changed[model] if model in changed else choice(asset, model)

    monkeypatch.setattr(catalogue, "choice", changed_choice)
    monkeypatch.setattr(catalogue.choices, "get", lambda *_asked: None)
    answer = ask(client, "auto")
    assert answer["model"] == "universal"
    assert answer["degraded_reason"] == (
        f"{ACCOMPANIED} looks at companions, and nothing is held of VIX, and none was sent; "
        f"{PLAIN}, which is to answer instead, is not in service; universal answers instead"
    )
    body = {"items": [{"asset": ASSET}, {"asset": ASSET, "model": ACCOMPANIED}]}
    items = client.post("/forecast/batch", json=body).json()["items"]
    assert items[0] == answer
    assert items[1]["code"] == "missing_companions"


def test_a_companion_is_not_deleted(client: TestClient) -> None:
    put(client, "VIX", VIX)
    bar = {"date": "2021-02-03", "open": 100, "high": 101, "low": 99, "close": 100}
    given = {"bars": [bar]}
    client.put("/assets/BESIDE/bars?calendar=XNYS", json=given).raise_for_status()
    answer = client.delete("/assets/VIX")
    assert (answer.status_code, answer.json()["code"]) == (409, "asset_in_use")
    assert f"look at it as a companion: {ASSET}/{ACCOMPANIED}" in answer.json()["detail"]
    assert ask(client)["model"] == ACCOMPANIED
    assert client.delete("/assets/BESIDE").status_code == 200
