"""What a service is not even asked, with the field at fault, what was found and what is needed."""

from collections.abc import Callable, Sequence

import pytest

from roughcast.client import AsyncClient, Client, Question, requests
from tests.errors import details
from volatility.errors import InvalidInput

REFUSED: Sequence[tuple[Callable[[], object], str, str, object, str]] = [
    (
        lambda: Client("there"),
        "invalid_address",
        "url",
        "something else",
        "http:// or https://, a host and perhaps a port, such as http://127.0.0.1:8000",
    ),
    (
        lambda: AsyncClient("http://there", "s\u00e9cret"),
        "invalid_key",
        "key",
        "a key that is not shown here",
        "a key as `roughcast keys make` prints it",
    ),
    (
        lambda: Client("http://there", "a\nb"),
        "invalid_key",
        "key",
        "a key that is not shown here",
        "a key as `roughcast keys make` prints it",
    ),
    (
        lambda: requests.records([1]),
        "wrong_type",
        "bars",
        "list",
        "a DataFrame with open, high, low and close",
    ),
    (
        lambda: requests.bars("A", "2021-01-02"),  # type: ignore[arg-type]
        "wrong_type",
        "start",
        "str",
        "a date, such as datetime.date(2020, 3, 16)",
    ),
    (
        lambda: requests.bars("A", end="2021-01-02"),  # type: ignore[arg-type]
        "wrong_type",
        "end",
        "str",
        "a date, such as datetime.date(2020, 3, 16)",
    ),
    (
        lambda: requests.bars("A", known_at="now"),  # type: ignore[arg-type]
        "wrong_type",
        "known_at",
        "str",
        "a datetime, in UTC where it has no zone",
    ),
    (
        lambda: Question("A", 5).body,  # type: ignore[arg-type]
        "wrong_type",
        "horizons",
        "int",
        "a list, such as [1, 5, 22]",
    ),
    (
        lambda: Question("A", levels=0.8).body,  # type: ignore[arg-type]
        "wrong_type",
        "levels",
        "float",
        "a list, such as [0.8, 0.95]",
    ),
    (
        lambda: Question("A", quantiles="0.1").body,  # type: ignore[arg-type]
        "wrong_type",
        "quantiles",
        "str",
        "a list, such as [0.05, 0.95]",
    ),
]


@pytest.mark.parametrize(("ask", "code", "field", "found", "needed"), REFUSED)
def test_what_cannot_be_asked_is_refused_here(
    ask: Callable[[], object], code: str, field: str, found: object, needed: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        ask()
    assert (refused.value.code, details(refused.value)) == (code, (field, found, needed))
