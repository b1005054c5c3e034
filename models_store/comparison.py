"""How the models of one asset compare at one horizon, and which are left out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from models_store.evidence import Evidence
from models_store.place import Refusal
from volatility.arrays import DateArray
from volatility.errors import MisalignedForecasts, RoughcastError, UnsupportedHorizon
from volatility.evaluation.compare import (
    Comparison,
    ComparisonRow,
    QlikeLosses,
    compare,
    qlike_of,
)
from volatility.series import DatedSeries

JUDGED = 1  # the horizon by which models are judged, and compared after the start
# What the others are measured against: HAR, or the next plainest where it is not in service.
_BASELINES = ("har", "log_har", "last_value")
NOTHING_KNOWN: Mapping[int, Comparison] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Excluded:
    """A model that a comparison leaves out."""

    model: str
    version: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class AssetComparison:
    """The models of one asset on the same dates, or why they cannot be compared."""

    measure: str
    protocol: str
    result: Comparison | RoughcastError
    misaligned: tuple[Excluded, ...]  # models whose forecasts stand by the wrong dates
    others: tuple[Excluded, ...]
    versions: Mapping[str, int]  # by model
    refit_every: Mapping[str, int]  # sessions between two fits, of those that forecast the horizon

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Every model that is left out."""
        return (*self.misaligned, *self.others)

    def row(self, model: str) -> ComparisonRow | None:
        """The row of one model, if it was compared."""
        if isinstance(self.result, RoughcastError):
            return None
        return next((row for row in self.result.rows if row.model == model), None)


@dataclass(frozen=True, slots=True)
class Compared:
    """How the models of one asset compare at some horizons.

    Parameters
    ----------
    horizons : sessions ahead that some model forecasts, sorted.
    kind : what the models take their asset for, where one of them depends on that.
    comparisons : by horizon; none where there are no models.
    """

    horizons: tuple[int, ...]
    kind: str | None
    comparisons: Mapping[int, AssetComparison]


def compare_at(
    models: Mapping[str, Evidence],
    champion_name: str | None,
    refused: Iterable[Refusal],
    horizons: Iterable[int],
    known: Mapping[int, Comparison] = NOTHING_KNOWN,
) -> Compared:
    """Compare the models of an asset at each of some horizons.

    Parameters
    ----------
    models, champion_name, refused : as in :func:`compare_models`; there may be no models.
    horizons : sessions ahead.
    known : by horizon, comparisons of these very models that need not be made again.
    """
    asked = horizons if models else ()
    comparisons = {
        it: compare_models(models, champion_name, refused, it, known.get(it)) for it in asked
    }
    manifests = [it.manifest for it in models.values()]
    there = sorted({horizon for manifest in manifests for horizon in manifest.horizons})
    kinds = (manifest.predictor.kind_of_asset() for manifest in manifests)
    return Compared(tuple(there), next((it for it in kinds if it), None), comparisons)


def compare_models(
    models: Mapping[str, Evidence],
    champion_name: str | None,
    refused: Iterable[Refusal],
    horizon: int,
    known: Comparison | None = None,
) -> AssetComparison:
    """Compare what can be compared of the models of an asset, at least one.

    Parameters
    ----------
    models : those in service, by name.
    champion_name : the model whose measure is compared, if it is among them.
    refused : what was refused of the asset.
    horizon : sessions ahead.
    known : how all of them compare, if that is known; none of them was left out.
    """
    champion = models.get(champion_name or "") or next(iter(models.values()))
    measure = champion.manifest.measure
    same = {name: it for name, it in models.items() if it.manifest.measure == measure}
    able = {name: it for name, it in same.items() if horizon in it.tracks}
    is_known = known is not None and {row.model for row in known.rows} == set(able)
    result, misaligned = (known, ()) if is_known and known else _result(able, horizon)
    return AssetComparison(
        measure=measure,
        protocol=champion.manifest.evaluation.protocol,
        result=result,
        misaligned=misaligned,
        others=(
            *(_of_other_measure(it) for it in models.values() if it.manifest.measure != measure),
            *(_unable(it, horizon) for name, it in same.items() if name not in able),
            *map(excluded_as_refused, refused),
        ),
        versions={name: it.version for name, it in models.items()},
        refit_every={
            name: it.manifest.at(horizon).evaluation.refit_every for name, it in able.items()
        },
    )


def losses_of(models: Mapping[str, Evidence], compared: Comparison) -> QlikeLosses:
    """The losses, date by date, that a comparison was made of.

    Parameters
    ----------
    models : those in service, by name.
    compared : some of them, or all.
    """
    horizon, baseline = compared.horizon, compared.baseline
    tracks = [models[row.model].tracks[horizon] for row in compared.rows]
    return qlike_of(tracks, compared.span[0], baseline, _daily(models[baseline], horizon))


def _result(
    models: Mapping[str, Evidence], horizon: int
) -> tuple[Comparison | RoughcastError, tuple[Excluded, ...]]:
    """Compare; where one model contradicts the others or the dates, leave it out and say so."""
    tracks = [model.tracks[horizon] for model in models.values()]
    try:
        baseline = _baseline(models)
        start, daily = _start(models.values(), horizon), _daily(models[baseline], horizon)
        compared = compare(tracks, start, baseline, daily=daily)
    except MisalignedForecasts as error:
        culprit = error.field
        if culprit is None or culprit not in models or len(models) == 1:
            return error, ()
        shifted = Excluded(culprit, models[culprit].version, f"misaligned: {error}")
        others = {name: it for name, it in models.items() if name != culprit}
        result, more = _result(others, horizon)
        return result, (shifted, *more)
    except RoughcastError as error:
        return error, ()
    return compared, tuple(
        Excluded(model, models[model].version, f"misaligned: {reason}")
        for model, reason in compared.left_out.items()
    )


def _baseline(models: Collection[str]) -> str:
    if not models:
        raise UnsupportedHorizon("no model forecasts so many sessions ahead", field="horizon")
    return next(name for name in (*_BASELINES, *sorted(models)) if name in models)


def _start(models: Iterable[Evidence], horizon: int) -> np.datetime64:
    """First target date of the test part of every model: the latest of their own."""
    known = [it.manifest.at(horizon).evaluation.test_start for it in models]
    starts: DateArray = np.array(known, "M8[D]")
    return np.datetime64(starts.max(), "D")


def _daily(model: Evidence, horizon: int) -> DatedSeries | None:
    """Single sessions, by which forecasts of overlapping spans are dated; None at horizon 1."""
    track = model.tracks.get(JUDGED)
    if horizon == JUDGED or track is None:
        return None
    return DatedSeries(track.rv, model.manifest.measure, track.target_dates)


def _unable(model: Evidence, horizon: int) -> Excluded:
    manifest = model.manifest
    reason = f"forecasts {list(manifest.horizons)} sessions ahead, not {horizon}"
    return Excluded(manifest.model, model.version, reason)


def _of_other_measure(model: Evidence) -> Excluded:
    manifest = model.manifest
    return Excluded(manifest.model, model.version, f"fitted on another measure: {manifest.measure}")


def excluded_as_refused(refusal: Refusal) -> Excluded:
    """What a comparison says of a model that was refused."""
    return Excluded(refusal.model, refusal.version, f"refused: {refusal.reason}")


def ratio_to(benchmark: str, row: ComparisonRow, result: Comparison) -> tuple[float, float] | None:
    """QLIKE over a benchmark's, and the p-value of equal QLIKE."""
    test = row.diebold_mariano.get(benchmark)
    losses = {it.model: it.qlike_loss for it in result.rows}
    if test is None or not losses.get(benchmark):
        return None
    return row.qlike_loss / losses[benchmark], test.pvalue
