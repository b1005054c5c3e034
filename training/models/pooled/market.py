r"""A second stage of the model for every asset: what its class and the VIX tell besides.

.. math:: \log \hat{rv}_{t,h} = \log \hat{rv}^{(u)}_{t,h} + a_{k,h} + m_t' b_{k,h} + x_t' c_{k,h}

with the forecast of the model for every asset, the companions m of :mod:`volatility.class_factor`
and the model's own regressors x, whose weights shift where companions are known. The coefficients
are those of a ridge regression of what the model leaves, one for each kind k of asset and horizon,
over all assets and sessions that the fit may see. A forecast without companions is that of the
model as it is, with the asset's own scale by the outcomes of that model alone; an accompanied one
has a scale by the outcomes of accompanied ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training.data.assets import AssetData
from training.models.pooled.ridge import pooled_ridge
from training.models.pooled.rows import log_targets
from training.models.pooled.zero_shot import (
    Pooled,
    inputs_of,
    own_log_scales,
    plain_forecasts,
    with_scales,
)
from volatility.arrays import BoolArray, FloatArray
from volatility.class_factor import (
    Signals,
    Told,
    class_regressors,
    index_regressors,
    signals,
)
from volatility.companions import INDICES, known_sessions
from volatility.own_scale import capped
from volatility.scale_free import LARGEST, MINIMUM

# Fixed on the third quarter of 53 assets; see docs/decisions/0032.
PENALTY = 0.1
INDEXED = ("stock", "etf", "index")  # kinds of asset that look at implied volatility
_FEWEST = 1_000  # rows that a fit needs, of about a hundred regressors

Market = Mapping[str, FloatArray]  # by asset, (n, k) companions of each session from the 22nd on


class _Rows(NamedTuple):
    """Sessions of one asset at which its companions were known."""

    known: BoolArray  # (n,) which of them, from the 22nd session on
    design: FloatArray  # (known, k) companions, then the model's own regressors
    plain: FloatArray  # (n, horizons) what the model for every asset says, without any scale
    targets: FloatArray  # (n, horizons) logs of mean rv ahead


@dataclass(frozen=True, eq=False)
class KindStage:
    """The second stage of one kind of asset.

    Attributes
    ----------
    mean, deviation : (k,) of the design.
    coefficients : (1 + k, horizons), the intercepts first; they move a log to that of a mean.
    capped_means : (horizons,) see :func:`volatility.own_scale.log_scales`.
    """

    mean: FloatArray
    deviation: FloatArray
    coefficients: FloatArray
    capped_means: FloatArray

    def correction(self, design: FloatArray) -> FloatArray:
        """What companions add to log forecasts; (n, horizons).

        Row by row in one order: BLAS adds otherwise for one row than for many.
        """
        scaled = _standardized(design, self.mean, self.deviation)
        parts = [
            np.add.reduce(np.ascontiguousarray(scaled * slopes), axis=-1)
            for slopes in self.coefficients[1:].T
        ]
        return np.asarray(np.stack(parts, axis=1) + self.coefficients[0])


Stages = Mapping[str, KindStage]  # by kind of asset, of those that there are rows enough of


def looked_at(asset: AssetData, companions: Sequence[AssetData]) -> list[AssetData]:
    """The companions that an asset of a panel is given: not itself, nor what its kind passes by."""
    return [
        it
        for it in companions
        if it.asset != asset.asset and (it.asset not in INDICES or asset.kind in INDEXED)
    ]


def market_of(assets: Sequence[AssetData], index: AssetData | None) -> dict[str, FloatArray]:
    """The companions of every asset of a panel: the others of its kind, and implied volatility.

    Parameters
    ----------
    assets : with their whole history; what stands by a session was known at its end.
    index : of implied volatility, which stocks, funds and indices look at.
    """
    told = {
        it.asset: Told(signals(it.series, it.calendar), it.series.dates, it.calendar)
        for it in assets
    }
    market = {}
    for asset in assets:
        others = [told[it.asset] for it in assets if it.kind == asset.kind and it is not asset]
        own, dates, calendar = told[asset.asset]
        parts = [class_regressors(dates, calendar, others)]
        if index is not None and asset.kind in INDEXED:
            parts.append(_of_index(index, asset, own))
        market[asset.asset] = np.concatenate(parts, axis=1)[MINIMUM - 1 :]
    return market


def fit_market(pooled: Pooled, known: Sequence[AssetData], market: Market) -> dict[str, KindStage]:
    """Fit the second stage of every kind on what a model for every asset leaves.

    Parameters
    ----------
    pooled : the model.
    known : the assets that its fit has seen, as they were known then.
    market : companions of each.
    """
    by_kind: dict[str, list[_Rows]] = {}
    for asset in known:
        if len(asset.series) > MINIMUM:
            by_kind.setdefault(asset.kind, []).append(_rows(pooled, asset, market))
    return {
        kind: _fit(rows)
        for kind, rows in by_kind.items()
        if sum(int(it.known.sum()) for it in rows) >= _FEWEST
    }


def accompanied_forecasts(
    pooled: Pooled, asset: AssetData, market: Market, stages: Stages
) -> FloatArray:
    """Logs of mean rv ahead of each session from the 22nd on, with the asset's own scale.

    Parameters
    ----------
    pooled : the model for every asset that the stages were fitted on.
    asset : any of the market.
    market : companions.
    stages : by kind of asset.

    Returns
    -------
    (n, horizons).
    """
    rows, stage = _rows(pooled, asset, market), stages.get(asset.kind)
    logs = with_scales(pooled, asset.kind, rows.plain, rows.targets).scaled
    if stage is not None:
        added = np.full_like(rows.plain, np.nan)
        added[rows.known] = stage.correction(rows.design)
        accompanied = rows.plain + added
        left = rows.targets - accompanied
        scales = own_log_scales(left, pooled.horizons, stage.capped_means)
        logs[rows.known] = (accompanied + scales)[rows.known]
    return logs


def _of_index(index: AssetData, asset: AssetData, own: Signals) -> FloatArray:
    beside = index.as_companion
    series = beside.series
    dates, calendar = asset.series.dates, asset.calendar
    known = known_sessions(series.dates, beside.calendar, dates, calendar, beside.delay)
    return index_regressors(known.newest(series.log_rv), own.level)


def _rows(pooled: Pooled, asset: AssetData, market: Market) -> _Rows:
    seen = inputs_of(pooled, asset)
    plain = plain_forecasts(pooled, seen)
    companions = market[asset.asset][: len(plain)]
    known: BoolArray = np.asarray(~np.isnan(companions).any(axis=1))
    design = np.concatenate([companions[known], seen.regressors[known]], axis=1)
    return _Rows(known, design, plain, log_targets(asset, pooled.horizons))


def _fit(rows: Sequence[_Rows]) -> KindStage:
    design = np.concatenate([it.design for it in rows])
    left = np.concatenate([(it.targets - it.plain)[it.known] for it in rows])
    mean, deviation = design.mean(axis=0), design.std(axis=0)
    deviation = np.where(deviation > 1e-6, deviation, 1.0)  # what does not vary within a kind
    scaled = _standardized(design, mean, deviation)
    coefficients = pooled_ridge(scaled, left, PENALTY)
    ratios = np.exp(left - (scaled @ coefficients[1:] + coefficients[0]))
    means = np.nanmean(ratios, axis=0)  # by which the forecast of a log is moved to that of a mean
    coefficients[0] += np.log(means)
    return KindStage(mean, deviation, coefficients, np.nanmean(capped(ratios / means), axis=0))


def _standardized(design: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    scaled: FloatArray = ((design - mean) / deviation).clip(-LARGEST, LARGEST)
    return scaled
