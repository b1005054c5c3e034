"""How ``auto`` did several sessions ahead, by the comparisons that stand beside the models."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from models_store.comparison import compare_at
from models_store.store import Store
from models_store.stored_comparisons import promoted, recall
from training.reports.markdown import markdown_table
from volatility.evaluation.compare import Comparison, ComparisonRow

COLUMNS = MappingProxyType(
    {
        "last_value": "vs last value (p)",
        "har": "vs HAR (p)",
        "log_har": "vs log-HAR (p)",
        "calendar_log_har": "vs calendar (p)",
    }
)


class Ahead(NamedTuple):
    """The models of an asset so many sessions ahead.

    Parameters
    ----------
    asset : whose.
    champion : what ``auto`` means.
    horizon : sessions ahead.
    comparison : on the test part.
    """

    asset: str
    champion: str
    horizon: int
    comparison: Comparison

    def row(self, model: str) -> ComparisonRow | None:
        """A model's row, if it was compared."""
        return next((row for row in self.comparison.rows if row.model == model), None)


def read_ahead(store: Store) -> list[Ahead]:
    """How the models of every asset compare at every horizon at which what ``auto`` means does.

    What is not kept in the store is compared anew.
    """
    found = []
    for asset in store.assets():
        champion = store.champion(asset)
        if champion is not None:
            compared = _comparisons(store, asset, champion)
            found += [Ahead(asset, champion, *it) for it in compared.items()]
    return [it for it in found if it.row(it.champion)]


def _comparisons(store: Store, asset: str, champion: str) -> Mapping[int, Comparison]:
    versions = promoted(store, asset)
    horizons = store.evidence(asset, champion, *versions[champion]).manifest.horizons
    kept = recall(store, asset, versions, champion, (), horizons)
    found = dict(kept.comparisons) if kept else {}
    missing = [it for it in horizons if it not in found]
    if missing:
        models = {name: store.evidence(asset, name, *it) for name, it in versions.items()}
        found |= compare_at(models, champion, (), missing).comparisons
    results = {horizon: found[horizon].result for horizon in sorted(found)}
    return {at: it for at, it in results.items() if isinstance(it, Comparison)}


def table_ahead(found: Sequence[Ahead]) -> Iterator[str]:
    """Lines of a table: an asset and a horizon a row, distances in QLIKE and their p-values."""
    columns = {
        "asset": lambda it: it.asset,
        "`auto`": lambda it: f"`{it.champion}`",
        "sessions ahead": lambda it: str(it.horizon),
        "n": lambda it: str(it.comparison.nobs),
        **{label: _against(benchmark) for benchmark, label in COLUMNS.items()},
    }
    yield from markdown_table(found, columns)


def _against(benchmark: str) -> Callable[[Ahead], str]:
    def cell(it: Ahead) -> str:
        champion, other = it.row(it.champion), it.row(benchmark)
        if champion is None or other is None or champion is other:
            return "–"
        test = champion.diebold_mariano[benchmark]
        return f"{champion.qlike_loss / other.qlike_loss - 1:+.1%} ({test.pvalue:.3f})"

    return cell
