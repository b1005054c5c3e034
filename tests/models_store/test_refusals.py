"""A model with companions says which of them it cannot look at, and by which rule."""

import numpy as np
import pytest

from models_store.refusals import check_columns, unknown_companion
from tests.models_store.artifacts import make_manifest
from volatility.arrays import FloatArray
from volatility.errors import InvalidSeries
from volatility.series import RealizedSeries

MANIFEST = make_manifest(columns=("return", "VIX:log_rv"), lookback=22)
KNOWN = np.zeros(40)


def history(log_rv: FloatArray) -> RealizedSeries:
    columns = {"return": np.zeros(40), "VIX:log_rv": log_rv}
    return RealizedSeries(np.ones(40), MANIFEST.measure, columns=columns)


def without(*places: int | slice) -> FloatArray:
    log_rv = KNOWN.copy()
    for place in places:
        log_rv[place] = np.nan
    return log_rv


def test_each_rule_has_its_reason() -> None:
    newest = "nothing of VIX that is at most 5 days old is known at the newest session; needed: "
    assert str(unknown_companion(MANIFEST, history(without(-1)))).startswith(newest)
    half = "VIX is known at 10 of the 22 sessions of the window; needed: at 11 or more"
    assert unknown_companion(MANIFEST, history(without(slice(-22, -10)))) == half
    with pytest.raises(InvalidSeries, match=half) as refused:
        check_columns(MANIFEST, history(without(slice(-22, -10))))
    assert refused.value.code == "missing_companions"


def test_half_of_the_window_is_enough() -> None:
    assert unknown_companion(MANIFEST, history(without(slice(-22, -11)))) is None
    assert unknown_companion(MANIFEST, history(without(slice(0, -22)))) is None


def test_own_columns_are_told_apart_from_companions() -> None:
    alone = RealizedSeries(np.ones(40), MANIFEST.measure)
    with pytest.raises(InvalidSeries, match="the history lacks return") as refused:
        check_columns(MANIFEST, alone)
    assert refused.value.code == "missing_columns"
    own = RealizedSeries(np.ones(40), MANIFEST.measure, columns={"return": np.zeros(40)})
    assert unknown_companion(MANIFEST, own) == "the history lacks VIX:log_rv"
