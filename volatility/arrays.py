"""Types that every module of the domain speaks in."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
DateArray = NDArray[np.datetime64]
IndexArray = NDArray[np.int64]

# What a model sees, by column: (batch, lookback) each, the last value of a row being that of as_of.
# "rv" is always there; the other columns are DAY and those of volatility.measures.columns.
Windows = Mapping[str, FloatArray]
DAY = "day"  # the session's date as days since 1970-01-01; NaN where it is not known

Scale = Literal["levels", "logs"]  # whether a model works on rv or on log rv


class Prediction(NamedTuple):
    """What a model says of each row of its windows, before bias correction and clipping."""

    values: FloatArray  # (batch,) on the model's scale
    diagnostics: Mapping[str, FloatArray]  # (batch, k) each: a network's weights or probabilities
