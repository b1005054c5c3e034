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
from volatility.errors import (
    HistoryTooShort,
    MisalignedForecasts,
    RoughcastError,
    TooFewObservations,
)
from volatility.evaluation import Comparison, ForecastTrack, compare

MINIMUM_TARGETS = 50  # in each part; the gate too judges on no fewer

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
    TooFewObservations : enough sessions, but with so many missing between them that too few follow
        directly on the one before.
    """
    _check_length(data.target)
    _check_adjacency(data.target)
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
    return Trained(data, tuple(fitted), tracks, _quarters(data.target)[-1])


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


def _quarters(data: AssetData) -> tuple[np.datetime64, np.datetime64]:
    """First sessions of the third and of the fourth quarter, to calibrate and to test on."""
    dates = data.series.dates
    assert dates is not None, "training series carry dates"
    return dates[len(dates) // 2], dates[-(len(dates) // 4)]


def _check_length(data: AssetData) -> None:
    if len(data.series) < MINIMUM_SESSIONS:
        raise HistoryTooShort(
            f"{data.asset} has {len(data.series)} sessions; a retrain needs {MINIMUM_SESSIONS}, "
            "half to fit on, a quarter to calibrate intervals on and a quarter to test on",
            field="bars",
            found=len(data.series),
            needed=f"at least {MINIMUM_SESSIONS} sessions",
        )


def _check_adjacency(data: AssetData) -> None:
    targets = data.pairs(1).target_dates
    third, fourth = _quarters(data)
    parts = np.searchsorted(targets, [third, fourth])
    fewest = int(np.diff([0, *parts, len(targets)]).min())
    if fewest < MINIMUM_TARGETS:
        raise TooFewObservations(
            f"of {data.asset}'s {len(data.series)} sessions {len(targets)} follow directly on the "
            f"one before in the calendar {data.calendar_name}, in one part of them only {fewest}; "
            f"fitting, calibrating and testing need {MINIMUM_TARGETS} each",
            field="bars",
            found=fewest,
            needed=f"at least {MINIMUM_TARGETS} sessions without a gap before them in each part",
        )


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
