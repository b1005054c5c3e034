"""Which forecasts keep others waiting, and are made beside them."""

from types import SimpleNamespace
from typing import Any

import pytest

from service.forecasts.length import is_long_beside, is_long_for_universal, is_too_short
from service.forecasts.requests import ForecastRequest
from volatility.trailing import SESSIONS

BAR = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5}
BOUND, UNBOUND, STAND_IN = "24/7", "XNYS", "har"


class Held:
    """An asset with so many sessions, of which a model is calibrated at some horizons."""

    def __init__(self, sessions: int, horizons: tuple[int, ...] = ()) -> None:
        self.asset, self.revision = SimpleNamespace(), 7
        self._sessions, self._horizons = sessions, horizons

    def sessions(self) -> range:
        return range(self._sessions)

    def is_calibrated(self, _model: Any, horizon: int, revisions: Any = (7,)) -> bool:
        assert revisions == (7,)
        return horizon in self._horizons


def universal(
    held: Held | None, horizons: tuple[int, ...] = (1,), chosen: Any = "a model", **asked: Any
) -> bool:
    catalogue: Any = SimpleNamespace(
        universal=SimpleNamespace(is_bound=lambda calendar: calendar == BOUND)
    )
    holdings: Any = SimpleNamespace(find={"A": held}.get)
    chooser: Any = SimpleNamespace(held_model=lambda _asset: chosen)
    said: dict[str, Any] = asked if "history" in asked else {"asset": "A", **asked}
    request = ForecastRequest(**said)
    return is_long_for_universal(request, horizons, catalogue, holdings, chooser)


def rv(count: int) -> dict[str, list[float]]:
    return {"rv": [1e-4] * count}


@pytest.mark.parametrize(
    ("asked", "is_long"),
    [
        ({"history": rv(SESSIONS)}, False),
        ({"history": rv(SESSIONS + 1)}, True),
        ({"history": rv(22), "calendar": BOUND}, False),
        ({"history": rv(22), "calendar": UNBOUND}, True),
    ],
)
def test_a_history_is_long_from_the_first_session_with_an_outcome_on(
    asked: dict[str, Any], is_long: bool
) -> None:
    """And a calendar that nobody has asked for before has to be built."""
    assert universal(None, **asked) is is_long


def test_bars_are_counted_as_rv_is() -> None:
    for count in (SESSIONS, SESSIONS + 1):
        days = [
            f"{2000 + day // 336}-{day // 28 % 12 + 1:02}-{day % 28 + 1:02}" for day in range(count)
        ]
        bars = {"bars": [{"date": day, **BAR} for day in days]}
        assert universal(None, history=bars) is (count > SESSIONS)


@pytest.mark.parametrize(
    ("held", "horizons", "chosen", "asked", "is_long"),
    [
        (None, (1,), "a model", {}, False),
        (Held(SESSIONS), (1,), "a model", {}, False),
        (Held(SESSIONS + 1), (1,), "a model", {}, True),
        (Held(SESSIONS + 1), (1,), None, {}, False),  # it is refused
        (Held(SESSIONS + 1, (1, 5)), (1, 5), "a model", {}, False),
        (Held(SESSIONS + 1, (1,)), (1, 5), "a model", {}, True),
        (Held(SESSIONS + 1, (1,)), (1,), "a model", {"as_of": "2021-01-04"}, True),
    ],
)
def test_what_is_held_is_long_until_its_outcomes_are_known(
    held: Held | None, horizons: tuple[int, ...], chosen: Any, asked: dict[str, Any], is_long: bool
) -> None:
    assert universal(held, horizons, chosen, **asked) is is_long


def beside(
    held: Held | None = None,
    companion: Held | None = None,
    is_open: bool = True,
    horizons: tuple[int, ...] = (1,),
    **asked: Any,
) -> bool:
    model: Any = SimpleNamespace(
        manifest=SimpleNamespace(stand_in=STAND_IN, companions=[SimpleNamespace(asset="VIX")])
    )
    opened = {("A", STAND_IN), (None, STAND_IN)} if is_open else set()
    catalogue: Any = SimpleNamespace(is_open=lambda *which: which in opened)
    holdings: Any = SimpleNamespace(find={"A": held, "VIX": companion}.get)
    request = ForecastRequest(**({"asset": "A"} | asked))
    return is_long_beside(request, model, horizons, catalogue, holdings)


def test_a_model_with_companions_is_long_until_all_is_known() -> None:
    vix, known = Held(9), Held(9, (1,))
    assert not beside(known, vix)
    assert beside(known, vix, is_open=False)
    assert beside(known, vix, horizons=(1, 5))
    assert beside(Held(9), vix)
    assert not beside(None, vix)
    assert not beside(Held(9), None)  # answered without companions
    assert beside(known, vix, as_of="2021-01-04")
    assert beside(known, vix, history=rv(22))
    sent = {"VIX": {"bars": [{"date": "2021-01-04", **BAR}]}}
    assert beside(known, vix, companions=sent)


@pytest.mark.parametrize(
    ("held", "asked", "short"),
    [
        (Held(60), {}, False),
        (Held(59), {}, True),
        (None, {}, False),  # refused, by nobody that has to be opened
        (Held(59), {"history": {"bars": [BAR | {"date": "2020-01-02"}] * 60}}, False),
        (Held(60), {"history": {"bars": [BAR | {"date": "2020-01-02"}] * 59}}, True),
        (None, {"history": {"rv": [0.1] * 59}}, True),
        (None, {"history": {"rv": [0.1] * 60}}, False),
    ],
)
def test_a_history_is_too_short_for_a_model_that_needs_more(
    held: Held | None, asked: dict[str, Any], short: bool
) -> None:
    model: Any = SimpleNamespace(required_sessions=60)
    holdings: Any = SimpleNamespace(find={"A": held}.get)
    assert is_too_short(ForecastRequest(asset="A", **asked), model, holdings) is short
