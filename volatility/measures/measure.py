"""What a realized measure is, besides its formula."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from volatility.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Measure:
    """A realized measure by name.

    Parameters
    ----------
    name : as in a manifest, a request or an answer.
    bars : what it is computed from.
    overlapping : whether successive values share returns.
    function : for daily bars from (n, 5) previous close, open, high, low and close, where the
        previous close is NaN if the session before has no bar; for intraday bars from (days,
        intraday) log returns. Gives (n,) or (days,) rv, NaN where it is undefined.
    """

    name: str
    bars: Literal["daily", "intraday"]
    overlapping: bool
    function: Callable[[FloatArray], FloatArray]
