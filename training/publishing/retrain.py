"""Retrain: evaluate every model walk-forward, fit it on everything, publish and promote.

Nothing is written before all fits of an asset have succeeded. Publishing and promoting are atomic
(see :mod:`models_store.store`), so a retrain killed at any moment leaves a store that serves the
previous versions.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import joblib  # type: ignore[import-untyped]
import numpy as np

from models_store.artifact import SUMS
from models_store.errors import ArtifactRefused
from models_store.runtime import LoadedModel
from models_store.store import Store
from training.data.assets import AssetData, TrainingSet
from training.evaluation.study import Study, check_history, parts_of
from training.evaluation.walk_forward import (
    BlockForecasts,
    count_fits,
    only_needed,
    together,
    tracks_of,
    walk_forward,
)
from training.evaluation.workers import worker_pool
from training.models.recipe import Recipe
from training.publishing.artifacts import FittedModel, fit_and_export, to_files
from training.publishing.gate import Verdict, judge
from volatility.errors import MisalignedForecasts, RoughcastError, TooFewObservations
from volatility.evaluation.compare import Comparison, compare
from volatility.evaluation.tracks import ForecastTrack

Progress = Callable[[Recipe], None]  # called with the recipe of every fit that ends


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
    not_compared: str | None = (
        None  # why the models in service could not be, and the champion stays
    )

    @property
    def refused(self) -> bool:
        """Whether the gate or the store refused a model, or the champion could not be judged."""
        return self.not_compared is not None or any(outcome.refused for outcome in self.outcomes)


@dataclass(frozen=True)
class Trained:
    """One asset's models, fitted and evaluated but not yet published."""

    data: TrainingSet
    fitted: tuple[FittedModel, ...]
    tracks: dict[str, ForecastTrack]  # by model
    test_start: np.datetime64


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
    TooFewObservations : enough sessions, but with so many missing between them that too few follow
        directly on the one before.
    """
    check_history(data)
    study = Study(data, tuple(recipes))
    parallel = worker_pool(jobs)
    report = progress or (lambda _recipe: None)
    forecasts: list[BlockForecasts] = []
    for part in walk_forward([study], parallel):
        forecasts.append(part)
        report(part.recipe)
    fitted: dict[str, FittedModel] = {}
    groups = together(recipes)
    for models in parallel(joblib.delayed(_fit_all)(g, only_needed(data, g)) for g in groups):
        for model in models:
            fitted[model.recipe.name] = model
            report(model.recipe)
    in_order = tuple(fitted[recipe.name] for recipe in recipes)
    return Trained(data, in_order, tracks_of(study, forecasts), parts_of(data.target).test)


def count_all_fits(study: Study) -> Counter[int]:
    """How many fits :func:`train` reports, by the recipe's ``refit_every``."""
    final = Counter(recipe.refit_every for recipe in study.recipes)
    return count_fits([study]) + final


def publish(trained: Trained, store: Store) -> AssetResult:
    """Publish every model, promote those that pass the gate, and name the champion.

    Where the models in service cannot be compared (some are of other data or another measure than
    those trained now), the champion stays as it was.
    """
    asset = trained.data.target.asset
    comparison = compare(list(trained.tracks.values()), start=trained.test_start)
    outcomes = tuple(_publish_one(model, trained, store) for model in trained.fitted)
    not_compared = None
    try:
        _name_champion(asset, trained, store)
    except (MisalignedForecasts, TooFewObservations) as error:
        not_compared = str(error)
    return AssetResult(
        data=trained.data.target,
        comparison=comparison,
        outcomes=outcomes,
        champion=store.champion(asset),
        not_compared=not_compared,
    )


def _fit_all(recipes: Sequence[Recipe], data: TrainingSet) -> list[FittedModel]:
    return [fit_and_export(recipe, data) for recipe in recipes]


def _publish_one(fitted: FittedModel, trained: Trained, store: Store) -> Outcome:
    model = fitted.recipe.name
    asset = trained.data.target.asset
    track = trained.tracks[model]
    files = to_files(fitted, trained.data, track, trained.test_start)
    serving = _serving(store, asset, model)
    digest = hashlib.sha256(files[SUMS]).hexdigest()
    if serving and serving.sha256 == digest:
        return Outcome(model, serving.version, True, False, "unchanged")
    verdict = _judge(track, serving, trained)
    try:
        # There already, if it was held back before, or the retrain that published it was killed.
        version = store.find(asset, model, digest) or store.publish(files)
    except ArtifactRefused as error:
        return Outcome(model, None, False, True, error.reason)
    if verdict.promote:
        store.promote(asset, model, version)
    return Outcome(model, version, verdict.promote, not verdict.promote, verdict.reason)


def _judge(track: ForecastTrack, serving: LoadedModel | None, trained: Trained) -> Verdict:
    if serving is None:
        return Verdict(True, "the first version in service")
    measure, before = trained.data.target.series.measure, serving.manifest.measure
    if measure != before:
        return Verdict(True, f"the first version of {measure}; the one before forecasts {before}")
    return judge(track, serving.track, trained.test_start)


def _serving(store: Store, asset: str, model: str) -> LoadedModel | None:
    try:
        return store.load(asset, model)
    except RoughcastError:  # unknown, or refused: there is nothing to be compared with
        return None


def _name_champion(asset: str, trained: Trained, store: Store) -> None:
    """Point ``champion`` at the best model in service, if it is in the confidence set."""
    serving = [_serving(store, asset, model) for model in store.models(asset)]
    tracks = [loaded.track for loaded in serving if loaded]
    if not tracks:
        return
    best = compare(tracks, start=trained.test_start, baseline=tracks[0].model).rows[0]
    if best.in_confidence_set:
        store.set_champion(asset, best.model)
