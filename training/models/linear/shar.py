r"""HAR with semivariances (Patton & Sheppard 2015), in levels of rv.

.. math:: RV_{t+1} = \beta_0 + \beta_d^- RS_t^- + \beta_d^+ RS_t^+
          + \beta_w \overline{RV}_t^{(5)} + \beta_m \overline{RV}_t^{(22)} + \varepsilon_{t+1}

What falling prices leave behind lasts longer than what rising ones do. Review of Economics and
Statistics 97(3).
"""

from training.config import Config
from training.models.linear.har import LAGS, REGRESSORS
from training.models.linear.least_squares import LeastSquares


def shar(config: Config) -> LeastSquares:
    """HAR whose daily term is split by the sign of intraday returns."""
    _, week, month = REGRESSORS
    return LeastSquares(
        "shar",
        ("mean_1:negative_semivariance", "mean_1:positive_semivariance", week, month),
        "levels",
        config.walk_forward.linear_refit_every,
        hyperparameters={"lags": LAGS},
    )
