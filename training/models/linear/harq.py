r"""HAR that trusts a day's rv less the less precise it is (Bollerslev, Patton & Quaedvlieg 2016).

.. math:: RV_{t+1} = \beta_0 + (\beta_d + \beta_q RQ_t^{1/2}) RV_t
          + \beta_w \overline{RV}_t^{(5)} + \beta_m \overline{RV}_t^{(22)} + \varepsilon_{t+1}

in levels of rv, with realized quarticity RQ. The root is not demeaned: that would move the daily
coefficient, to be read as the one of a day of average precision, and no forecast. Journal of
Econometrics 192(1).
"""

from training.config import Config
from training.models.linear.har import LAGS, REGRESSORS
from training.models.linear.least_squares import LeastSquares


def harq(config: Config) -> LeastSquares:
    """HAR whose daily coefficient moves with the root of quarticity."""
    return LeastSquares(
        "harq",
        (*REGRESSORS, "quarticity_1"),
        "levels",
        config.walk_forward.linear_refit_every,
        hyperparameters={"lags": LAGS},
    )
