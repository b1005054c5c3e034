import numpy as np
import pytest

from volatility.contributions import linear_parts, usual_windows
from volatility.measures.columns import INTRADAY_COLUMNS
from volatility.regressor_names import coefficients_of
from volatility.regressors import LinearPredictor

# Of a history whose rv was always 1e-4, both means are that, and the return is zero.
PREDICTOR = LinearPredictor(
    "logs",
    coefficients_of({"mean_1": 0.5, "mean_2": 0.25, "negative_mean_1:return": -10.0}),
    -2.0,
)
USUAL = 1e-4


def windows(rv: list[float], returns: list[float]) -> dict[str, np.ndarray]:
    return {"rv": np.array([rv]), "return": np.array([returns])}


def test_parts_by_hand() -> None:
    parts = linear_parts({"mean_5": 2.0, "spread_22": 3.0}, 1.0, [np.array([5.0])] * 2, [4.0, 0.0])
    # 1 + 2 * 4 + 3 * 0 = 9; 2 * (5 - 4) = 2; 3 * 5 = 15: with the intercept, 1 + 10 + 15.
    assert [it.added.item() for it in parts] == [9.0, 2.0, 15.0]
    assert [it.group for it in parts] == [
        "baseline",
        "recent_volatility",
        "volatility_of_volatility",
    ]
    assert [it.usual for it in parts] == [None, 4.0, 0.0]


def test_a_usual_history_is_its_baseline() -> None:
    baseline, *others = PREDICTOR.explain(windows([USUAL] * 2, [0.0] * 2), USUAL)
    assert baseline.added.item() == pytest.approx(-2.0 + 0.75 * np.log(USUAL), rel=1e-14)
    assert [it.added.item() for it in others] == [0.0, 0.0, 0.0]


def test_what_moved_is_told_by_its_regressor() -> None:
    """Yesterday e times the usual, the day before as usual, and the price 2 % lower."""
    given = windows([USUAL, USUAL * np.exp(1.0)], [0.0, -0.02])
    parts = {it.name: it.added.item() for it in PREDICTOR.explain(given, USUAL)}
    assert parts["mean_1"] == pytest.approx(0.5)
    assert parts["mean_2"] == pytest.approx(0.25 / 2)
    assert parts["negative_mean_1:return"] == pytest.approx(0.2)
    assert sum(parts.values()) == pytest.approx(PREDICTOR.predict(given).values.item(), abs=1e-12)


def test_a_model_in_levels_is_a_sum_of_variances() -> None:
    levels = LinearPredictor("levels", coefficients_of({"mean_1": 0.5}), 1e-5)
    parts = levels.explain({"rv": np.array([[3e-4], [1e-4]])}, USUAL)
    np.testing.assert_allclose([it.added for it in parts], [[6e-5, 6e-5], [1e-4, 0.0]], atol=1e-18)


def test_a_companion_counts_from_the_same_rv() -> None:
    predictor = LinearPredictor(
        "logs", coefficients_of({"exponential_mean_5:VIX:log_rv": 0.5}), 1.0
    )
    given = np.full((1, 250), np.log(USUAL) + 2.0)
    baseline, companion = predictor.explain({"rv": np.exp(given), "VIX:log_rv": given}, USUAL)
    assert baseline.added.item() == pytest.approx(1.0 + 0.5 * np.log(USUAL), rel=1e-12)
    assert companion.added.item() == pytest.approx(1.0, rel=1e-12)
    assert companion.group == "companions"


def test_intraday_columns_count_from_those_of_a_price_of_constant_variance() -> None:
    """Of 100,000 returns, a sum of squares has a deviation of 0.45 %, one of fourth powers 1 %."""
    intraday = 100_000
    returns = np.sqrt(USUAL / intraday) * np.random.default_rng(0).normal(size=(1, intraday))
    usual = usual_windows(INTRADAY_COLUMNS, 3, USUAL)
    assert {it.shape for it in usual.values()} == {(1, 3)}
    for name, measured in INTRADAY_COLUMNS.items():
        value = usual[name][0, 0]
        if name == "return":
            assert value == 0.0
            continue
        unit = USUAL**2 if name == "realized_quarticity" else USUAL
        assert value / unit == pytest.approx(measured(returns).item() / unit, abs=0.04), name


def test_a_session_s_parts_make_up_its_usual_variance() -> None:
    """Of har with the two semivariances in the place of rv, each counting as rv did."""
    split = coefficients_of(
        {"mean_1:negative_semivariance": 0.6, "mean_1:positive_semivariance": 0.6}
    )
    told = [
        LinearPredictor("levels", coefficients, 1e-5).explain(
            {name: np.full((1, 1), USUAL) for name in ("rv", *INTRADAY_COLUMNS)}, USUAL
        )[0]
        for coefficients in (split, coefficients_of({"mean_1": 0.6}))
    ]
    assert told[0].added.item() == pytest.approx(told[1].added.item(), rel=1e-14)
