"""The regression of :mod:`training.models.linear.ridge` with what its companions tell besides."""

from training.config import Config
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.accompanied import Accompanied
from training.models.linear.ridge import PENALTY, RANGE_RATIO, REGRESSORS
from volatility.measures.columns import OVERNIGHT


def ridge_companions(config: Config) -> CalendarAdjusted:
    """All regressors that daily bars and companions give, by ridge in logs."""
    recipe = Accompanied(
        "ridge_companions",
        REGRESSORS,
        "logs",
        config.walk_forward.linear_refit_every,
        optional=frozenset({OVERNIGHT, RANGE_RATIO}),
        hyperparameters={"penalty": PENALTY},
        penalty=PENALTY,
        stand_in="ridge",
    )
    return CalendarAdjusted("ridge_companions", recipe)
