"""Table 6: Diebold-Mariano tests against HAR."""

from collections.abc import Iterator

from training.reproduction import paper
from training.reproduction.evidence import against_har
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.names import LABELS
from training.reproduction.table import Cell, Quantity, Row, Table, probability, signed
from training.reproduction.tables import main_results
from training.reproduction.units import NETWORKS

# First those that the paper prints, in its order.
MODELS = (
    *paper.DIEBOLD_MARIANO,
    "last_value",
    *(name for name in NETWORKS if name not in paper.DIEBOLD_MARIANO),
)
STATISTIC = Quantity("statistic", "DM statistic", signed(2))
PVALUE = Quantity("pvalue", "p-value", probability, spread=False)


def table(results: Results) -> Table:
    """Statistic and two-sided p-value of every model."""
    how = main_results.how(results)
    how[ScoringProtocol.SAME] += "; variance without autocovariances, normal p-value"
    for protocol in (ScoringProtocol.ALIGNED, ScoringProtocol.PROPER):
        how[protocol] += "; HAC variance of prewhitened values, fixed-b p-value"
    return Table(
        number=6,
        slug="diebold_mariano",
        title="Diebold-Mariano tests against HAR",
        item_heading="model",
        how=how,
        rows=[row for model in MODELS for row in _rows(results, model)],
        notes=[
            "On squared errors; negative where the model is worse than HAR, as in the paper.",
            "† compared with a HAR that is fitted on the training part alone.",
        ],
    )


def _rows(results: Results, model: str) -> Iterator[Row]:
    statistic, pvalue = paper.DIEBOLD_MARIANO.get(model, (None, None))
    tests = {protocol: against_har(results, model, protocol) for protocol in ScoringProtocol}
    nobs = {protocol: len(results.pairs(model, protocol)[0]) for protocol in ScoringProtocol}
    for quantity, value in ((STATISTIC, statistic), (PVALUE, pvalue)):
        cells = {
            protocol: Cell(tuple(getattr(test, quantity.name) for test in several), nobs[protocol])
            for protocol, several in tests.items()
        }
        yield Row(model, LABELS[model], quantity, value, cells)
