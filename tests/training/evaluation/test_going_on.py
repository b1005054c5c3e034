"""Runs that were stopped, and go on."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.simulated import make_training_set, small_config
from training.config import Config
from training.data.assets import AssetData
from training.evaluation import workers
from training.evaluation.digests import digest_of
from training.evaluation.finished_units import FinishedUnits
from training.evaluation.run import Evaluated, evaluate
from training.evaluation.study import Study
from training.models.recipe import Recipe
from training.models.registry import MODELS, make_recipe, recipes
from training.publishing.artifacts import to_files
from training.publishing.retrain import TrainedModels, train


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the units that are computed, and all of which are kept."""
    seen: list[str] = []
    timed = workers._timed

    def recorded(name: str, digest: str, task: Any) -> tuple[str, str, float, Any]:
        seen.append(name)
        return timed(name, digest, task)

    monkeypatch.setattr(workers, "_timed", recorded)
    monkeypatch.setattr(workers, "WORTH_KEEPING", 0.0)
    return seen


def chosen(*names: str) -> tuple[Recipe, ...]:
    config = small_config()
    config = replace(config, transfer=replace(config.transfer, source="SOURCE"))
    return tuple(recipes(names, config))


def study(*names: str) -> Study:
    return Study(make_training_set(), chosen(*names))


def stops_with(last: int) -> Callable[[Recipe], None]:
    """What stops a run as it is told of a fit."""
    left = iter(range(last - 1))

    def told(_: Recipe) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return told


def numbers(results: list[Evaluated]) -> dict[str, bytes]:
    return {model: it.forecast.tobytes() for model, it in results[0].tracks.items()}


def files(trained: TrainedModels) -> list[dict[str, bytes]]:
    return [
        to_files(it, trained.data, trained.tracks_of(it), trained.parts) for it in trained.fitted
    ]


def test_an_evaluation_goes_on_to_the_same_bits(tmp_path: Path, computed: list[str]) -> None:
    whole = numbers(evaluate([study("har", "rfsv")], 1))
    assert computed == []  # nothing is kept where nobody asks for it
    finished = FinishedUnits[Any](tmp_path / "kept")
    with pytest.raises(KeyboardInterrupt):
        evaluate([study("har", "rfsv")], 1, stops_with(3), finished)
    first = len(computed)
    assert len(finished) == first
    assert (tmp_path / "kept").stat().st_mode & 0o077 == 0
    assert numbers(evaluate([study("har", "rfsv")], 1, finished=finished)) == whole
    computed.clear()
    assert numbers(evaluate([study("har", "rfsv")], 1, finished=finished)) == whole
    assert computed == []
    assert len(finished) > first


def test_a_retrain_goes_on_to_the_same_files(tmp_path: Path, computed: list[str]) -> None:
    data, finished = make_training_set(), FinishedUnits[Any](tmp_path)
    whole = files(train(chosen("har", "transfer"), data, 1, finished=finished))
    units = len(computed)
    assert len(finished) == units
    *smaller, network = sorted(tmp_path.glob("fit_all-*"), key=lambda it: it.stat().st_size)
    assert network.stat().st_size > 2 * smaller[-1].stat().st_size
    lost = [*smaller, next(tmp_path.glob("forecast-*"))]
    for path in lost:
        path.unlink()
    computed.clear()
    assert files(train(chosen("har", "transfer"), data, 1, finished=finished)) == whole
    assert sorted(computed) == sorted(it.name.rpartition("-")[0] for it in lost)
    assert len(finished) == units


def every(sessions: int) -> Config:
    config = small_config()
    walk_forward = replace(config.walk_forward, linear_refit_every=sessions)
    return replace(config, walk_forward=walk_forward)


def changed(asset: AssetData) -> AssetData:
    rv = asset.series.rv.copy()
    rv[-1] *= 1 + 1e-15
    return replace(asset, series=replace(asset.series, rv=rv))


@pytest.mark.parametrize(
    "other",
    [
        lambda it: replace(it, data=replace(it.data, seed=8)),
        lambda it: replace(it, data=replace(it.data, horizon=2)),
        lambda it: replace(it, data=replace(it.data, target=changed(it.data.target))),
        lambda it: replace(it, recipes=tuple(recipes(["har"], every(50)))),
    ],
)
def test_what_is_not_the_same_is_computed_anew(
    other: Callable[[Study], Study], tmp_path: Path, computed: list[str]
) -> None:
    finished = FinishedUnits[Any](tmp_path)
    har = study("har")
    evaluate([har], 1, finished=finished)
    jobs = len(computed)
    evaluate([other(har)], 1, finished=finished)
    assert len(computed) == 2 * jobs


def test_other_code_computes_anew(
    tmp_path: Path, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = FinishedUnits[Any](tmp_path)
    evaluate([study("har", "rfsv")], 1, finished=finished)
    jobs = len(computed)
    monkeypatch.setattr(workers, "source_digest", lambda: "another")
    evaluate([study("har", "rfsv")], 1, finished=finished)
    assert len(computed) == 2 * jobs


def test_what_is_quick_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "WORTH_KEEPING", 60.0)
    finished = FinishedUnits[Any](tmp_path)
    har = study("har")
    evaluate([har], 1, finished=finished)
    assert len(finished) == 0


def test_every_recipe_has_a_digest_of_its_own() -> None:
    config = small_config()
    digests = {digest_of(make_recipe(name, config)) for name in MODELS}
    assert len(digests) == len(MODELS)
    assert digests == {digest_of(make_recipe(name, config)) for name in MODELS}


def test_a_digest_is_of_what_is_said_and_in_which_order() -> None:
    values = np.arange(6.0)
    assert digest_of({"a": 1, "b": values}) == digest_of({"b": values.copy(), "a": 1})
    assert digest_of({"x", "y"}) == digest_of({"y", "x"})
    told = [
        (["ab"], ["c"]), (["a"], ["bc"]), (["ab", "c"],), ("ab", "c"), (1,), (1.0,), (True,),
        (values,), (values[::-1],), (values.reshape(2, 3),), (None,), ("None",), (b"None",),
    ]  # fmt: skip
    assert len({digest_of(*it) for it in told}) == len(told)
