r"""HAR with leverage at three horizons (Corsi & Renò 2012), in logs of rv.

.. math:: \log RV_{t+1} = \beta_0 + \sum_{k \in \{1, 5, 22\}}
          (\beta_k \overline{\log RV}_t^{(k)} + \gamma_k \min(\bar r_t^{(k)}, 0))
          + \varepsilon_{t+1}

with the mean return of the last k sessions; the gammas are negative where losses raise volatility.
Daily bars suffice: the jumps of the original, which need intraday ones, are left out. Journal of
Business & Economic Statistics 30(3).
"""

from training.config import Config
from training.models.linear.har import LAGS, REGRESSORS
from training.models.linear.least_squares import LeastSquares

LEVERAGE = tuple(f"negative_mean_{lag}:return" for lag in LAGS)


def lhar(config: Config) -> LeastSquares:
    """Log-HAR and the negative parts of past returns."""
    return LeastSquares(
        "lhar",
        (*REGRESSORS, *LEVERAGE),
        "logs",
        config.walk_forward.linear_refit_every,
        hyperparameters={"lags": LAGS},
    )
