"""Bounds of what is published, on either side, and what of a manifest counts."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models_store.manifest import Manifest, Margin
from tests.training.evaluation.rows import make_comparison, make_row, outcome
from training.evaluation.panel.walk_forward import PanelWalkForward
from training.models.pooled.universal import version_known_on
from training.publishing.gate import SERVED, _agree, judge
from training.publishing.kind_records import _check_enough, _evaluation
from training.publishing.retrain import _margins
from volatility.errors import TooFewObservations
from volatility.evaluation import losses
from volatility.evaluation.tracks import ForecastTrack


def track(nobs: int, seed: int, start: str = "2020-01-01") -> ForecastTrack:
    rng = np.random.default_rng(seed)
    dates = np.datetime64(start) + np.arange(nobs + 1)
    rv, forecast = np.exp(-9 + 0.4 * rng.normal(size=(2, nobs)))
    return ForecastTrack("mine", dates[:-1], dates[1:], forecast, rv, 1)


def test_versions_are_compared_from_fifty_dates_on() -> None:
    assert judge(track(49, 1), track(49, 2)).reason == (
        "only 49 dates are shared with the version in service"
    )
    assert judge(track(50, 1), track(50, 2)).reason.endswith("n = 50")
    same = judge(track(50, 1), track(50, 1))
    assert (same.promote, same.reason) == (True, "the same forecasts as the version in service")


def test_what_decides_a_forecast_is_compared_and_nothing_else() -> None:
    """Of the manifest: the rest says who made a version, when and by what."""
    assert Manifest.model_fields.keys() - SERVED == {
        "asset",
        "bar_interval",
        "code_version",
        "histories",
        "hyperparameters",
        "learned",
        "model",
        "predictor",
        "schema_version",
        "seed",
        "seeds",
        "sources",
        "training",
    }
    assert Manifest.model_fields.keys() >= SERVED


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        (1.0, 1.0 + 1e-10, True),
        (1.0, 1.0 + 1e-8, False),
        (0.0, 1e-300, False),
        ({"a": 1.0}, {"a": 1.0 + 1e-10}, True),
        ({"a": 1.0}, {"a": 1.0, "b": 2.0}, False),
        ({"a": 1.0}, {"b": 1.0}, False),
        ((1.0, (2.0,)), (1.0, (2.0 + 1e-10,)), True),
        ((1.0, 2.0), (1.0,), False),
        ((1.0, 2.0), (1.0, 3.0), False),
        ("a", "a", True),
        ("a", "b", False),
        (None, None, True),
        (1.0, None, False),
    ],
)
def test_values_are_the_same_to_nine_digits(one: object, other: object, agree: bool) -> None:
    assert _agree(one, other) is agree
    assert _agree(other, one) is agree


def test_a_record_needs_a_hundred_outcomes() -> None:
    _check_enough(100, 5)
    with pytest.raises(TooFewObservations, match=r"99 outcomes .* horizon 5; intervals need 100"):
        _check_enough(99, 5)


def test_what_is_recorded_of_a_kind_is_of_all_its_assets() -> None:
    one, other = track(60, 1, "2020-02-01"), track(40, 2, "2020-01-01")
    found = _evaluation([one, other], PanelWalkForward(4, 18, ()))
    assert found.protocol == (
        "the last half of each of 2 assets, forecast by fits on assets of the other 3 of 4 folds, "
        "every 18 months"
    )
    assert (found.refit_every, found.nobs) == (18 * 21, 100)
    assert (str(found.test_start), str(found.test_end)) == ("2020-01-02", "2020-04-01")

    def mean(loss: Any, scale: Any) -> float:
        return float(np.mean([loss(scale(it.rv), scale(it.forecast)) for it in (one, other)]))

    assert found.qlike_loss == pytest.approx(mean(losses.qlike_loss, np.asarray))
    assert found.rmse_volatility == pytest.approx(mean(losses.rmse_loss, np.sqrt))
    assert found.mae_volatility == pytest.approx(mean(losses.mae_loss, np.sqrt))
    assert found.r_squared_log == pytest.approx(mean(losses.r_squared_score, np.log))
    assert found.correlation_log == pytest.approx(mean(losses.correlation_score, np.log))


def version(number: int, training_end: str) -> Any:
    end = np.datetime64(training_end).item()
    return SimpleNamespace(version=number, manifest=SimpleNamespace(training_end=end))


@pytest.mark.parametrize(
    ("day", "number"), [("2019-01-02", 1), ("2020-01-01", 1), ("2020-01-02", 3), ("2030-01-01", 3)]
)
def test_a_version_is_known_the_day_after_its_last_session(day: str, number: int) -> None:
    """Of versions of the same sessions, the newest."""
    models = [version(1, "2019-01-01"), version(2, "2020-01-01"), version(3, "2020-01-01")]
    assert version_known_on(models, np.datetime64(day)).version == number


def test_margins_are_distances_to_benchmarks_that_lose_something() -> None:
    tests = {"har": outcome(0.04), "log_har": outcome(0.5), "last_value": outcome(0.01)}
    compared = make_comparison(
        make_row("mine", qlike_loss=0.2, diebold_mariano=tests),
        make_row("har", qlike_loss=0.25, diebold_mariano={}),
        make_row("log_har", qlike_loss=0.0),
        make_row("last_value", qlike_loss=1e-9),
    )
    assert _margins("mine", compared) == {
        "har": Margin(qlike_ratio=0.8, dm_pvalue=0.04),
        "last_value": Margin(qlike_ratio=0.2 / 1e-9, dm_pvalue=0.01),
    }
    assert _margins("har", compared) == {}
