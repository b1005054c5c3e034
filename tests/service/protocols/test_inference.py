"""Inferences say what ``POST /forecast`` says, bit for bit, and why they do not."""

import json
from typing import Any

import numpy as np
import pytest

from service.forecasts.requests import MAX_BATCH
from service.http.errors import BodyTooLarge, InvalidRequest
from service.http.fields import MAX_VALUES
from service.http.limits import BodyLimits
from service.http.slices import SHORT
from service.protocols.inference import Inference, Target
from tests.errors import details
from tests.models_store.artifacts import make_series
from tests.service.any_asset import made_up_bars
from tests.service.client import TestClient
from tests.service.protocols.speaking import (
    LENGTH,
    bars,
    in_binary,
    infer,
    numbers,
    outputs_of,
    path_of,
    texts,
)
from tests.service.worlds import ASSET, DRIFT, bars_of, json_bars, json_rv

SERIES = make_series()
RV = json_rv(30)
DAYS = [str(it) for it in SERIES.dates[-30:]]
BARS = json_bars(bars_of(SERIES, DRIFT))[-40:]
MANY = 300  # rows: more than are answered together


def rows(count: int) -> list[list[float]]:
    return [[value * (1 + at / 1_000) for value in RV] for at in range(count)]


def single(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/forecast", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def assert_says(found: dict[str, Any], row: int, said: dict[str, Any], asset: str = ASSET) -> None:
    """A row is what the answer of ``POST /forecast`` is."""
    for name in ("rv", "volatility_annualized", "forecast_id"):
        assert found[name][row] == said[name], name
    for at, name in enumerate(("lower", "upper")):
        assert found[name][row] == [it["rv"][at] for it in said["intervals"]]
    assert found["model"][row] == f"{asset}~{said['model']}"
    assert found["as_of"][row] == (said["as_of"] or "")
    assert found["target_date"][row] == (said["target_date"] or "")
    degraded = [said["degraded_reason"]] if said["degraded_reason"] else []
    assert found["warnings"][row] == "\n".join([*degraded, *said["warnings"]])


@pytest.mark.parametrize("count", [1, 2, MANY])
@pytest.mark.parametrize("model", ["har", "log_har", "auto"])
def test_rv_row_by_row(served: TestClient, model: str, count: int) -> None:
    given = rows(count)
    found = infer(served, f"{ASSET}~{model}", numbers("rv", given))
    for row in {0, 1, 255, 256, count - 1} & set(range(count)):
        assert_says(
            found, row, single(served, asset=ASSET, model=model, history={"rv": given[row]})
        )
    assert [len(it) for it in found.values()] == [count] * 9
    assert len(set(found["rv"])) == count


def test_rv_with_dates(served: TestClient) -> None:
    given = [DAYS, [str(it) for it in SERIES.dates[-60:-30]]]
    found = infer(served, f"{ASSET}~har", numbers("rv", rows(2)), texts("date", given))
    for row in range(2):
        history = {"rv": rows(2)[row], "dates": given[row]}
        assert_says(found, row, single(served, asset=ASSET, model="har", history=history))
    assert found["as_of"] == [DAYS[-1], given[1][-1]]
    assert "the history is stale" in found["warnings"][1]


@pytest.mark.parametrize("model", ["har", "leverage", "auto"])
def test_bars(served: TestClient, model: str) -> None:
    given = [BARS[-30:], BARS[-31:-1]]
    found = infer(served, f"{ASSET}~{model}", *bars(given)[::-1])
    for row in range(2):
        said = single(served, asset=ASSET, model=model, history={"bars": given[row]})
        assert_says(found, row, said)


@pytest.mark.parametrize("name", ["universal", "MADE-UP~auto", "MADE-UP~universal"])
def test_bars_of_an_asset_that_nobody_trained_on(served: TestClient, name: str) -> None:
    given = [made_up_bars(24, seed=seed) for seed in range(3)]
    found = infer(served, name, *bars(given))
    for row, it in enumerate(given):
        asked = {} if name == "universal" else {"asset": "MADE-UP"}
        said = single(served, **asked, history={"bars": it})
        if not asked:
            assert found["model"][row] == "universal"
            found["model"][row] = f"{ASSET}~universal"
        assert_says(found, row, said, asset="MADE-UP" if asked else ASSET)


@pytest.mark.parametrize("model", ["har", "auto", "universal", "regimes"])
def test_held_history(served: TestClient, model: str) -> None:
    found = infer(served, f"{ASSET}~{model}", parameters={"held": True})
    assert_says(found, 0, single(served, asset=ASSET, model=model))
    answer = served.get(f"/forecasts/{found['forecast_id'][0]}")
    assert answer.json()["answer"]["rv"] == found["rv"][0]


def test_what_was_asked_of_held_history_is_recorded_though_nobody_asked_otherwise(
    served: TestClient,
) -> None:
    parameters = {"held": True, "levels": "0.95"}
    found = infer(served, f"{ASSET}~last_value", parameters=parameters)
    answer = served.get(f"/forecasts/{found['forecast_id'][0]}").json()
    assert answer["role"] == "answer"
    assert [it["level"] for it in answer["answer"]["intervals"]] == [0.95]


def test_levels_and_horizons(served: TestClient) -> None:
    found = infer(served, f"{ASSET}~har", numbers("rv", [RV]), parameters={"levels": "0.95"})
    said = single(served, asset=ASSET, model="har", levels=[0.95], history={"rv": RV})
    assert_says(found, 0, said)
    assert (len(found["lower"][0]), len(said["intervals"])) == (1, 1)
    refused = served.post(
        path_of(f"{ASSET}~har"),
        json={"inputs": [numbers("rv", [RV])], "parameters": {"horizon": 7}},
    )
    assert refused.status_code == 422
    assert refused.json()["error"].startswith("horizon 7 is not supported by har of TEST")
    given = [made_up_bars(24)]
    found = infer(served, "universal", *bars(given), parameters={"horizon": 5})
    said = single(served, history={"bars": given[0]}, horizon=5)
    assert found["rv"][0] == said["rv"] != single(served, history={"bars": given[0]})["rv"]


def test_a_version_is_named_in_the_url(served: TestClient) -> None:
    found = infer(served, f"{ASSET}~har", numbers("rv", [RV]), version=1)
    assert_says(found, 0, single(served, asset=ASSET, model="har", history={"rv": RV}))
    for count in (1, 3):
        answer = served.post(
            path_of(f"{ASSET}~har", 2), json={"inputs": [numbers("rv", rows(count))]}
        )
        assert answer.status_code == 404
        assert answer.json()["error"].endswith("there is no version 2 of TEST/har")
        assert answer.json()["error"].startswith("row 0: ") is (count == 3)


def test_binary_data_are_the_same_numbers(served: TestClient) -> None:
    inputs = [numbers("rv", rows(MANY)), texts("date", [DAYS] * MANY)]
    in_json = infer(served, f"{ASSET}~har", *inputs)
    for wanted in ({}, {"parameters": {"binary_data_output": True}}):
        body, length = in_binary(inputs, **wanted)
        assert len(body) > SHORT
        answer = served.post(path_of(f"{ASSET}~har"), content=body, headers={LENGTH: str(length)})
        assert outputs_of(answer) == in_json
        assert (LENGTH in answer.headers) is bool(wanted)
        assert answer.headers["content-type"] == (
            "application/octet-stream" if wanted else "application/json"
        )


def test_each_output_may_be_wanted_otherwise(served: TestClient) -> None:
    outputs: list[dict[str, Any]] = [
        {"name": "upper", "parameters": {"binary_data": True}},
        {"name": "rv"},
        {"name": "forecast_id", "parameters": {"binary_data": True}},
        {"name": "warnings", "parameters": {"binary_data": False}},
    ]
    body: dict[str, Any] = {"inputs": [numbers("rv", rows(2))], "outputs": outputs}
    answer = served.post(path_of(f"{ASSET}~har"), json=body)
    told = json.loads(answer.content[: int(answer.headers[LENGTH])])
    assert [it["name"] for it in told["outputs"]] == ["upper", "rv", "forecast_id", "warnings"]
    assert ["data" in it for it in told["outputs"]] == [False, True, False, True]
    every = infer(served, f"{ASSET}~har", numbers("rv", rows(2)))
    assert outputs_of(answer) == {it["name"]: every[it["name"]] for it in outputs}
    body["parameters"] = {"binary_data_output": True}
    answer = served.post(path_of(f"{ASSET}~har"), json=body)
    told = json.loads(answer.content[: int(answer.headers[LENGTH])])
    assert ["data" in it for it in told["outputs"]] == [False, False, False, True]


def test_the_answer_says_what_was_asked_and_which_version_answered(served: TestClient) -> None:
    body = {"id": "é7", "model_name": f"{ASSET}~auto", "inputs": [numbers("rv", rows(2))]}
    found = served.post(path_of(f"{ASSET}~auto"), json=body).json()
    assert (found["model_name"], found["id"], found["model_version"]) == (
        f"{ASSET}~auto",
        "é7",
        "1",
    )
    del body["id"]
    assert "id" not in served.post(path_of(f"{ASSET}~auto"), json=body).json()


def test_forecasts_are_counted(served: TestClient) -> None:
    def count() -> float:
        text = served.get("/metrics").text
        line = next(
            it for it in text.splitlines() if 'model="last_value"' in it and "created" not in it
        )
        return float(line.rpartition(" ")[2])

    infer(served, f"{ASSET}~last_value", numbers("rv", [RV]))
    before = count()
    infer(served, f"{ASSET}~last_value", numbers("rv", [RV]))
    infer(served, f"{ASSET}~last_value", numbers("rv", rows(5)))
    assert count() == before + 6


HEAD = json.dumps({"inputs": [], "parameters": {"held": True}})
PRICES = bars([BARS[-30:]])


@pytest.mark.parametrize(
    ("name", "body", "status", "said"),
    [
        ("TEST~oracle", {"parameters": {"held": True}}, 404, "TEST has no model 'oracle'"),
        ("TEST", {"parameters": {"held": True}}, 404, "there is no model 'TEST'"),
        ("DOGE~har", {"parameters": {"held": True}}, 404, "there is no asset 'DOGE' with models"),
        ("DOGE~auto", {"parameters": {"held": True}}, 404, "there is no asset 'DOGE'"),
        ("universal", {"parameters": {"held": True}}, 422, "asset: found none, and no history"),
        ("TEST~har", {}, 422, "inputs: found none; needed: either inputs, or the parameter held"),
        (
            "TEST~har",
            {"inputs": [numbers("rv", [RV])], "parameters": {"held": True}},
            422,
            "inputs: found rv; needed: either inputs, or the parameter held",
        ),
        ("TEST~har", {"inputs": PRICES[:3]}, 422, "inputs: found date, open, high; needed: rv, "),
        (
            "TEST~har",
            {"inputs": [*PRICES, numbers("rv", [RV])]},
            422,
            "or date, open, high, low, close",
        ),
        (
            "TEST~har",
            {"inputs": [numbers("rv", rows(2)), texts("date", [DAYS])]},
            422,
            "inputs: found rv [2, 30], date [1, 30]; needed: one shape of all of them",
        ),
        (
            "TEST~har",
            {"inputs": [numbers("rv", rows(2)), texts("date", [DAYS, [*DAYS[:-1], "2021-02-30"]])]},
            422,
            "date[1, 29]: found 2021-02-30; needed: a date written YYYY-MM-DD",
        ),
        (
            "TEST~har",
            {"inputs": [numbers("rv", [RV]), texts("date", [[*DAYS[:-1], "20210203"]])]},
            422,
            "date[0, 29]: found 20210203; needed: a date written YYYY-MM-DD",
        ),
        (
            "TEST~har",
            {"inputs": [numbers("rv", [RV[:9]])]},
            422,
            "har with lags (1, 5, 22) needs 22",
        ),
        (
            "TEST~har",
            {"inputs": [numbers("rv", [*rows(257), [2 * 10.0**4] * 30])]},
            422,
            "row 257: the median rv is 20000, which looks like percent",
        ),
        (
            "TEST~har",
            {"inputs": [numbers("rv", [RV, [*RV[:-1], -1.0]])]},
            422,
            "row 1: ",
        ),
        ("TEST~leverage", {"inputs": [numbers("rv", [RV])]}, 422, "leverage"),
        ("NEW~auto", {"inputs": [numbers("rv", [RV])]}, 422, "send daily bars"),
        (
            "TEST~har",
            {"parameters": {"held": True, "levels": "0.123"}},
            422,
            "level 0.123 is not supp",
        ),
        (
            "TEST~har",
            {"parameters": {"held": True, "levels": [0.8]}},
            422,
            "parameters.levels: Input",
        ),
        (
            "TEST~har",
            {"parameters": {"held": True, "levels": "high"}},
            422,
            "numbers separated by commas",
        ),
        (
            "TEST~har",
            {"parameters": {"held": True, "levels": ",".join(["0.8"] * 17)}},
            422,
            "levels: found 17 items; needed: a list of at most 16 items",
        ),
        (
            "TEST~har",
            {"parameters": {"held": True, "timeout": 1}},
            422,
            "parameters.timeout: there is no such field",
        ),
        (
            "TEST~har",
            {"parameters": {"held": True}, "model_name": "TEST~auto"},
            422,
            "TEST~har, as in the URL",
        ),
        (
            "TEST~har",
            {"parameters": {"held": True}, "outputs": [{"name": "x"}]},
            422,
            "needed: one of rv, vol",
        ),
        (
            "TEST~har",
            {"parameters": {"held": True}, "outputs": [{"name": "rv"}, {"name": "rv"}]},
            422,
            "outputs: found rv twice; needed: each output once",
        ),
        (
            "TEST~har",
            {
                "parameters": {"held": True},
                "outputs": [{"name": "rv", "parameters": {"classification": 2}}],
            },
            422,
            "outputs[0].parameters.classification: there is no such field",
        ),
        ("TEST~har", [], 422, "Input should be"),
    ],
)
def test_why_there_is_no_answer(
    served: TestClient, name: str, body: Any, status: int, said: str
) -> None:
    answer = served.post(path_of(name), json=body)
    assert (answer.status_code, list(answer.json())) == (status, ["error"]), answer.text
    assert said in answer.json()["error"]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("length", "status", "said"),
    [
        (str(len(HEAD)), 422, "found 1 bytes behind the JSON; needed: the 0 bytes"),
        (
            str(len(HEAD) + 2),
            422,
            f"found {len(HEAD) + 1} bytes; needed: {len(HEAD) + 2} bytes of JSON",
        ),
        (str(len(HEAD) - 1), 400, "the body is not JSON"),
        ("0", 400, "the body is not JSON"),
        ("-1", 422, "Input should be greater than or equal to 0"),
        ("many", 422, "Input should be a valid integer"),
        (None, 400, "the body is not JSON: trailing characters"),
    ],
)
def test_the_length_of_the_json_must_be_right(
    served: TestClient, length: str | None, status: int, said: str
) -> None:
    headers = {} if length is None else {LENGTH: length}
    answer = served.post(path_of(f"{ASSET}~har"), content=HEAD + "x", headers=headers)
    assert answer.status_code == status
    assert said in answer.json()["error"]


@pytest.mark.parametrize(
    ("shape", "needed"),
    [((MAX_BATCH + 1, 1), "at most 10000 rows"), ((1, MAX_VALUES + 1), "at most 100000 sessions")],
)
def test_rows_and_sessions_are_limited(
    served: TestClient, shape: tuple[int, int], needed: str
) -> None:
    body, length = in_binary([numbers("rv", np.full(shape, 1e-4))])
    answer = served.post(path_of(f"{ASSET}~har"), content=body, headers={LENGTH: str(length)})
    assert answer.status_code == 422
    assert f"found [{shape[0]}, {shape[1]}]" in answer.json()["error"]
    assert needed in answer.json()["error"]


def test_so_are_values_in_binary_data_as_those_in_json_are() -> None:
    limits = BodyLimits(10**9, 60, 10**9)
    target = Target(f"{ASSET}~har")
    body, length = in_binary([numbers("rv", rows(2))])
    assert Inference.of(target, body, length, limits).rows == 2
    body, length = in_binary([numbers("rv", rows(3))])
    with pytest.raises(BodyTooLarge, match="more than 60 values"):
        Inference.of(target, body, length, limits)


def test_a_full_batch_is_answered_whole(served: TestClient) -> None:
    given = [[value * (1 + at / 20_000) for value in RV[:22]] for at in range(MAX_BATCH)]
    body, length = in_binary([numbers("rv", given)], parameters={"binary_data_output": True})
    answer = served.post(path_of(f"{ASSET}~har"), content=body, headers={LENGTH: str(length)})
    found = outputs_of(answer)
    assert len(set(found["forecast_id"])) == MAX_BATCH
    last = single(served, asset=ASSET, model="har", history={"rv": given[-1]})
    assert_says(found, MAX_BATCH - 1, last)


@pytest.mark.parametrize(
    ("body", "code", "expected"),
    [
        (
            {},
            "invalid_value",
            ("inputs", "none", "either inputs, or the parameter held and no inputs"),
        ),
        (
            {"inputs": [texts("date", [DAYS])]},
            "invalid_value",
            ("inputs", "date", "rv, rv and date, or date, open, high, low, close"),
        ),
        (
            {"inputs": [numbers("rv", [RV]), texts("date", [DAYS[1:]])]},
            "length_mismatch",
            ("inputs", "rv [1, 30], date [1, 29]", "one shape of all of them"),
        ),
        (
            {"inputs": [numbers("rv", [[1e-4]] * (MAX_BATCH + 1))]},
            "too_many_items",
            ("inputs", "[10001, 1]", "at most 10000 rows of at most 100000 sessions"),
        ),
        (
            {"model_name": "x"},
            "invalid_value",
            ("model_name", "x", f"{ASSET}~har, as in the URL"),
        ),
    ],
)
def test_errors_tell_their_field_what_was_found_and_what_is_needed(
    body: Any, code: str, expected: Any
) -> None:
    limits = BodyLimits(10**9, 10**9, 10**9)
    with pytest.raises(InvalidRequest) as refused:
        Inference.of(Target(f"{ASSET}~har"), json.dumps(body).encode(), None, limits)
    assert refused.value.code == code
    assert details(refused.value) == expected


def test_a_date_that_is_none_is_told_with_its_place() -> None:
    limits = BodyLimits(10**9, 10**9, 10**9)
    given = [DAYS, [*DAYS[:2], "2021-13-01", *DAYS[3:]]]
    body = json.dumps({"inputs": [numbers("rv", rows(2)), texts("date", given)]}).encode()
    asked = Inference.of(Target(f"{ASSET}~har", 3), body, None, limits).requests()
    first = next(asked)
    assert (first.asset, first.model, first.model_version) == (ASSET, "har", 3)
    assert first.history is not None
    assert first.history.rv == RV
    assert [str(it) for it in first.history.dates or ()] == DAYS
    with pytest.raises(InvalidRequest) as refused:
        next(asked)
    assert refused.value.code == "invalid_date"
    assert details(refused.value) == ("date[1, 2]", "2021-13-01", "a date written YYYY-MM-DD")
