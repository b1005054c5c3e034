"""Between numpy's dates and Python's, which JSON is written from."""

from datetime import date

import numpy as np


def to_date(day: np.datetime64) -> date:
    """The day as Python knows it."""
    found: date = day.astype("datetime64[D]").tolist()
    return found
