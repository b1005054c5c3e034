"""What the tables hold, on simulated files; the paper's own numbers are in test_paper_numbers."""

import csv
import io
import json
import statistics

import numpy as np
import pytest

from tests.training.reproduction.stand_in import SEEDS, stand_in_data, stand_in_results
from training.config import read_config
from training.networks.volatility_network import VolatilityNetwork, parameter_counts
from training.reproduction.forecasts import ScoringProtocol
from training.reproduction.output import to_csv, to_json
from training.reproduction.table import (
    Cell,
    Quantity,
    Row,
    Table,
    count,
    fixed,
    probability,
    signed,
)
from training.reproduction.tables import tables_of
from training.reproduction.units import NETWORKS
from volatility.evaluation.losses import rmse_loss


@pytest.fixture(scope="module")
def tables() -> dict[int, Table]:
    return {table.number: table for table in tables_of(stand_in_results())}


def test_there_are_the_papers_seven(tables: dict[int, Table]) -> None:
    assert list(tables) == [1, 2, 3, 4, 5, 6, 7]
    slugs = {table.slug for table in tables.values()}
    assert len(slugs) == 7


def test_every_cell_says_how_it_was_made(tables: dict[int, Table]) -> None:
    for table in tables.values():
        protocols = {protocol for row in table.rows for protocol in row.cells}
        assert protocols == set(table.how)


@pytest.mark.parametrize(
    ("number", "item", "quantity", "printed"),
    [
        (1, "S&P 500", "rescaled_range", "0.136"),
        (1, "Bitcoin", "wavelet_slope", "-2.089"),
        (2, "Bitcoin", "kurtosis", "3.28"),
        (3, "transfer", "rmse", "0.2346"),
        (3, "moving_average", "r_squared", "-0.384"),
        (3, "last_value", "rmse", None),
        (4, "transfer", "mae_pvalue", "0.042"),
        (4, "transfer_full", "rmse_improvement", None),
        (5, "hybrid", "against_har", "-0.55"),
        (6, "moving_average", "statistic", "-18.26"),
        (6, "hybrid", "pvalue", "0.674"),
        (7, "total", "parameters", "60,097"),
    ],
)
def test_printed_numbers_stand_beside_their_own(
    number: int, item: str, quantity: str, printed: str | None, tables: dict[int, Table]
) -> None:
    assert tables[number].row(item, quantity).printed == printed


def test_networks_have_a_value_for_each_seed(tables: dict[int, Table]) -> None:
    row = tables[3].row("lstm", "rmse")
    for protocol in ScoringProtocol:
        assert len(row.cells[protocol].values) == len(SEEDS)
    assert len(set(row.cells[ScoringProtocol.ALIGNED].values)) == len(SEEDS)
    assert len(tables[3].row("har", "rmse").cells[ScoringProtocol.SAME].values) == 1


def test_all_networks_are_tested_against_har(tables: dict[int, Table]) -> None:
    tested = {row.item for row in tables[6].rows}
    assert tested == {*NETWORKS, "moving_average", "last_value"}


def test_same_protocol_is_by_position_and_aligned_by_time(tables: dict[int, Table]) -> None:
    log_rv = stand_in_data().bitcoin.test.log_rv
    targets, nobs = log_rv[22:], len(log_rv) - 22
    row = tables[3].row("last_value", "rmse")
    by_position, by_time = rmse_loss(targets, log_rv[:-1][:nobs]), rmse_loss(targets, log_rv[21:-1])
    assert row.cells[ScoringProtocol.SAME].values == pytest.approx((by_position,), rel=1e-12)
    assert row.cells[ScoringProtocol.ALIGNED].values == pytest.approx((by_time,), rel=1e-12)
    own = tables[3].row("last_value", "rmse_own_rows").cells[ScoringProtocol.ALIGNED]
    assert own.values == pytest.approx((rmse_loss(log_rv[1:], log_rv[:-1]),), rel=1e-12)
    assert own.nobs == nobs + 21


def test_unfreezing_strategies_are_scored_as_published(tables: dict[int, Table]) -> None:
    """Against their own targets, of which as many as HAR has are taken."""
    results = stand_in_results()
    lookback = results.config.network.lookback
    track = results.published.networks["transfer_gradual"][0].track
    log_rv = stand_in_data().bitcoin.test.log_rv
    nobs = len(log_rv) - 22
    expected = rmse_loss(log_rv[lookback : lookback + nobs], track.values[:nobs])
    cell = tables[5].row("transfer_gradual", "rmse").cells[ScoringProtocol.SAME]
    assert cell.values[0] == pytest.approx(expected, rel=1e-12)


def test_residual_networks_are_compared_with_the_har_inside_them(tables: dict[int, Table]) -> None:
    inside = tables[5].row("har_of_training_part", "rmse").cells[ScoringProtocol.ALIGNED].values[0]
    rmse = tables[5].row("residual_boosting", "rmse").cells[ScoringProtocol.ALIGNED].values
    gains = tables[5].row("residual_boosting", "against_har").cells[ScoringProtocol.ALIGNED].values
    assert gains == pytest.approx([100 * (inside - one) / inside for one in rmse], rel=1e-9)


def test_transfer_is_compared_seed_by_seed(tables: dict[int, Table]) -> None:
    for protocol in ScoringProtocol:
        scratch = tables[3].row("lstm", "rmse").cells[protocol].values
        transfer = tables[3].row("transfer", "rmse").cells[protocol].values
        gains = [100 * (s - t) / s for s, t in zip(scratch, transfer, strict=True)]
        found = tables[4].row("transfer", "rmse_improvement").cells[protocol].values
        assert found == pytest.approx(gains, rel=1e-9)
        assert 0 <= tables[4].row("transfer", "rmse_pvalue").cells[protocol].values[0] <= 1


def test_the_papers_network_has_the_parameters_of_the_published_checkpoint() -> None:
    found = parameter_counts(VolatilityNetwork(read_config().network))
    assert found == {
        "lstm": 83_712,
        "norm": 128,
        "attention": 16_640,
        "bottleneck": 2_080,
        "predictor": 4_225,
        "total": 106_785,
    }


def test_moments_by_hand(tables: dict[int, Table]) -> None:
    log_rv = stand_in_data().spx.whole.log_rv
    centred = log_rv - log_rv.mean()
    expected = {
        "mean": log_rv.mean(),
        "deviation": np.sqrt((centred**2).sum() / (len(log_rv) - 1)),
        "skewness": (centred**3).mean() / (centred**2).mean() ** 1.5,
        "excess_kurtosis": (centred**4).mean() / (centred**2).mean() ** 2 - 3,
    }
    for name, value in expected.items():
        cell = tables[2].row("S&P 500", name).cells[ScoringProtocol.SAME]
        assert cell.values == pytest.approx((value,), rel=1e-10)
        assert cell.nobs == len(log_rv)


def test_csv_has_a_row_for_each_quantity_and_protocol(tables: dict[int, Table]) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(tables[3]).decode())))
    assert len(rows) == sum(len(row.cells) for row in tables[3].rows)
    values = tables[3].row("transfer", "rmse").cells[ScoringProtocol.PROPER].values
    found = next(
        row
        for row in rows
        if (row["item"], row["quantity"], row["protocol"]) == ("transfer", "rmse", "proper measure")
    )
    assert float(found["mean"]) == statistics.fmean(values)
    assert float(found["deviation"]) == statistics.stdev(values)
    assert (float(found["lowest"]), float(found["highest"])) == (min(values), max(values))
    assert (found["printed"], found["seeds"]) == ("0.2346", "2")
    assert found["how"].startswith("log volatility of Bitcoin's daily variance")


def test_json_has_every_seed_the_configuration_and_the_data(tables: dict[int, Table]) -> None:
    results = stand_in_results()
    content = json.loads(to_json(results, list(tables.values()), [], quick=True))
    assert content["seeds"] == list(SEEDS)
    assert content["quick"] is True
    assert content["config"]["pretraining.epochs"] == 2
    assert content["data_sha256"] == results.data.sha256
    assert len(content["hybrid_alpha"]["published"]) == len(SEEDS)
    third = next(table for table in content["tables"] if table["number"] == 3)
    cell = third["rows"][0]["protocols"]["same protocol"]
    assert cell["values"] == list(tables[3].rows[0].cells[ScoringProtocol.SAME].values)


def test_several_seeds_are_written_as_mean_and_deviation() -> None:
    quantity = Quantity("rmse", "RMSE", fixed(3))
    assert quantity.text((0.1, 0.2, 0.3)) == "0.200 ± 0.100"
    assert quantity.text((0.1,)) == "0.100"
    assert quantity.text((float("nan"), 0.2)) == "–"
    assert Quantity("gain", "gain", signed(1)).text((-1.0, 3.0)) == "+1.0 ± 2.8"


def test_p_values_are_written_as_median_and_range() -> None:
    quantity = Quantity("pvalue", "p", probability, spread=False)
    assert quantity.text((0.2, 0.0001, 0.5)) == "0.200 [< 0.001, 0.500]"
    assert count(106_785.0) == "106,785"


def test_an_empty_cell_is_a_dash() -> None:
    row = Row("x", "X", Quantity("rmse", "RMSE", fixed(3)))
    assert row.text(ScoringProtocol.SAME) == "–"


def test_a_seed_without_a_number_leaves_none_for_all() -> None:
    cell = Cell((0.2, float("nan")))
    assert np.isnan([cell.mean, cell.deviation, *cell.range]).all()
