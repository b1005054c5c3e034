"""The regression of :mod:`training.models.linear.hexp` with what its companions tell besides."""

from training.config import Config
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.accompanied import Accompanied
from training.models.linear.har import LAGS
from training.models.linear.hexp import CENTRES, REGRESSORS
from volatility.measures.columns import OVERNIGHT


def hexp_companions(config: Config) -> CalendarAdjusted:
    """Exponential means, leverage, the night and companions, by least squares in logs."""
    recipe = Accompanied(
        "hexp_companions",
        REGRESSORS,
        "logs",
        config.walk_forward.linear_refit_every,
        optional=frozenset({OVERNIGHT}),
        hyperparameters={"centres_of_mass": CENTRES, "lags": LAGS},
        stand_in="hexp",
    )
    return CalendarAdjusted("hexp_companions", recipe)
