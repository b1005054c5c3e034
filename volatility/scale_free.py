r"""What a model for every asset sees of a history: numbers in which no asset's own level is left.

Log rv, free of the calendar, is taken less its slow mean (centre of mass 125 sessions), and returns
over their trailing root mean square. What is left is alike from one asset to another, so that a
model fitted on many says something of one that it has never seen. Histories have from
:data:`MINIMUM` sessions on; more than :data:`~volatility.trailing.SESSIONS` are not looked at.

With x the log rv of a session less the effect of its class, s its slow mean, and z its return
over the trailing root mean square, the regressors are

- ``mean_c``: exponential means of x - s with centres of mass 1, 5 and 25, and the flat mean;
- ``last_k``: the six newest x - s; ``mean_22``: their mean over 22 sessions;
- ``level_c``: logs of exponential means of exp(x - s), which one large session moves more;
- ``fall_h``, ``rise_h``: negative and positive parts of the sums of the newest h of z over
  :math:`\sqrt h` (leverage); ``size_1``, ``size_5``: means of \|z\|;
- ``night_1``, ``night_5``: the same of the overnight return; ``night_fall``: its negative part;
- ``range_1``, ``range_5``: a second measure of the range, in logs, over rv, less its slow mean,
  which is ``range_slow``;
- ``returns_to_rv``: log of the returns' root mean square over the volatility of rv;
- ``deviation_22``, ``deviation_5``, ``jitter``: the volatility of volatility, and of its changes;
- ``length``: log of the sessions over 250; and, for a short history, its product with ten
  others;
- what the asset and its days are: its kind, the measure, the class of the newest and of the next
  session, and products of kind and measure with the means.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from volatility import trailing
from volatility.arrays import BoolArray, FloatArray
from volatility.seasonality import DAY_CLASSES
from volatility.trailing import SESSIONS, ExponentialMeans, sum_of_newest

KINDS = ("stock", "etf", "index", "fx", "crypto")
USUAL_MEASURE = "garman_klass"  # of daily bars, where nobody says another
_KIND_OF_CALENDAR = {"24/7": "crypto", "24/5": "fx"}
MINIMUM = 22  # sessions, about a month: fewer say little of the level that is returned to
ENCODED = 22  # newest sessions that the encoder reads one by one
CHANNELS = ("log_rv", "return", "night", "range")  # of each
LARGEST = 8.0  # deviations beyond which one session's return says no more

# What differs most between kinds of asset, between measures, and between lengths of history.
_BY_KIND = ("mean_1", "mean_5", "mean_25")
_BY_MEASURE = ("mean_1", "mean_5", "last_1", "range_1")
_BY_LENGTH = (
    "mean_1",
    "mean_5",
    "mean_25",
    "mean_all",
    "mean_22",
    "level_5",
    "level_25",
    "size_1",
    "fall_1",
    "deviation_22",
)
_CLASSES = np.arange(len(DAY_CLASSES))
_LEAST = 1e-12  # of what a logarithm is taken of
_LARGEST_LOG = 20.0  # of rv over its slow mean, before it is exponentiated


def usual_kind(calendar_name: str) -> str:
    """The kind that most assets of a calendar are of: stocks, on an exchange."""
    return _KIND_OF_CALENDAR.get(calendar_name, "stock")


class Seen(NamedTuple):
    """Histories as they are, calendar and measure accounted for; (batch, SESSIONS) each.

    NaN where there is no session, in every one of them.
    """

    log_rv: FloatArray  # less the effect of the session's class
    returns: FloatArray  # log return of the session
    nights: FloatArray  # log return of the night before; zero in a market that never closes
    ranges: FloatArray  # log of the second measure over rv's own; zero where there is none


class Circumstances(NamedTuple):
    """What is known of each row beside its history."""

    kinds: FloatArray  # (batch, 5) membership of KINDS
    of_range: BoolArray  # (batch,) whether rv is Parkinson's, of the range alone
    newest_class: NDArray[np.int64]  # (batch,) of the newest session, place in DAY_CLASSES
    next_class: NDArray[np.int64]  # (batch,) of the session after it


class ScaleFree(NamedTuple):
    """What a model for every asset sees, and the level that its forecasts are relative to."""

    level: FloatArray  # (batch,) slow mean of log rv without the calendar
    regressors: FloatArray  # (batch, len(REGRESSORS))
    sequence: FloatArray  # (batch, ENCODED, len(CHANNELS))


def scale_free(seen: Seen, about: Circumstances) -> ScaleFree:
    """Make the regressors and the sequence of (batch, SESSIONS) histories; see the module's top."""
    sessions = trailing.known(seen.log_rv)
    means = ExponentialMeans(sessions)
    log_rv, returns, nights, ranges = (np.where(sessions, it, 0.0) for it in seen)
    level = means.of(log_rv, trailing.SLOW)
    relative = np.where(sessions, log_rv - level[:, None], 0.0)
    rv = np.where(sessions, np.exp(_clipped(relative, _LARGEST_LOG)), 0.0)
    volatility, mean_rv = np.exp(level / 2), means.of(rv, trailing.SCALE)
    squares = means.of(np.square(returns / volatility[:, None]), trailing.SCALE)
    root = np.sqrt(trailing.larger_mean_square(squares, mean_rv))
    unit = (root * volatility)[:, None]  # of returns
    returns, nights = returns / unit, nights / unit
    slow_range = means.of(ranges, trailing.SLOW)
    ranges = ranges - slow_range[:, None]
    count = sessions.sum(axis=1)
    parts = {
        **_of_log_rv(relative, rv, count, means),
        **_of_returns(returns, nights, means),
        **_of_ranges(np.where(sessions, ranges, 0.0), means),
        "range_slow": slow_range,
        "returns_to_rv": np.log(root / np.sqrt(mean_rv)),
        "length": np.log(count / SESSIONS),
    }
    columns = [it[:, None] for it in parts.values()]
    return ScaleFree(
        level,
        np.concatenate([*columns, *_of_circumstances(parts, about)], axis=1),
        _sequence(relative, returns, nights, ranges),
    )


def _of_log_rv(
    relative: FloatArray, rv: FloatArray, count: NDArray[np.int64], means: ExponentialMeans
) -> dict[str, FloatArray]:
    newest = np.ascontiguousarray(relative[:, -ENCODED:])
    mean = sum_of_newest(newest, ENCODED) / ENCODED
    # The bits of newest.var(axis=1) and np.diff, in a third of their time for a single window.
    variance = sum_of_newest(np.square(newest - mean[:, None]), ENCODED) / ENCODED
    changes = np.square(newest[:, 1:] - newest[:, :-1])
    return {
        **{f"mean_{c}": means.of(relative, float(c)) for c in (1, 5, 25)},
        "mean_all": sum_of_newest(relative, SESSIONS) / count,
        **{f"last_{age}": relative[:, -age] for age in range(1, 7)},
        "mean_22": mean,
        **{f"level_{c}": np.log(means.of(rv, float(c)) + _LEAST) for c in (5, 25, 125)},
        "deviation_22": np.sqrt(variance),
        "deviation_5": np.sqrt(sum_of_newest(np.square(newest), 5) / 5),
        "jitter": np.sqrt(sum_of_newest(changes, ENCODED - 1) / (ENCODED - 1)),
    }


def _of_returns(
    returns: FloatArray, nights: FloatArray, means: ExponentialMeans
) -> dict[str, FloatArray]:
    sums = {h: sum_of_newest(returns, h) / np.sqrt(h) for h in (1, 5, 22)}
    sizes, night_sizes = np.abs(returns), np.abs(nights)
    return {
        **{f"fall_{h}": np.minimum(total, 0.0) for h, total in sums.items()},
        **{f"rise_{h}": np.maximum(total, 0.0) for h, total in sums.items()},
        "size_1": sizes[:, -1],
        "size_5": means.of(sizes, 5.0),
        "night_1": night_sizes[:, -1],
        "night_fall": np.minimum(nights[:, -1], 0.0),
        "night_5": means.of(night_sizes, 5.0),
    }


def _of_ranges(ranges: FloatArray, means: ExponentialMeans) -> dict[str, FloatArray]:
    return {"range_1": ranges[:, -1], "range_5": means.of(ranges, 5.0)}


def _of_circumstances(
    parts: Mapping[str, FloatArray], about: Circumstances
) -> Sequence[FloatArray]:
    """Columns in the order of :data:`REGRESSORS`; (batch, k) each."""
    kinds, measure = about.kinds, about.of_range.astype(np.float64)[:, None]
    return [
        kinds,
        measure,
        (about.newest_class[:, None] == _CLASSES).astype(np.float64),
        (about.next_class[:, None] == _CLASSES).astype(np.float64),
        *(parts[name][:, None] * kinds for name in _BY_KIND),
        _together(parts, _BY_MEASURE) * measure,
        _together(parts, _BY_LENGTH) * parts["length"][:, None],
    ]


def _together(parts: Mapping[str, FloatArray], names: Sequence[str]) -> FloatArray:
    """Several of them; (batch, names)."""
    return np.concatenate([parts[name][:, None] for name in names], axis=1)


def _sequence(
    relative: FloatArray, returns: FloatArray, nights: FloatArray, ranges: FloatArray
) -> FloatArray:
    newest = [
        relative[:, -ENCODED:],
        _clipped(returns[:, -ENCODED:], LARGEST),
        _clipped(nights[:, -ENCODED:], LARGEST),
        ranges[:, -ENCODED:],
    ]
    return np.stack(newest, axis=-1)


def _clipped(values: FloatArray, largest: float) -> FloatArray:
    """Values between minus and plus the largest; np.clip takes three times as long."""
    return np.minimum(np.maximum(values, -largest), largest)


def _names() -> tuple[str, ...]:
    nothing = np.zeros((1, SESSIONS))
    there = ExponentialMeans(np.ones((1, SESSIONS), dtype=np.bool_))
    parts = [
        *_of_log_rv(nothing, nothing + 1.0, np.array([SESSIONS]), there),
        *_of_returns(nothing, nothing, there),
        *_of_ranges(nothing, there),
        "range_slow",
        "returns_to_rv",
        "length",
    ]
    return (
        *parts,
        *KINDS,
        "parkinson",
        *(f"after_{name}" for name in DAY_CLASSES),
        *(f"for_{name}" for name in DAY_CLASSES),
        *(f"{name}:{kind}" for name in _BY_KIND for kind in KINDS),
        *(f"{name}:parkinson" for name in _BY_MEASURE),
        *(f"{name}:length" for name in _BY_LENGTH),
    )


REGRESSORS = _names()  # of :attr:`ScaleFree.regressors`, in order
