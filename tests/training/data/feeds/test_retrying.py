"""What may pass is asked for again, a few times, and not for longer than it makes sense."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from training.data.feeds.retrying import (
    DELAYS,
    PassingFailure,
    Unavailable,
    may_pass,
    patiently,
    told_delay,
)


def failing(times: int, after: float = 0.0) -> tuple[list[str], Callable[[], int]]:
    asked: list[str] = []

    def ask() -> int:
        asked.append("again")
        if len(asked) <= times:
            raise PassingFailure(f"no answer {len(asked)}", after)
        return 7

    return asked, ask


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr("training.data.feeds.retrying.time", SimpleNamespace(sleep=waited.append))
    return waited


def test_waits_grow_until_there_is_an_answer(waits: list[float]) -> None:
    asked, ask = failing(3)
    assert patiently(ask, "there") == 7
    assert (len(asked), waits) == (4, [1.0, 2.0, 4.0])


def test_the_sixth_failure_is_the_last(waits: list[float]) -> None:
    asked, ask = failing(5)
    assert patiently(ask, "there") == 7
    assert waits == list(DELAYS)
    asked, ask = failing(6)
    told = r"^there does not answer: no answer 6; asked 6 times\. What was sent before is kept"
    with pytest.raises(Unavailable, match=told) as refused:
        patiently(ask, "there")
    assert len(asked) == 6
    assert (refused.value.code, refused.value.field) == ("unavailable", "source")
    assert (refused.value.found, refused.value.needed) == (
        "no answer 6; asked 6 times",
        "an answer",
    )


@pytest.mark.parametrize(("after", "waited"), [(0.5, 1.0), (1.5, 1.5), (60.0, 60.0)])
def test_a_longer_wait_that_is_asked_for_is_kept(
    after: float, waited: float, waits: list[float]
) -> None:
    _, ask = failing(1, after)
    assert patiently(ask, "there") == 7
    assert waits == [waited]


def test_a_ban_is_not_waited_for(waits: list[float]) -> None:
    asked, ask = failing(1, after=61.0)
    with pytest.raises(Unavailable, match="no answer 1; it asks to wait for 61 seconds"):
        patiently(ask, "there")
    assert (len(asked), waits) == (1, [])


def test_what_does_not_pass_is_raised_at_once(waits: list[float]) -> None:
    def ask() -> int:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        patiently(ask, "there")
    assert waits == []


def test_which_answers_may_be_others_soon() -> None:
    assert [it for it in (200, 400, 404, 428, 429, 430, 499, 500, 503, 599) if may_pass(it)] == [
        429,
        500,
        503,
        599,
    ]


def test_a_delay_is_told_in_seconds() -> None:
    assert [told_delay(it) for it in ("7", None, "", "Wed, 21 Oct 2026 07:28:00 GMT", "-1")] == [
        7.0,
        0.0,
        0.0,
        0.0,
        0.0,
    ]
