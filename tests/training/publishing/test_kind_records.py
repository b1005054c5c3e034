"""Records of kinds whose assets have few outcomes, or none at some horizon."""

import numpy as np
import pytest

from tests.simulated_panel import simulated_asset
from training.evaluation.panel.scores import AssetScore
from training.evaluation.panel.walk_forward import UNIVERSAL, PanelWalkForward, TrackKey
from training.publishing.kind_records import kind_records
from volatility.errors import TooFewObservations
from volatility.evaluation.tracks import ForecastTrack

PLAN = PanelWalkForward(2, 24, ())


KINDS = {"STOCK": "stock", "COIN": "crypto", "OTHER": "crypto"}


def records(nobs: dict[tuple[str, int], int]):
    """Of assets with so many outcomes at a horizon."""
    assets = [simulated_asset(name, kind, "24/7", 30, 0) for name, kind in KINDS.items()]
    rng = np.random.default_rng(0)
    tracks, scores = {}, []
    for (name, horizon), count in nobs.items():
        dates = np.datetime64("2020-01-01") + np.arange(count + 1)
        forecast, rv = np.exp(rng.normal(size=(2, count)))
        track = ForecastTrack(UNIVERSAL, dates[:-1], dates[1:], forecast, rv, horizon)
        tracks[TrackKey(name, UNIVERSAL, horizon)] = track
        change = -0.1 if name == "STOCK" else -0.3
        scores.append(AssetScore(name, KINDS[name], UNIVERSAL, horizon, count, 1.0, change, None))
    return kind_records(assets, tracks, scores, PLAN)


def test_a_kind_with_too_few_outcomes_has_those_of_all_kinds() -> None:
    found = records({("STOCK", 1): 300, ("COIN", 1): 99})
    assert found["crypto"][1] == found["fx"][1]  # of which there is no asset
    assert (found["crypto"][1].assets, found["crypto"][1].evaluation.nobs) == (2, 399)
    assert found["crypto"][1].log_har_change == pytest.approx(-0.2)
    assert (found["stock"][1].assets, found["stock"][1].evaluation.nobs) == (1, 300)


def test_a_kind_without_outcomes_at_one_horizon_keeps_its_own_at_the_other() -> None:
    found = records({("STOCK", 1): 300, ("STOCK", 22): 300, ("COIN", 1): 100})
    assert (found["crypto"][1].assets, found["crypto"][1].log_har_change) == (1, -0.3)
    assert found["crypto"][22] == found["stock"][22]


def test_coverage_is_told_where_the_others_of_a_kind_have_too_few_errors() -> None:
    found = records({("COIN", 1): 300, ("OTHER", 1): 50})["crypto"][1]
    assert found.evaluation.nobs == 350
    assert 0.6 < found.coverage_observed["0.8"] < 0.95


def test_too_few_outcomes_of_all_kinds_together_are_refused() -> None:
    with pytest.raises(TooFewObservations, match="99 outcomes of forecasts at horizon 22") as found:
        records({("STOCK", 1): 300, ("STOCK", 22): 60, ("COIN", 22): 39})
    assert (found.value.field, found.value.found) == ("panel", 99)
