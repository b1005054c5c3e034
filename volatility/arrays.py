"""Array types that every module of the domain speaks in."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
DateArray = NDArray[np.datetime64]

# What a model sees, by column: (batch, lookback) each, the last value of a row being that of as_of.
# "rv" is always there; the other columns are those of volatility.columns.
Windows = Mapping[str, FloatArray]
