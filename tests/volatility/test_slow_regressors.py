"""Regressors over a year of sessions: by hand, and the same bits from any sufficient history."""

import numpy as np
import pytest

from volatility.errors import InvalidInput
from volatility.regressor_names import design_of, make_regressor
from volatility.regressors import LinearPredictor
from volatility.slow_regressors import Departure, Excursion, LevelDeparture, Shock, SlowMean, Spread
from volatility.trailing import SESSIONS

NAMES = (
    *("exponential_mean_1", "exponential_mean_125", "exponential_mean_25:range_ratio"),
    *("departure_0", "departure_5", "departure_0:range_ratio", "departure_5:jump"),
    *("level_departure_25", "negative_shock_1:return", "negative_shock_22:return"),
    *("absolute_shock_5:return", "negative_shock_1:overnight_return"),
    *("absolute_shock_1:overnight_return", "spread_22", "excursion_5"),
)


def columns(batch: int, sessions: int, seed: int) -> dict[str, np.ndarray]:
    """Log rv and every column that NAMES look at."""
    rng = np.random.default_rng(seed)
    shape = (batch, sessions)
    return {
        "rv": rng.normal(-8, 1, shape),
        "return": 0.01 * rng.standard_normal(shape),
        "overnight_return": 0.005 * rng.standard_normal(shape),
        "range_ratio": 0.2 * rng.standard_normal(shape),
        "jump": rng.lognormal(-9, 1, shape),
    }


def value(name: str, windows: dict[str, np.ndarray]) -> float:
    return float(design_of((name,)).build(windows).item())


def exponential(values: np.ndarray, centre: float) -> float:
    """Newest last, one term after the other."""
    decay, total, weights = centre / (1 + centre), 0.0, 0.0
    for age in range(SESSIONS):
        total += decay**age * values[-1 - age]
        weights += decay**age
    return total / weights


def deviation(windows: dict[str, np.ndarray]) -> float:
    squares = exponential(windows["return"][0] ** 2, 25)
    return float(np.sqrt(max(squares, 0.01 * exponential(np.exp(windows["rv"][0]), 25))))


def test_means_and_departures_by_hand() -> None:
    windows = columns(1, 300, seed=0)
    rv, ratio = windows["rv"][0], windows["range_ratio"][0]
    slow = exponential(rv, 125)
    assert value("exponential_mean_25", windows) == pytest.approx(exponential(rv, 25), rel=1e-12)
    assert value("departure_5", windows) == pytest.approx(exponential(rv, 5) - slow, rel=1e-10)
    assert value("departure_0", windows) == pytest.approx(rv[-1] - slow, rel=1e-10)
    of_levels = np.log(exponential(np.exp(rv), 5))
    assert value("level_departure_5", windows) == pytest.approx(of_levels - slow, rel=1e-10)
    mean = exponential(ratio, 5) - exponential(ratio, 125)
    assert value("departure_5:range_ratio", windows) == pytest.approx(mean, rel=1e-10)


def test_a_mean_of_means_is_centred_where_it_says() -> None:
    # Of ages 0, 1, 2, ... an endless exponential mean is its centre of mass.
    ages = np.arange(SESSIONS, dtype=np.float64)[::-1][None, :]
    assert value("exponential_mean_5", {"rv": ages}) == pytest.approx(5.0, abs=1e-12)


def test_shocks_by_hand() -> None:
    windows = columns(1, 260, seed=1)
    windows["return"][0, -5:] = [0.01, -0.03, 0.01, -0.02, -0.01]  # their sum is -0.04
    windows["overnight_return"][0, -1] = -0.008
    unit = deviation(windows)
    assert value("negative_shock_5:return", windows) == pytest.approx(-0.04 / (5**0.5 * unit))
    assert value("absolute_shock_5:return", windows) == pytest.approx(0.04 / (5**0.5 * unit))
    night = "shock_1:overnight_return"
    assert value(f"negative_{night}", windows) == pytest.approx(-0.008 / unit)
    assert value(f"absolute_{night}", windows) == pytest.approx(0.008 / unit)
    windows["return"] = -windows["return"]
    assert value("negative_shock_5:return", windows) == 0.0


def test_a_price_that_stands_still_makes_no_return_enormous() -> None:
    windows = columns(1, SESSIONS, seed=2)
    windows["return"] = np.zeros((1, SESSIONS))
    windows["overnight_return"][0, -1] = 0.004
    unit = 0.1 * np.sqrt(exponential(np.exp(windows["rv"][0]), 25))
    found = value("absolute_shock_1:overnight_return", windows)
    assert found == pytest.approx(0.004 / unit)
    assert deviation(windows) == pytest.approx(unit)


def test_the_spread_is_that_of_the_newest_sessions() -> None:
    windows = {"rv": np.array([[9.0, 1.0, 3.0]])}
    assert value("spread_2", windows) == 1.0


def test_an_excursion_by_hand() -> None:
    windows = {"rv": np.append(np.zeros(248), [3.0, -4.0])[None, :]}
    slow = exponential(windows["rv"][0], 125)
    expected = np.sqrt(((3 - slow) ** 2 + (-4 - slow) ** 2) / 2)
    assert value("excursion_2", windows) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_regressor_is_read_from_its_name(name: str) -> None:
    regressor = make_regressor(name)
    assert regressor.name == name
    assert regressor.sessions == (22 if name == "spread_22" else SESSIONS)


def test_names_of_what_they_are() -> None:
    assert make_regressor("exponential_mean_125") == SlowMean(125)
    assert make_regressor("departure_0:range_ratio") == Departure(0, "range_ratio")
    assert make_regressor("level_departure_5") == LevelDeparture(5)
    assert make_regressor("negative_shock_5:return") == Shock(5, "return", "negative")
    assert make_regressor("spread_22") == Spread(22)
    assert make_regressor("excursion_5") == Excursion(5)
    assert Shock(1, "overnight_return", "absolute").columns == ("rv", "return", "overnight_return")


@pytest.mark.parametrize(
    "name",
    [
        *("exponential_mean_0", "exponential_mean_1000", "departure_-1", "departure_5:price"),
        *("negative_shock_5", "negative_shock_5:rv", "positive_shock_5:return", "spread_0"),
    ],
)
def test_unknown_names(name: str) -> None:
    with pytest.raises(InvalidInput, match="is unknown; needed: mean_<sessions>"):
        make_regressor(name)


def test_a_shock_is_no_longer_than_the_window() -> None:
    assert make_regressor("negative_shock_250:return").sessions == SESSIONS
    for name in ("negative_shock_251:return", "excursion_251"):
        with pytest.raises(InvalidInput, match="from 1 to 250"):
            make_regressor(name)


@pytest.mark.parametrize("batch", [2, 7, 33])
def test_every_form_is_the_same_alone_in_a_batch_and_in_a_long_history(batch: int) -> None:
    design = design_of(NAMES)
    rows = columns(batch, 263, seed=batch)
    together = design.build(rows)
    laid_out = {name: np.asfortranarray(matrix) for name, matrix in rows.items()}
    assert (design.build(laid_out) == together).all()
    for i in range(batch):
        for kept in (250, 251, 263):
            alone = {name: matrix[i : i + 1, -kept:] for name, matrix in rows.items()}
            assert (design.build(alone)[0] == together[i]).all()


def test_a_regressor_beside_others_is_the_one_it_is_alone() -> None:
    windows = columns(5, SESSIONS, seed=3)
    together = design_of(NAMES).build(windows)
    for place, name in enumerate(NAMES):
        alone = make_regressor(name).values(windows)
        assert (alone == together[:, place]).all()


def test_a_predictor_in_logs_sees_logs_once() -> None:
    windows = columns(3, SESSIONS, seed=4)
    predictor = LinearPredictor("logs", {SlowMean(25): 0.5, Spread(22): 2.0}, intercept=-1.0)
    found = predictor.predict({**windows, "rv": np.exp(windows["rv"])}).values
    means, spreads = design_of(("exponential_mean_25", "spread_22")).build(windows).T
    np.testing.assert_allclose(found, -1 + 0.5 * means + 2 * spreads, rtol=1e-12)
