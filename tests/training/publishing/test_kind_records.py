"""Records of kinds whose assets have few outcomes, or none at some horizon."""

from datetime import date

import numpy as np
import pytest

from tests.simulated_panel import simulated_asset
from training.evaluation.panel.scores import AssetScore
from training.evaluation.panel.walk_forward import UNIVERSAL, PanelWalkForward, TrackKey
from training.publishing.kind_records import kind_records, panel_records
from volatility.errors import TooFewObservations
from volatility.evaluation.intervals import LEVELS, ordered_offsets
from volatility.evaluation.pooled_errors import pool_errors, scaled_from
from volatility.evaluation.tracks import ForecastTrack

PLAN = PanelWalkForward(2, 24, ())


KINDS = {"STOCK": "stock", "COIN": "crypto", "OTHER": "crypto"}


def made(nobs: dict[tuple[str, int], int], model: str = UNIVERSAL):
    """Assets, tracks and scores, of assets with so many outcomes at a horizon."""
    assets = [simulated_asset(name, kind, "24/7", 30, 0) for name, kind in KINDS.items()]
    rng = np.random.default_rng(0)
    tracks, scores = {}, []
    for (name, horizon), count in nobs.items():
        dates = np.datetime64("2020-01-01") + len(name) + np.arange(count + 1)
        forecast, rv = np.exp(rng.normal(size=(2, count)))
        track = ForecastTrack(model, dates[:-1], dates[1:], forecast, rv, horizon)
        tracks[TrackKey(name, model, horizon)] = track
        change = -0.1 if name == "STOCK" else -0.3
        scores.append(AssetScore(name, KINDS[name], model, horizon, count, 1.0, change, None))
    return assets, tracks, scores


def records(nobs: dict[tuple[str, int], int]):
    assets, tracks, scores = made(nobs)
    return kind_records(assets, tracks, scores, PLAN)


def test_a_record_says_how_each_asset_of_a_kind_did_on_average() -> None:
    assets, tracks, scores = made({("COIN", 1): 300, ("OTHER", 1): 200, ("STOCK", 1): 120})
    found = kind_records(assets, tracks, scores, PLAN)["crypto"][1]
    own = [tracks[TrackKey(name, UNIVERSAL, 1)] for name in ("COIN", "OTHER")]
    assert found.assets == 2
    assert found.log_har_change == pytest.approx(-0.3)
    told = found.evaluation
    assert told.protocol == (
        "the last half of each of 2 assets, forecast by fits on assets of the other 1 of 2 folds, "
        "every 24 months"
    )
    assert (told.refit_every, told.nobs) == (504, 500)  # sessions of 24 months
    assert (told.test_start, told.test_end) == (date(2020, 1, 6), date(2020, 10, 31))
    ratios = [it.rv / it.forecast for it in own]
    assert told.qlike_loss == pytest.approx(
        np.mean([(it - np.log(it) - 1).mean() for it in ratios])
    )
    off = [np.sqrt(it.rv) - np.sqrt(it.forecast) for it in own]
    assert told.rmse_volatility == pytest.approx(np.mean([np.sqrt((it**2).mean()) for it in off]))
    assert told.mae_volatility == pytest.approx(np.mean([np.abs(it).mean() for it in off]))
    logs = [(np.log(it.rv), np.log(it.forecast)) for it in own]
    explained = [1 - ((rv - it) ** 2).sum() / ((rv - rv.mean()) ** 2).sum() for rv, it in logs]
    assert told.r_squared_log == pytest.approx(np.mean(explained))
    together = [np.corrcoef(rv, it)[0, 1] for rv, it in logs]
    assert told.correlation_log == pytest.approx(np.mean(together))


@pytest.mark.parametrize(("sessions", "known"), [(None, True), (60, False)])
def test_a_record_has_errors_of_its_kind_and_how_those_of_others_held(
    sessions: int | None, known: bool
) -> None:
    model = UNIVERSAL if sessions is None else f"{UNIVERSAL}_{sessions}"
    assets, tracks, scores = made({("COIN", 5): 300, ("OTHER", 5): 200}, model)
    found = kind_records(assets, tracks, scores, PLAN, sessions)["crypto"][5]
    errors = [np.log(it.rv / it.forecast) for it in tracks.values()]
    pooled = pool_errors(errors, 5, known=known)
    assert found.error_size == pooled.size
    assert found.error_quantiles == tuple(np.round(pooled.quantiles, 6))
    for level in LEVELS:
        held = []
        for own, other in (errors, errors[::-1]):
            of_other = pool_errors([other], 5, known=known)
            scaled = scaled_from(own, of_other.size, 5, known=known)
            low, high = ordered_offsets(of_other.quantiles, level, of_other.rank_horizon(5))
            held.append(np.mean((low <= scaled) & (scaled <= high)))
        assert found.coverage_observed[str(level)] == pytest.approx(np.mean(held))


def test_short_histories_have_records_of_their_own() -> None:
    plan = PanelWalkForward(2, 24, (22, 60))
    tracks: dict[TrackKey, ForecastTrack] = {}
    scores: list[AssetScore] = []
    for model in (UNIVERSAL, "universal_22", "universal_60"):
        assets, of_model, scored = made({("COIN", 1): 100 + len(model)}, model)
        tracks |= of_model
        scores += scored
    found = panel_records(assets, tracks, scores, plan)
    assert found.by_kind == kind_records(assets, tracks, scores, plan)
    assert found.by_kind["crypto"][1].evaluation.nobs == 109
    assert set(found.short_histories) == {22, 60}
    for sessions, told in found.short_histories.items():
        assert told == kind_records(assets, tracks, scores, plan, sessions)
        assert told["crypto"][1].evaluation.nobs == 112


def test_an_asset_without_a_score_of_its_own_is_left_out() -> None:
    assets, tracks, scores = made({("COIN", 1): 300, ("OTHER", 1): 200})
    found = kind_records(assets, tracks, scores[:1], PLAN)["crypto"][1]
    assert (found.assets, found.evaluation.nobs) == (1, 300)


@pytest.mark.parametrize("counts", [(90, 10), (100, 0)])
def test_a_hundred_outcomes_are_enough(counts: tuple[int, int]) -> None:
    nobs = {("STOCK", 1): counts[0], **({("COIN", 1): counts[1]} if counts[1] else {})}
    with_all = records(nobs)
    assert with_all["stock"][1].evaluation.nobs == 100


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
