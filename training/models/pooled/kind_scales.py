"""The scales of the kinds of asset, by the forecasts of a model of what it has seen of each."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data.assets import AssetData
from training.models.pooled.rows import log_targets
from training.models.pooled.zero_shot import Unscaled, inputs_of, plain_forecasts
from volatility.arrays import FloatArray
from volatility.kind_scale import kind_log_scale
from volatility.own_scale import capped
from volatility.scale_free import KINDS, MINIMUM

_DIGITS = 6  # of logs: what kernels of other machines change is less


class _Told(NamedTuple):
    kind: str
    years: NDArray[np.int64]  # (n,)
    ratios: FloatArray  # (n, horizons)


def kind_scales(model: Unscaled, assets: Sequence[AssetData]) -> dict[str, FloatArray]:
    """Logs of what the forecasts of each kind are multiplied by, (horizons,) by kind.

    Parameters
    ----------
    model : fitted on the assets.
    assets : as the fit has seen them. Every session from the 22nd on counts once.

    Returns
    -------
    Of every kind; zeros for one that no asset is of.
    """
    told = [_told(model, it) for it in assets if len(it.series) > MINIMUM]
    ratios = np.concatenate([it.ratios for it in told])
    means = np.nanmean(capped(ratios), axis=0)
    return {kind: _scales([it for it in told if it.kind == kind], means) for kind in KINDS}


def _told(model: Unscaled, asset: AssetData) -> _Told:
    plain = plain_forecasts(model, inputs_of(model, asset))
    years = asset.series.dates[MINIMUM - 1 :].astype("datetime64[Y]").astype(np.int64)
    return _Told(asset.kind, years, np.exp(log_targets(asset, model.horizons) - plain))


def _scales(own: Sequence[_Told], means: FloatArray) -> FloatArray:
    if not own:
        return np.zeros(len(means))
    years = np.concatenate([it.years for it in own])
    ratios = np.concatenate([it.ratios for it in own])
    scales = [
        kind_log_scale(ratios[:, column], years, float(mean)) for column, mean in enumerate(means)
    ]
    return np.round(scales, _DIGITS)
