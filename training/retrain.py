"""Retrain: evaluate every model walk-forward, fit it on everything, publish and promote.

Nothing is written before all fits of an asset have succeeded. Publishing and promoting are atomic
(see :mod:`models_store.store`), so a retrain killed at any moment leaves a store that serves the
previous versions.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import joblib  # type: ignore[import-untyped]
import numpy as np

from models_store.artifact import SUMS
from models_store.runtime import LoadedModel
from models_store.store import ArtifactRefused, Store
from training.export import FittedModel, fit_and_export, to_files
from training.gate import Verdict, judge
from training.models.recipe import AssetData, Recipe, TrainingSet
from training.source import MINIMUM_SESSIONS
from training.walk_forward import BlockForecasts, count_fits, join, walk_forward
from training.workers import worker_pool
from volatility.errors import HistoryTooShort, RoughcastError
from volatility.evaluation import Comparison, ForecastTrack, compare

Progress = Callable[[int, int], None]  # called with fits done and fits to do


@dataclass(frozen=True)
class Outcome:
    """What became of one model."""

    model: str
    version: int | None  # None when nothing was published
    promoted: bool
    refused: bool
    note: str


@dataclass(frozen=True)
class AssetResult:
    """What a retrain of one asset did."""

    data: AssetData
    comparison: Comparison
    outcomes: tuple[Outcome, ...]
    champion: str | None

    @property
    def refused(self) -> bool:
        """Whether any model was refused by the gate or by the store."""
        return any(outcome.refused for outcome in self.outcomes)


@dataclass(frozen=True)
class Trained:
    """One asset's models, fitted and evaluated but not yet published."""

    data: TrainingSet
    fitted: tuple[FittedModel, ...]
    tracks: dict[str, ForecastTrack]  # by model
    test_start: np.datetime64


def applicable(recipes: Sequence[Recipe], asset: str) -> list[Recipe]:
    """The recipes that make sense for ``asset``: nothing is transferred from an asset to itself."""
    return [recipe for recipe in recipes if asset not in recipe.sources]


def train(
    recipes: Sequence[Recipe],
    data: TrainingSet,
    jobs: int = -1,
    progress: Progress | None = None,
) -> Trained:
    """Evaluate and fit every recipe on ``data``; writes nothing.

    Parameters
    ----------
    recipes : models to train.
    data : the target and the sources.
    jobs : processes; -1 is one a core.
    progress : told of every fit that ends.

    Raises
    ------
    HistoryTooShort : fewer sessions than fitting, calibrating and testing need.
    """
    _check_length(data.target)
    parallel = worker_pool(jobs)
    report = progress or (lambda _done, _total: None)
    total = count_fits(recipes, data) + len(recipes)
    forecasts: list[BlockForecasts] = []
    for done, part in enumerate(walk_forward(recipes, data, parallel), start=1):
        forecasts.append(part)
        report(done, total)
    fitted: list[FittedModel] = []
    final_fits = (joblib.delayed(fit_and_export)(recipe, data) for recipe in recipes)
    for model in parallel(final_fits):
        fitted.append(model)
        report(len(forecasts) + len(fitted), total)
    tracks = {recipe.name: join(forecasts, recipe.name) for recipe in recipes}
    dates = data.target.series.dates
    assert dates is not None, "training series carry dates"
    return Trained(data, tuple(fitted), tracks, dates[-(len(dates) // 4)])


def publish(trained: Trained, store: Store) -> AssetResult:
    """Publish every model, promote those that pass the gate, and name the champion."""
    asset = trained.data.target.asset
    comparison = compare(list(trained.tracks.values()), start=trained.test_start)
    outcomes = tuple(_publish_one(model, trained, store) for model in trained.fitted)
    return AssetResult(
        data=trained.data.target,
        comparison=comparison,
        outcomes=outcomes,
        champion=_name_champion(asset, trained, store),
    )


def _check_length(data: AssetData) -> None:
    if len(data.series) < MINIMUM_SESSIONS:
        raise HistoryTooShort(
            f"{data.asset} has {len(data.series)} sessions; a retrain needs {MINIMUM_SESSIONS}, "
            "half to fit on, a quarter to calibrate intervals on and a quarter to test on",
            field="bars",
            found=len(data.series),
            needed=f"at least {MINIMUM_SESSIONS} sessions",
        )


def _publish_one(fitted: FittedModel, trained: Trained, store: Store) -> Outcome:
    model = fitted.recipe.name
    asset = trained.data.target.asset
    track = trained.tracks[model]
    files = to_files(fitted, trained.data, track, trained.test_start)
    serving = _serving(store, asset, model)
    if serving and serving.sha256 == hashlib.sha256(files[SUMS]).hexdigest():
        return Outcome(model, serving.version, True, False, "unchanged")
    verdict = (
        judge(track, serving.track, trained.test_start)
        if serving
        else Verdict(True, "the first version in service")
    )
    try:
        version = store.publish(files)
    except ArtifactRefused as error:
        return Outcome(model, None, False, True, error.reason)
    if verdict.promote:
        store.promote(asset, model, version)
    return Outcome(model, version, verdict.promote, not verdict.promote, verdict.reason)


def _serving(store: Store, asset: str, model: str) -> LoadedModel | None:
    try:
        return store.load(asset, model)
    except RoughcastError:  # unknown, or refused: there is nothing to be compared with
        return None


def _name_champion(asset: str, trained: Trained, store: Store) -> str | None:
    """Point ``champion`` at the best model in service, if it is in the confidence set."""
    serving = [_serving(store, asset, model) for model in store.models(asset)]
    tracks = [loaded.track for loaded in serving if loaded]
    if not tracks:
        return None
    best = compare(tracks, start=trained.test_start).rows[0]
    if best.in_confidence_set:
        store.set_champion(asset, best.model)
    return store.champion(asset)
