import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from arch import arch_model
from arch.univariate import GARCH, Normal, ZeroMean

from tests.training.intraday import series_of
from tests.training.simulated import asset_of, small_config
from training.data.assets import TrainingSet
from training.models.linear import garch as module
from training.models.linear.garch import Garch, Parameters, estimate, garch, gjr, several_sessions
from training.models.recipe import Fit
from volatility.errors import ConstantPrices
from volatility.evaluation.losses import qlike_loss

CONFIG = small_config()

SYMMETRIC = (0.02, 0.08, 0.9)  # omega in percent², alpha, beta
ASYMMETRIC = (0.02, 0.02, 0.1, 0.9)  # omega, alpha, gamma, beta
RATIO = 0.7  # rv is this much of the variance of returns, as of a market that closes


def simulated(parameters: tuple[float, ...], nobs: int = 3_000, seed: int = 1) -> TrainingSet:
    """Returns of a GARCH or GJR, with rv around its variance."""
    model = ZeroMean(
        volatility=GARCH(1, len(parameters) - 3, 1),
        distribution=Normal(seed=np.random.default_rng(seed)),
    )
    path = model.simulate(np.array(parameters), nobs)
    noise = np.random.default_rng(seed).gamma(10, 0.1, nobs)
    rv = RATIO * (path["volatility"].to_numpy() / 100) ** 2 * noise
    series = series_of(rv, {"return": path["data"].to_numpy() / 100})
    return TrainingSet(asset_of("X", series), {}, 0)


def forecast_of(fit: Fit, returns: np.ndarray) -> float:
    windows = {"rv": np.ones((1, len(returns))), "return": returns[None, :]}
    return fit.predictor.predict(windows).values.item()


@pytest.fixture(autouse=True)
def _nothing_estimated_before() -> None:
    module._estimate.cache_clear()


CASES = [(garch(CONFIG), SYMMETRIC), (gjr(CONFIG), ASYMMETRIC)]


@pytest.mark.parametrize(("model", "parameters"), CASES, ids=["garch", "gjr"])
@pytest.mark.parametrize("horizon", [1, 5, 22])
def test_forecasts_equal_those_of_arch(
    model: Garch, parameters: tuple[float, ...], horizon: int
) -> None:
    data = simulated(parameters)
    fit = model.fit(TrainingSet(data.target, {}, 0, horizon))
    returns = data.target.series.columns["return"]
    peer = arch_model(100 * returns, mean="Zero", o=int(model.asymmetric), rescale=False)
    reference = peer.fit(disp="off").forecast(horizon=horizon, start=1_000, align="origin")
    variance = reference.variance.to_numpy().mean(axis=1) / 100**2 * fit.learned["scale"]
    ours = [forecast_of(fit, returns[: at + 1]) for at in range(1_000, 3_000, 50)]
    # Beta is about 0.9: what lies before 200 sessions weighs 1e-9.
    np.testing.assert_allclose(ours, variance[::50], rtol=1e-8)


@pytest.mark.parametrize(("model", "parameters"), CASES, ids=["garch", "gjr"])
def test_known_parameters_are_recovered(model: Garch, parameters: tuple[float, ...]) -> None:
    data = simulated(parameters, nobs=20_000)
    learned = model.fit(data).learned
    found = [learned[name] for name in ("alpha", "gamma", "beta") if name in learned]
    # About four standard errors at this length.
    np.testing.assert_allclose(found, parameters[1:], atol=0.03)
    assert learned["omega"] == pytest.approx(parameters[0] / 100**2, rel=0.5)
    # Of the last 1,000 sessions, whose noise has a deviation of 1 %.
    assert learned["scale"] == pytest.approx(RATIO, rel=0.05)
    assert learned["converged"] == 1.0
    assert ("gamma" in learned) == model.asymmetric


@pytest.mark.parametrize("model", [garch(CONFIG), gjr(CONFIG)], ids=["garch", "gjr"])
@pytest.mark.parametrize("horizon", [1, 5])
def test_no_other_scale_has_a_lower_qlike_on_the_last_sessions(model: Garch, horizon: int) -> None:
    data = replace(simulated(SYMMETRIC), horizon=horizon)
    pairs = data.pairs(model.lookback, model.columns)
    forecasts = model.fit(data).predictor.predict(pairs.windows).values[-1_000:]
    targets = pairs.targets[-1_000:]
    assert (targets / forecasts).mean() == pytest.approx(1, rel=1e-6)
    best = qlike_loss(targets, forecasts)
    assert best < min(qlike_loss(targets, factor * forecasts) for factor in (0.99, 1.01))


@pytest.mark.parametrize("model", [garch(CONFIG), gjr(CONFIG)], ids=["garch", "gjr"])
def test_a_scale_that_has_changed_is_followed(model: Garch) -> None:
    """In the last 1,000 of 3,000 sessions rv is half of what it was; nothing else changes."""
    data = simulated(SYMMETRIC)
    before, series = model.fit(data).learned, data.target.series
    rv = np.where(np.arange(len(series)) < 2_000, series.rv, series.rv / 2)
    halved = replace(data, target=asset_of("X", replace(series, rv=rv)))
    after = model.fit(halved).learned
    assert after["scale"] == pytest.approx(before["scale"] / 2, rel=1e-12)
    assert after["beta"] == before["beta"]


def test_a_forecast_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    # omega 1, alpha 1/8, gamma 1/4, beta 1/2 over a window of 2. The first session follows nothing;
    # rv is 4, so that the scale is (4 / 8 + 4 / 16 + 12 / 16) / 3 = 1/2.
    # Mean squared return (16 + 4 + 36 + 16) / 4 = 18.
    variances = np.array([99.0, 8.0, 16.0, 16 / 3])
    found = Parameters(1.0, 0.125, 0.25, 0.5, variances, converged=True)
    monkeypatch.setattr(module, "estimate", lambda *_: found)
    returns = np.array([4.0, -2.0, 6.0, -4.0])
    data = TrainingSet(asset_of("X", series_of(np.full(4, 4.0), {"return": returns})), {}, 0)
    model = Garch("gjr", True, 22, lookback=2)
    # 1 * (1 + 1/2) + 18 / 4 before the window; 16 * (1/8 + 1/4) + 36 / 2 * 1/8 in it: 14.25.
    assert forecast_of(model.fit(data), returns) == pytest.approx(14.25 / 2)
    # Two sessions: phi = 1/8 + 1/8 + 1/2 = 3/4, so the second has 1 + 3/4 * 14.25 = 11.6875.
    two = model.fit(TrainingSet(data.target, {}, 0, horizon=2))
    # Of variances v they expect (v + 1 + 3/4 v) / 2 on average: 7.5 of 8, 14.5 of 16.
    scale = (4 / 7.5 + 4 / 14.5) / 2
    assert forecast_of(two, returns) == pytest.approx(scale * (14.25 + 11.6875) / 2)
    assert two.learned["gamma"] == 0.25


def test_several_sessions_of_a_variance_that_does_not_revert() -> None:
    integrated = Parameters(2.0, 0.1, 0.0, 0.9, np.ones(1), True)
    # v, v + 2, v + 4: mean v + 2.
    assert several_sessions(integrated, 3) == pytest.approx((2.0, 1.0))


@pytest.mark.parametrize("asymmetric", [False, True])
@pytest.mark.parametrize("unit", [0.1, 0.01, 0.001])
def test_quiet_returns_have_the_parameters_of_usual_ones(asymmetric: bool, unit: float) -> None:
    """Of 0.1 % a day the optimizer stopped short: alpha .050 for .070, and said it converged."""
    for seed in range(4):
        returns = simulated(ASYMMETRIC, 2_500, seed).target.series.columns["return"]
        usual, quiet = (estimate(it * returns, asymmetric) for it in (1.0, unit))
        # As near as the optimizer comes to the maximum.
        assert quiet[1:4] == pytest.approx(usual[1:4], abs=1e-3)
        np.testing.assert_allclose(quiet.variances / unit**2, usual.variances, rtol=5e-3)
        assert quiet.omega / unit**2 == pytest.approx(usual.omega, rel=1e-2)


def test_losses_raise_the_forecasts_of_gjr_alone() -> None:
    data = simulated(ASYMMETRIC)
    up = 0.01 * np.abs(np.random.default_rng(2).standard_normal(200))
    for model, _ in CASES:
        fit = model.fit(data)
        fallen, risen = forecast_of(fit, -up), forecast_of(fit, up)
        if model.asymmetric:
            assert fallen > 1.5 * risen
        else:
            assert fallen == risen


@pytest.mark.parametrize("model", [garch(CONFIG), gjr(CONFIG)], ids=["garch", "gjr"])
@pytest.mark.parametrize(
    "returns",
    [
        0.01 * np.random.default_rng(3).standard_normal(300),  # no clustering: beta is not known
        0.01 * np.sign(np.random.default_rng(4).standard_normal(300)),  # a constant square
        0.01 * np.random.default_rng(5).standard_t(2, 300),
        np.cumprod(np.full(300, 1.02)) * 1e-4 * np.random.default_rng(6).choice([-1, 1], 300),
        np.where(np.arange(300) == 150, 0.3, 0.0),  # one move, and nothing else
    ],
    ids=["independent", "constant", "heavy", "exploding", "single"],
)
def test_difficult_samples_still_give_a_forecast(model: Garch, returns: np.ndarray) -> None:
    data = TrainingSet(asset_of("X", series_of(np.full(300, 1e-4), {"return": returns})), {}, 0, 5)
    fit = model.fit(data)
    for window in (returns[-200:], np.zeros(200), np.full(200, -0.05)):
        assert 0 < forecast_of(fit, window) < np.inf
    assert fit.predictor.lookback == 200
    assert fit.predictor.columns == ("return",)


def test_parameters_that_are_not_finite_become_those_of_riskmetrics(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    returns = simulated(SYMMETRIC).target.series.columns["return"][:300]
    real = module._model

    def failing(returns: np.ndarray, asymmetric: bool) -> object:
        failed = SimpleNamespace(params=np.full(3 + asymmetric, np.nan), convergence_flag=4)
        return SimpleNamespace(fit=lambda **_: failed, fix=real(returns, asymmetric).fix)

    monkeypatch.setattr(module, "_model", failing)
    for asymmetric in (False, True):
        found = estimate(returns, asymmetric)
        assert found[:4] == (0.0, 0.06, 0.0, 0.94)
        assert not found.converged
        # Near the sample's own variance, which RiskMetrics averages.
        assert found.variances.mean() == pytest.approx(np.square(returns).mean(), rel=0.5)


def test_a_decay_stays_below_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = SimpleNamespace(
        params=np.array([0.5, 0.0, 1.0]), convergence_flag=0, conditional_volatility=np.full(9, 2.0)
    )
    monkeypatch.setattr(module, "_model", lambda *_: SimpleNamespace(fit=lambda **_: found))
    parameters = estimate(np.full(9, 0.01), False)
    assert parameters[:4] == (0.5e-4, 0.0, 0.0, 1 - 1e-6)
    assert parameters.variances.tolist() == [4e-4] * 9
    assert parameters.converged
    with pytest.raises(ValueError, match="read-only"):
        parameters.variances[0] = 1.0


def test_all_horizons_are_of_one_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    data, real, estimated = simulated(SYMMETRIC, nobs=600), module._model, []

    def counting(returns: np.ndarray, asymmetric: bool) -> object:
        estimated.append((len(returns), asymmetric))
        return real(returns, asymmetric)

    monkeypatch.setattr(module, "_model", counting)
    for horizon in (1, 5, 10, 22):
        for model, _ in CASES:
            model.fit(replace(data, horizon=horizon))
    assert sorted(estimated) == [(600, False), (600, True)]
    later = series_of(
        data.target.series.rv[1:], {"return": data.target.series.columns["return"][1:]}
    )
    garch(CONFIG).fit(replace(data, target=asset_of("X", later)))
    assert (599, False) in estimated


def test_an_optimizer_that_stops_early_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    returns = simulated(SYMMETRIC).target.series.columns["return"]
    real = module._model

    def hasty(returns: np.ndarray, asymmetric: bool) -> object:
        model = real(returns, asymmetric)
        fit = model.fit
        model.fit = lambda **options: fit(**options, options={"maxiter": 1})
        return model

    monkeypatch.setattr(module, "_model", hasty)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = estimate(returns, False)
    assert not found.converged
    assert np.isfinite(found[:4]).all()
    assert np.isfinite(found.variances).all()


def test_returns_that_are_all_zero_are_refused() -> None:
    series = series_of(np.full(300, 1e-4), {"return": np.zeros(300)})
    with pytest.raises(ConstantPrices, match="all 300 returns are zero"):
        garch(CONFIG).fit(TrainingSet(asset_of("X", series), {}, 0))
