"""Whether forecasts were made in time: when the newest information in them came."""

import math

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import DateArray, FloatArray
from volatility.filters import trailing_means, windows

NEWS_LAGS = (1, 5, 22)  # HAR's
MINIMUM_NEWS = 60
PEAK_SCORE = 3.0  # standard errors; by chance, one of 6 correlations exceeds it once in 100 models
MARGIN_SCORE = 2.0
# A loss tells more about tomorrow than HAR knows: GJR's honest revisions on the S&P 500 go with
# the news to come 0.55 times as closely as with the news just heard.
PEAK_SHARE = 0.75


def log_rv_news(rv: FloatArray, dates: DateArray | None = None) -> FloatArray:
    """What each session's ``log_rv`` added to what its past foretold.

    Parameters
    ----------
    rv : (n,) realized variance of successive sessions.
    dates : (n,) their dates; where given, weekday effects are fitted too, since a weekly cycle
        is no news.

    Returns
    -------
    (n,) residuals of a HAR regression of ``log_rv`` fitted to the whole sample; NaN for the first
    22 sessions, and for all of fewer than `MINIMUM_NEWS`.
    """
    longest = max(NEWS_LAGS)
    news = np.full(len(rv), np.nan)
    if len(rv) < MINIMUM_NEWS:
        return news
    log_rv = np.log(rv)
    means = trailing_means(windows(log_rv[:-1], longest), NEWS_LAGS)
    groups = _weekdays(dates, len(rv))[longest:]
    target = _less_group_mean(log_rv[longest:], groups)
    regressors = np.column_stack([_less_group_mean(column, groups) for column in means.T])
    news[longest:] = target - regressors @ np.linalg.lstsq(regressors, target, rcond=None)[0]
    return news


def information_lag(
    forecast: FloatArray,
    rv: FloatArray,
    dates: DateArray | None = None,
    *,
    max_lag: int = 5,
    news: FloatArray | None = None,
) -> int | None:
    r"""How many sessions before its target a forecast's newest information is.

    Parameters
    ----------
    forecast : (n,) forecast variance of successive sessions, by target date.
    rv : (n,) realized variance of the same sessions.
    dates : (n,) target dates; where given, weekday effects are taken out.
    max_lag : oldest information looked for, in sessions; at least 1.
    news : (n,) ``log_rv_news(rv, dates)``, where several forecasts are examined against one rv;
        needed where rv is a mean over several sessions, whose news are those of its first.

    Returns
    -------
    1 for a forecast made at the close before its target session; 2 if it is a day late; 0 if it
    saw its target. None where the data cannot tell: too few sessions, a forecast that does not
    react to news, or a lateness too close to call.

    Notes
    -----
    A forecast is revised when news arrives, and cannot be before. With :math:`c_k` Spearman's
    correlation of :math:`\Delta \log f_t` and the news of session t - k, the answer is the smallest
    k at which :math:`|c_k|` stands `PEAK_SCORE` standard errors above 0 and is at least
    `PEAK_SHARE` of the largest: smaller ones are what an honest forecast foresees of the news by
    knowing more than HAR. An answer above 1 has to exceed :math:`|c_1|` by `MARGIN_SCORE` standard
    errors of a difference, so that a slow forecast on a short sample is not called late by chance.
    """
    news = log_rv_news(rv, dates) if news is None else news
    correlations = _revision_correlations(forecast, news, _weekdays(dates, len(rv)), max_lag)
    if correlations is None:
        return None
    strength = np.abs(correlations)
    standard_error = 1.0 / math.sqrt(len(rv) - max(NEWS_LAGS) - max_lag)
    reacts = strength >= max(PEAK_SCORE * standard_error, PEAK_SHARE * strength.max())
    if not reacts.any():
        return None
    newest = int(np.argmax(reacts))
    margin = MARGIN_SCORE * math.sqrt(2.0) * standard_error
    return None if newest > 1 and strength[newest] - strength[1] < margin else newest


def _weekdays(dates: DateArray | None, nobs: int) -> NDArray[np.int64]:
    """A group number for each weekday, or one for all where dates are not known."""
    if dates is None:
        return np.zeros(nobs, dtype=np.int64)
    return dates.astype("datetime64[D]").astype(np.int64) % 7


def _less_group_mean(values: FloatArray, groups: NDArray[np.int64]) -> FloatArray:
    sums = np.bincount(groups, weights=values)
    return values - (sums / np.maximum(np.bincount(groups), 1))[groups]


def _revision_correlations(
    forecast: FloatArray, news: FloatArray, groups: NDArray[np.int64], max_lag: int
) -> FloatArray | None:
    """Spearman correlation of revisions and the news of 0 … ``max_lag`` sessions before.

    None where there is too little news or the forecast never changes.
    """
    if len(news) < MINIMUM_NEWS:
        return None
    first = max(NEWS_LAGS) + max_lag  # the same revisions at every lag
    revisions = np.diff(np.log(forecast))[first - 1 :]
    response = _centred_ranks(_less_group_mean(revisions, groups[first:]))
    if not response.any():
        return None
    shocks = np.stack(
        [_centred_ranks(news[first - lag : len(news) - lag]) for lag in range(max_lag + 1)]
    )
    norms = np.linalg.norm(shocks, axis=1) * np.linalg.norm(response)
    correlations: FloatArray = shocks @ response / norms
    return correlations


def _centred_ranks(values: FloatArray) -> FloatArray:
    """Ranks with mean 0; equal values share their mean rank."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2  # 0-based mean rank of each distinct value
    ranks: FloatArray = middle[group] - (len(values) - 1) / 2
    return ranks
