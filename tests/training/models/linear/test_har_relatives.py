"""HARJ, HARCJ, SHAR, HARQ and LHAR: their regressors by hand, and coefficients that are known."""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

import numpy as np
import pytest
import statsmodels.api as sm

from tests.training.fits import linear_of
from tests.training.intraday import asset_of_returns, series_of
from tests.training.simulated import asset_of, small_config
from training.config import Config
from training.data.assets import TrainingSet
from training.models.linear.harj import harcj, harj
from training.models.linear.harq import harq
from training.models.linear.least_squares import LeastSquares
from training.models.linear.lhar import lhar
from training.models.linear.shar import shar
from volatility.regressor_names import design_of
from volatility.simulation.regression import regression_process

CONFIG = small_config()

DAYS = 22  # the longest lag: one window


def last_five(values: list[float], before: float) -> np.ndarray:
    """22 values of which the last five are given and all earlier ones equal."""
    return np.array([before] * (DAYS - 5) + values)[None, :]


RV = last_five([4.0, 2.0, 6.0, 3.0, 5.0], before=1.0)
# Today 5; the week (4 + 2 + 6 + 3 + 5) / 5 = 4; the month (17 * 1 + 20) / 22 = 37 / 22.
HAR_ROW = [5.0, 4.0, 37 / 22]


def row_of(model: LeastSquares, windows: Mapping[str, np.ndarray]) -> list[float]:
    assert model.lookback == DAYS
    assert set(model.columns) == set(windows) - {"rv"}
    (row,) = design_of(model.regressors).build(windows)
    return list(row)


def test_row_of_harj_by_hand() -> None:
    windows = {"rv": RV, "jump": last_five([0.0, 0.0, 1.0, 0.0, 0.5], before=9.0)}
    assert row_of(harj(CONFIG), windows) == pytest.approx([*HAR_ROW, 0.5])
    assert harj(CONFIG).scale == "levels"


def test_row_of_harcj_by_hand() -> None:
    continuous = last_five([3.0, 2.0, 4.0, 3.0, 3.0], before=1.0)
    jumps = last_five([1.0, 0.0, 2.0, 0.0, 2.0], before=0.0)
    # 3; 15 / 5; (17 + 15) / 22. 2; 5 / 5; 5 / 22.
    expected = [3.0, 3.0, 32 / 22, 2.0, 1.0, 5 / 22]
    windows = {"rv": RV, "continuous": continuous, "significant_jump": jumps}
    assert row_of(harcj(CONFIG), windows) == pytest.approx(expected)
    assert harcj(CONFIG).scale == "levels"


def test_row_of_shar_by_hand() -> None:
    negative = last_five([1.0, 1.0, 1.0, 1.0, 3.5], before=0.5)
    windows = {"rv": RV, "negative_semivariance": negative, "positive_semivariance": RV - negative}
    # 3.5 and 5 - 3.5 in place of 5
    assert row_of(shar(CONFIG), windows) == pytest.approx([3.5, 1.5, *HAR_ROW[1:]])
    assert shar(CONFIG).scale == "levels"


def test_row_of_harq_by_hand() -> None:
    quarticity = last_five([1.0, 1.0, 1.0, 1.0, 16.0], before=1.0)
    # 5 * sqrt(16) = 20
    windows = {"rv": RV, "realized_quarticity": quarticity}
    assert row_of(harq(CONFIG), windows) == pytest.approx([*HAR_ROW, 20.0])
    assert harq(CONFIG).scale == "levels"


def test_row_of_lhar_by_hand() -> None:
    returns = last_five([0.01, -0.02, 0.01, 0.01, -0.03], before=0.001)
    # -0.03; (0.01 - 0.02 + 0.01 + 0.01 - 0.03) / 5 = -0.004; (0.017 - 0.02) / 22 = -0.003 / 22
    expected = [*HAR_ROW, -0.03, -0.004, -0.003 / 22]
    assert row_of(lhar(CONFIG), {"rv": RV, "return": returns}) == pytest.approx(expected)
    rising = {"rv": RV, "return": np.abs(returns)}
    assert row_of(lhar(CONFIG), rising) == pytest.approx([*HAR_ROW, 0.0, 0.0, 0.0])
    assert lhar(CONFIG).scale == "logs"


class Truth(NamedTuple):
    model: Callable[[Config], LeastSquares]
    coefficients: tuple[float, ...]
    intercept: float
    jump_share: float = 0.0


TRUTHS = {
    "harj": Truth(harj, (0.5, 0.3, 0.1, -0.4), 2e-5, jump_share=0.2),
    "harcj": Truth(harcj, (0.4, 0.3, 0.15, 0.1, 0.2, 0.3), 2e-5, jump_share=0.2),
    "shar": Truth(shar, (0.8, 0.1, 0.25, 0.15), 1.5e-5),
    "harq": Truth(harq, (0.6, 0.25, 0.1, -300.0), 1.5e-5),
    "lhar": Truth(lhar, (0.35, 0.35, 0.2, -6.0, -12.0, -20.0), -1.1),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_known_coefficients_are_recovered(name: str) -> None:
    truth = TRUTHS[name]
    model = truth.model(CONFIG)
    scale: Literal["levels", "logs"] = model.scale
    returns = regression_process(
        dict(zip(model.regressors, truth.coefficients, strict=True)),
        truth.intercept,
        12_000,
        np.random.default_rng(11),
        scale=scale,
        jump_share=truth.jump_share,
    )
    data = TrainingSet(asset_of_returns(returns), {}, 0)
    fit = model.fit(data)
    found = np.array([*linear_of(fit).coefficients.values()])
    assert tuple(it.name for it in linear_of(fit).coefficients) == model.regressors

    # White's standard errors, since the variance of rv moves with its mean.
    pairs = data.pairs(model.lookback, model.columns)
    move = np.log if scale == "logs" else np.asarray
    design = design_of(model.regressors).build({**pairs.windows, "rv": move(pairs.windows["rv"])})
    reference = sm.OLS(move(pairs.targets), sm.add_constant(design)).fit(cov_type="HC1")
    np.testing.assert_allclose(found, reference.params[1:], rtol=1e-6)
    errors = np.abs(found - truth.coefficients) / reference.bse[1:]
    assert errors.max() < 4.0
    # Precise enough to tell: no coefficient could as well be zero.
    assert (np.abs(truth.coefficients) / reference.bse[1:]).min() > 2.5
    assert (fit.residual_variance > 0) == (scale == "logs")


def test_a_sample_without_jumps_gives_them_no_weight() -> None:
    rng = np.random.default_rng(0)
    rv = rng.lognormal(-9, 0.5, 300)
    series = series_of(rv, {"continuous": rv, "significant_jump": np.zeros(300)})
    fit = harcj(CONFIG).fit(TrainingSet(asset_of("X", series), {}, 0))
    jumps = [value for it, value in linear_of(fit).coefficients.items() if "jump" in it.name]
    assert jumps == pytest.approx([0.0, 0.0, 0.0], abs=1e-12)
