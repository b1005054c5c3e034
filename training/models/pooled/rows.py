r"""What a pooled model learns from: scale-free rows of many assets.

A target is the log of mean rv over the sessions ahead, less the slow mean of what came before and
the calendar's effect on those sessions:

.. math:: y_{t,h} = \log \frac{1}{h} \sum_{k=1}^{h} rv_{t+k}
          - \log \frac{1}{h} \sum_{k=1}^{h} e^{c(t+k)} - s_t
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models_store.predictors.pooled import RANGE, RANGE_SIGN, log_mean_factor, look
from training.data.assets import AssetData
from volatility.arrays import DAY, FloatArray, Windows
from volatility.filters import windows
from volatility.measures.columns import OVERNIGHT
from volatility.scale_free import KINDS, MINIMUM, scale_free
from volatility.seasonality import DAY_CLASSES, calendar_effects, day_classes, estimation_span
from volatility.trailing import SESSIONS

COLUMNS = ("return", OVERNIGHT, RANGE)  # what a pooled model sees beside rv, where bars give it
Effects = Mapping[str, FloatArray]  # (8,) by kind of asset
_OTHER = {"garman_klass": "parkinson", "parkinson": "garman_klass"}


class Rows(NamedTuple):
    """Histories and what followed; float32, since there are hundreds of thousands."""

    regressors: NDArray[np.float32]  # (n, k)
    sequence: NDArray[np.float32]  # (n, 22, 4)
    targets: NDArray[np.float32]  # (n, horizons); NaN where a session ahead is missing

    @classmethod
    def joined(cls, parts: Sequence["Rows"]) -> "Rows":
        """Those of all parts, in order."""
        return cls(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def where(self, keep: NDArray[np.bool_]) -> "Rows":
        """The rows where ``keep``, (n,), is true."""
        return Rows(*(it[keep] for it in self))


@dataclass(frozen=True)
class Variation:
    """Another view of an asset's rows that a pooled model learns from too.

    Attributes
    ----------
    share : of the rows, drawn at random.
    truncated : whether each row's history is cut to a random length, from 22 to 250 sessions and
        as many in each octave.
    other_measure : whether rv is Parkinson's where it is Garman-Klass's, and the other way round.
    """

    share: float
    truncated: bool = False
    other_measure: bool = False


# Besides every row as it is. What a model is asked has fewer sessions or another measure now and
# then, and must not be a stranger to it.
VARIATIONS = (
    Variation(0.35, truncated=True),
    Variation(0.2, other_measure=True),
    Variation(0.1, truncated=True, other_measure=True),
)


def class_effects(assets: Sequence[AssetData]) -> Effects:
    """Effects of the calendar by kind of asset: means over its assets, by sessions of each class.

    Parameters
    ----------
    assets : with what is known of them; a kind that none is of has no effects.
    """
    sums = {kind: np.zeros(len(DAY_CLASSES)) for kind in KINDS}
    counts = {kind: np.zeros(len(DAY_CLASSES)) for kind in KINDS}
    for asset in assets:
        span = estimation_span(asset.calendar)
        log_rv = np.log(asset.series.rv[-span:])
        classes = day_classes(asset.series.dates[-span:], asset.calendar)
        seen = np.bincount(classes, minlength=len(DAY_CLASSES)).astype(np.float64)
        effects = calendar_effects(log_rv, classes)
        sums[asset.kind] += seen * effects
        counts[asset.kind] += seen
    return {kind: sums[kind] / np.maximum(counts[kind], 1.0) for kind in sums}


def training_rows(
    assets: Sequence[AssetData], effects: Effects, horizons: Sequence[int], seed: int
) -> Rows:
    """Every row of every asset that has a target, and its variations."""
    return Rows.joined(
        [
            part
            for place, asset in enumerate(assets)
            for part in _varied(asset, effects[asset.kind], horizons, (seed, place))
        ]
    )


def histories(asset: AssetData) -> Windows:
    """Windows of every session from the 22nd on, NaN before the first; (n, 250) by column."""
    series = asset.series
    columns = {"rv": series.rv} | {
        name: series.column(name) for name in (*usable_columns(asset), DAY)
    }
    before = np.full(SESSIONS - 1, np.nan)
    return {
        name: windows(np.concatenate([before, values]), SESSIONS)[MINIMUM - 1 :]
        for name, values in columns.items()
    }


def usable_columns(asset: AssetData) -> tuple[str, ...]:
    """Those of :data:`COLUMNS` that an asset's bars give, sorted."""
    return tuple(sorted(set(COLUMNS) & set(asset.series.columns)))


def log_targets(asset: AssetData, horizons: Sequence[int]) -> FloatArray:
    """Log of mean rv ahead of each session from the 22nd on; (n, horizons).

    NaN where one of the sessions ahead is missing, or is not there yet.
    """
    series = asset.series
    places = asset.calendar.positions(series.dates)
    targets = np.full((len(series), len(horizons)), np.nan)
    for column, horizon in enumerate(horizons):
        if len(series) <= horizon:
            continue
        means = windows(series.rv[1:], horizon).mean(axis=-1)
        adjacent = places[horizon:] - places[:-horizon] == horizon
        targets[:-horizon, column] = np.where(adjacent, np.log(means), np.nan)
    return targets[MINIMUM - 1 :]


def log_factors(asset: AssetData, effects: FloatArray, horizons: Sequence[int]) -> FloatArray:
    """The calendar's mean effect ahead of each session from the 22nd on; (n, horizons) logs."""
    newest = asset.series.days[MINIMUM - 1 :]
    each = [log_mean_factor(newest, horizon, effects, asset.calendar) for horizon in horizons]
    return np.stack(each, axis=1)


def fit_is_possible(assets: Sequence[AssetData], horizons: Sequence[int]) -> bool:
    """Whether some asset has a target at every horizon: without one nothing can be estimated."""
    there = np.zeros(len(horizons), dtype=bool)
    for asset in assets:
        there |= np.isfinite(log_targets(asset, horizons)).any(axis=0)
    return bool(there.all())


def _varied(
    asset: AssetData, effects: FloatArray, horizons: Sequence[int], seed: tuple[int, int]
) -> list[Rows]:
    if len(asset.series) < MINIMUM + 1:
        return []
    rng = np.random.default_rng(seed)
    seen, targets = histories(asset), log_targets(asset, horizons)
    factors = log_factors(asset, effects, horizons)
    told: NDArray[np.bool_] = np.logical_not(np.isnan(targets).all(axis=1))
    parts = [_rows(seen, targets - factors, told, asset, effects)]
    for variation in VARIATIONS:
        varied, view, ahead = asset, seen, targets
        if variation.other_measure:
            if asset.series.measure not in _OTHER or RANGE not in seen:
                continue
            varied, view = _other_measure(asset, seen)
            ahead = log_targets(varied, horizons)
        chosen = np.logical_and(told, rng.random(len(told)) < variation.share)
        if variation.truncated:
            view = _truncated(view, rng)
        parts.append(_rows(view, ahead - factors, chosen, varied, effects))
    return parts


def _rows(
    seen: Windows,
    targets: FloatArray,
    chosen: NDArray[np.bool_],
    asset: AssetData,
    effects: FloatArray,
) -> Rows:
    view = {name: values[chosen] for name, values in seen.items()}
    made = scale_free(*look(view, asset.kind, asset.series.measure, effects, asset.calendar))
    return Rows(
        made.regressors.astype(np.float32),
        made.sequence.astype(np.float32),
        (targets[chosen] - made.level[:, None]).astype(np.float32),
    )


def _other_measure(asset: AssetData, seen: Windows) -> tuple[AssetData, Windows]:
    """The asset, and its windows, in the other measure of the range."""
    measure = asset.series.measure
    sign = RANGE_SIGN[measure]
    series = asset.series
    other = replace(
        series,
        rv=series.rv * np.exp(sign * series.column(RANGE)),
        measure=_OTHER[measure],
    )
    rv = seen["rv"] * np.exp(sign * seen[RANGE])
    return replace(asset, series=other), {**seen, "rv": rv}


def _truncated(seen: Windows, rng: np.random.Generator) -> Windows:
    """Histories cut to random lengths from 22 to 250 sessions."""
    count = len(seen["rv"])
    kept = np.exp(rng.uniform(np.log(MINIMUM), np.log(SESSIONS), count)).astype(np.int64)
    there = np.arange(SESSIONS) >= SESSIONS - kept[:, None]
    return {name: np.where(there, values, np.nan) for name, values in seen.items()}
