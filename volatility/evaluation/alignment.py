"""Whether forecasts were made in time: which session's outcome is the newest that they know."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import DateArray, FloatArray
from volatility.filters import trailing_means, windows

WINDOW = 22  # sessions of a HAR, and of a moving average
LAGS = WINDOW + 2  # that a revision of one which is a day late depends on
MINIMUM_ROWS = 60
# In standard errors. The figures behind them stand in docs/decisions/0020.
REACTS = 3.0  # a forecast made in time is called so from here on
NOTHING = 4.0  # a reaction that is no further from 0 is none
NEGLIGIBLE = 0.03  # of the largest reaction: long memory beyond the lags leaves so much
LATE = 4.0  # by so much it reacts more to the day before yesterday
YESTERDAY_MATTERS = 3.5  # HAR's weight of it: what tells nothing, an honest fit may leave out
ENDS = 4.0  # by so much the oldest session of a window of HAR's length stands out
EARLY = 5.0  # the reaction to the target session itself
UNDERREACTS = 3.0
STRICTER = 1.5  # a shift is beyond doubt where all of it is so many times as far out

EXACT = 0.9  # share of the revisions' variance from which on a regression is an identity
# Nobody foresees 96 % of what is new in a session; a GARCH where rv is nearly the variance, 90 %.
FORESEEABLE = 0.98  # partial correlation
# A forecast that foresees something moves by what it foresees: news are 1 times that. One that saw
# the news itself moves by the weight it gives to any day: news are 2 to 20 times that.
EFFICIENT = 1.5
LEADS = 0.75  # of the largest reaction to a session before: reaction to the target that is odd
MOVES = 0.3  # weight of one day in log rv that no fitted model comes by through luck


class Regressors(NamedTuple):
    """One description of the sessions up to a target, ready for regressions of many models.

    Attributes
    ----------
    basis : (rows, k) orthonormal.
    inverse : (k, k) coefficients from those on the basis; the target session's first.
    errors : (k,) standard errors over the residual deviation.
    """

    basis: FloatArray
    inverse: FloatArray
    errors: FloatArray


class Reaction(NamedTuple):
    """How revisions depend on the target session (0) and on those before it.

    Attributes
    ----------
    coefficients, errors : (LAGS + 1,) by sessions before the target.
    explained : share of the revisions' variance.
    """

    coefficients: FloatArray
    errors: FloatArray
    explained: float

    @property
    def scores(self) -> FloatArray:
        """Coefficients in standard errors."""
        return self.coefficients / self.errors

    @property
    def exact(self) -> bool:
        """Whether the regression is nearly an identity."""
        return self.explained >= EXACT

    def follows_yesterday(self) -> bool:
        """Whether it reacts to the session before the target, and to neither neighbour as much.

        Who has seen the target falls on the day after it, and who is late rises on the day before:
        a reaction of either sign, or of several days, tells nothing of being in time. An identity
        may have weights of any sign, and has none of a session that is not in it.
        """
        if self.exact:
            return self.ignores(0) and not self.ignores(1)
        target, yesterday, day_before = self.coefficients[:3]
        return bool(self.scores[1] >= REACTS and yesterday > max(target, day_before))

    def ignores(self, lag: int) -> bool:
        """Whether the reaction to a session so many before the target is as good as none."""
        largest = float(np.abs(self.coefficients).max())
        negligible = max(NOTHING * self.errors[lag], NEGLIGIBLE * largest)
        return bool(abs(self.coefficients[lag]) <= negligible)

    def lateness(self) -> float:
        """How much more it reacts to the day before yesterday than to yesterday, in errors."""
        before = self.coefficients[2]  # where it is no identity, a fall after a rise is no reaction
        excess = (abs(before) if self.exact else before) - abs(self.coefficients[1])
        return float(excess / math.hypot(self.errors[1], self.errors[2]))

    def ends_in_time(self) -> bool:
        """Whether a window of HAR's length ends where it does for a forecast made in time."""
        oldest, older = WINDOW + 1, WINDOW + 2
        excess = abs(self.coefficients[oldest]) - abs(self.coefficients[older])
        return bool(excess > ENDS * math.hypot(self.errors[oldest], self.errors[older]))


@dataclass(frozen=True)
class Sessions:
    """An asset's sessions, as models are examined against them.

    Attributes
    ----------
    rows : positions of the revisions that can be explained.
    scores, logs, levels : rv and that of `LAGS` sessions before, as normal scores of log_rv, as
        log_rv, and as they are.
    yesterday_matters : by so many standard errors HAR's forecast of log_rv follows yesterday.
    """

    rows: NDArray[np.intp]
    scores: Regressors
    logs: Regressors
    levels: Regressors
    yesterday_matters: float

    @classmethod
    def of(
        cls, rv: FloatArray, dates: DateArray | None = None, targets: NDArray[np.intp] | None = None
    ) -> Self | None:
        """Prepare the regressions.

        Parameters
        ----------
        rv : (n,) realized variance of successive sessions.
        dates : (n,) their dates; where given, weekday effects are taken out.
        targets : (m,) positions in rv of the forecasts' target sessions, increasing; all if None.

        Returns
        -------
        None where fewer than `MINIMUM_ROWS` revisions have all the sessions before them.
        """
        targets = np.arange(len(rv)) if targets is None else targets
        rows = np.flatnonzero(targets[1:] >= LAGS) + 1
        if len(rows) < MINIMUM_ROWS + LAGS or np.ptp(rv) == 0.0:
            return None
        at, log_rv = targets[rows], np.log(rv)
        weekdays = _weekdays(dates, at)
        return cls(
            rows,
            _regressors(_normal_scores(log_rv), at, weekdays),
            _regressors(log_rv, at, weekdays),
            _regressors(rv / rv.mean(), at, weekdays),
            _score_of_yesterday(log_rv),
        )


@dataclass(frozen=True, slots=True)
class Timing:
    """When a forecast was made, as far as its revisions tell.

    Attributes
    ----------
    information_lag : sessions from the newest outcome that it knows to its target: 1 for a forecast
        made in time, 2 for one a day late, 0 for one that saw its target; None if it cannot be
        told.
    beyond_doubt : whether it is so far from being made in time that it should not be used.
    """

    information_lag: int | None
    beyond_doubt: bool = False


def examine(forecast: FloatArray, sessions: Sessions | None) -> Timing:
    r"""Tell from a forecast's revisions when it was made.

    Parameters
    ----------
    forecast : (m,) forecast variance of the target sessions.
    sessions : of the asset; None where there are too few.

    Notes
    -----
    The revision :math:`\log f_t - \log f_{t-1}` is regressed on the outcome of session t and of
    the `LAGS` before it. A forecast made at the close before its session follows that of t - 1,
    and has nothing of that of t. The regression is made three times, since for many models one of
    them is an identity: in logs, in levels, and in normal scores, which no outlier moves.

    *Late* is a forecast that reacts to t - 2, by `LATE` standard errors more than to t - 1, and to
    that not at all. One fitted to a series in which yesterday tells nothing may do the same, so
    that yesterday has to matter: HAR's weight of it stands `YESTERDAY_MATTERS` errors above 0, or
    the forecast itself gives a day more weight than a fit finds by luck.

    *Early* is one that reacts to t, unless it may have foreseen it. Foresight is efficient: what is
    new in t is on average as much as the forecast moved by. Who sees t instead moves by less, and
    who moves by nearly all of it (`FORESEEABLE`) has not foreseen it. A GARCH of returns that knows
    tomorrow's variance passes.
    """
    if sessions is None:
        return Timing(None)
    logs = np.diff(np.log(forecast))[sessions.rows - 1]
    if np.ptp(logs) == 0.0:
        return Timing(None)
    levels = np.diff(forecast / forecast.mean())[sessions.rows - 1]
    robust = _react(_normal_scores(logs), sessions.scores)
    in_logs = _react(logs, sessions.logs)
    reactions = (robust, in_logs, _react(levels, sessions.levels))
    late = _lateness(reactions, in_logs, sessions)
    early = _earliness(reactions, in_logs, sessions)
    if early >= 1.0:
        return Timing(0, early >= STRICTER)
    if late >= 1.0:
        return Timing(2, late >= STRICTER)
    best = max(reactions, key=lambda reaction: reaction.explained)
    return Timing(1 if robust.follows_yesterday() or best.follows_yesterday() else None)


def _lateness(reactions: Sequence[Reaction], in_logs: Reaction, sessions: Sessions) -> float:
    """By how much a forecast is late, 1 being the least that is called so; 0 if it is not."""
    robust, best = reactions[0], max(reactions, key=lambda reaction: reaction.explained)
    if not (robust.ignores(1) and best.ignores(1)):
        return 0.0
    if best.exact and best.ends_in_time():
        return 0.0
    excess = max(it.lateness() for it in reactions if it is robust or it.exact)
    matters = max(sessions.yesterday_matters / YESTERDAY_MATTERS, in_logs.coefficients[2] / MOVES)
    return min(excess / LATE, float(matters))


def _earliness(reactions: Sequence[Reaction], in_logs: Reaction, sessions: Sessions) -> float:
    """By how much a forecast is early, 1 being the least that is called so; 0 if it is not."""
    robust = reactions[0]
    excess = abs(float(robust.scores[0])) / EARLY
    if max(_partial_correlation(it, len(sessions.rows)) for it in reactions) >= FORESEEABLE:
        return excess
    leads = abs(robust.coefficients[0]) >= LEADS * np.abs(robust.coefficients[1:]).max()
    return min(excess, _underreaction(in_logs, sessions) / UNDERREACTS) if leads else 0.0


def _partial_correlation(reaction: Reaction, nobs: int) -> float:
    """Of revisions and the target session, given the sessions before; its absolute value."""
    score = float(reaction.scores[0])
    return abs(score) / math.sqrt(score**2 + nobs - len(reaction.errors))


def _underreaction(in_logs: Reaction, sessions: Sessions) -> float:
    """How far news per unit of revision are above `EFFICIENT`, or below 0, in standard errors."""
    nobs = len(sessions.rows)
    score, weight = float(in_logs.scores[0]), float(in_logs.coefficients[0])
    correlation = _partial_correlation(in_logs, nobs)
    if correlation == 0.0:
        return 0.0
    slope = correlation**2 / weight  # of news on revisions; the other way round it is the weight
    error = abs(slope / score)
    return max(-slope, slope - EFFICIENT) / error


def _react(revisions: FloatArray, regressors: Regressors) -> Reaction:
    revisions = revisions - revisions.mean()
    on_basis = regressors.basis.T @ revisions
    coefficients = regressors.inverse @ on_basis
    total = float(revisions @ revisions)
    # Rounding leaves an identity a residual of either sign.
    residual = max(total - float(on_basis @ on_basis), 1e-20 * total)
    deviation = math.sqrt(residual / (len(revisions) - regressors.basis.shape[1]))
    lags = slice(0, LAGS + 1)
    return Reaction(coefficients[lags], deviation * regressors.errors[lags], 1.0 - residual / total)


def _regressors(values: FloatArray, at: NDArray[np.intp], weekdays: FloatArray) -> Regressors:
    """Of the sessions at ``at`` and those before each, and of constants by weekday."""
    design = np.column_stack([values[at[:, None] - np.arange(LAGS + 1)], weekdays])
    basis, triangle = np.linalg.qr(design)
    inverse = np.linalg.inv(triangle)
    return Regressors(basis, inverse, np.linalg.norm(inverse, axis=1))


def _weekdays(dates: DateArray | None, at: NDArray[np.intp]) -> FloatArray:
    """A column for each weekday that occurs, or one for all where dates are not known."""
    if dates is None:
        return np.ones((len(at), 1))
    days: NDArray[np.int64] = dates[at].astype("datetime64[D]").astype(np.int64) % 7
    columns: FloatArray = (days[:, None] == np.unique(days)).astype(np.float64)
    return columns


def _score_of_yesterday(log_rv: FloatArray) -> float:
    """Weight of the newest session in a HAR regression of log_rv, in standard errors."""
    means = trailing_means(windows(log_rv[:-1], WINDOW), (1, 5, WINDOW))
    design = np.column_stack([means, np.ones(len(means))])
    target = log_rv[WINDOW:]
    coefficients, *_ = np.linalg.lstsq(design, target, rcond=None)
    residuals = target - design @ coefficients
    variance = float(residuals @ residuals) / (len(target) - len(coefficients))
    weights = np.array([1.0, 1 / 5, 1 / WINDOW, 0.0])
    spread = float(weights @ np.linalg.pinv(design.T @ design) @ weights)
    return float(weights @ coefficients) / math.sqrt(max(variance * spread, 1e-300))


def _normal_scores(values: FloatArray) -> FloatArray:
    """Normal quantiles of each value's rank; equal values share the mean of their ranks."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts + 1) / 2)[group]  # from 0
    scores: FloatArray = np.interp(ranks, np.arange(len(values)), _quantiles(len(values)))
    return scores


@cache
def _quantiles(nobs: int) -> FloatArray:
    quantile = NormalDist().inv_cdf
    return np.array([quantile((rank + 0.5) / nobs) for rank in range(nobs)])
