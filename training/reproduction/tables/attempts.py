"""Table 5: attempts to beat HAR."""

from collections.abc import Iterator

from training.reproduction import paper
from training.reproduction.evidence import improvement
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.names import LABELS
from training.reproduction.protocol import Paired, by_time
from training.reproduction.table import Cell, Quantity, Row, Table, fixed, signed
from training.reproduction.tables import main_results

UNFREEZING = ("transfer_differential", "transfer_gradual", "transfer_aggressive")
MODELS = (
    "har",
    "har_of_training_part",
    *UNFREEZING,
    "hybrid",
    "dynamic_attention",
    "residual_boosting",
    "regime_ensemble",
    "transfer_residual",
    "last_value",
)
RMSE = Quantity("rmse", "RMSE", fixed(4))
AGAINST_HAR = Quantity("against_har", "better than HAR, %", signed(2))


def table(results: Results) -> Table:
    """RMSE of every attempt, and how much better than HAR that is."""
    how = main_results.how(results) | {
        ScoringProtocol.SAME: "log_rv of btc_test as the published code scores it: the three "
        "unfreezing strategies against the targets that they forecast, of which it takes the "
        f"first {len(results.published.har_targets):,}; all others by position against HAR's "
        "targets",
    }
    return Table(
        number=5,
        slug="attempts",
        title="Advanced architectures against the HAR baseline",
        item_heading="model",
        how=how,
        rows=[row for model in MODELS for row in _rows(results, model)],
        notes=_notes(results),
    )


def _rows(results: Results, model: str) -> Iterator[Row]:
    rmse, against_har = paper.ATTEMPTS.get(model, (None, None))
    pairs = {protocol: published_pairs(results, model, protocol) for protocol in ScoringProtocol}
    yield _row(
        model, RMSE, rmse, {p: [_rmse(pair) for pair in pairs[p]] for p in ScoringProtocol}, pairs
    )
    if model == "har":
        return
    gains = {p: [_gain(results, model, p, pair) for pair in pairs[p]] for p in ScoringProtocol}
    yield _row(model, AGAINST_HAR, against_har, gains, pairs)


def published_pairs(results: Results, model: str, protocol: ScoringProtocol) -> tuple[Paired, ...]:
    """As in the other tables, but for the unfreezing strategies as published."""
    if protocol is not ScoringProtocol.SAME or model not in UNFREEZING:
        return results.pairs(model, protocol)
    sample = results.published
    tracks = sample.tracks(model)
    times = tracks[0].times[: len(sample.har_targets)]
    return tuple(by_time(track, sample.outcome, times) for track in tracks)


def _gain(results: Results, model: str, protocol: ScoringProtocol, pair: Paired) -> float:
    har = results.pair(results.on(protocol).baseline(model), protocol)
    return improvement("rmse", _rmse(har), _rmse(pair))


def _rmse(pair: Paired) -> float:
    return pair.scores()["rmse"]


def _row(
    model: str,
    quantity: Quantity,
    value: str | None,
    found: dict[ScoringProtocol, list[float]],
    pairs: dict[ScoringProtocol, tuple[Paired, ...]],
) -> Row:
    cells = {p: Cell(tuple(values), len(pairs[p][0])) for p, values in found.items()}
    return Row(model, LABELS[model], quantity, value, cells)


def _notes(results: Results) -> list[str]:
    corrections = [
        network.trained.learned["correction_std"]
        for network in results.published.networks["residual_boosting"]
    ]
    return [
        (
            "† Trained on z-scores, moved back to log volatility to be scored, and compared with "
            "a HAR fitted on the training part alone, as in the published code."
        ),
        (
            "The unfreezing strategies' printed RMSE is of forecasts joined with their own "
            "targets, the transfer LSTM's in Table 3 of forecasts by position: these two cannot "
            "be compared."
        ),
        (
            "Residual boosting's corrections to HAR have a deviation over the validation part "
            f"of {min(corrections):.1g} to {max(corrections):.1g} in z-scores."
        ),
    ]
