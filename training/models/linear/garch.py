r"""GARCH (Bollerslev 1986) and GJR (Glosten, Jagannathan & Runkle 1993) of daily returns.

.. math:: r_t = \sigma_t z_t, \quad
          \sigma_{t+1}^2 = \omega + (\alpha + \gamma 1\{r_t < 0\}) r_t^2 + \beta \sigma_t^2

with a mean of zero (and gamma zero in GARCH), by Gaussian quasi-maximum likelihood through
``arch``. Its variance is that of close-to-close returns; the forecast of rv is that variance times
a scale c, the one with the lowest QLIKE on the last n = 1,000 sessions of the fitting sample,

.. math:: c = \arg\min_c \sum_t \left( \frac{RV_t}{c \sigma_t^2}
          - \log \frac{RV_t}{c \sigma_t^2} - 1 \right)
          = \frac{1}{n} \sum_t \frac{RV_t}{\sigma_t^2}

Exported, it is linear in past returns,

.. math:: \sigma_{t+1}^2 = \omega \frac{1 - \beta^N}{1 - \beta}
          + \sum_{i=0}^{N-1} \beta^i (\alpha + \gamma 1\{r_{t-i} < 0\}) r_{t-i}^2
          + \beta^N \sigma_{t+1-N}^2

over a window of N sessions. The variance before the window is replaced by the mean squared return
of the fitting sample, which stands for the unconditional variance also where the estimate has none
(:math:`\alpha + \gamma / 2 + \beta = 1`). Its weight is 7e-10 at a beta of 0.9,
2 % at one of 0.98.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from training.config import Config
from training.data.assets import TrainingSet
from training.models.recipe import Fit, Hyperparameters
from volatility.arrays import FloatArray
from volatility.errors import ConstantPrices
from volatility.regressors import LinearPredictor, Regressor, ReturnSquares

WINDOW = 200  # sessions
# The share of variance that falls into the session drifts over decades, so that the whole sample
# would scale by the past; see docs/decisions/0012.
SCALE_SESSIONS = 1_000
PERCENT = 100.0  # arch's optimizer wants returns of about this size, or larger: see _unit
MAX_DECAY = 1 - 1e-6  # a sum of past squares needs a decay below one
_REMEMBERED = 128  # estimates: those of a walk-forward, for its next horizon; 5 MB
RISKMETRICS = (0.0, 0.06, 0.0, 0.94)  # RiskMetrics Technical Document (1996), as omega … beta


class Parameters(NamedTuple):
    """An estimated GJR; GARCH is one without asymmetry.

    Attributes
    ----------
    omega : decimal² per day.
    alpha, gamma, beta : reaction, additional reaction to losses, persistence.
    variances : (n,) of each session as fitted the session before, decimal² per day.
    converged : whether the optimizer says so.
    """

    omega: float
    alpha: float
    gamma: float
    beta: float
    variances: FloatArray
    converged: bool

    @property
    def persistence(self) -> float:
        """What remains of a variance a session later, on average."""
        return self.alpha + self.gamma / 2 + self.beta


class Line(NamedTuple):
    """A forecast as constant + slope × the forecast of the next session's variance."""

    constant: float
    slope: float


@dataclass(frozen=True)
class Garch:
    """GARCH(1, 1), or GJR(1, 1, 1) where asymmetric."""

    name: str
    asymmetric: bool
    refit_every: int
    lookback: int = WINDOW
    columns: tuple[str, ...] = ("return",)
    sources: tuple[str, ...] = ()
    compared_with: str | None = None

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Sessions of the window, and of the scale."""
        return {"window": self.lookback, "scale_sessions": SCALE_SESSIONS}

    def fit(self, data: TrainingSet) -> Fit:
        """Estimate the parameters from the target's returns, and scale their variance to rv.

        An optimizer that stops early has still improved on where it began: its parameters are kept
        and ``converged`` is 0. Where they are not finite, those of RiskMetrics take their place.

        Raises
        ------
        ConstantPrices : every return is zero.
        """
        returns = data.target.series.columns["return"]
        parameters = estimate(returns, self.asymmetric)
        scale = _scale(parameters, data)
        predictor = _export(
            parameters, scale, float(np.square(returns).mean()), data.horizon, self.lookback
        )
        return Fit(predictor, learned=_learned(parameters, scale, self.asymmetric))


def estimate(returns: FloatArray, asymmetric: bool) -> Parameters:
    """Gaussian quasi-maximum likelihood; what was estimated before is not estimated again.

    All horizons of a model have the same parameters.

    Parameters
    ----------
    returns : (n,) daily log returns, decimal.
    asymmetric : whether losses may count more.

    Raises
    ------
    ConstantPrices : every return is zero.
    """
    if not returns.any():
        raise ConstantPrices(
            f"all {len(returns)} returns are zero; a variance of returns needs some that are not",
            field="bars",
            found=len(returns),
            needed="prices that move from close to close",
        )
    return _estimate(np.ascontiguousarray(returns, np.float64).tobytes(), asymmetric)


@lru_cache(maxsize=_REMEMBERED)
def _estimate(content: bytes, asymmetric: bool) -> Parameters:
    """Of returns that are the content of an array."""
    returns = np.frombuffer(content)
    unit = _unit(returns)
    model = _model(unit * returns, asymmetric)
    result = model.fit(disp="off", show_warning=False)
    found = np.asarray(result.params, dtype=np.float64)
    converged = result.convergence_flag == 0
    if not np.isfinite(found).all():
        found = _riskmetrics(asymmetric)
        result, converged = model.fix(found), False
    omega, alpha, *gamma, beta = found.tolist()
    variances = np.square(np.asarray(result.conditional_volatility)) / unit**2
    variances.setflags(write=False)  # others will be given them too
    return Parameters(
        omega / unit**2,
        alpha,
        gamma[0] if gamma else 0.0,
        min(beta, MAX_DECAY),
        variances,
        converged,
    )


def several_sessions(parameters: Parameters, horizon: int) -> Line:
    r"""Mean variance over the next sessions, given that of the next one.

    Notes
    -----
    .. math:: \frac{1}{h} \sum_{k=1}^{h} E_t \sigma_{t+k}^2, \quad
              E_t \sigma_{t+k}^2 = \omega + \phi\, E_t \sigma_{t+k-1}^2, \quad
              \phi = \alpha + \gamma / 2 + \beta

    if returns are as likely to be negative as positive.
    """
    constant, slope = 0.0, 1.0  # of the session k ahead
    constants, slopes = [], []
    for _ in range(horizon):
        constants.append(constant)
        slopes.append(slope)
        constant = parameters.omega + parameters.persistence * constant
        slope *= parameters.persistence
    return Line(sum(constants) / horizon, sum(slopes) / horizon)


def _scale(parameters: Parameters, data: TrainingSet) -> float:
    """Mean ratio of rv to its fitted variance, both over the sessions ahead."""
    pairs = data.pairs(1)
    ahead = several_sessions(parameters, data.horizon)
    rows = np.searchsorted(data.target.series.dates, pairs.target_dates)
    fitted = ahead.constant + ahead.slope * parameters.variances[rows]
    return float((pairs.targets / fitted)[-SCALE_SESSIONS:].mean())


def _unit(returns: FloatArray) -> float:
    """What returns are multiplied by for ``arch``: 100, and more where they are of 0.3 % or less.

    Where they are small beside one it stops before the maximum, and says that it has converged. A
    power of ten changes no digit of those that are usual.
    """
    size = float(np.sqrt(np.square(returns).mean()))
    return max(PERCENT, 10.0 ** round(-math.log10(size)))


def _model(returns: FloatArray, asymmetric: bool) -> Any:
    from arch import arch_model  # takes seconds to import, which not every command has to wait for

    return arch_model(returns, mean="Zero", p=1, o=int(asymmetric), q=1, rescale=False)


def _riskmetrics(asymmetric: bool) -> FloatArray:
    omega, alpha, gamma, beta = RISKMETRICS
    return np.array([omega, alpha, gamma, beta] if asymmetric else [omega, alpha, beta])


def _export(
    parameters: Parameters, scale: float, unconditional: float, horizon: int, window: int
) -> LinearPredictor:
    """The forecast of mean rv over ``horizon`` sessions as a function of the last ``window``."""
    ahead = several_sessions(parameters, horizon)
    powers = parameters.beta ** np.arange(window)
    before = parameters.omega * powers.sum() + parameters.beta**window * unconditional
    squares = ReturnSquares(parameters.beta, window)
    coefficients: dict[Regressor, float] = {squares: scale * ahead.slope * parameters.alpha}
    if parameters.gamma:
        losses = replace(squares, negative=True)
        coefficients[losses] = scale * ahead.slope * parameters.gamma
    return LinearPredictor(
        scale="levels",
        coefficients=coefficients,
        intercept=scale * float(ahead.constant + ahead.slope * before),
    )


def _learned(parameters: Parameters, scale: float, asymmetric: bool) -> dict[str, float]:
    learned = {
        "omega": parameters.omega,
        "alpha": parameters.alpha,
        "gamma": parameters.gamma,
        "beta": parameters.beta,
        "scale": scale,
        "converged": float(parameters.converged),
    }
    if not asymmetric:
        del learned["gamma"]
    return learned


def garch(config: Config) -> Garch:
    """GARCH(1, 1) of daily returns."""
    return Garch("garch", False, config.walk_forward.linear_refit_every)


def gjr(config: Config) -> Garch:
    """GJR(1, 1, 1): losses raise variance more than gains."""
    return Garch("gjr", True, config.walk_forward.linear_refit_every)
