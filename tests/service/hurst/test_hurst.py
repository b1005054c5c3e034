from datetime import timedelta

import numpy as np
import pytest

from service.app import create_app
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.client import TestClient
from tests.service.worlds import ASSET, LAST, NOW, json_rv
from volatility.calendars import get_calendar
from volatility.hurst import HurstReport, report
from volatility.seasonality import day_classes
from volatility.simulation.fractional import fractional_brownian_motion, rough_log_volatility

ESTIMATORS = {
    "rescaled_range",
    "dfa",
    "variogram",
    "wavelet",
    "whittle",
    "variogram_corrected",
}


@pytest.fixture
def client(module_client: TestClient) -> TestClient:
    return module_client


def test_a_held_asset_is_examined_by_every_estimator(client: TestClient) -> None:
    series = make_series()
    classes = day_classes(series.dates, get_calendar("24/7"))
    expected = report(0.5 * series.log_rv, measure="garman_klass", day_classes=classes)
    answer = client.get(f"/hurst/{ASSET}").json()
    assert (answer["asset"], answer["as_of"], answer["nobs"]) == (ASSET, LAST, 400)
    assert answer["measure"] == "garman_klass"
    assert {estimate["estimator"] for estimate in answer["estimates"]} == ESTIMATORS
    assert (answer["verdict"], answer["reason"]) == (expected.verdict, expected.reason)
    assert answer["headline_estimator"] == expected.headline_estimator
    assert answer["upper_bound"] == pytest.approx(expected.upper_bound)
    assert set(answer["calendar"]["effects"]) == {
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    }
    assert answer["calendar"]["share"] == pytest.approx(expected.calendar.share, abs=1e-9)
    assert answer["weekly_cycle"] == expected.weekly_cycle
    for found in answer["estimates"]:
        estimate = expected.estimate(found["estimator"])
        # The held bars give the series back to the last bits but one or two.
        assert found["hurst"] == pytest.approx(estimate.hurst, abs=1e-9)
        assert found["standard_error"] == pytest.approx(estimate.standard_error, abs=1e-9)
        assert [point["scale"] for point in found["points"]] == list(estimate.scales)
    assert answer["warnings"] == list(expected.warnings)
    client.app_state["holdings"].doubt = "bars may be missing"
    try:
        assert client.get(f"/hurst/{ASSET}").json()["warnings"][-1] == "bars may be missing"
    finally:
        client.app_state["holdings"].doubt = None


def test_a_series_that_is_sent_is_examined(client: TestClient) -> None:
    rv = json_rv(300)
    answer = client.post("/hurst", json={"rv": rv, "measure": "parkinson"}).json()
    same = {"log_volatility": (0.5 * np.log(rv)).tolist(), "measure": "parkinson"}
    assert client.post("/hurst", json=same).json() == answer
    assert (answer["asset"], answer["as_of"], answer["nobs"]) == (None, None, 300)


def test_the_number_of_intraday_returns_is_used(client: TestClient) -> None:
    path = rough_log_volatility(0.3, 600, np.random.default_rng(1))
    body = {"log_volatility": np.ravel(path).tolist(), "measure": "realized_variance"}
    hours = client.post("/hurst", json=body | {"intraday_nobs": 24}).json()
    minutes = client.post("/hurst", json=body | {"intraday_nobs": 1440}).json()
    assert hours["estimates"] != minutes["estimates"]


def test_every_field_is_that_of_the_report(client: TestClient) -> None:
    path = 0.3 * fractional_brownian_motion(0.1, 800, np.random.default_rng(3))[0]
    body = {"log_volatility": path.tolist(), "measure": "realized_variance", "intraday_nobs": 78}
    answer = client.post("/hurst", json=body).json()
    expected = report(path, measure="realized_variance", intraday_nobs=78)
    of_report = ("nobs", "measure", "hurst", "headline_estimator", "upper_bound", "weekly_cycle")
    assert same(answer, expected, *of_report, "verdict", "reason")
    assert answer["warnings"] == list(expected.warnings)
    assert (answer["asset"], answer["as_of"], answer["calendar"]) == (None, None, None)
    of_estimate = ("estimator", "hurst", "standard_error", "level", "bias_at_estimate")
    for found, estimate in zip(answer["estimates"], expected.estimates, strict=True):
        assert same(found, estimate, *of_estimate, "fit_r_squared", "reason")
        assert found["interval"] == (estimate.interval and list(estimate.interval))
        for point, of in zip(found["points"], estimate.points, strict=True):
            assert same(point, of, "scale", "value", "corrected")
            assert point["fitted"] == estimate.fitted(of.scale)
    told, known = answer["comparison"], expected.comparison
    over = ("over_one_factor", "over_two_factors", "over_har")
    assert same(told, known, "declared_misfit", "margin", *over)
    assert told["noise_bounds"] == [known.noise.least, known.noise.most]
    of_model = ("log_likelihood", "noise_variance")
    assert same(told["fractional"], known.fractional, *of_model, "hurst", "reversion", "variance")
    assert same(told["har"], known.har, *of_model, "variance")
    assert told["har"]["coefficients"] == list(known.har.coefficients)
    for name in ("one_factor", "two_factors"):
        assert same(told[name], getattr(known, name), *of_model)
        for part in ("reversion", "variance"):
            assert told[name][part] == list(getattr(getattr(known, name), part))
    undeclared = client.post("/hurst", json={"log_volatility": path.tolist()}).json()
    assert undeclared["comparison"]["noise_bounds"] == [0, None]
    assert undeclared["calendar"] is None


def same(said: dict[str, object], known: object, *names: str) -> bool:
    """Whether fields of an answer are attributes of what it was made from, to the last bit."""
    return {it: said[it] for it in names} == {it: getattr(known, it) for it in names}


def test_the_number_of_steps_behind_a_range_is_used(client: TestClient) -> None:
    rng = np.random.default_rng(1)
    path = 0.3 * fractional_brownian_motion(0.1, 600, rng)[0] + 0.28 * rng.standard_normal(600)
    body = {"log_volatility": path.tolist(), "measure": "garman_klass"}
    few, many, unknown = (
        client.post("/hurst", json=body | steps).json()["comparison"]["noise_bounds"][0]
        for steps in ({"intraday_nobs": 20}, {"intraday_nobs": 2_000}, {})
    )
    assert unknown < many < few


def test_dates_let_the_calendar_be_taken_out(client: TestClient) -> None:
    rng = np.random.default_rng(4)
    days = np.arange("2020-01-06", "2022-01-06", dtype="datetime64[D]")
    weekend = np.where(np.arange(len(days)) % 7 >= 5, -0.4, 0.0)
    path = np.log(0.02) + 0.1 * np.cumsum(rng.standard_normal(len(days))) + weekend
    body = {"rv": np.exp(2 * path).tolist(), "measure": "parkinson"}
    dated = body | {"dates": days.astype(str).tolist(), "calendar": "24/7"}
    with_dates, without = (client.post("/hurst", json=one).json() for one in (dated, body))
    effects = with_dates["calendar"]["effects"]
    assert effects["sunday"] - effects["monday"] == pytest.approx(-0.8, abs=0.15)
    assert with_dates["weekly_cycle"] is None
    assert without["weekly_cycle"] == 7


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"dates": None}, "ambiguous_history"),
        ({"calendar": "MOON"}, "unknown_calendar"),
        ({"dates": ["2020-01-06"] * 300}, "duplicate_dates"),
        ({"dates": ["2020-01-06"]}, "length_mismatch"),
    ],
)
def test_dates_that_do_not_fit_are_refused(
    client: TestClient, change: dict[str, object], code: str
) -> None:
    days = np.arange("2020-01-06", "2020-11-01", dtype="datetime64[D]")[:300].astype(str).tolist()
    body = {"rv": json_rv(300), "dates": days, "calendar": "24/7"} | change
    answer = client.post("/hurst", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("body", "field", "found"),
    [
        ({"rv": [1e-4] * 300}, "rv", 1e-4),
        ({"log_volatility": [-4.5] * 300}, "log_volatility", -4.5),
    ],
)
def test_a_series_that_does_not_vary_is_told_as_it_was_sent(
    client: TestClient, body: dict[str, list[float]], field: str, found: float
) -> None:
    problem = client.post("/hurst", json=body).json()
    assert problem["code"] == "constant_series"
    assert (problem["field"], problem["found"]) == (field, found)
    said = "the log of rv" if field == "rv" else field
    assert problem["detail"].startswith(f"{said} is constant, or a straight line")


def test_too_short_a_history_is_that_of_the_asset(settings: Settings) -> None:
    days = np.arange("2020-12-06", "2021-02-04", dtype="datetime64[D]").astype(str).tolist()
    bars = [
        {"date": day, "open": 100, "high": 103 + at % 3, "low": 99, "close": 101}
        for at, day in enumerate(days)
    ]
    with TestClient(create_app(settings, lambda: NOW)) as client:
        assert client.put("/assets/SHORT/bars", json={"bars": bars}).status_code == 200
        problem = client.get("/hurst/SHORT").json()
    assert (problem["code"], problem["field"], problem["found"]) == (
        "history_too_short",
        "asset",
        60,
    )
    assert problem["needed"] == "at least 125 sessions"


def test_an_overlapping_measure_is_an_artefact(client: TestClient) -> None:
    returns = np.random.default_rng(2).standard_normal(1000) * 0.01
    windows = np.lib.stride_tricks.sliding_window_view(returns, 22)
    answer = client.post("/hurst", json={"rv": windows.var(axis=1).tolist()}).json()
    assert answer["verdict"] == "artefact"
    assert answer["hurst"] is None


def test_a_report_is_made_once_for_each_state_of_the_history(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    def counting(*arguments: object, **options: object) -> HurstReport:
        made.append(arguments)
        return report(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("volatility.hurst.of_series.report", counting)
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=1))) as client:
        before = [client.get(f"/hurst/{ASSET}").json() for _ in range(3)]
        bar = {"date": "2021-02-04", "open": 100, "high": 104, "low": 99, "close": 101}
        client.put(f"/assets/{ASSET}/bars", json={"bars": [bar]})
        after = client.get(f"/hurst/{ASSET}").json()
    assert len(made) == 2
    assert before[0] == before[2]
    assert (after["nobs"], after["as_of"]) == (401, "2021-02-04")
