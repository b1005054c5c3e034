"""Table 3: how well the models forecast Bitcoin."""

from collections.abc import Iterator

import numpy as np

from training.reproduction import paper
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.names import LABELS
from training.reproduction.protocol import by_time
from training.reproduction.table import Cell, Quantity, Row, Table, fixed

MODELS = ("moving_average", "lstm", "transfer", "transfer_full", "har", "last_value")
SCORES = {
    "rmse": Quantity("rmse", "RMSE", fixed(4)),
    "mae": Quantity("mae", "MAE", fixed(4)),
    "r_squared": Quantity("r_squared", "R²", fixed(4)),
    "correlation": Quantity("correlation", "correlation", fixed(4)),
}
OWN_ROWS = Quantity("rmse_own_rows", "RMSE on all rows that it forecasts", fixed(4))


def table(results: Results) -> Table:
    """The four scores of every model under each protocol."""
    rows = [_row(results, model, quantity) for quantity in SCORES.values() for model in MODELS]
    return Table(
        number=3,
        slug="main_results",
        title=f"Forecasting performance on the Bitcoin test set (printed: n = {paper.TEST_NOBS})",
        item_heading="model",
        how=how(results),
        rows=[*rows, *_own_rows(results)],
        notes=_notes(results),
    )


def how(results: Results) -> dict[ScoringProtocol, str]:
    """How each column of a table of forecasts was made."""
    published, daily = results.published, results.daily
    return {
        ScoringProtocol.SAME: "log_rv of btc_test, forecasts scored by their position against "
        f"HAR's targets, which begin at row 22 (n = {len(published.har_targets):,})",
        ScoringProtocol.ALIGNED: "the same forecasts joined with what happened at their own "
        f"time, on the rows that all models forecast (n = {len(published.common):,})",
        ScoringProtocol.PROPER: "log volatility of Bitcoin's daily variance from 24 hourly "
        f"returns, one day ahead, split 50/25/25 by date, {daily.common[0]} to "
        f"{daily.common[-1]} (n = {len(daily.common):,})",
    }


def _row(results: Results, model: str, quantity: Quantity) -> Row:
    cells = {
        protocol: Cell(
            results.scores(model, protocol, quantity.name),
            len(results.pairs(model, protocol)[0]),
        )
        for protocol in ScoringProtocol
    }
    value = paper.MAIN_RESULTS.get(model, {}).get(quantity.name)
    return Row(model, LABELS[model], quantity, value, cells)


def _own_rows(results: Results) -> Iterator[Row]:
    """Joined by time without asking what the other models forecast."""
    outcome = results.published.outcome
    for model in MODELS:
        pairs = [by_time(track, outcome) for track in results.published.tracks(model)]
        values = tuple(pair.scores()["rmse"] for pair in pairs)
        cells = {ScoringProtocol.ALIGNED: Cell(values, len(pairs[0]))}
        yield Row(model, LABELS[model], OWN_ROWS, None, cells)


def _notes(results: Results) -> list[str]:
    lateness = {model: _hours_late(results, model) for model in MODELS}
    hours = ", ".join(f"{LABELS[model]} {late}" for model, late in lateness.items() if late)
    return [
        (
            "By position, forecasts meet what happened later than what they are for, by this many "
            f"hours: {hours}."
        ),
        "The last rows score each model on all rows of its own, whose number differs between them.",
    ]


def _hours_late(results: Results, model: str) -> int:
    published = results.published
    late = published.har_targets.times[0] - published.tracks(model)[0].times[0]
    return int(late / np.timedelta64(1, "h"))
