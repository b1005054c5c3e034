"""Retrain: evaluate every model walk-forward, fit it on everything, publish and promote.

Nothing is written before all fits of an asset have succeeded. Publishing and promoting are atomic
(see :mod:`models_store.store`), so a retrain killed at any moment leaves a store that serves the
previous versions.

Benchmarks are evaluated beside whatever is asked for. One that was not asked for is published only
where comparisons and the champion need it: in a store in which no version of it serves, or in which
the models in service cannot be compared.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import joblib  # type: ignore[import-untyped]

from models_store.artifact import MANIFEST
from models_store.comparison import JUDGED
from models_store.errors import ArtifactRefused
from models_store.evidence import Evidence
from models_store.manifest import Manifest, Margin
from models_store.runtime import LoadedModel
from models_store.signatures import SUMS
from models_store.store import Store
from models_store.stored_comparisons import Judged, record
from training.data.assets import AssetData, TrainingSet
from training.evaluation.finished_units import FinishedUnits
from training.evaluation.study import SampleParts, Study, check_history, parts_of
from training.evaluation.walk_forward import (
    FitDone,
    count_fits,
    forecast_studies,
    only_needed,
    together,
)
from training.evaluation.workers import worker_pool
from training.models.recipe import Recipe
from training.publishing.artifacts import FittedModel, fit_and_export, to_files
from training.publishing.champion import name_champion, serving
from training.publishing.gate import Judgement, forecasts_the_same, judge
from volatility.errors import HistoryTooShort, MisalignedForecasts, TooFewObservations
from volatility.evaluation.compare import Comparison, compare
from volatility.evaluation.tracks import ForecastTrack

UNCHANGED = "unchanged"  # note of a model that forecasts what the version in service does
_WRITERS = 16  # artifacts on their way to the disk at once: it flushes many in the time of one


@dataclass(frozen=True)
class Outcome:
    """What became of one model.

    Attributes
    ----------
    model : its name.
    version : the one published now, found in the store, or in service with the same forecasts;
        None where the store refused it, or the model was only evaluated beside others.
    serves : whether that version is in service; None where the model was only evaluated.
    refused : whether the gate, the store or the timing of its forecasts kept a new version from
        service.
    note : why.
    evidence : what the version says of itself, and how it did, if it was made now.
    """

    model: str
    version: int | None
    serves: bool | None
    refused: bool
    note: str
    evidence: Evidence | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class RetrainedAsset:
    """What a retrain of one asset did.

    Attributes
    ----------
    data : of the asset.
    comparison : of the models trained now, on the test part; it says which were left out since
        their forecasts stand by the wrong dates, and these are not published.
    outcomes : of each of them.
    champion : what ``auto`` means now.
    not_compared : why the models in service could not be compared, so that the champion stays;
        None where they were.
    """

    data: AssetData
    comparison: Comparison
    outcomes: tuple[Outcome, ...]
    champion: str | None
    not_compared: str | None = None

    @property
    def refused(self) -> bool:
        """Whether the gate or the store refused a model, or the champion could not be judged."""
        return self.not_compared is not None or any(outcome.refused for outcome in self.outcomes)


@dataclass(frozen=True)
class TrainedModels:
    """One asset's models, fitted and evaluated but not yet published.

    Attributes
    ----------
    data : of the asset, at the horizon that models are judged by.
    fitted : the models.
    tracks : by model, its forecasts at that horizon.
    further : by horizon and model, its forecasts at the others.
    parts : of the sample.
    """

    data: TrainingSet
    fitted: tuple[FittedModel, ...]
    tracks: dict[str, ForecastTrack]
    further: Mapping[int, Mapping[str, ForecastTrack]]
    parts: SampleParts

    def tracks_of(self, fitted: FittedModel) -> dict[int, ForecastTrack]:
        """Forecasts of one model by horizon."""
        name = fitted.recipe.name
        by_horizon = {self.data.horizon: self.tracks, **self.further}
        return {horizon: by_horizon[horizon][name] for horizon in fitted.fits}


def train(
    recipes: Sequence[Recipe],
    data: TrainingSet,
    jobs: int = -1,
    fit_done: FitDone = lambda _: None,
    further: Sequence[int] = (),
    finished: FinishedUnits[Any] | None = None,
) -> TrainedModels:
    """Evaluate and fit every recipe on ``data``; writes nothing.

    Parameters
    ----------
    recipes : models to train.
    data : the target and the sources, at the horizon that models are judged by.
    jobs : processes; -1 is one a core.
    fit_done : told of every fit that ends.
    further : horizons that artifacts hold besides.
    finished : fits of an earlier run that was stopped; see
        :func:`training.evaluation.workers.worker_pool`.

    Raises
    ------
    HistoryTooShort : fewer sessions than fitting, calibrating and testing need.
    TooFewObservations : enough sessions, but with so many missing between them that too few follow
        directly on the one before.
    """
    check_history(data)
    parallel = worker_pool(jobs, finished)
    judged = Study(data, tuple(recipes))
    studies = studies_at(judged, further)
    tracks, *others = forecast_studies([judged, *studies.values()], parallel, fit_done)
    fitted: dict[str, FittedModel] = {}
    groups = together(recipes)
    for models in parallel(
        joblib.delayed(_fit_all)(group, only_needed(data, group), further) for group in groups
    ):
        for model in models:
            fitted[model.recipe.name] = model
            fit_done(model.recipe)
    in_order = tuple(fitted[recipe.name] for recipe in recipes)
    by_horizon = dict(zip(studies, others, strict=True))
    return TrainedModels(data, in_order, tracks, by_horizon, parts_of(data))


def long_enough_for(
    data: TrainingSet, horizons: Sequence[int]
) -> tuple[tuple[int, ...], Mapping[int, str]]:
    """The horizons that a history can be fitted and tested at, and why it cannot at the others."""
    too_long = {}
    for horizon in horizons:
        try:
            check_history(replace(data, horizon=horizon))
        except (HistoryTooShort, TooFewObservations) as error:
            too_long[horizon] = str(error)
    return tuple(it for it in horizons if it not in too_long), too_long


def studies_at(judged: Study, further: Sequence[int]) -> dict[int, Study]:
    """The same target and models at further horizons."""
    return {
        horizon: replace(judged, data=replace(judged.data, horizon=horizon)) for horizon in further
    }


def count_all_fits(study: Study, further: Sequence[int] = ()) -> Counter[int]:
    """How many fits :func:`train` reports, by the recipe's ``refit_every``."""
    final = Counter(recipe.refit_every for recipe in study.recipes)
    return count_fits([study, *studies_at(study, further).values()]) + final


def publish(trained: TrainedModels, store: Store, asked: Collection[str]) -> RetrainedAsset:
    """Publish what was asked for, promote what passes the gate, and name the champion.

    Parameters
    ----------
    trained : all models of the asset that were trained now.
    store : where to.
    asked : names of the models to publish. Others are published only where none of their versions
        serves, or the models in service cannot be compared as they are. Nothing is published that
        forecasts what the version in service does.

    Returns
    -------
    What was done. Where the models in service cannot be compared even with all that were trained
    now (some are of other data or another measure), the champion stays as it was.
    """
    in_order = [trained.tracks[model] for model in sorted(trained.tracks)]
    comparison = compare(in_order, start=trained.parts.test)
    sound = [it for it in trained.fitted if it.recipe.name not in comparison.left_out]
    outcomes = {
        model: Outcome(model, None, False, True, reason)
        for model, reason in comparison.left_out.items()
    }
    outcomes |= _publish_each(sound, trained, store, comparison, asked)
    not_compared = _try_to_name_champion(trained, store, outcomes)
    beside = [model for model in sound if outcomes[model.recipe.name].serves is None]
    if not_compared and beside:
        outcomes |= _publish_each(beside, trained, store, comparison)
        not_compared = _try_to_name_champion(trained, store, outcomes)
    record(store, trained.data.target.asset, _judged(comparison, trained, outcomes))
    return RetrainedAsset(
        data=trained.data.target,
        comparison=comparison,
        outcomes=tuple(outcomes.values()),
        champion=store.champion(trained.data.target.asset),
        not_compared=not_compared,
    )


def _judged(
    comparison: Comparison, trained: TrainedModels, outcomes: Mapping[str, Outcome]
) -> Judged:
    """What was made now, and its comparison, if all of it and nothing else may serve."""
    made = {model: it.evidence for model, it in outcomes.items() if it.evidence}
    is_whole = not comparison.left_out and len(made) == len(outcomes)
    return Judged(made, comparison if is_whole and trained.data.horizon == JUDGED else None)


def _fit_all(
    recipes: Sequence[Recipe], data: TrainingSet, further: Sequence[int]
) -> list[FittedModel]:
    return [fit_and_export(recipe, data, further) for recipe in recipes]


def _try_to_name_champion(
    trained: TrainedModels, store: Store, outcomes: Mapping[str, Outcome]
) -> str | None:
    """Name the champion; returns why the models in service cannot be compared, if they cannot."""
    new = {
        model: trained.tracks[model]
        for model, outcome in outcomes.items()
        if outcome.serves and outcome.note != UNCHANGED
    }
    try:
        name_champion(trained.data.target.asset, trained.parts, store, new)
    except (MisalignedForecasts, TooFewObservations) as error:
        return str(error)
    return None


def _publish_each(
    models: Sequence[FittedModel],
    trained: TrainedModels,
    store: Store,
    comparison: Comparison,
    asked: Collection[str] | None = None,
) -> dict[str, Outcome]:
    """Publish models, or those of them that were asked for or have no version in service.

    Files are made one after the other, and written, flushed, opened and replayed side by side.
    """
    pending: dict[str, Future[Outcome]] = {}
    outcomes: dict[str, Outcome] = {}
    with ThreadPoolExecutor(_WRITERS) as writers:
        for fitted in models:
            model = fitted.recipe.name
            current = serving(store, trained.data.target.asset, model)
            if current and asked is not None and model not in asked:
                note = f"evaluated beside; version {current.version} stays"
                outcomes[model] = Outcome(model, None, None, False, note)
                continue
            files = _files(fitted, trained, comparison)
            pending[model] = writers.submit(_publish_one, fitted, files, trained, store, current)
    outcomes |= {model: done.result() for model, done in pending.items()}
    return {fitted.recipe.name: outcomes[fitted.recipe.name] for fitted in models}


def _files(
    fitted: FittedModel, trained: TrainedModels, comparison: Comparison
) -> Mapping[str, bytes]:
    margins = _margins(fitted.recipe.name, comparison)
    return to_files(fitted, trained.data, trained.tracks_of(fitted), trained.parts, margins)


def _publish_one(
    fitted: FittedModel,
    files: Mapping[str, bytes],
    trained: TrainedModels,
    store: Store,
    current: LoadedModel | None,
) -> Outcome:
    """Publish a model's files unless ``current``, which serves, forecasts the same."""
    asset, model = trained.data.target.asset, fitted.recipe.name
    if current and forecasts_the_same(files, current, store):
        return Outcome(model, current.version, True, False, UNCHANGED)
    judgement = _judge(trained.tracks[model], current, trained)
    try:
        # There already, if it was held back before, or the retrain that published it was killed.
        digest = hashlib.sha256(files[SUMS]).hexdigest()
        version = store.find(asset, model, digest)
        if version is None:
            version = store.publish(files, promote=judgement.promote)
        elif judgement.promote:
            store.promote(asset, model, version)
    except ArtifactRefused as error:
        return Outcome(model, None, False, True, error.reason)
    manifest = Manifest.model_validate_json(files[MANIFEST])
    evidence = Evidence(manifest, version, digest, trained.tracks_of(fitted))
    serves, reason = judgement.promote, judgement.reason
    return Outcome(model, version, serves, not serves, reason, evidence)


def _margins(model: str, comparison: Comparison) -> dict[str, Margin]:
    """How far a model is from each benchmark on the test part."""
    rows = {row.model: row for row in comparison.rows}
    own = rows[model]
    return {
        benchmark: Margin(
            qlike_ratio=own.qlike_loss / rows[benchmark].qlike_loss, dm_pvalue=test.pvalue
        )
        for benchmark, test in own.diebold_mariano.items()
        if rows[benchmark].qlike_loss > 0
    }


def _judge(track: ForecastTrack, current: LoadedModel | None, trained: TrainedModels) -> Judgement:
    if current is None:
        return Judgement(True, "the first version in service")
    measure, before = trained.data.target.series.measure, current.manifest.measure
    if measure != before:
        return Judgement(True, f"the first version of {measure}; the one before forecasts {before}")
    return judge(trained.parts.of_selection(track), current.track)
