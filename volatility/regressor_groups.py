"""Regressors by what they say, for a reader: a handful of groups.

Names are those of :mod:`volatility.regressor_names` and of
:data:`volatility.scale_free.REGRESSORS`. What stands behind a colon is a column, or the
circumstance that a regressor is multiplied with; the night, the range and companions count by their
column, all others by the regressor.
"""

import re
from functools import lru_cache
from typing import Literal, get_args

from volatility.measures.columns import (
    DAILY_COLUMNS,
    INTRADAY_COLUMNS,
    SEPARATOR,
    companion_of,
)
from volatility.scale_free import KINDS
from volatility.seasonality import DAY_CLASSES

Group = Literal[
    "baseline",  # what a model says of a usual history: its intercept
    "level",  # how high volatility has been over half a year and more
    "recent_volatility",  # the same over a month at most
    "leverage",  # falls, and rises, of the price
    "return_size",  # how far the price went, whatever the direction
    "night",  # between the close and the next open
    "range",  # the range of the price over what it leaves behind
    "volatility_of_volatility",
    "companions",  # what other series say
    "calendar",  # weekdays and half days
    "asset",  # its kind, its measure and the length of its history
    "network",  # what a network says, which is no sum of parts
    "bias_correction",  # from the mean of logs to the log of the mean
    "own_scale",  # of an asset, in a model that was fitted on others
    "clipping",  # to what training saw
    "other",
]
GROUPS: tuple[Group, ...] = get_args(Group)

SLOWER_THAN = 25  # sessions, a month: what looks back further says how high the level is

_CIRCUMSTANCES = (*KINDS, "parkinson", "length")
_SUFFIXES = "|".join({**DAILY_COLUMNS, **INTRADAY_COLUMNS} | dict.fromkeys(_CIRCUMSTANCES))
_NAME = re.compile(rf"(?P<stem>\w+(?:\.\d+)?)(?::(?P<suffix>{_SUFFIXES}))?")
_CLASSES = "|".join(DAY_CLASSES)
# By the stem; the first that matches counts.
_STEMS: dict[str, Group] = {
    rf"(after|for)_({_CLASSES})": "calendar",
    "|".join(_CIRCUMSTANCES): "asset",
    r"night_\w+": "night",
    r"range_\w+": "range",
    r"(negative_mean|negative_shock|fall|rise)_\d+": "leverage",
    r"negative_return_squares": "leverage",
    r"(absolute_shock|size)_\d+|returns_to_rv": "return_size",
    r"(spread|excursion|deviation)_\d+|jitter": "volatility_of_volatility",
    r"mean_all": "level",
    r"(departure|last|quarticity|rough)_\d+|ewma_0\.\d+|return_squares": "recent_volatility",
}
_OF_A_SPAN = re.compile(r"(?:exponential_mean|mean|level_departure|level)_(\d+)")


@lru_cache(maxsize=1_024)
def group_of(regressor: str) -> Group:
    """The group of a regressor, by its name; ``other`` for one that is not known."""
    if companion_of(regressor.partition(SEPARATOR)[2]) is not None:
        return "companions"
    named = _NAME.fullmatch(regressor)
    if named is None:
        return "other"
    stem, suffix = named["stem"], named["suffix"]
    if suffix == "overnight_return":
        return "night"
    if suffix == "range_ratio":
        return "range"
    span = _OF_A_SPAN.fullmatch(stem)
    if span is not None:
        return "level" if int(span[1]) > SLOWER_THAN else "recent_volatility"
    return next((group for stems, group in _STEMS.items() if re.fullmatch(stems, stem)), "other")
