"""Transfer from a panel to each of its assets, by how many sessions are known of the asset.

The source of an asset is a model that was fitted on the assets of the other folds, up to a date
before the asset's cut-off: sessions of one date end hours apart. Of the asset's own sessions the
newest N before the cut-off are known; the sessions after it judge, one session ahead. What is not
estimated is chosen with the cut-off at the half of the asset's sessions, on the third quarter, and
judged with the cut-off at three quarters, on the last.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import joblib  # type: ignore[import-untyped]
import numpy as np

from training.config import Config
from training.data.assets import AssetData, TrainingSet
from training.evaluation.panel.walk_forward import folds_of
from training.evaluation.run import SELECTION
from training.evaluation.study import MINIMUM_TARGETS, parts_of
from training.evaluation.walk_forward import forecast_rv
from training.evaluation.workers import Pool
from training.models.pooled.rows import fit_is_possible
from training.models.pooled.transfer import (
    SCRATCH,
    UNIVERSAL,
    UNSCALED,
    Methods,
    Setting,
    Variant,
    adapted_forecasts,
)
from training.models.pooled.zero_shot import FitPooled, Pooled
from training.models.recipe import Recipe, seen_in
from volatility.arrays import FloatArray
from volatility.evaluation.tracks import ForecastTrack
from volatility.scale_free import MINIMUM

LOG_HAR = "log_har"
EVERYTHING = 0  # sessions known: all before the cut-off


@dataclass(frozen=True)
class TransferPlan:
    """How transfer from a panel is tried.

    Attributes
    ----------
    folds : that the panel's assets fall into.
    months : before an asset's cut-off that its source may have been fitted.
    targets : assets of each kind, the first of the panel that are long enough, that are forecast;
        None for all.
    lengths : numbers of sessions known of an asset; all of them are tried besides.
    judged : sessions after the cut-off that judge, at most.
    choosing : assets of each kind, the first likewise, whose third quarter chooses settings.
    epochs : of fine-tuning, to choose from.
    scratch : settings of a network from scratch, to choose from.
    """

    folds: int
    months: int
    targets: int | None = None
    lengths: tuple[int, ...] = (60, 125, 250, 500, 1_000)
    judged: int = 500
    choosing: int = 2
    epochs: tuple[int, ...] = (1, 4, 16)
    scratch: tuple[Setting, ...] = tuple(
        Setting(epochs, ridge) for epochs in (1, 10) for ridge in (0.1, 1.0, 10.0, 100.0, 1_000.0)
    )


@dataclass(frozen=True)
class Span:
    """An asset, what a fit may see of it, and what judges.

    Attributes
    ----------
    asset : with nothing after the sessions that judge.
    cut_off : the last session before them.
    """

    asset: AssetData
    cut_off: np.datetime64

    def lengths(self, plan: TransferPlan) -> tuple[int, ...]:
        """Those of a plan that the asset has before its cut-off; everything last."""
        held = int(np.searchsorted(self.asset.series.dates, self.cut_off, side="right"))
        return (*(it for it in plan.lengths if it < held), EVERYTHING)

    def knowing(self, sessions: int) -> AssetData:
        """The asset as if it had begun so many sessions before the end of the cut-off's."""
        if sessions == EVERYTHING:
            return self.asset
        dates = self.asset.series.dates
        first = int(np.searchsorted(dates, self.cut_off, side="right")) - sessions
        return replace(self.asset, series=self.asset.series.part(slice(first, None)))


class TransferKey(NamedTuple):
    """Whose forecasts, by which model and of how much that was known."""

    asset: str
    variant: Variant
    sessions: int


@dataclass(frozen=True)
class SourceJob:
    """A fit on some folds, and the spans of the assets of another that start from it."""

    known: tuple[AssetData, ...]
    cut_off: np.datetime64  # the last date that the fit may see, before that of every span
    spans: tuple[Span, ...]


Tracks = Mapping[TransferKey, ForecastTrack]
Chosen = Mapping[tuple[str, int], Sequence[Setting]]  # by model and sessions known


def shortages(assets: Sequence[AssetData], plan: TransferPlan, part: str) -> dict[str, str]:
    """Why assets are not forecast in a part of their samples, by name; see :func:`spans_of`."""
    told = {}
    for asset in assets:
        known, judged = _targets(asset, plan.judged, part)
        if min(known, judged) < MINIMUM_TARGETS:
            told[asset.asset] = (
                f"log-HAR has {known} targets before the {part} part of {asset.asset} and "
                f"{judged} in it; both need {MINIMUM_TARGETS}"
            )
    return told


def spans_of(assets: Sequence[AssetData], plan: TransferPlan, part: str) -> list[Span]:
    """Cut assets at the beginning of a part of their samples, without those that are too short.

    Parameters
    ----------
    assets : of the panel.
    plan : how many sessions judge, and how many assets choose.
    part : ``selection``, the third quarter, of the assets that choose; ``test``, the last of those
        that are forecast.
    """
    short = shortages(assets, plan, part)
    enough = [it for it in assets if it.asset not in short]
    kinds = sorted({it.kind for it in enough})
    by_kind = [[it for it in enough if it.kind == kind] for kind in kinds]
    count = plan.choosing if part == SELECTION else plan.targets
    return [_span(asset, plan.judged, part) for own in by_kind for asset in own[:count]]


def source_jobs(
    assets: Sequence[AssetData],
    spans: Sequence[Span],
    plan: TransferPlan,
    horizons: Sequence[int],
) -> list[SourceJob]:
    """Fits on other folds that serve the spans which begin within some months after them.

    The first is a day before the earliest cut-off of all, from which is forecast; what no fit so
    far serves, begins the next. A span before which other folds had no target at one of the
    horizons, for all of which a source is fitted, has none.
    """
    fold = folds_of(assets, plan.folds)
    jobs = []
    left = sorted(spans, key=lambda it: it.cut_off)
    while left:
        start = left[0].cut_off
        end = (start.astype("datetime64[M]") + plan.months).astype("datetime64[D]")
        served = [it for it in left if it.cut_off < end] or left[:1]
        left = left[len(served) :]
        last_seen = start - np.timedelta64(1, "D")
        for place in range(plan.folds):
            own = tuple(it for it in served if fold[it.asset.asset] == place)
            others = (it.until(last_seen) for it in assets if fold[it.asset] != place)
            known = tuple(it for it in others if len(it.series) > MINIMUM)
            if own and fit_is_possible(known, horizons):
                jobs.append(SourceJob(known, last_seen, own))
    return jobs


def fit_sources(
    jobs: Sequence[SourceJob], fit: FitPooled, config: Config, parallel: Pool
) -> Iterator[tuple[SourceJob, Pooled]]:
    """Fit each source, as they are done."""
    fits = (joblib.delayed(_fit_source)(place, job, fit, config) for place, job in enumerate(jobs))
    for place, pooled in parallel(fits):
        yield jobs[place], pooled


def transfer_tracks(
    spans: Sequence[tuple[Span, Pooled]],
    chosen: Chosen,
    plan: TransferPlan,
    methods: Methods,
    benchmark: Recipe,
    config: Config,
    parallel: Pool,
    asset_done: Callable[[], None] = lambda: None,
) -> dict[TransferKey, ForecastTrack]:
    """Forecast each span by every model, from each number of sessions known.

    Parameters
    ----------
    spans : with the source of each.
    chosen : settings of each model that learns from the target; several to choose from.
    plan : how transfer is tried.
    methods : fitting and fine-tuning.
    benchmark : log-HAR, fitted on what is known.
    config : rates, seed.
    parallel : where assets are forecast; must return a generator.
    asset_done : told of every asset.
    """
    tracks: dict[TransferKey, ForecastTrack] = {}
    jobs = (
        joblib.delayed(_forecast)(span, source, chosen, plan, methods, benchmark, config)
        for span, source in spans
    )
    for forecasts in parallel(jobs):
        asset_done()
        tracks |= forecasts
    return dict(sorted(tracks.items()))


def candidates(plan: TransferPlan, methods: Methods) -> Chosen:
    """Every setting to choose from, by model and sessions known."""
    tuned = tuple(Setting(epochs) for epochs in plan.epochs)
    return {
        (model, sessions): plan.scratch if model == SCRATCH else tuned
        for model in (*methods.tune, SCRATCH)
        for sessions in (*plan.lengths, EVERYTHING)
    }


def _targets(asset: AssetData, judged: int, part: str) -> tuple[int, int]:
    """How many log-HAR can be fitted on, and how many judge it."""
    if len(asset.series) <= MINIMUM:
        return 0, 0
    span, targets = _span(asset, judged, part), asset.pairs(MINIMUM).target_dates
    bounds = [span.cut_off, span.asset.series.dates[-1]]
    known, through = np.searchsorted(targets, bounds, side="right").tolist()
    return known, through - known


def _span(asset: AssetData, judged: int, part: str) -> Span:
    parts = parts_of(TrainingSet(asset, {}, seed=0))
    dates = asset.series.dates
    first, end = (
        (parts.selection, int(np.searchsorted(dates, parts.test)))
        if part == SELECTION
        else (parts.test, len(dates))
    )
    start = int(np.searchsorted(dates, first))
    end = min(end, start + judged)
    return Span(replace(asset, series=asset.series.part(slice(end))), dates[start - 1])


def _fit_source(place: int, job: SourceJob, fit: FitPooled, config: Config) -> tuple[int, Pooled]:
    return place, fit(job.known, config)


def _forecast(
    span: Span,
    source: Pooled,
    chosen: Chosen,
    plan: TransferPlan,
    methods: Methods,
    benchmark: Recipe,
    config: Config,
) -> dict[TransferKey, ForecastTrack]:
    tracks: dict[TransferKey, ForecastTrack] = {}
    chosen_for = {sessions for _, sessions in chosen}  # third quarters may have none so long
    for sessions in span.lengths(plan):
        if sessions not in chosen_for:
            continue
        asset = span.knowing(sessions)
        variants = [Variant(UNSCALED), Variant(UNIVERSAL)] + [
            Variant(model, setting)
            for (model, known), settings in chosen.items()
            for setting in settings
            if known == sessions
        ]
        logs = adapted_forecasts(source, asset, span.cut_off, variants, methods, config)
        for variant, track in _tracks(span, asset, logs, benchmark, config.seed).items():
            tracks[TransferKey(asset.asset, variant, sessions)] = track
    return tracks


def _tracks(
    span: Span,
    asset: AssetData,
    logs: Mapping[Variant, FloatArray],
    benchmark: Recipe,
    seed: int,
) -> dict[Variant, ForecastTrack]:
    """The models' and the benchmark's forecasts of what judges."""
    data = TrainingSet(asset, {}, seed)
    pairs = data.pairs(benchmark.lookback)
    ahead = pairs.where(pairs.target_dates > span.cut_off)
    known = data.until(span.cut_off)
    rows = np.searchsorted(asset.series.dates, ahead.as_of) - (MINIMUM - 1)
    forecasts = {variant: np.exp(values[rows]) for variant, values in logs.items()}
    fit = benchmark.fit(known)
    forecasts[Variant(LOG_HAR)] = forecast_rv(fit, ahead.windows, seen_in(known))
    return {
        variant: ForecastTrack(
            model=variant.model,
            as_of=ahead.as_of,
            target_dates=ahead.target_dates,
            forecast=forecast,
            rv=ahead.targets,
        )
        for variant, forecast in forecasts.items()
    }
