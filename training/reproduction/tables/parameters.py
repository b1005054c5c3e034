"""Table 7: how many parameters the network has."""

from training.networks.volatility_network import VolatilityNetwork, parameter_counts
from training.reproduction import paper
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.table import Cell, Quantity, Row, Table, count

PARAMETERS = Quantity("parameters", "parameters", count)

HOW = {
    ScoringProtocol.SAME: "counted in the network that is trained here, which has the "
    "configuration of Table 7; it is the same under every protocol",
}


def table(results: Results) -> Table:
    """Every component's parameters."""
    shape = results.config.network
    labels = {
        "lstm": f"LSTM, {shape.layers} layers of {shape.hidden_size}",
        "norm": "layer normalization",
        "attention": f"attention, {shape.heads} heads of "
        f"{shape.hidden_size // shape.heads} over {shape.hidden_size} units",
        "bottleneck": f"bottleneck of {shape.bottleneck}",
        "predictor": "predictor, 3 linear layers",
        "total": "total",
    }
    found = parameter_counts(VolatilityNetwork(shape))
    return Table(
        number=7,
        slug="parameters",
        title="Transfer LSTM architecture",
        item_heading="component",
        how=HOW,
        rows=[
            Row(
                name,
                labels[name],
                PARAMETERS,
                paper.PARAMETERS.get(name),
                {ScoringProtocol.SAME: Cell((float(number),))},
            )
            for name, number in found.items()
        ],
        notes=["The paper's table has no rows for layer normalization and bottleneck."],
    )
