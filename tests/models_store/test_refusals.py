"""A model with companions says which of them it cannot look at, and by which rule."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models_store import refusals
from models_store.errors import ArtifactRefused, PredictionFailed, computing
from models_store.manifest import Manifest
from models_store.names import (
    InvalidName,
    check_asset_name,
    check_model_name,
    is_asset_name,
    is_model_name,
)
from models_store.refusals import check_columns, unknown_companion
from models_store.store import Store
from models_store.units import Plausible, came_from_the_known
from models_store.universal.store import UniversalStore
from tests.errors import details
from tests.models_store.artifacts import make_files, make_manifest
from volatility.arrays import FloatArray
from volatility.errors import InvalidSeries, RoughcastError
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


PLAIN = make_manifest()
FOR_ALL = make_manifest("universal", "universal")
CLIP_AND_MEDIANS = make_manifest(rv_medians=(1e-5, 1e-3))


@pytest.mark.parametrize(
    ("error", "code", "told", "message"),
    [
        (
            refusals.unsupported_horizon(PLAIN, 5),
            "unsupported_horizon",
            ("horizon", 5, "one of [1]"),
            "horizon 5 is not supported by har of TEST; it forecasts [1] sessions ahead",
        ),
        (
            refusals.unsupported_level(PLAIN, 0.5),
            "unsupported_level",
            ("levels", 0.5, "any of [0.8, 0.95]"),
            "level 0.5 is not supported by har of TEST; it has intervals for [0.8, 0.95]",
        ),
        (
            refusals.measure_mismatch(FOR_ALL, "parkinson"),
            "measure_mismatch",
            ("history", "parkinson", "garman_klass"),
            "the history's measure is parkinson, but universal was fitted on garman_klass",
        ),
        (
            refusals.too_short(PLAIN, 21),
            "history_too_short",
            ("history", 21, "at least 22 sessions"),
            "har with lags (1, 5, 22) needs 22 sessions; got 21",
        ),
        (
            refusals.too_short(make_manifest(hyperparameters={}, minimum_sessions=9), 8),
            "history_too_short",
            ("history", 8, "at least 9 sessions"),
            "har needs 9 sessions; got 8",
        ),
        (
            refusals.missing_columns(MANIFEST, ["return", "jump"]),
            "missing_columns",
            (
                "history",
                "a history without return, jump",
                "bars, from which every column is measured",
            ),
            (
                "har of TEST needs return beside rv; the history lacks return, jump; send bars, "
                "from which every column is measured"
            ),
        ),
        (
            refusals.implausible(CLIP_AND_MEDIANS, 0.5, 22, 2e-6, 4e-3),
            "implausible_unit",
            ("history", 0.5, "median rv between 2e-06 and 0.004"),
            (
                "the median rv of the newest 22 sessions is 0.5, but TEST had medians of 22 "
                "sessions from 1e-05 to 0.001 in training; rv is a variance per day in decimal² "
                "(0.0004 for a 2 % day), not percent, not annualized and not a volatility"
            ),
        ),
        (
            refusals.implausible(CLIP_AND_MEDIANS, 0.5, 21, 2e-6, 4e-3),
            "implausible_unit",
            ("history", 0.5, "median rv between 2e-06 and 0.004"),
            (
                "the median rv of the newest 21 sessions is 0.5, but TEST had single sessions from "
                "1e-06 to 0.01 in training; rv is a variance per day in decimal² (0.0004 for a 2 % "
                "day), not percent, not annualized and not a volatility"
            ),
        ),
    ],
)
def test_a_refusal_says_what_is_wrong_where_and_what_is_needed(
    error: RoughcastError, code: str, told: tuple[str, object, str], message: str
) -> None:
    assert (error.code, details(error), str(error)) == (code, told, message)


def test_what_a_model_for_every_asset_was_fitted_on_is_named_by_its_source() -> None:
    said = str(refusals.implausible(FOR_ALL, 0.5, 22, 2e-6, 4e-3))
    assert "but simulated had single sessions from 1e-06 to 0.01" in said


def test_companions_that_are_not_known_are_named() -> None:
    with pytest.raises(InvalidSeries) as refused:
        check_columns(MANIFEST, history(without(-1)))
    field, found, needed = details(refused.value)
    assert field == "companions"
    assert str(refused.value) == f"har of TEST looks at companions, and {found}"
    assert needed == ", known at the newest session and at half of the newest 22"
    with pytest.raises(InvalidSeries) as refused:
        check_columns(MANIFEST, RealizedSeries(np.ones(40), MANIFEST.measure))
    assert details(refused.value)[:2] == ("history", "a history without return")


@pytest.mark.parametrize(
    ("check", "name", "field", "needed"),
    [
        (
            check_asset_name,
            "a/b",
            "asset",
            "1-32 letters, digits or one of ^=_.- and begin with a letter or digit",
        ),
        (
            check_model_name,
            "champion",
            "model",
            "a lower-case identifier of at most 48 characters other than 'champion'",
        ),
    ],
)
def test_a_name_that_is_none(
    check: Callable[[str], str], name: str, field: str, needed: str
) -> None:
    with pytest.raises(InvalidName) as refused:
        check(name)
    assert details(refused.value) == (field, name, needed)
    assert str(refused.value) == f"{field} name {name!r} must be {needed}"


@pytest.mark.parametrize(("name", "ok"), [("a" * 32, True), ("9^=_.-Z", True), ("a" * 33, False)])
def test_names_of_assets(name: str, ok: bool) -> None:
    assert is_asset_name(name) == ok


@pytest.mark.parametrize(("name", "ok"), [("a" * 48, True), ("h9_", True), ("a" * 49, False)])
def test_names_of_models(name: str, ok: bool) -> None:
    assert is_model_name(name) == ok


def test_what_no_store_has(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RoughcastError) as refused:
        store.load("NONE", "har")
    assert refused.value.code == "unknown_asset"
    assert details(refused.value) == ("asset", "NONE", "one of none")
    for intercept in (1e-5, 2e-5):
        store.publish(make_files(intercept=intercept), promote=True)
    with pytest.raises(RoughcastError) as refused:
        store.load("TEST", "log_har")
    assert refused.value.code == "unknown_model"
    assert details(refused.value) == ("model", "log_har", "one of har")
    with pytest.raises(RoughcastError) as refused:
        store.load("TEST", "har", 3)
    assert refused.value.code == "unknown_version"
    assert details(refused.value) == ("version", 3, "one of 1, 2")
    assert store.roll_back("TEST", "har") == 1
    with pytest.raises(RoughcastError) as refused:
        store.roll_back("TEST", "har")
    needed = "a version that served before the current one"
    assert details(refused.value) == ("version", 1, needed)
    store.publish(make_files(model="log_har"))
    with pytest.raises(RoughcastError) as refused:
        store.roll_back("TEST", "log_har")
    assert details(refused.value) == ("version", None, needed)
    with pytest.raises(RoughcastError) as refused:
        UniversalStore(tmp_path).load(1)
    assert refused.value.code == "unknown_version"
    assert str(refused.value) == "universal has no version 1"
    assert details(refused.value) == ("version", 1, "one of none")


def test_what_fails_says_whose_it_was() -> None:
    refused = ArtifactRefused("A", "har", 3, "a flipped bit")
    assert str(refused) == "A/har/3 is refused: a flipped bit"
    assert (refused.asset, refused.model, refused.version) == ("A", "har", 3)
    assert refused.reason == refused.found == "a flipped bit"
    assert str(ArtifactRefused("A", "har", None, "?")) == "A/har is refused: ?"
    with pytest.raises(PredictionFailed) as failed:
        _compute(ZeroDivisionError())
    assert (failed.value.model, failed.value.found) == ("har", "ZeroDivisionError")
    assert str(failed.value) == "har failed to forecast: ZeroDivisionError"
    with pytest.raises(ArtifactRefused):
        _compute(refused)


def _compute(error: Exception) -> None:
    with computing("har"):
        raise error


MEDIANS = make_manifest(rv_medians=(1e-5, 1e-3))


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (MEDIANS, (1e-5 / 4, 4e-3, 1e-6 / 4, 0.04)),
        (PLAIN, (1e-8, 1.0, 1e-8, 1.0)),
    ],
)
def test_what_a_median_may_be(manifest: Manifest, expected: tuple[float, ...]) -> None:
    assert Plausible.of(manifest) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("before", "level", "step", "known"),
    [
        (22, 1e-4, 29.9, True),
        (21, 1e-4, 30.0, False),
        (22, 1e-4, 30.1, False),
        (22, 1e-4, 1 / 29.9, True),
        (22, 1e-4, 1 / 30.1, False),
        (22, 4e-3, 1.0, True),
        (22, 4.1e-3, 1.0, False),
        (22, 1e-5 / 4, 1.0, True),
        (22, 1e-5 / 4.1, 1.0, False),
        (22, 2.5e-3, 9.9, True),  # .025, less than half of .05
        (22, 2.5e-3, 10.1, False),  # volatilities
        (22, 2.5e-3, 20.0, False),
    ],
)
def test_a_crisis_is_a_step_from_a_level_that_is_known(
    before: int, level: float, step: float, known: bool
) -> None:
    rv = np.concatenate([np.full(before, level), np.full(22, step * level)])
    assert came_from_the_known(rv, MEDIANS) == known
    assert not came_from_the_known(rv, PLAIN)


def test_the_level_before_is_that_of_half_a_year() -> None:
    newest = np.full(22, 1e-4)
    # 125 sessions before the newest 22: of 63 the median is the level, of 62 it is not.
    for count, known in ((63, True), (62, False)):
        before = np.concatenate([np.full(200 + 125 - count, 1.0), np.full(count, 1e-4)])
        assert came_from_the_known(np.concatenate([before, newest]), MEDIANS) == known
