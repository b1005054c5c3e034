"""A series in a line of text."""

import numpy as np

from volatility.arrays import FloatArray

BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: FloatArray) -> str:
    """One block a value, the lowest and the highest block for the least and the largest.

    Parameters
    ----------
    values : (n,) finite.
    """
    span = float(np.ptp(values))
    shares = (values - values.min()) / span if span else np.zeros(len(values))
    places = np.minimum((shares * len(BLOCKS)).astype(np.int64), len(BLOCKS) - 1)
    return "".join(BLOCKS[place] for place in places)
