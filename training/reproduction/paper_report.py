"""The report: what was printed, what the same protocol gives, and what changes it."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from training.config import flatten
from training.reports.drawings import Drawing
from training.reports.markdown import escaped, write
from training.reproduction.answers import Answer
from training.reproduction.data import COMMIT, REPOSITORY, PublishedAsset, PublishedSeries
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.table import NOTHING, Row, Table
from training.reproduction.units import NETWORKS

TITLE = "Cross-asset transfer learning for rough volatility forecasting: the tables again"
PROTOCOLS = {
    "printed": "the characters in the paper (Dhansoia, December 2025).",
    str(
        ScoringProtocol.SAME
    ): "the published files and the way of the published code. Its forecasts are "
    "scored by their position in an array, and HAR's first is for a later hour than the other "
    "models' first, so that most models are compared with hours that they did not forecast.",
    str(ScoringProtocol.ALIGNED): "the same files and the same forecasts, each compared with what "
    "happened at the time that it is for.",
    str(
        ScoringProtocol.PROPER
    ): "log_rv in the files is the log of a rolling standard deviation of 24 "
    "hourly or 22 daily returns: successive values share all returns but one, so that the next is "
    "nearly known. This column asks the paper's question of a measure without overlap: the next "
    "day's volatility from one day's returns or range.",
}


PARTS: Mapping[str, Callable[[tuple[str, PublishedSeries]], str]] = {
    "part": lambda row: escaped(row[0]),
    "rows": lambda row: f"{len(row[1]):,}",
    "first": lambda row: str(row[1].times[0]),
    "last": lambda row: str(row[1].times[-1]),
}


def report_of(
    results: Results,
    tables: Sequence[Table],
    figures: Sequence[Drawing],
    answers: Sequence[Answer],
    *,
    quick: bool,
) -> str:
    """The report as Markdown, the answers first."""
    data = results.data
    return write(
        "reproduction.md",
        title=TITLE,
        answers=answers,
        quick=quick,
        protocols=PROTOCOLS,
        networks=len(NETWORKS),
        seeds=results.seeds,
        repository=REPOSITORY,
        commit=COMMIT,
        parts=[*_parts("S&P 500, daily", data.spx), *_parts("Bitcoin, hourly", data.bitcoin)],
        part_columns=PARTS,
        sha256=data.sha256,
        tables=tables,
        columns_of=_columns,
        settings=flatten(results.config),
        figures=figures,
    )


def _parts(name: str, asset: PublishedAsset) -> Iterator[tuple[str, PublishedSeries]]:
    yield f"{name}, all", asset.whole
    yield f"{name}, training", asset.training
    yield f"{name}, validation", asset.validation
    yield f"{name}, test", asset.test


def _columns(table: Table) -> Mapping[str, Callable[[Row], str]]:
    """Of one of the paper's tables: what was printed, and what each protocol gives."""
    return {
        table.item_heading: lambda row: escaped(row.label),
        "quantity": lambda row: escaped(row.quantity.label),
        "printed": lambda row: escaped(row.printed or NOTHING),
        **{str(protocol): _cells(protocol) for protocol in ScoringProtocol},
    }


def _cells(protocol: ScoringProtocol) -> Callable[[Row], str]:
    return lambda row: escaped(row.text(protocol))
