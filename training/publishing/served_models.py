"""The models of a store, on the part that judges them and on the part that chose `auto`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Self

import numpy as np

from models_store.runtime import LoadedModel
from models_store.store import Store
from training.evaluation.headings import against, most_influential_day, without_day
from training.evaluation.sentences import LABELS, better, superiority
from volatility.errors import InvalidInput
from volatility.evaluation.compare import BENCHMARKS, Comparison, ComparisonRow, compare
from volatility.evaluation.tracks import ForecastTrack

HARDEST = BENCHMARKS[-1]  # of the benchmarks


@dataclass(frozen=True)
class ServedModels:
    """The models of one asset that are in service, compared on their test part.

    Attributes
    ----------
    asset, measure : what is forecast.
    champion : what ``auto`` means; None where nothing is named.
    start : first target date of the test part.
    tracks : walk-forward forecasts of every model.
    comparison : on the test part.
    selection : on the part that chose the champion; None where some model does not tell it.
    pretrained : the models that have seen another asset too.
    """

    asset: str
    measure: str
    champion: str | None
    start: np.datetime64
    tracks: Sequence[ForecastTrack]
    comparison: Comparison
    selection: Comparison | None
    pretrained: Sequence[str]

    @classmethod
    def of(cls, store: Store, asset: str) -> Self:
        """Read and compare what serves of an asset.

        Raises
        ------
        InvalidInput : nothing serves.
        """
        names = [model for model in store.models(asset) if store.current(asset, model)]
        if not names:
            raise InvalidInput(f"no model of {asset} is in service in {store.root}", field="store")
        models = [store.load(asset, model) for model in names]
        start = np.datetime64(max(model.manifest.evaluation.test_start for model in models))
        tracks = [model.track for model in models]
        comparison = compare(tracks, start=start)
        return cls(
            asset=asset,
            measure=models[0].manifest.measure,
            champion=store.champion(asset),
            start=start,
            tracks=tracks,
            comparison=comparison,
            selection=_selection(models, start, comparison.left_out),
            pretrained=[model.manifest.model for model in models if model.manifest.sources],
        )

    @property
    def caption(self) -> str:
        """Asset, measure, first and last target date and their number, in Markdown."""
        first, last = self.comparison.span
        return f"**{self.asset}**, `{self.measure}`, {first} to {last}, n = {self.comparison.nobs}"

    @property
    def reference(self) -> str:
        """What others are told by: calendar-adjusted log-HAR, or HAR where it does not serve."""
        return HARDEST if self.row(HARDEST) else self.comparison.baseline

    @cached_property
    def benchmarks_first(self) -> Sequence[ComparisonRow]:
        """Every row: the benchmarks, then the others by QLIKE."""
        rows = self.comparison.rows
        benchmarks = [row for name in BENCHMARKS if (row := self.row(name))]
        return [*benchmarks, *(row for row in rows if row.model not in BENCHMARKS)]

    def row(self, model: str | None) -> ComparisonRow | None:
        """A model's row, if the asset has it."""
        return next((row for row in self.comparison.rows if row.model == model), None)

    def ratio(self, row: ComparisonRow) -> float:
        """QLIKE of a row over that of :attr:`reference`."""
        reference = self.row(self.reference)
        assert reference is not None, "the reference is one of the rows"
        return row.qlike_loss / reference.qlike_loss


def verdict(result: ServedModels) -> str:
    """What beats the hardest benchmark on the test part of an asset, in words."""
    reference, label = result.reference, LABELS[result.reference]
    others = [row for row in result.comparison.rows if row.model != reference]
    ahead = [row for row in others if better(row, reference)]
    if ahead:
        told = "; ".join(_evidence(result, row) for row in ahead)
        said = f"better than {label} at 5 %: {told}."
    else:
        said = f"nothing beats {label}. The lowest QLIKE of the others: "
        said += f"{_evidence(result, others[0])}." if others else "there are none."
    return f"**{result.asset}**: {said} {superiority(result.comparison, reference)}"


def _evidence(result: ServedModels, row: ComparisonRow) -> str:
    test, day = row.diebold_mariano[result.reference], row.influence[result.reference]
    told = f"`{row.model}` {result.ratio(row) - 1:+.1%} (p = {test.pvalue:.3f}"
    if day.date is None:  # the same losses on every day
        return f"{told})"
    return (
        f"{told}; {day.share:.0%} of the differential's variance is {day.date}, without it "
        f"{without_day(day)})"
    )


def _selection(
    models: Sequence[LoadedModel], test_start: np.datetime64, left_out: Collection[str]
) -> Comparison | None:
    starts = [model.manifest.evaluation.selection_start for model in models]
    if None in starts:
        return None
    start = np.datetime64(max(it for it in starts if it is not None))
    tracks = [
        model.track.between(start, test_start)
        for model in models
        if model.manifest.model not in left_out
    ]
    return compare(tracks)


def _of_champion(result: ServedModels, benchmark: str) -> str:
    """QLIKE of the champion against a benchmark's, on the test part."""
    row, other = result.row(result.champion), result.row(benchmark)
    if row is None or other is None:
        return "–"
    return f"{row.qlike_loss / other.qlike_loss - 1:+.1%}"


def _chosen_by(result: ServedModels) -> str:
    """QLIKE of the champion against the reference's on the selection part, and the SPA p-value."""
    if result.selection is None:
        return "–"
    losses = {row.model: row.qlike_loss for row in result.selection.rows}
    if result.champion not in losses or result.reference not in losses:
        return "–"
    ratio = losses[result.champion] / losses[result.reference]
    pvalue = result.selection.spa_pvalue[result.reference]
    return f"{ratio - 1:+.1%}, p = {pvalue:.3f} (n = {result.selection.nobs})"


def _pvalue(result: ServedModels) -> str:
    row = result.row(result.champion)
    return against(result.reference, row) if row else "–"


def _one_day(result: ServedModels) -> str:
    row = result.row(result.champion)
    return most_influential_day(result.reference, row) if row else "–"


CHAMPIONS = MappingProxyType(
    {
        "asset": lambda result: result.asset,
        "`auto`": lambda result: f"`{result.champion}`",
        "before: vs calendar, SPA": _chosen_by,
        "tested, n": lambda result: str(result.comparison.nobs),
        "vs last value": lambda result: _of_champion(result, "last_value"),
        "vs HAR": lambda result: _of_champion(result, "har"),
        "vs log-HAR": lambda result: _of_champion(result, "log_har"),
        "vs calendar": lambda result: _of_champion(result, "calendar_log_har"),
        "p": _pvalue,
        "one day": _one_day,
    }
)
