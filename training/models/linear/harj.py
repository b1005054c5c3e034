r"""HAR with the jumps of Andersen, Bollerslev & Diebold (2007), in levels of rv.

``harj`` lets what bipower variation does not see of today's variance count apart,

.. math:: RV_{t+1} = \beta_0 + \beta_d RV_t + \beta_w \overline{RV}_t^{(5)}
          + \beta_m \overline{RV}_t^{(22)} + \beta_j J_t + \varepsilon_{t+1}, \quad
          J_t = \max(RV_t - BV_t, 0)

and ``harcj`` the continuous part C and the significant jumps J at every horizon,

.. math:: RV_{t+1} = \beta_0 + \sum_{k \in \{1, 5, 22\}}
          (\gamma_k \bar C_t^{(k)} + \delta_k \bar J_t^{(k)}) + \varepsilon_{t+1}

Review of Economics and Statistics 89(4).
"""

from training.config import Config
from training.models.linear.har import LAGS, REGRESSORS
from training.models.linear.least_squares import LeastSquares

CONTINUOUS = tuple(f"mean_{lag}:continuous" for lag in LAGS)
JUMPS = tuple(f"mean_{lag}:significant_jump" for lag in LAGS)


def harj(config: Config) -> LeastSquares:
    """HAR with the last session's jump."""
    return LeastSquares(
        "harj",
        (*REGRESSORS, "mean_1:jump"),
        "levels",
        config.walk_forward.linear_refit_every,
        hyperparameters={"lags": LAGS},
    )


def harcj(config: Config) -> LeastSquares:
    """HAR of the continuous part and of significant jumps."""
    return LeastSquares(
        "harcj",
        (*CONTINUOUS, *JUMPS),
        "levels",
        config.walk_forward.linear_refit_every,
        hyperparameters={"lags": LAGS},
    )
