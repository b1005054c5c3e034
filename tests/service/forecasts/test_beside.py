"""What there is of the companions of a model, and why there may be none."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models_store.manifest import CompanionData
from service.forecasts.companions import Beside, companions_of, held_revisions
from tests.models_store.artifacts import make_manifest, make_series
from volatility.calendars import get_calendar
from volatility.errors import InvalidInput

XNYS = get_calendar("XNYS")
SERIES = make_series().tail(30)
DATA = CompanionData(
    **dict(make_manifest().training) | {"asset": "VIX"},
    measure="parkinson",
    calendar="XNYS",
    bar_interval=86_400,
)
MANIFEST: Any = SimpleNamespace(companions=(DATA,))


def held(name: str = "XNYS", interval: int = 86_400, **changes: Any) -> Any:
    """As it is held where nothing is wrong with it; of its series, what is asked for."""
    usual = {
        "bars": [1],
        "damage": None,
        "revision": 4,
        "known_at": 7,
        "calendar": XNYS,
        "series": lambda measure, columns: (measure, columns),
    }
    asset = SimpleNamespace(calendar=name, bar_interval=interval)
    return SimpleNamespace(asset=asset, **{**usual, **changes})


def beside(found: Any) -> Beside:
    return companions_of(MANIFEST, {}, SimpleNamespace(find={"VIX": found}.get), None)  # type: ignore[arg-type]


def unmeasured(*_: object) -> None:
    raise InvalidInput("no bar moves")


def test_where_there_are_none_nothing_is_held_or_told_of_them() -> None:
    nobody = Beside()
    assert not nobody.any_held(SERIES, ())
    assert nobody.remarks(SERIES, XNYS) == ()
    assert nobody == ((), (), (), (), None, ())


def test_a_held_companion_is_taken_in_the_measure_it_was_fitted_in() -> None:
    found = beside(held())
    [companion] = found.companions
    assert (companion.name, companion.calendar.name) == ("VIX", "XNYS")
    asked: Any = companion.series
    assert asked == ("parkinson", ("return",))
    assert (found.revisions, found.known_at, found.absent) == ((4,), (7,), ())
    assert found.any_held(SERIES, ())
    assert not found.any_held(SERIES, ("VIX",))


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (None, "nothing is held of VIX, and none was sent"),
        (held(bars=[]), "nothing is held of VIX, and none was sent"),
        (held(damage="bar 3 is lost"), "the held bars of VIX are damaged: bar 3 is lost"),
        (
            held(name="XLON"),
            "VIX is held with calendar XLON; the model was fitted with it in XNYS",
        ),
        (
            held(interval=3_600),
            "VIX is held with bars of 3600 seconds; the model was fitted with bars of 86400",
        ),
        (held(series=unmeasured), "what is held of VIX cannot be measured: no bar moves"),
    ],
)
def test_why_there_is_none_is_told(found: Any, why: str) -> None:
    there = beside(found)
    assert (there.absent, there.companions, there.revisions) == ((why,), (), ())
    assert there.obstacle(MANIFEST, None) == why
    assert there.join(SERIES, None) is there


def test_a_history_without_dates_has_nothing_beside_it() -> None:
    undated: Any = SimpleNamespace(rv=np.ones(3))
    there = beside(held())
    assert there.join(undated, None) is there
    assert there.obstacle(MANIFEST, None) == (
        "the history has no dates, by which companions are aligned"
    )


def test_revisions_are_of_all_or_none() -> None:
    def of(found: Any) -> object:
        return held_revisions(MANIFEST, SimpleNamespace(find={"VIX": found}.get))  # type: ignore[arg-type]

    assert (of(held()), of(None)) == ((4,), None)
