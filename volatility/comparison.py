"""Whether one forecast is better than another, or luckier, and whether it was made in time.

Losses are (n,) arrays of the same dates in the same order; see `volatility.losses`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from volatility import student_t
from volatility.arrays import DateArray, FloatArray
from volatility.errors import InvalidSeries, TooFewObservations
from volatility.regressors import trailing_means, windows

CONFIDENCE_LEVEL = 0.90
BOOTSTRAP_REPLICATIONS = 2_000  # a p-value near 0.10 is known to 0.007
BOOTSTRAP_SEED = 2011  # the year of the paper; any fixed seed makes the set reproducible
MINIMUM_FORECASTS = 10

NEWS_LAGS = (1, 5, 22)  # HAR's
MINIMUM_NEWS = 60
PEAK_SCORE = 3.0  # standard errors; by chance, one of 6 correlations exceeds it once in 100 models
MARGIN_SCORE = 2.0
# A loss tells more about tomorrow than HAR knows: GJR's honest revisions on the S&P 500 go with
# the news to come 0.55 times as closely as with the news just heard.
PEAK_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class DieboldMariano:
    """A test of equal accuracy.

    Attributes
    ----------
    statistic : mean loss difference in standard errors; negative favours the model.
    pvalue : two-sided, of equal accuracy.
    pvalue_worse : one-sided; small when the model is significantly worse than the baseline.
    mean_difference : mean loss of the model less that of the baseline.
    nobs : number of dates.
    lags : autocovariances in the variance of the mean.
    degrees_of_freedom : of the Student t that the statistic is compared with.
    """

    statistic: float
    pvalue: float
    pvalue_worse: float
    mean_difference: float
    nobs: int
    lags: int
    degrees_of_freedom: float


@dataclass(frozen=True, slots=True)
class ConfidenceSet:
    """The models among which is the best one, at a level.

    Attributes
    ----------
    included : names of the models in the set.
    pvalues : by name; a model is in the set when its p-value exceeds 1 - level.
    level : probability that the set holds the best model.
    """

    included: frozenset[str]
    pvalues: Mapping[str, float]
    level: float


def diebold_mariano(
    losses: FloatArray, baseline_losses: FloatArray, horizon: int = 1
) -> DieboldMariano:
    r"""Test whether two forecasts are equally accurate.

    Parameters
    ----------
    losses, baseline_losses : (n,) losses of the same dates.
    horizon : sessions ahead; forecasts that overlap have errors that are correlated.

    Raises
    ------
    InvalidSeries : of unequal length, or with a value that is not finite.
    TooFewObservations : fewer than `MINIMUM_FORECASTS` dates, or no more than the horizon.

    Notes
    -----
    The variance of the mean difference has Bartlett weights over
    :math:`L = \max(2(h - 1), \lfloor n^{1/3} \rfloor)` autocovariances, so that it is never
    negative; losses h sessions ahead overlap, and Bartlett's weights would halve the
    autocovariances up to h - 1 if they ended there. The statistic is multiplied by
    :math:`\sqrt{(n + 1 - 2h + h(h - 1) / n) / n}` and compared with Student's t: at h = 1 on
    n - 1 degrees of freedom, beyond on the variance's own, :math:`3n / 2(L + 1)` if that is less.
    With n = 630 and h = 22 a test at 5 % so rejects 7 % of equally accurate forecasts; with h - 1
    lags and n - 1 degrees of freedom it rejects 12 %. Two forecasts with equal losses on every
    date have statistic 0 and p-value 1.

    References
    ----------
    Diebold & Mariano (1995), Journal of Business & Economic Statistics 13(3).
    Harvey, Leybourne & Newbold (1997), International Journal of Forecasting 13(2).
    Newey & West (1987), Econometrica 55(3).
    Lazarus, Lewis, Stock & Watson (2018), Journal of Business & Economic Statistics 36(4).
    """
    _check_losses({"losses": losses, "baseline_losses": baseline_losses})
    difference = losses - baseline_losses
    nobs = len(difference)
    _check_overlap(nobs, horizon)
    lags = max(2 * (horizon - 1), _integer_cube_root(nobs))
    mean = float(difference.mean())
    standard_error = math.sqrt(_long_run_variance(difference, lags) / nobs)
    correction = math.sqrt((nobs + 1 - 2 * horizon + horizon * (horizon - 1) / nobs) / nobs)
    statistic = correction * _ratio(mean, standard_error)
    degrees = nobs - 1 if horizon == 1 else min(nobs - 1, 1.5 * nobs / (lags + 1))
    return DieboldMariano(
        statistic=statistic,
        pvalue=student_t.two_sided_pvalue(statistic, degrees),
        pvalue_worse=student_t.upper_tail(statistic, degrees),
        mean_difference=mean,
        nobs=nobs,
        lags=lags,
        degrees_of_freedom=degrees,
    )


def model_confidence_set(
    losses: Mapping[str, FloatArray],
    level: float = CONFIDENCE_LEVEL,
    *,
    horizon: int = 1,
    replications: int = BOOTSTRAP_REPLICATIONS,
    block_size: int | None = None,
    seed: int = BOOTSTRAP_SEED,
) -> ConfidenceSet:
    r"""The smallest set that holds the best model with probability ``level``.

    Parameters
    ----------
    losses : (n,) losses of the same dates, by model.
    level : between 0 and 1.
    horizon : sessions ahead; forecasts that overlap have errors that are correlated.
    replications : bootstrap samples.
    block_size : mean length of a block, in dates; when None the integer part of :math:`\sqrt n`,
        and at least the horizon.
    seed : of the bootstrap. Equal inputs and seeds give equal sets.

    Raises
    ------
    InvalidSeries : no model, unequal lengths, or a value that is not finite.
    TooFewObservations : fewer than `MINIMUM_FORECASTS` dates.

    Notes
    -----
    The range statistic: the largest standardized difference of mean losses between any two of
    the models that remain, against its stationary-bootstrap distribution; while equal accuracy
    is rejected, the model with the largest difference leaves. A model's p-value is the largest of
    the tests up to the one after which it left, and 1 for the last model.

    References
    ----------
    Hansen, Lunde & Nason (2011), Econometrica 79(2).
    Politis & Romano (1994), Journal of the American Statistical Association 89(428).
    """
    _check_losses(losses)
    names = tuple(losses)
    table = np.column_stack([losses[name] for name in names])  # (n, models)
    means = table.mean(axis=0)
    block_size = block_size or max(math.isqrt(len(table)), horizon)
    deviations = _bootstrap_means(table - means, replications, block_size, seed)
    pvalues = dict(zip(names, _elimination_pvalues(means, deviations), strict=True))
    included = frozenset(name for name in names if pvalues[name] > 1.0 - level)
    return ConfidenceSet(included=included, pvalues=pvalues, level=level)


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


def _check_losses(losses: Mapping[str, FloatArray]) -> None:
    if not losses:
        raise InvalidSeries(
            "there is no model to compare; at least one is needed",
            code="empty_history",
            field="losses",
            found=0,
            needed="at least 1 model",
        )
    shapes = {values.shape for values in losses.values()}
    if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
        raise InvalidSeries(
            f"losses of shapes {sorted(shapes)} cannot be paired; one loss a date is needed",
            code="length_mismatch",
            field="losses",
            found=sorted(shapes),
            needed="equal lengths",
        )
    for name, values in losses.items():
        if not np.isfinite(values).all():
            raise InvalidSeries(
                f"the losses of {name} are not all finite",
                code="non_finite_loss",
                field=name,
                found=float(values[~np.isfinite(values)][0]),
                needed="finite numbers",
            )
    nobs = shapes.pop()[0]
    if nobs < MINIMUM_FORECASTS:
        raise TooFewObservations(
            f"a comparison needs {MINIMUM_FORECASTS} forecasts; got {nobs}",
            field="losses",
            found=nobs,
            needed=f"at least {MINIMUM_FORECASTS}",
        )


def _check_overlap(nobs: int, horizon: int) -> None:
    if nobs <= horizon:
        raise TooFewObservations(
            f"{nobs} forecasts {horizon} sessions ahead all overlap; more are needed",
            field="losses",
            found=nobs,
            needed=f"more than {horizon}",
        )


def _integer_cube_root(number: int) -> int:
    """Floor of the cube root: 1000 ** (1 / 3) itself is 9.999."""
    root: int = round(number ** (1 / 3))
    return root - 1 if root**3 > number else root


def _long_run_variance(values: FloatArray, lags: int) -> float:
    """Newey-West estimate: Bartlett weights over ``lags`` autocovariances, each divided by n."""
    centred = values - values.mean()
    variance = float(centred @ centred)
    for lag in range(1, min(lags, len(values) - 1) + 1):
        variance += 2.0 * (1.0 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag])
    return max(variance, 0.0) / len(values)


def _ratio(mean: float, standard_error: float) -> float:
    if standard_error > 0.0:
        return mean / standard_error
    return math.copysign(math.inf, mean) if mean else 0.0


def _bootstrap_means(
    centred: FloatArray, replications: int, block_size: int, seed: int
) -> FloatArray:
    """Means of stationary-bootstrap samples of (n, models), as (replications, models).

    A sample is a run of blocks with uniform starts and geometric lengths, wrapped round the end,
    so its sum is a sum of differences of the cumulative sum: n / block_size look-ups, not n.
    """
    rng = np.random.default_rng(seed)
    nobs = len(centred)
    rate = 1.0 / block_size
    # Blocks to n dates are 1 + Binomial(n - 1, rate); ten standard deviations more is never short.
    blocks = math.ceil(1 + nobs * rate + 10 * math.sqrt(nobs * rate))
    ends = np.minimum(rng.geometric(rate, size=(replications, blocks)).cumsum(axis=1), nobs)
    ends[:, -1] = nobs
    lengths = np.diff(ends, axis=1, prepend=0)
    starts = rng.integers(nobs, size=(replications, blocks))
    cumulative = np.zeros((2 * nobs + 1, centred.shape[1]))
    np.cumsum(np.concatenate([centred, centred]), axis=0, out=cumulative[1:])
    sums = np.zeros((replications, centred.shape[1]))
    for first, last in zip(starts.T, (starts + lengths).T, strict=True):  # all at once take 60 MB
        sums += cumulative[last] - cumulative[first]
    return sums / nobs


def _elimination_pvalues(means: FloatArray, deviations: FloatArray) -> list[float]:
    """P-value of each of k models, from (k,) mean losses and (replications, k) of bootstrap."""
    differences = means[:, None] - means  # (k, k); the row's loss less the column's
    bootstrap = deviations[:, :, None] - deviations[:, None, :]  # (replications, k, k)
    scale = np.sqrt(np.mean(bootstrap**2, axis=0))
    # Models with equal losses differ by 0 with variance 0: a statistic of 0, not 0 / 0.
    scale = np.maximum(scale, np.finfo(np.float64).tiny)
    differences /= scale
    bootstrap /= scale
    pvalues = [1.0] * len(means)
    pvalue = 0.0
    for _ in range(len(means) - 1):
        worst_by = differences.max(axis=1)
        largest = bootstrap.max(axis=(1, 2))
        pvalue = max(pvalue, float(np.mean(largest >= worst_by.max())))
        worst = int(np.argmax(worst_by))
        pvalues[worst] = pvalue
        for values in (differences, bootstrap):  # it leaves: no maximum will see it again
            values[..., worst, :] = values[..., :, worst] = -np.inf
    return pvalues


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
