r"""The heterogeneous autoregressive model of Corsi (2009), in levels and in logs.

.. math:: x_{t+1} = \beta_0 + \beta_d x_t + \beta_w \bar x_t^{(5)} + \beta_m \bar x_t^{(22)}
          + \varepsilon_{t+1}

with x the rv itself (``har``, and ``har_wls`` by weighted least squares) or its logarithm
(``log_har``).
"""

from training.config import Config
from training.models.linear.least_squares import Estimate, LeastSquares, least_squares
from volatility.arrays import FloatArray
from volatility.filters import trailing_means

LAGS = (1, 5, 22)  # a day, a week, a month of sessions
REGRESSORS = tuple(f"mean_{lag}" for lag in LAGS)


def har_least_squares(windows: FloatArray, targets: FloatArray) -> Estimate:
    """HAR by ordinary least squares, on whatever scale the values come.

    Parameters
    ----------
    windows : (n, lookback) values, the last column being the newest; 22 or more of them.
    targets : (n,) the value that follows each window.

    Returns
    -------
    Coefficients of the means over :data:`LAGS`, the intercept, and (n,) residuals.

    Raises
    ------
    HistoryTooShort : windows of fewer than 22 values.
    """
    return least_squares(trailing_means(windows, LAGS), targets)


def har(config: Config) -> LeastSquares:
    """HAR in levels of rv."""
    return LeastSquares(
        "har",
        REGRESSORS,
        "levels",
        config.walk_forward.linear_refit_every,
        hyperparameters={"lags": LAGS},
    )


def har_wls(config: Config) -> LeastSquares:
    """HAR in levels of rv, in which relative errors count."""
    return LeastSquares(
        "har_wls",
        REGRESSORS,
        "levels",
        config.walk_forward.linear_refit_every,
        relative=True,
        hyperparameters={"lags": LAGS, "weights": "1 / fit²"},
    )


def log_har(config: Config) -> LeastSquares:
    """HAR in logs of rv, moved to the mean by half the residual variance."""
    return LeastSquares(
        "log_har",
        REGRESSORS,
        "logs",
        config.walk_forward.linear_refit_every,
        hyperparameters={"lags": LAGS},
    )
