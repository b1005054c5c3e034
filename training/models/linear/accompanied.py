"""Regressions that look at companions too: whichever the asset is given."""

from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np

from training.config import Config
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.hexp import hexp
from training.models.linear.least_squares import LeastSquares
from training.models.linear.ridge import ridge
from volatility.companions import column_of, companions_in

NO_COMPANION = "no companion is given: --companion NAME=FILE"
# Of each companion: how far its newest log rv, and that of a week, are from the slow mean; and its
# newest return in deviations, in two parts that tell its sign. Fixed on the third quarter of 53
# assets; see docs/decisions/0032.
_OF_LOG_RV = ("departure_0", "departure_5")
_OF_RETURN = ("negative_shock_1", "absolute_shock_1")


@dataclass(frozen=True)
class Accompanied(LeastSquares):
    """Least squares with regressors of each companion that an asset has.

    Attributes
    ----------
    stand_in : name of the same model without companions, which forecasts where one is not known.
    """

    stand_in: str = ""

    def adapted_to(self, columns: Collection[str]) -> Self:
        """The same with regressors of the companions that some of ``columns`` are of."""
        names = companions_in(columns)
        own = super().adapted_to(columns)
        added = [regressor for name in names for regressor in regressors_of(name)]
        return replace(
            own,
            regressors=tuple(dict.fromkeys([*own.regressors, *added])),
            hyperparameters={**own.hyperparameters, "companions": " ".join(names)},
        )

    def obstacle(self, first_cut_off: np.datetime64) -> str | None:  # noqa: ARG002 - at any time
        """Why there is no fit: nobody gave it a companion."""
        return None if companions_in(self.columns) else NO_COMPANION


def hexp_companions(config: Config) -> CalendarAdjusted:
    """What :mod:`.hexp` looks at, and companions, by least squares in logs."""
    return accompanied("hexp_companions", hexp(config))


def ridge_companions(config: Config) -> CalendarAdjusted:
    """What :mod:`.ridge` looks at, and companions, by ridge in logs."""
    return accompanied("ridge_companions", ridge(config))


def accompanied(name: str, plain: CalendarAdjusted) -> CalendarAdjusted:
    """A regression that looks at companions besides, under another name."""
    inner = plain.inner
    assert isinstance(inner, LeastSquares), "its walk-forward is one of cross-products"
    own = {it.name: getattr(inner, it.name) for it in fields(inner)}
    return CalendarAdjusted(name, Accompanied(**{**own, "name": name, "stand_in": plain.name}))


def regressors_of(companion: str) -> tuple[str, ...]:
    """Names of the regressors that are made of one companion."""
    log_rv, returns = (column_of(companion, column) for column in ("log_rv", "return"))
    return (*(f"{it}:{log_rv}" for it in _OF_LOG_RV), *(f"{it}:{returns}" for it in _OF_RETURN))
