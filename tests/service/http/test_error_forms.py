"""Errors on the paths of other protocols are in their forms, whatever refuses a request."""

import json

import pytest

from service.http.error_forms import foreign_form
from service.http.problems import problem_response, problems
from volatility.errors import HistoryTooShort, RoughcastError

ERROR = HistoryTooShort("har needs 22; got 9", field="history", found=9, needed="22")


def written(error: RoughcastError, path: str) -> object:
    return json.loads(bytes(problem_response(error, path).body))


@pytest.mark.parametrize("path", ["/v2", "/v2/models/A~har/infer", "/v2/nothing"])
def test_a_sentence_for_the_open_inference_protocol(path: str) -> None:
    response = problem_response(ERROR, path, {"allow": "GET"})
    assert (response.status_code, response.media_type) == (422, "application/json")
    assert response.headers["allow"] == "GET"
    assert json.loads(bytes(response.body)) == {"error": "har needs 22; got 9"}


def test_what_an_error_is_about_comes_first() -> None:
    error = HistoryTooShort("har needs 22; got 9")
    error.add_note("row 3")
    assert written(error, "/v2") == {"error": "row 3: har needs 22; got 9"}


@pytest.mark.parametrize("path", ["/v1/timeseries", "/v1/timeseries/forecast"])
def test_what_where_and_which_for_kserve_s_time_series(path: str) -> None:
    response = problem_response(ERROR, path)
    assert (response.status_code, response.media_type) == (422, "application/json")
    assert json.loads(bytes(response.body)) == {
        "error": {
            "code": "422",
            "message": "har needs 22; got 9",
            "param": "history",
            "type": "history_too_short",
        }
    }


@pytest.mark.parametrize("path", ["", "/", "/v20", "/v2x/models", "/forecast", "/v1", "/v1/models"])
def test_problem_documents_everywhere_else(path: str) -> None:
    assert foreign_form(path) is None
    response = problem_response(ERROR, path)
    assert response.media_type == "application/problem+json"
    assert json.loads(bytes(response.body))["code"] == "history_too_short"


@pytest.mark.parametrize(
    ("path", "media_type", "schema"),
    [
        ("/forecast", "application/problem+json", "Problem"),
        ("/v2/health/ready", "application/json", "InferenceError"),
        ("/v1/timeseries/forecast", "application/json", "TimeSeriesError"),
    ],
)
def test_the_description_tells_which(path: str, media_type: str, schema: str) -> None:
    told = problems(HistoryTooShort, path=path)[422]
    assert told["content"] == {media_type: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    assert told["description"] == "Unprocessable Content: `history_too_short`"
