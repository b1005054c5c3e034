"""What the models of a store have shown: one table in the README, every number in the docs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from types import MappingProxyType

import numpy as np

from models_store.store import Store
from training.config import read_config
from training.evaluation.headings import (
    FURTHER,
    HEADLINE,
    CellText,
    markdown_table,
    ratio_to_har,
    with_seeds,
)
from training.evaluation.sentences import (
    better,
    from_scratch,
    summary,
    transfer_effect,
    worse,
)
from training.models.registry import MODELS, make_recipe
from volatility.errors import InvalidInput
from volatility.evaluation.compare import BENCHMARKS, Comparison, ComparisonRow, compare
from volatility.evaluation.tracks import ForecastTrack

COLUMNS: Mapping[str, CellText] = MappingProxyType(
    {
        "model": lambda row: f"`{row.model}`",
        "QLIKE": HEADLINE["QLIKE"],
        "vs HAR": HEADLINE["vs HAR"],
        "p: HAR": HEADLINE["p: HAR"],
        "p: calendar": HEADLINE["p: calendar"],
        "in set": HEADLINE["set"],
        **FURTHER,
    }
)

BEGIN = "<!-- results: made by `python -m training results` -->"
END = "<!-- end of results -->"


@dataclass(frozen=True)
class ServedModels:
    """The models of one asset that are in service, compared on their test part."""

    asset: str
    measure: str
    start: np.datetime64
    tracks: Sequence[ForecastTrack]
    comparison: Comparison
    pretrained: Sequence[str]  # the models that have seen another asset too

    @property
    def caption(self) -> str:
        """Asset, measure, first and last target date and their number, in Markdown."""
        first, last = self.comparison.span
        return f"**{self.asset}**, `{self.measure}`, {first} to {last}, n = {self.comparison.nobs}"

    def row(self, model: str) -> ComparisonRow | None:
        """A model's row, if the asset has it."""
        return next((row for row in self.comparison.rows if row.model == model), None)


def read_results(store: Store) -> list[ServedModels]:
    """Compare what serves of every asset in ``store``.

    Raises
    ------
    InvalidInput : there is no asset, or one without a model in service.
    """
    assets = store.assets()
    if not assets:
        raise InvalidInput(f"there are no models in {store.root}", field="store")
    return [_read(store, asset) for asset in assets]


def between_markers(page: Path, content: str) -> str:
    """The text of a page with ``content`` in place of what stands between its markers.

    Raises
    ------
    InvalidInput : the page has no markers.
    """
    text = page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise InvalidInput(
            f"{page} has no place for results",
            field=str(page),
            needed=f"a line {BEGIN!r} and a later line {END!r}",
        )
    before, rest = text.split(BEGIN, 1)
    _, after = rest.split(END, 1)
    return f"{before}{BEGIN}\n\n{content}\n{END}{after}"


def overview(results: Sequence[ServedModels]) -> str:
    """One Markdown table: QLIKE of every model against HAR's, an asset a column."""
    columns: dict[str, Callable[[str], str]] = {"model": lambda model: f"`{model}`"}
    for result in results:
        columns[f"{result.asset} (n = {result.comparison.nobs})"] = partial(_cell, result)
    return "\n".join([*markdown_table(_ranked(results), columns), ""])


def details(results: Sequence[ServedModels]) -> str:
    """A Markdown table an asset, and what it says in sentences."""
    return "\n".join(_details(result) for result in results)


def _read(store: Store, asset: str) -> ServedModels:
    names = [model for model in store.models(asset) if store.current(asset, model)]
    if not names:
        raise InvalidInput(f"no model of {asset} is in service in {store.root}", field="store")
    models = [store.load(asset, model) for model in names]
    start = np.datetime64(max(model.manifest.evaluation.test_start for model in models))
    tracks = [model.track for model in models]
    measure = models[0].manifest.measure
    pretrained = [model.manifest.model for model in models if model.manifest.sources]
    return ServedModels(asset, measure, start, tracks, compare(tracks, start=start), pretrained)


def _ranked(results: Sequence[ServedModels]) -> list[str]:
    """Benchmarks, then models on all assets before those on some, by their median ratio to HAR."""
    ratios: Mapping[str, list[float]] = {
        row.model: [
            own.qlike_ratio for other in results if (own := other.row(row.model)) is not None
        ]
        for result in results
        for row in result.comparison.rows
    }
    first = [model for model in BENCHMARKS if model in ratios]
    others = sorted(
        ratios.keys() - set(first), key=lambda model: (-len(ratios[model]), median(ratios[model]))
    )
    return [*first, *others]


def _cell(result: ServedModels, model: str) -> str:
    row = result.row(model)
    if row is None:
        return ""
    if model == result.comparison.baseline:
        return f"{row.qlike_loss:.4f}"
    mark = " ▼" if better(row, "har") else " ▲" if worse(row, "har") else ""
    return f"{ratio_to_har(row)}{mark}"


def _details(result: ServedModels) -> str:
    # Recipes know what they are compared with; making one that is pre-trained loads torch.
    config = read_config()
    known = [make_recipe(name, config) for name in MODELS if name in result.pretrained]
    effects = transfer_effect(result.tracks, result.start, from_scratch(known))
    told = [name for name in ("har", "calendar_log_har") if result.row(name)]
    sentences = [*(summary(result.comparison, name) for name in told), *effects]
    rows = result.comparison.rows
    table = markdown_table(rows, with_seeds(COLUMNS, rows))
    return "\n".join([f"{result.caption}:", "", *table, "", " ".join(sentences), ""])
