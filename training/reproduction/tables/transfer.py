"""Table 4: what pre-training changes."""

from collections.abc import Iterator

from training.reproduction import paper
from training.reproduction.evidence import AccuracyTest, compare, improvement, seeds_pvalue
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.names import LABELS
from training.reproduction.table import Cell, Quantity, Row, Table, probability, signed
from training.reproduction.tables.main_results import SCORES, how

SCRATCH = "lstm"
TRANSFERRED = ("transfer", "transfer_full")


def table(results: Results) -> Table:
    """Improvement of the transferred network over the one trained from scratch."""
    return Table(
        number=4,
        slug="transfer",
        title="Transfer learning improvement over training from scratch",
        item_heading="model",
        how=how(results),
        rows=[row for model in TRANSFERRED for row in _rows(results, model)],
        notes=[
            (
                "Positive is better; each seed's pre-trained network against the same seed's "
                "network from scratch. Where R² is near 0, percentages of it say little."
            ),
            (
                "p across seeds: Welch's t test of the score between the "
                f"{len(results.seeds)} seeds of either network; there is none for one seed."
            ),
            "Diebold-Mariano p: between the two networks of each seed, median and range.",
        ],
    )


def _rows(results: Results, model: str) -> Iterator[Row]:
    values = paper.IMPROVEMENTS if model == "transfer" else {}
    for score, quantity in SCORES.items():
        improved, pvalue = values.get(score, (None, None))
        gain = Quantity(f"{score}_improvement", f"{quantity.label}, %", signed(2))
        yield _row(
            model, gain, improved, {p: _gains(results, model, p, score) for p in ScoringProtocol}
        )
        across = Quantity(f"{score}_pvalue", f"{quantity.label}, p across seeds", probability)
        yield _row(
            model,
            across,
            pvalue,
            {p: (pvalue_of(results, model, p, score),) for p in ScoringProtocol},
        )
    test = Quantity("dm_pvalue", "Diebold-Mariano p", probability, spread=False)
    yield _row(
        model,
        test,
        None,
        {p: tuple(one.pvalue for one in dm_tests(results, model, p)) for p in ScoringProtocol},
    )


def pvalue_of(results: Results, model: str, protocol: ScoringProtocol, score: str) -> float:
    """Whether the seeds of a pre-trained network score like those from scratch."""
    return seeds_pvalue(
        results.scores(model, protocol, score), results.scores(SCRATCH, protocol, score)
    )


def dm_tests(results: Results, model: str, protocol: ScoringProtocol) -> tuple[AccuracyTest, ...]:
    """Whether a seed's pre-trained network and its network from scratch are equally accurate."""
    pairs = zip(results.pairs(model, protocol), results.pairs(SCRATCH, protocol), strict=True)
    return tuple(compare(one, other, protocol) for one, other in pairs)


def _gains(
    results: Results, model: str, protocol: ScoringProtocol, score: str
) -> tuple[float, ...]:
    pairs = zip(
        results.scores(SCRATCH, protocol, score),
        results.scores(model, protocol, score),
        strict=True,
    )
    return tuple(improvement(score, scratch, transferred) for scratch, transferred in pairs)


def _row(
    model: str,
    quantity: Quantity,
    value: str | None,
    found: dict[ScoringProtocol, tuple[float, ...]],
) -> Row:
    cells = {protocol: Cell(values) for protocol, values in found.items()}
    return Row(model, LABELS[model], quantity, value, cells)
