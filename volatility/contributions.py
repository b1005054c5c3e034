r"""What moved a forecast: the parts that a prediction is the sum of.

A linear model's prediction is told relative to a *usual history*, in which every session had the
mean rv of training, as those of its companions had, without a jump and in equal parts up and down.
Every other column is zero: no return, no jump, both measures of the range agreeing. With the
regressors :math:`x^0` of that history,

.. math:: \beta_0 + \sum_j \beta_j x_j
          = \underbrace{\beta_0 + \sum_j \beta_j x_j^0}_{\text{baseline}}
          + \sum_j \beta_j (x_j - x_j^0)

which is exact, needs nothing but the coefficients, and says how far each regressor moved the
prediction from what the model says of a usual history.
"""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from volatility.arrays import FloatArray, Windows
from volatility.regressor_groups import Group, group_of

LOG_RV = ":log_rv"  # ends the name of such a column, of a companion
# Of rv, in a session of constant variance without a jump and of many returns.
_SHARES: Mapping[str, float] = MappingProxyType(
    {
        "bipower_variation": 1.0,
        "continuous": 1.0,
        "negative_semivariance": 0.5,
        "positive_semivariance": 0.5,
    }
)


class Part(NamedTuple):
    """What one thing adds to the prediction of each row."""

    name: str  # of a regressor, or what else it is
    group: Group
    added: FloatArray  # (batch,) on the scale of the prediction
    regressor: FloatArray | None = None  # (batch,) its value, where the part is one's
    usual: float | None = None  # the value from which it counts
    member: str | None = None  # the model that says it, of several


def total(parts: Sequence[Part]) -> FloatArray:
    """What parts add up to, (batch,): one by one, so that a row has the same bits in any batch."""
    added = parts[0].added
    for part in parts[1:]:
        added = added + part.added
    return added


def usual_windows(columns: Collection[str], sessions: int, usual_rv: float) -> Windows:
    """A usual history, (1, sessions) of rv and of each column."""
    values = {name: _usual(name, usual_rv) for name in columns}
    return {name: np.full((1, sessions), it) for name, it in {**values, "rv": usual_rv}.items()}


def _usual(column: str, usual_rv: float) -> float:
    if column.endswith(LOG_RV):
        return float(np.log(usual_rv))
    if column == "realized_quarticity":  # an estimate of the integral of squared variance
        return usual_rv**2
    return _SHARES.get(column, 0.0) * usual_rv


def linear_parts(
    coefficients: Mapping[str, float],
    intercept: float,
    values: Sequence[FloatArray],
    usual: Sequence[float],
) -> list[Part]:
    """The baseline, and what each regressor adds to it.

    Parameters
    ----------
    coefficients : by regressor.
    intercept : of the model.
    values : (batch,) of each regressor, in their order.
    usual : what each counts from.

    Returns
    -------
    Parts that sum to intercept + sum of coefficient times value.
    """
    each = list(zip(coefficients.items(), values, usual, strict=True))
    baseline = intercept + sum(coefficient * at for (_, coefficient), _, at in each)
    return [
        Part("baseline", "baseline", np.full(len(values[0]), baseline)),
        *(
            Part(name, group_of(name), coefficient * (value - at), value, at)
            for (name, coefficient), value, at in each
        ),
    ]
