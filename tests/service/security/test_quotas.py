"""How often and how much at once a client may ask."""

import pytest

from service.http.errors import RateLimited, TooManyAtOnce
from service.security import quotas
from service.security.quotas import Quotas


class Clock:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(quotas, "monotonic", clock)
    return clock


def asked(counted: Quotas, client: str = "desk") -> bool:
    """Whether a request may begin; it ends at once."""
    try:
        counted.begin(client)
    except RateLimited:
        return False
    counted.end(client)
    return True


def test_a_client_may_ask_so_often(clock: Clock) -> None:
    counted = Quotas(rate=4, at_once=None)
    assert [asked(counted) for _ in range(6)] == [True] * 4 + [False] * 2
    clock.now += 0.25
    assert [asked(counted) for _ in range(2)] == [True, False]
    clock.now += 100
    assert [asked(counted) for _ in range(6)] == [True] * 4 + [False] * 2
    assert asked(counted, "another")


def test_the_time_to_wait_is_told_in_whole_seconds(clock: Clock) -> None:
    counted = Quotas(rate=0.25, at_once=None)
    assert asked(counted)
    clock.now += 1
    message = "more than 0.25 requests a second of this client"
    with pytest.raises(RateLimited, match=message) as refused:
        counted.begin("desk")
    assert refused.value.headers == {"retry-after": "3"}
    told = (refused.value.field, refused.value.found, refused.value.needed)
    assert told == ("client", "more than 0.25 a second", "at most 0.25 a second")
    clock.now += 3
    assert asked(counted)


@pytest.mark.usefixtures("clock")
def test_a_client_may_have_so_much_under_way() -> None:
    counted = Quotas(rate=None, at_once=2)
    counted.begin("desk")
    counted.begin("desk")
    with pytest.raises(TooManyAtOnce, match="2 requests of this client are under way") as refused:
        counted.begin("desk")
    assert refused.value.headers == {"retry-after": "1"}
    told = (refused.value.field, refused.value.found, refused.value.needed)
    assert told == ("client", 2, "at most 2 at once")
    counted.begin("another")
    counted.end("desk")
    counted.begin("desk")


@pytest.mark.usefixtures("clock")
def test_what_is_refused_for_being_too_much_does_not_count_as_asked() -> None:
    counted = Quotas(rate=2, at_once=1)
    counted.begin("desk")
    for _ in range(5):
        with pytest.raises(TooManyAtOnce, match="1 requests of this client are under way"):
            counted.begin("desk")
    counted.end("desk")
    assert asked(counted)


def test_clients_that_ask_no_more_are_forgotten(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "_REMEMBERED", 3)
    counted = Quotas(rate=1, at_once=1)
    counted.begin("busy")
    for place in range(10):
        clock.now += 1
        assert asked(counted, f"client {place}")
    with pytest.raises(TooManyAtOnce, match="1 requests of this client are under way"):
        counted.begin("busy")
    for place in range(5):  # nobody is idle
        counted.begin(f"at once {place}")
    for place in range(5):
        counted.end(f"at once {place}")
    clock.now += 0.5
    counted.begin("client 9")
    counted.end("client 9")
    assert not asked(counted, "client 9")
    assert asked(counted, "client 0")
    counted.end("busy")
