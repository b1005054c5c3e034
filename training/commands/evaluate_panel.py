"""``python -m training evaluate --panel``: the model for every asset, on assets it has not seen."""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.progress import Progress

from training.commands.arguments import PANEL_SOURCE
from training.commands.console import FitsProgress, echo
from training.commands.going_on import finished_units
from training.commands.preparation import check_alone, check_writable, config_of
from training.config import Config
from training.data.assets import AssetData, TrainingSet
from training.data.companions import CompanionFile, load_companions, with_companions
from training.data.panel import read_panel
from training.evaluation import folder
from training.evaluation.finished_units import FinishedUnits
from training.evaluation.panel.interval_table import (
    PanelIntervals,
    interval_table,
    panel_intervals,
)
from training.evaluation.panel.report import (
    kind_table,
    panel_forecasts,
    panel_report,
    scores_csv,
)
from training.evaluation.panel.scores import AssetScore, by_kind, score_assets
from training.evaluation.panel.walk_forward import (
    UNIVERSAL,
    UNIVERSAL_COMPANIONS,
    PanelJob,
    PanelWalkForward,
    TrackKey,
    panel_jobs,
    panel_tracks,
)
from training.evaluation.study import Study, StudyKey, applicable
from training.evaluation.walk_forward import count_fits, forecast_studies
from training.evaluation.workers import Pool, worker_pool
from training.models.pooled.market import looked_at, market_of
from training.models.recipe import Recipe
from training.models.registry import (
    COMBINATION,
    COMBINATION_COMPANIONS,
    MEMBERS,
    MEMBERS_COMPANIONS,
    MODELS,
    STAND_INS,
    pooled_fit,
    recipes,
)
from training.publishing.retrain import long_enough_for
from training.reports.page import page
from volatility.companions import INDICES
from volatility.errors import InvalidInput, TooFewObservations
from volatility.evaluation.combination import combine
from volatility.evaluation.tracks import ForecastTrack

OWN = ("ewma", "har", "hexp", "ridge")  # evaluated beside benchmarks where no models are named
_ACCOMPANIED = [it for it in MEMBERS_COMPANIONS if it in STAND_INS]  # where some are given
# Of each pooled model: the combination that it is a member of, and the names of all members.
_COMBINED = {
    UNIVERSAL: (COMBINATION, MEMBERS),
    UNIVERSAL_COMPANIONS: (
        COMBINATION_COMPANIONS,
        tuple(UNIVERSAL_COMPANIONS if it == UNIVERSAL else it for it in MEMBERS_COMPANIONS),
    ),
}


@dataclass(frozen=True)
class EvaluatedPanel:
    """A panel's forecasts, and how good they were.

    Attributes
    ----------
    assets : of the panel.
    plan : how it was cut.
    tracks : of every asset's own models, of the universal one and of their combination.
    scores : by asset, model and horizon.
    intervals : by model and horizon.
    left_out : what was not forecast, and why, a sentence each.
    """

    assets: Sequence[AssetData]
    plan: PanelWalkForward
    tracks: Mapping[TrackKey, ForecastTrack]
    scores: Sequence[AssetScore]
    intervals: Sequence[PanelIntervals]
    left_out: Sequence[str]


def run(options: argparse.Namespace, console: Console) -> int:
    """Evaluate a panel, print it and write it down; returns the exit status.

    Raises
    ------
    InvalidInput : a source that is not the panel, or see :func:`evaluate_panel`.
    """
    if options.source is not None:
        raise InvalidInput(
            f"--source {options.source} goes with single assets: models of a panel learn from no "
            "asset by name",
            field="source",
            found=options.source,
            needed=f"{PANEL_SOURCE}, which evaluates transfer from the panel, or no --source",
        )
    config = config_of(options)
    named = OWN if options.models == list(MODELS) else options.models
    folder.check_replaceable(options.out)
    check_writable(options.out.resolve().parent)
    horizons = sorted(set(options.horizons))
    echo(options, config, console, panel=options.panel, horizons=horizons, out=options.out)
    assets = read_panel(options.panel, datetime.now(UTC))
    with finished_units(options.out, console) as finished:
        found = evaluate_panel(assets, options, config, named, horizons, console, finished)
        folder.replace_folder(options.out, _files(found, options))
    console.print(f"wrote scores, forecasts and a report into {options.out}", markup=False)
    return 0


def _files(found: EvaluatedPanel, options: argparse.Namespace) -> dict[str, bytes]:
    report = panel_report(
        found.scores, found.intervals, found.plan, _command(options), found.left_out
    )
    return {
        folder.RESULTS_CSV: scores_csv(found.scores),
        folder.FORECASTS: panel_forecasts(found.tracks),
        folder.REPORT: report,
        folder.PAGE: page(report.decode()),
    }


def plan_of(options: argparse.Namespace) -> PanelWalkForward:
    """How the options cut a panel."""
    return PanelWalkForward(options.folds, options.months, tuple(sorted(set(options.histories))))


def evaluate_panel(
    assets: Sequence[AssetData],
    options: argparse.Namespace,
    config: Config,
    named: Sequence[str],
    horizons: Sequence[int],
    console: Console,
    finished: FinishedUnits[Any],
) -> EvaluatedPanel:
    """Forecast and score a panel, and print a table a horizon.

    Parameters
    ----------
    assets : of the panel.
    options : ``panel``, ``folds``, ``months``, ``histories``, ``companion`` and ``jobs``.
    config : of all models.
    named : models of each asset's own, evaluated beside the benchmarks.
    horizons : sessions ahead.
    console : to print on.
    finished : fits of an earlier run that was stopped.

    Raises
    ------
    TooFewObservations : a horizon at which no history can be evaluated.
    """
    further = replace(config, horizons=tuple(sorted({*config.horizons, *horizons})))
    fit, plan = pooled_fit(), plan_of(options)
    named_files = [CompanionFile.of(it) for it in options.companion]
    companions = load_companions(named_files, datetime.now(UTC))
    own = recipes([*named, *(_ACCOMPANIED if companions else ())], config)
    check_alone(own)
    console.print(f"{len(assets)} assets in {options.panel}", markup=False)
    kept, left_out = _long_enough(assets, horizons)
    index = next((it for it in companions if it.asset in INDICES), None)
    market = market_of(assets, index) if companions else None
    jobs = panel_jobs(assets, plan, further, market, {key.asset for key in kept})
    left_out = [*left_out, *_without_fit(kept, jobs)]
    for told in left_out:
        console.print(f"left out: {told}", markup=False)
    accompanied = [with_companions(it, looked_at(it, companions)) for it in assets]
    parallel = worker_pool(options.jobs, finished)
    tracks = _own_tracks(accompanied, own, kept, config, parallel, console)
    with Progress(console=console) as progress:
        task = progress.add_task("fits of the universal model", total=len(jobs))
        pooled = panel_tracks(jobs, fit, parallel, lambda: progress.advance(task))
    tracks |= {key: it for key, it in pooled.items() if StudyKey(key.asset, key.horizon) in kept}
    tracks |= _combinations(tracks)
    scores, intervals = score_assets(assets, tracks), panel_intervals(tracks)
    for horizon in horizons:
        table = kind_table([it for it in by_kind(scores) if it.horizon == horizon])
        held = interval_table([it for it in intervals if it.horizon == horizon])
        console.print("\n".join([f"\n{horizon} ahead", *table, "", *held]), markup=False)
    return EvaluatedPanel(assets, plan, tracks, scores, intervals, left_out)


def _long_enough(
    assets: Sequence[AssetData], horizons: Sequence[int]
) -> tuple[Sequence[StudyKey], Sequence[str]]:
    """What can be evaluated, and in words what cannot, with the reason: before anything is fitted.

    Raises
    ------
    TooFewObservations : a horizon at which nothing can.
    """
    kept, left_out = [], []
    for asset in assets:
        enough, too_long = long_enough_for(TrainingSet(asset, {}, seed=0), horizons)
        kept += [StudyKey(asset.asset, horizon) for horizon in enough]
        left_out += [f"{asset.asset}, {horizon} ahead: {why}" for horizon, why in too_long.items()]
    empty = sorted(set(horizons) - {key.horizon for key in kept})
    if empty:
        raise TooFewObservations(
            f"no asset of the panel can be evaluated {empty[0]} ahead; {'; '.join(left_out)}",
            field="panel",
            found=left_out,
            needed="for every horizon an asset whose history is long enough",
        )
    return kept, left_out


def _without_fit(kept: Sequence[StudyKey], jobs: Sequence[PanelJob]) -> list[str]:
    """Assets that the universal model does not forecast, in words."""
    judged = {asset.asset for job in jobs for asset in job.judged}
    return [
        f"{asset}: no fit of the universal model, since assets of other folds have no target at "
        "every horizon before its last half ends"
        for asset in sorted({key.asset for key in kept} - judged)
    ]


def _own_tracks(
    assets: Sequence[AssetData],
    own: Sequence[Recipe],
    kept: Sequence[StudyKey],
    config: Config,
    parallel: Pool,
    console: Console,
) -> dict[TrackKey, ForecastTrack]:
    """Walk-forward forecasts of the assets' own models."""
    by_name = {asset.asset: asset for asset in assets}
    studies = [
        Study(
            TrainingSet(by_name[name], {}, config.seed, horizon),
            applicable(own, by_name[name], (horizon,)),
        )
        for name, horizon in kept
    ]
    with FitsProgress(console, count_fits(studies)) as progress:
        forecasts = forecast_studies(studies, parallel, progress.advance)
    return {
        TrackKey(study.key.asset, model, study.key.horizon): track
        for study, by_model in zip(studies, forecasts, strict=True)
        for model, track in by_model.items()
    }


def _combinations(tracks: Mapping[TrackKey, ForecastTrack]) -> dict[TrackKey, ForecastTrack]:
    """The universal model with the asset's own, where all are there; with companions likewise.

    An asset that no companion was given to has its own models without them in the latter.
    """
    combined = {}
    for key in tracks:
        if key.model not in _COMBINED:
            continue
        name, names = _COMBINED[key.model]
        members = [
            tracks.get(key._replace(model=it)) or tracks.get(key._replace(model=without))
            for it, without in zip(names, MEMBERS, strict=True)
        ]
        there = [track for track in members if track]
        if len(there) == len(members):
            combined[key._replace(model=name)] = combine(name, there)
    return combined


def _command(options: argparse.Namespace) -> str:
    """The command that makes the same results from the same data and code."""
    words = ["python", "-m", "training", "evaluate", "--panel", str(options.panel)]
    words += ["--folds", str(options.folds), "--months", str(options.months)]
    words += ["--histories", *map(str, sorted(set(options.histories)))]
    words += ["--horizons", *map(str, sorted(set(options.horizons)))]
    for companion in options.companion:
        words += ["--companion", companion]
    if options.models != list(MODELS):
        words += ["--models", *options.models]
    for option in ("config", "seed"):
        if getattr(options, option) is not None:
            words += [f"--{option}", str(getattr(options, option))]
    return shlex.join(words)
