"""The report: what was printed, what the same protocol gives, and what changes it."""

from collections.abc import Iterator, Sequence

from training.config import Config, flatten
from training.reproduction.answers import Answer
from training.reproduction.data import COMMIT, REPOSITORY, PublishedAsset
from training.reproduction.document import (
    Block,
    Bullets,
    Grid,
    Heading,
    Paragraph,
    Picture,
    Verbatim,
)
from training.reproduction.figures import Figure
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.table import Table
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


def report_of(
    results: Results,
    tables: Sequence[Table],
    figures: Sequence[Figure],
    answers: Sequence[Answer],
    *,
    quick: bool,
) -> list[Block]:
    """The report as blocks."""
    return [
        Heading(1, TITLE),
        *_introduction(results, quick=quick),
        *_data(results),
        *(block for table in tables for block in _table(table)),
        *_settings(results.config),
        Heading(2, "Figures"),
        *(_picture(figure) for figure in figures),
        Heading(2, "Answers"),
        *(block for answer in answers for block in _answer(answer)),
    ]


def _introduction(results: Results, *, quick: bool) -> Iterator[Block]:
    yield Paragraph(
        "Dhansoia (2025) asks whether a network that has learned the volatility of the S&P 500 "
        "forecasts that of Bitcoin better, whether any network beats the HAR model, and whether "
        "volatility is rough. Here its tables and figures are computed again from the data that "
        "were published with it. The answers stand at the end."
    )
    if quick:
        yield Paragraph(
            "This is a quick run: networks are trained for fewer epochs than in the paper, with "
            f"{_seeds(results)}. It shows that everything runs; its numbers of networks are not "
            "those of the paper's configuration."
        )
    yield Paragraph("Each table has these columns:")
    yield Bullets([f"{name}: {meaning}" for name, meaning in PROTOCOLS.items()])
    yield Paragraph(
        f"Each of the {len(NETWORKS)} networks is trained with {_seeds(results)}: "
        f"{', '.join(map(str, results.seeds))}. Where there are several, a number is their mean ± "
        "their standard deviation; a p-value is their median, with the range in brackets. A dash "
        "means that there is no such number."
    )


def _data(results: Results) -> Iterator[Block]:
    data = results.data
    yield Heading(2, "Data")
    yield Paragraph(f"From {REPOSITORY}, first commit, {COMMIT}; every file has the sha256 below.")
    yield Grid(
        ("part", "rows", "first", "last"),
        [
            *_parts("S&P 500, daily", data.spx),
            *_parts("Bitcoin, hourly", data.bitcoin),
        ],
        labels=1,
    )
    yield Verbatim("\n".join(f"{digest}  {name}" for name, digest in data.sha256.items()))


def _parts(name: str, asset: PublishedAsset) -> Iterator[tuple[str, str, str, str]]:
    parts = {
        "all": asset.whole,
        "training": asset.training,
        "validation": asset.validation,
        "test": asset.test,
    }
    for part, series in parts.items():
        ends = (str(series.times[0]), str(series.times[-1]))
        yield (f"{name}, {part}", f"{len(series):,}", *ends)


def _table(table: Table) -> Iterator[Block]:
    yield Heading(2, f"Table {table.number}. {table.title}")
    columns = [protocol for protocol in ScoringProtocol if protocol in table.how]
    yield Grid(
        (table.item_heading, "quantity", "printed", *ScoringProtocol),
        [
            (
                row.label,
                row.quantity.label,
                row.printed or "–",
                *(row.text(p) for p in ScoringProtocol),
            )
            for row in table.rows
        ],
        labels=2,
    )
    yield Bullets([*(f"{protocol}: {table.how[protocol]}." for protocol in columns), *table.notes])


def _settings(config: Config) -> Iterator[Block]:
    yield Heading(2, "Table 8. Training hyperparameters")
    yield Paragraph(
        "As configured for this run; Table 8 of the paper has the values of pretraining and "
        "fine_tuning. A network from scratch is trained like one that is pre-trained."
    )
    settings = flatten(config)
    yield Verbatim("\n".join(f"{name} = {value}" for name, value in settings.items()))


def _picture(figure: Figure) -> Picture:
    return Picture(figure.file, figure.svg, f"Figure {figure.number}", figure.caption)


def _answer(answer: Answer) -> Iterator[Block]:
    yield Heading(3, answer.question)
    yield Paragraph(answer.short)
    yield Bullets(answer.reasons)


def _seeds(results: Results) -> str:
    count = len(results.seeds)
    return "one seed" if count == 1 else f"{count} seeds"
