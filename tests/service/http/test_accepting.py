import pytest
from starlette.requests import Request

from service.http.accepting import preferred


@pytest.mark.parametrize(
    ("accept", "wants_csv"),
    [
        ("text/csv", True),
        ("Text/CSV; charset=utf-8", True),
        ("text/*", True),
        ("text/csv, */*;q=0.1", True),
        ("application/json;q=0.5, text/csv", True),
        ("*/*;q=0.1, application/json;q=0.05", True),
        ("text/csv;q=0.5", True),
        ("text/csv;q=1, application/json;q=0.9", True),
        ("application/json;q=high, text/csv", True),
        ("text/csv; header=present; q=0.3, application/json; q=0.2", True),
        (None, False),
        ("*/*", False),
        ("application/json, text/csv", False),
        ("text/csv;q=0.5, application/json", False),
        ("text/csv;q=high, */*", False),
        ("text/csv;q=0", False),
        ("image/png", False),
    ],
)
def test_the_type_of_more_weight_is_preferred(accept: str | None, wants_csv: bool) -> None:
    headers = [] if accept is None else [(b"accept", accept.encode())]
    request = Request({"type": "http", "headers": headers})
    found = preferred(request, "application/json", "text/csv")
    assert (found == "text/csv") is wants_csv
