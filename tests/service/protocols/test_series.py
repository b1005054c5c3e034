"""Series are forecast as ``POST /forecast`` does from the same rv, or it is said why not."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pytest

from models_store import Store
from service.app import create_app
from service.http.slices import SHORT
from service.protocols.series import _curve
from service.protocols.series_schemas import MAX_SERIES
from service.settings import Settings
from tests.models_store.artifacts import make_files, make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW, clock, json_rv
from volatility.errors import UnsupportedHorizon

PATH = "/v1/timeseries/forecast"
SERIES = make_series()
RV = json_rv(40)
DAYS = [str(it) for it in SERIES.dates[-40:]]
FURTHER = "further"  # a model of three horizons


@pytest.fixture(scope="module")
def richer(richer: Settings) -> Settings:
    store = Store(richer.store_folder)
    store.promote(ASSET, FURTHER, store.publish(make_files(ASSET, FURTHER, further=(5, 10))))
    return richer


def series(**changes: Any) -> dict[str, Any]:
    return {
        "type": "univariate_time_series",
        "name": "daily rv",
        "series": RV,
        "frequency": "D",
        "start_timestamp": f"{DAYS[0]}T00:00:00Z",
    } | changes


def ask(
    client: TestClient,
    *inputs: dict[str, Any],
    model: str = f"{ASSET}~har",
    horizon: int = 1,
    **more: Any,
) -> httpx.Response:
    quantiles = {"quantiles": more.pop("quantiles")} if "quantiles" in more else {}
    options = {"horizon": horizon} | quantiles
    body = {"model": model, "inputs": list(inputs), "options": options} | more
    return client.post(PATH, json=body)


def single(client: TestClient, rv: Any = RV, dates: Any = DAYS, **body: Any) -> dict[str, Any]:
    history = {"rv": rv, "dates": dates}
    asked = {"asset": ASSET, "levels": [], "history": history} | body
    found: dict[str, Any] = client.post("/forecast", json=asked).json()
    return found


@pytest.mark.parametrize("model", ["har", "log_har", "auto"])
def test_one_session_ahead(served: TestClient, model: str) -> None:
    answer = ask(served, series(), model=f"{ASSET}~{model}", quantiles=[0.1, 0.5])
    said = single(served, model=model, quantiles=[0.1, 0.5])
    found = answer.json()
    assert found["id"] == answer.headers["x-request-id"]
    assert found["created_at"] == int(NOW.timestamp())
    assert (found["status"], found["error"], found["model"]) == (
        "completed",
        None,
        f"{ASSET}~{model}",
    )
    [output] = found["outputs"]
    assert output == {
        "type": "time_series_forecast",
        "id": said["forecast_id"],
        "status": "completed",
        "content": [
            {
                "type": "univariate_time_series",
                "name": "daily rv",
                "mean_forecast": [said["rv"]],
                "frequency": "D",
                "start_timestamp": f"{said['target_date']}T00:00:00Z",
                "quantiles": {str(it["probability"]): [it["rv"]] for it in said["quantiles"]},
            }
        ],
        "error": None,
        "model": f"{ASSET}~{said['model']}",
        "model_version": said["model_version"],
        "measure": said["measure"],
        "as_of": said["as_of"],
        "degraded_reason": said["degraded_reason"],
        "warnings": said["warnings"],
    }


@pytest.mark.parametrize("start", [DAYS[0], f"{DAYS[0]}T00:00:00", f"{DAYS[0]}T00:00:00+00:00"])
def test_without_quantiles_and_as_a_client_may_write_it(served: TestClient, start: str) -> None:
    given = series(start_timestamp=start, frequency="day", name="")
    answer = ask(served, given, quantiles=None, metadata={"a": [{"b": None}]})
    [content] = answer.json()["outputs"][0]["content"]
    assert content["mean_forecast"] == [single(served, model="har")["rv"]]
    assert (content["frequency"], content["name"]) == ("day", "")
    assert "quantiles" not in content
    assert ask(served, given, metadata=None).status_code == 200


@pytest.mark.parametrize(("horizon", "steps"), [(5, [1, 5]), (10, [1, 5, 10])])
def test_several_sessions_ahead_add_up_to_the_means(
    served: TestClient, horizon: int, steps: list[int]
) -> None:
    answer = ask(served, series(), model=f"{ASSET}~{FURTHER}", horizon=horizon)
    [output] = answer.json()["outputs"]
    [content] = output["content"]
    curve = content["mean_forecast"]
    said = single(served, model=FURTHER, horizons=steps)["term_structure"]
    assert len(curve) == horizon
    assert curve[0] == said[0]["rv"]
    for it in said:
        assert np.mean(curve[: it["horizon"]]) == pytest.approx(it["rv"], rel=1e-12)
    assert len(set(curve)) == len(steps)
    assert output["id"] == said[-1]["forecast_id"]
    assert content["start_timestamp"] == "2021-02-04T00:00:00Z"


def issued(**means: float) -> Any:
    found = [SimpleNamespace(horizon=int(name[1:]), rv=rv) for name, rv in means.items()]
    return [SimpleNamespace(forecast=it) for it in found]


def test_a_curve_by_hand() -> None:
    # 5 sessions of mean 2 are 10, less the first, 4: 6 for four; 10 of mean 1.5 are 15, less 10.
    assert _curve(issued(h1=4.0, h5=2.0, h10=1.5)) == [4.0] + [1.5] * 4 + [1.0] * 5
    assert _curve(issued(h2=3.0)) == [3.0, 3.0]


def test_where_means_leave_nothing_between_it_is_said() -> None:
    with pytest.raises(UnsupportedHorizon, match=r"of 1 and of 5 sessions leave -0\.25 for") as it:
        _curve(issued(h1=6.0, h5=1.0))
    assert (it.value.field, it.value.found, it.value.needed) == ("options.horizon", 5, "at most 1")
    with pytest.raises(UnsupportedHorizon, match="of 5 and of 10 sessions leave 0 for"):
        _curve(issued(h5=2.0, h10=1.0))


def test_a_bad_series_fails_alone(served: TestClient) -> None:
    bad = series(series=RV[:9])
    answer = ask(
        served, series(), bad, series(series=RV[:-1]), series(start_timestamp="2022-01-01")
    )
    found = answer.json()
    assert (answer.status_code, found["status"]) == (200, "partial")
    assert [it["status"] for it in found["outputs"]] == ["completed", "error", "completed", "error"]
    _, short, _, late = found["outputs"]
    assert short["error"] == {
        "code": "422",
        "message": "har with lags (1, 5, 22) needs 22 sessions; got 9",
        "param": "inputs[1].series",
        "type": "history_too_short",
    }
    assert (short["content"], short["id"]) == ([], f"{found['id']}-1")
    assert (late["error"]["type"], late["error"]["param"]) == ("future_dates", "inputs[3].series")
    assert found["outputs"][2]["content"][0]["start_timestamp"] == f"{LAST}T00:00:00Z"


def test_where_none_can_be_forecast_the_request_is_refused(served: TestClient) -> None:
    answer = ask(served, series(series=RV[:9]), series(series=[-1.0] * 30))
    assert answer.status_code == 422
    assert answer.json()["error"]["type"] == "history_too_short"


@pytest.mark.parametrize(
    ("given", "more", "status", "kind", "param", "said"),
    [
        ({"frequency": "H"}, {}, 422, "invalid_value", "inputs[0].frequency", "'D' or 'day'"),
        ({"frequency": "W"}, {}, 422, "invalid_value", "inputs[0].frequency", "'D' or 'day'"),
        (
            {"type": "multivariate_time_series", "series": [[1.0, 2.0]]},
            {},
            422,
            "invalid_value",
            "inputs[0].type",
            "'univariate_time_series'",
        ),
        (
            {"start_timestamp": f"{DAYS[0]}T09:30:00Z"},
            {},
            422,
            "invalid_date",
            "inputs[0].start_timestamp",
            "the day of a session, or its midnight in UTC",
        ),
        (
            {"start_timestamp": f"{DAYS[0]}T00:00:00+01:00"},
            {},
            422,
            "invalid_date",
            "inputs[0].start_timestamp",
            "midnight in UTC",
        ),
        (
            {"start_timestamp": 20210103},
            {},
            422,
            "invalid_date",
            "inputs[0].start_timestamp",
            "UTC",
        ),
        (
            {"start_timestamp": "20210103"},
            {},
            422,
            "invalid_date",
            "inputs[0].start_timestamp",
            "UTC",
        ),
        ({"start_timestamp": None}, {}, 422, "invalid_date", "inputs[0].start_timestamp", "UTC"),
        (
            {"start_timestamp": "1800-01-01"},
            {},
            422,
            "outside_calendar",
            "inputs[0].start_timestamp",
            "1800-01-01 lies outside the calendar 24/7",
        ),
        ({"series": []}, {}, 422, "empty_history", "inputs[0].series", "holds no rv"),
        ({"series": [None]}, {}, 422, "wrong_type", "inputs[0].series[0]", "valid number"),
        (
            {"series": [0.5] * 30},
            {},
            422,
            "implausible_unit",
            "inputs[0].series",
            "looks like percent",
        ),
        (
            {},
            {"horizon": 7},
            422,
            "unsupported_horizon",
            "options.horizon",
            "horizon 7 is not supp",
        ),
        (
            {},
            {"horizon": 5, "quantiles": [0.5]},
            422,
            "invalid_value",
            "options.horizon",
            "found 5; needed: horizon 1, since quantiles of single sessions",
        ),
        (
            {},
            {"quantiles": [1e-6]},
            422,
            "unsupported_quantile",
            "options.quantiles",
            "1e-06",
        ),
        (
            {},
            {"quantiles": [0.5, 0.5]},
            422,
            "duplicate_quantile",
            "options.quantiles",
            "each quantile once, as in [0.5]",
        ),
        ({}, {"quantiles": [1.5]}, 422, "invalid_value", "options.quantiles[0]", "less than 1"),
        ({}, {"model": "TEST"}, 404, "unknown_model", "model", "there is no model 'TEST'"),
        ({}, {"model": "TEST~oracle"}, 404, "unknown_model", "model", "TEST has no model 'oracle'"),
        ({}, {"model": "NEW~har"}, 404, "unknown_asset", "model", "there is no asset 'NEW'"),
        ({}, {"model": "universal"}, 422, "missing_columns", "inputs[0].series", "send daily bars"),
        ({}, {"model": "NEW~auto"}, 422, "missing_columns", "inputs[0].series", "send daily bars"),
        ({}, {"model": "TEST~leverage"}, 422, "missing_columns", "inputs[0].series", "leverage"),
        ({}, {"temperature": 1}, 422, "unknown_field", "temperature", "there is no such field"),
        ({"item_id": 1}, {}, 422, "unknown_field", "inputs[0].item_id", "no such field"),
    ],
)
def test_why_there_is_no_answer(
    served: TestClient,
    given: dict[str, Any],
    more: dict[str, Any],
    status: int,
    kind: str,
    param: str,
    said: str,
) -> None:
    answer = ask(served, series(**given), **more)
    assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
    error = answer.json()["error"]
    assert (error["code"], error["type"], error["param"]) == (str(status), kind, param)
    assert said in error["message"]
    assert answer.headers["content-type"] == "application/json"


def test_no_series_is_none(served: TestClient) -> None:
    error = ask(served).json()["error"]
    assert (error["type"], error["param"]) == ("missing_field", "inputs")
    assert error["message"] == "inputs: found none; needed: at least one series"


def test_sessions_follow_the_asset_s_calendar(settings: Settings) -> None:
    """Values of five days a week go on over weekends and holidays."""
    store = Store(settings.store_folder)
    files = make_files("SHARES", "har")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("tests.models_store.artifacts.make_manifest", _on_exchange())
        files = make_files("SHARES", "har")
    store.promote("SHARES", "har", store.publish(files))
    with TestClient(create_app(settings, clock)) as client:
        given = series(series=RV[:25], start_timestamp="2020-12-22")
        answer = ask(client, given, model="SHARES~har")
        assert answer.status_code == 200, answer.text
        [output] = answer.json()["outputs"]
        # 25 sessions of New York from there on end on January 28th; Christmas, New Year and Martin
        # Luther King's day are none.
        assert output["as_of"] == "2021-01-28"
        assert output["content"][0]["start_timestamp"] == "2021-01-29T00:00:00Z"
        error = ask(client, given | {"start_timestamp": "2020-12-25"}, model="SHARES~har").json()
        assert error["error"]["type"] == "not_a_session"
        assert error["error"]["param"] == "inputs[0].start_timestamp"
        assert error["error"]["message"] == "2020-12-25 is not a session of the calendar XNYS"


def _on_exchange() -> Any:
    from tests.models_store.artifacts import make_manifest

    def made(asset: str = "TEST", model: str = "har", **changes: Any) -> Any:
        return make_manifest(asset, model, **changes, calendar="XNYS", periods_per_year=252)

    return made


@pytest.mark.parametrize("count", [2, 300, MAX_SERIES])
def test_many_series_come_back_in_order(served: TestClient, count: int) -> None:
    given = [
        series(name=str(at), series=[it * (1 + at / 5_000) for it in RV]) for at in range(count)
    ]
    found = ask(served, *given).json()
    assert found["status"] == "completed"
    assert [it["content"][0]["name"] for it in found["outputs"]] == [str(at) for at in range(count)]
    last = single(served, rv=given[-1]["series"], model="har")
    assert found["outputs"][-1]["content"][0]["mean_forecast"] == [last["rv"]]
    assert found["outputs"][-1]["id"] == last["forecast_id"]


def test_a_long_series_is_read(served: TestClient) -> None:
    days = 5_000
    start = NOW.date() - timedelta(days=days)
    rv = [1e-4 * (1 + (at % 97) / 100) for at in range(days)]
    given = series(series=rv, start_timestamp=str(start))
    assert len(str(rv)) > SHORT
    found = ask(served, given).json()["outputs"][0]
    assert (found["status"], found["as_of"]) == ("completed", LAST)


def test_more_series_than_there_may_be(served: TestClient) -> None:
    error = ask(served, *[series()] * (MAX_SERIES + 1)).json()["error"]
    assert error["type"] == "too_many_items"


def test_forecasts_are_counted(served: TestClient) -> None:
    def count() -> float:
        lines = served.get("/metrics").text.splitlines()
        line = next(it for it in lines if f'model="{FURTHER}"' in it and "created" not in it)
        return float(line.rpartition(" ")[2])

    ask(served, series(), model=f"{ASSET}~{FURTHER}")
    before = count()
    ask(served, series(), series(series=RV[:5]), series(), model=f"{ASSET}~{FURTHER}", horizon=5)
    assert count() == before + 2


def test_content_must_be_json(served: TestClient) -> None:
    answer = served.post(PATH, content=b"{}", headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (415, "unsupported_media_type")
    answer = served.post(PATH, content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "malformed_json")
