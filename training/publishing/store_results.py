"""What the models of a store have shown: one table of all, then every number."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from types import MappingProxyType

from models_store.store import Store
from training.config import read_config
from training.evaluation.headings import (
    FURTHER,
    HEADLINE,
    CellText,
    most_influential_day,
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
from training.publishing.further_ahead import read_ahead, table_ahead
from training.publishing.served_models import CHAMPIONS, ServedModels, verdict
from training.reports.markdown import markdown_table
from volatility.errors import InvalidInput
from volatility.evaluation.compare import BENCHMARKS

COLUMNS: Mapping[str, CellText] = MappingProxyType(
    {
        "model": lambda row: f"`{row.model}`",
        "QLIKE": HEADLINE["QLIKE"],
        "vs HAR": HEADLINE["vs HAR"],
        "p: HAR": HEADLINE["p: HAR"],
        "p: calendar": HEADLINE["p: calendar"],
        "one day of: calendar": lambda row: most_influential_day("calendar_log_har", row),
        "in set": HEADLINE["set"],
        **FURTHER,
    }
)

_FURTHER_AHEAD = (
    "`auto` by sessions ahead, on the same part: its QLIKE against each plain benchmark's, and the "
    "p-value of Diebold and Mariano."
)
BEGIN = "<!-- results: made by `python -m training results` -->"
END = "<!-- end of results -->"


def read_results(store: Store) -> list[ServedModels]:
    """Compare what serves of every asset in ``store``.

    Raises
    ------
    InvalidInput : there is no asset, or one without a model in service.
    """
    assets = store.assets()
    if not assets:
        raise InvalidInput(f"there are no models in {store.root}", field="store")
    return [ServedModels.of(store, asset) for asset in assets]


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


def tables(store: Store) -> str:
    """What stands on the page of results: an overview, further ahead, then a table an asset.

    Raises
    ------
    InvalidInput : as :func:`read_results`.
    """
    results = read_results(store)
    ahead = [_FURTHER_AHEAD, "", *table_ahead(read_ahead(store)), ""]
    return "\n".join([_overview(results), *ahead, *map(_details, results)])


def _overview(results: Sequence[ServedModels]) -> str:
    """What ``auto`` means and how it did, what beats the hardest benchmark, and every model."""
    columns: dict[str, Callable[[str], str]] = {"model": lambda model: f"`{model}`"}
    for result in results:
        columns[f"{result.asset} (n = {result.comparison.nobs})"] = partial(_cell, result)
    return "\n".join(
        [
            *markdown_table(results, CHAMPIONS),
            "",
            *(f"- {verdict(result)}" for result in results),
            "",
            *markdown_table(_ranked(results), columns),
            "",
        ]
    )


def _ranked(results: Sequence[ServedModels]) -> list[str]:
    """Benchmarks, then models on all assets before those on some, by their median distance."""
    ratios: dict[str, list[float]] = {}
    for result in results:
        for row in result.comparison.rows:
            ratios.setdefault(row.model, []).append(result.ratio(row))
    first = [model for model in BENCHMARKS if model in ratios]
    others = sorted(
        ratios.keys() - set(first), key=lambda model: (-len(ratios[model]), median(ratios[model]))
    )
    return [*first, *others]


def _cell(result: ServedModels, model: str) -> str:
    row = result.row(model)
    if row is None:
        return ""
    if model == result.reference:
        return f"{row.qlike_loss:.4f}"
    mark = " ▼" if better(row, result.reference) else " ▲" if worse(row, result.reference) else ""
    return f"{result.ratio(row) - 1:+.1%}{mark}"


def _details(result: ServedModels) -> str:
    # Recipes know what they are compared with; making one that is pre-trained loads torch.
    config = read_config()
    known = [make_recipe(name, config) for name in MODELS if name in result.pretrained]
    effects = transfer_effect(result.tracks, result.start, from_scratch(known))
    told = [name for name in ("har", "calendar_log_har") if result.row(name)]
    sentences = [*(summary(result.comparison, name) for name in told), *effects]
    rows = result.benchmarks_first
    table = markdown_table(rows, with_seeds(COLUMNS, rows))
    return "\n".join([f"{result.caption}:", "", *table, "", " ".join(sentences), ""])
