"""What commands about panels refuse before anything is fitted, and the commands that they print."""

import argparse
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.errors import details
from tests.simulated_panel import TINY, simulated_asset
from training import cli
from training.commands import evaluate_panel, evaluate_transfer
from training.commands.evaluate_panel import _combinations, _long_enough, _without_fit, plan_of
from training.commands.preparation import with_horizons
from training.commands.retrain_own import _Done, _Job, _publish, _refusal
from training.evaluation.panel.transfer import TransferPlan
from training.evaluation.panel.walk_forward import PanelWalkForward, TrackKey
from training.evaluation.study import StudyKey
from volatility.errors import HistoryTooShort, InvalidInput, TooFewObservations
from volatility.evaluation.tracks import ForecastTrack

SHORT = simulated_asset("SHORT", "stock", "24/7", 120, 0)


def options(*more: str) -> argparse.Namespace:
    return cli.make_parser().parse_args(["evaluate", "--panel", "a dir", *more])


def test_the_command_of_a_panel_makes_the_same_results() -> None:
    begin = "python -m training evaluate --panel 'a dir' --folds 3 --months 24"
    usual = f"{begin} --histories 22 60 125 --horizons 1"
    assert evaluate_panel._command(options()) == usual
    more = ["--histories", "60", "22", "60", "--horizons", "5", "1", "5", "--companion", "VIX"]
    more += ["--companion", "A=a.csv", "--models", "har", "ewma", "--config", "c.toml"]
    assert evaluate_panel._command(options(*more, "--seed", "3")) == (
        f"{begin} --histories 22 60 --horizons 1 5 --companion VIX --companion A=a.csv "
        "--models har ewma --config c.toml --seed 3"
    )


def test_the_command_of_a_transfer_makes_the_same_results() -> None:
    given = options("--source", "panel", "--folds", "4", "--months", "6")
    begin = "python -m training evaluate --panel 'a dir' --source panel --folds 4 --months 6"
    assert evaluate_transfer._command(given) == begin
    given = options("--source", "panel", "--folds", "4", "--months", "6", "--targets", "2",
                    "--config", "c.toml", "--seed", "3", "--seeds", "5")  # fmt: skip
    more = "--targets 2 --config c.toml --seed 3 --seeds 5"
    assert evaluate_transfer._command(given) == f"{begin} {more}"


def test_a_panel_is_cut_as_the_options_say() -> None:
    given = options("--folds", "4", "--months", "6", "--histories", "60", "22", "60")
    assert plan_of(given) == PanelWalkForward(4, 6, (22, 60))


def test_encoders_of_a_transfer_are_as_many_as_are_asked_for() -> None:
    assert evaluate_transfer._config_of(options()).universal.seeds > 1
    assert evaluate_transfer._config_of(options("--seeds", "1")).universal.seeds == 1


def test_horizons_are_put_in_order() -> None:
    assert with_horizons(TINY, None) is TINY
    assert with_horizons(TINY, [5, 1, 5]).horizons == (1, 5)


def test_a_horizon_that_no_history_is_long_enough_for_is_refused() -> None:
    with pytest.raises(TooFewObservations, match="no asset of the panel can be evaluated 1") as no:
        _long_enough([SHORT], [1, 5])
    field, found, needed = details(no.value)
    assert (field, needed) == (
        "panel",
        "for every horizon an asset whose history is long enough",
    )
    assert isinstance(found, list)
    assert [it.partition(":")[0] for it in found] == ["SHORT, 1 ahead", "SHORT, 5 ahead"]


def test_what_is_too_short_is_told_beside_what_is_kept() -> None:
    long = simulated_asset("LONG", "stock", "24/7", 700, 0)
    kept, left_out = _long_enough([SHORT, long], [1])
    assert kept == [StudyKey("LONG", 1)]
    [told] = left_out
    assert told.startswith("SHORT, 1 ahead: ")
    assert "120 sessions" in told


def test_what_no_fit_of_the_universal_model_forecasts_is_told_once() -> None:
    kept = [StudyKey(name, horizon) for name in ("B", "A", "C") for horizon in (1, 5)]
    jobs: Any = [SimpleNamespace(judged=[SimpleNamespace(asset="C")])]
    told = _without_fit(kept, jobs)
    assert [it.partition(":")[0] for it in told] == ["A", "B"]
    assert "no fit of the universal model" in told[0]


def track(model: str, horizon: int = 1) -> ForecastTrack:
    dates = np.datetime64("2020-01-01") + np.arange(9)
    return ForecastTrack(model, dates[:-1], dates[1:], np.full(8, 1e-4), np.full(8, 2e-4), horizon)


def test_the_universal_model_is_combined_where_all_members_are_there() -> None:
    def made(*names: str) -> set[str]:
        tracks = {TrackKey("A", name, 1): track(name) for name in names}
        return {key.model for key in _combinations(tracks)}

    assert made("universal", "hexp", "ridge") == {"combination"}
    assert made("universal", "hexp") == made("hexp", "ridge") == set()
    accompanied = {"combination_companions"}
    assert made("universal_companions", "hexp_companions", "ridge_companions") == accompanied
    # An asset that has no companion for it has a regression without.
    assert made("universal_companions", "hexp", "ridge_companions") == accompanied
    assert made("universal_companions", "hexp", "ridge") == accompanied
    assert made("universal_companions", "hexp_companions") == set()


def test_a_panel_to_which_nothing_can_be_transferred_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing can be transferred to the test part") as no:
        evaluate_transfer._jobs([SHORT], "test", TransferPlan(2, 24), TINY)
    assert details(no.value) == (
        "panel",
        "SHORT (120 sessions)",
        "an asset with 50 targets in each part, and others before them",
    )


def test_an_asset_that_cannot_be_retrained_is_told_and_keeps_no_other_from_it() -> None:
    job: Any = _Job(SHORT, (), ("har",), TINY, SimpleNamespace(), None)  # type: ignore[arg-type]
    done = _refusal(job, HistoryTooShort("too short"))
    assert done == _Done(["SHORT: too short"], refused=True)
    assert _publish(done) is done
