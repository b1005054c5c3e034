"""From numpy's values to those that JSON can hold."""

import math
from datetime import date

import numpy as np


def to_date(day: np.datetime64) -> date:
    """The day as Python knows it."""
    found: date = day.astype("datetime64[D]").tolist()
    return found


def finite(value: float) -> float | None:
    """The value, or null where it is not defined, such as a correlation with a constant."""
    return value if math.isfinite(value) else None
