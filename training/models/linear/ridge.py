r"""Ridge regression of log rv on a wide set of regressors, without the calendar.

.. math:: \min_{\beta_0, \beta} \sum_t (\log RV_{t+1} - s_{t+1} - \beta_0 - x_t' \beta)^2
          + \lambda n \sum_j s_j^2 \beta_j^2

with the deviation :math:`s_j` of each regressor, so that the penalty is one on coefficients of
standardized regressors. Hoerl & Kennard (1970), Technometrics 12(1).
"""

from training.config import Config
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.har import LAGS
from training.models.linear.hexp import LEVERAGE, NIGHT
from training.models.linear.least_squares import LeastSquares
from volatility.measures.columns import OVERNIGHT

# Fixed on the third quarter of 53 assets; see docs/decisions/0027.
PENALTY = 0.01
RANGE_RATIO = "range_ratio"
REGRESSORS = (
    *("departure_1", "departure_5", "departure_25", "exponential_mean_125"),
    *("mean_22", "level_departure_5", "level_departure_25"),
    *LEVERAGE,
    *(f"absolute_shock_{lag}:return" for lag in LAGS),
    *NIGHT,
    *(f"departure_{centre}:{RANGE_RATIO}" for centre in (0, 5)),
    f"exponential_mean_125:{RANGE_RATIO}",
    *("spread_22", "excursion_5"),
)


def ridge(config: Config) -> CalendarAdjusted:
    """All regressors that daily bars give, by ridge in logs."""
    recipe = LeastSquares(
        "ridge",
        REGRESSORS,
        "logs",
        config.walk_forward.linear_refit_every,
        optional=frozenset({OVERNIGHT, RANGE_RATIO}),
        hyperparameters={"penalty": PENALTY},
        penalty=PENALTY,
    )
    return CalendarAdjusted("ridge", recipe)
