"""From numpy's values to those that JSON can hold."""

import math
from datetime import date

import numpy as np
from pydantic_core import to_json


def to_date(day: np.datetime64) -> date:
    """The day as Python knows it."""
    found: date = day.astype("datetime64[D]").tolist()
    return found


def finite(value: float | None) -> float | None:
    """The value, or null where it is not defined, such as a correlation with a constant."""
    return value if value is not None and math.isfinite(value) else None


def to_bytes(value: object) -> bytes:
    """The value as JSON; a float that is not finite would be null, never a literal ``NaN``."""
    return to_json(value, inf_nan_mode="null")
