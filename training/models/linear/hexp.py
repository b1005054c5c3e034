r"""Log rv on exponential means of its past, leverage and the night, without the calendar.

.. math:: \log RV_{t+1} - s_{t+1} = \beta_0
          + \sum_{c \in \{1, 5, 25, 125\}} \beta_c E^{(c)}_t
          + \sum_{k \in \{1, 5, 22\}} \gamma_k \min(z^{(k)}_t, 0) + \delta |z^{(1)}_t|
          + \eta |g_t| + \theta \min(g_t, 0) + \varepsilon_{t+1}

with exponential means E of :math:`\log RV - s` by their centres of mass, as in the HExp model of
Bollerslev, Hood, Huss & Pedersen (2018); sums z of the last k returns, and the night's return g,
in deviations (:class:`volatility.slow_regressors.Shock`); and the effect s of each session's class
(:mod:`volatility.seasonality`). Review of Financial Studies 31(7).
"""

from types import MappingProxyType

from training.config import Config
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.har import LAGS
from training.models.linear.least_squares import LeastSquares
from training.models.linear.regression import Regression
from training.models.recipe import Hyperparameters
from volatility.measures.columns import OVERNIGHT

CENTRES = (1, 5, 25, 125)  # sessions: a day or two, a week, a month, half a year
LEVERAGE = tuple(f"negative_shock_{lag}:return" for lag in LAGS)
NIGHT = (f"absolute_shock_1:{OVERNIGHT}", f"negative_shock_1:{OVERNIGHT}")
REGRESSORS = (
    *(f"exponential_mean_{centre}" for centre in CENTRES),
    *LEVERAGE,
    "absolute_shock_1:return",
    *NIGHT,
)


def hexp(config: Config) -> CalendarAdjusted:
    """Exponential means, leverage and the night, by least squares in logs."""
    return on_exponential_means(LeastSquares, "hexp", config)


def on_exponential_means(
    regression: type[Regression],
    name: str,
    config: Config,
    further: Hyperparameters = MappingProxyType({}),
) -> CalendarAdjusted:
    """A regression of log rv on :data:`REGRESSORS`, without the calendar.

    Parameters
    ----------
    regression : what it minimizes.
    name : the model's.
    config : how often it is fitted again.
    further : hyperparameters, beside those of the regressors.
    """
    recipe = regression(
        name,
        REGRESSORS,
        "logs",
        config.walk_forward.linear_refit_every,
        optional=frozenset({OVERNIGHT}),
        hyperparameters={"centres_of_mass": CENTRES, "lags": LAGS, **further},
    )
    return CalendarAdjusted(name, recipe)
