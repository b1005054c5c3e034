"""Fit the model for every asset on what is known of many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models_store.predictors.pooled_graph import LIMIT
from training.config import Config, seeds_from
from training.data.assets import AssetData
from training.models.pooled.kind_scales import kind_scales
from training.models.pooled.ridge import pooled_ridge
from training.models.pooled.rows import Effects, Rows, class_effects, training_rows
from training.networks.pooled_network import PooledNetwork, Standardization, fit_encoder
from volatility.arrays import FloatArray
from volatility.own_scale import capped


@dataclass(frozen=True, eq=False)
class PooledFit:
    """A model for every asset.

    Attributes
    ----------
    network : from what is scale-free to logs of mean rv, bias corrected, by horizon.
    horizons : of its outputs.
    effects : of the calendar, by kind of asset.
    log_means : by horizon, the log of the mean over the panel of rv over the exponential of its
        forecast log: by how much the network says more than a log.
    capped_means : by horizon, the mean over the panel of rv over forecast, each capped: what an
        asset's own such mean is compared with.
    kind_scales : by kind of asset and horizon, the log of what its forecasts are multiplied by.
    example : rows to check the export on.
    """

    network: PooledNetwork
    horizons: tuple[int, ...]
    effects: Effects
    log_means: FloatArray
    capped_means: FloatArray
    kind_scales: Mapping[str, FloatArray]
    example: Rows

    def to_onnx(self) -> bytes:
        """The network as the content of ``model.onnx``, checked against torch.

        Raises
        ------
        ParityError : some prediction differs by more than 1e-5 of log rv.
        """
        return self.network.to_onnx(self.example.regressors, self.example.sequence)


def fit_pooled(assets: Sequence[AssetData], config: Config) -> PooledFit:
    """Fit a regression, then encoders on what it leaves, the mean, and the scales of kinds.

    Parameters
    ----------
    assets : as they were known at the cut-off.
    config : horizons; shape and training; the first of the encoders' seeds, which is that of the
        variations too.
    """
    seed, horizons, settings = config.seed, config.horizons, config.universal
    effects = class_effects(assets)
    rows = training_rows(assets, effects, horizons, seed)
    scaling = _standardization(rows)
    scaled = _float32(((rows.regressors - scaling.mean) / scaling.deviation).clip(-LIMIT, LIMIT))
    coefficients = pooled_ridge(scaled, rows.targets, settings.ridge)
    left = _float32(rows.targets - (scaled @ coefficients[1:] + coefficients[0]))
    steps = _float32((rows.sequence - scaling.sequence_mean) / scaling.sequence_deviation)
    seeds = seeds_from(seed, settings.seeds)
    encoders = [fit_encoder(scaled, steps, left, settings, own) for own in seeds]
    in_logs = PooledNetwork(scaling, coefficients, encoders)
    ratios = np.exp(rows.targets - in_logs.run(rows.regressors, rows.sequence))
    means = _means(ratios)  # by which the forecast of a log is moved to that of a mean
    coefficients[0] += np.log(means)
    network = PooledNetwork(scaling, coefficients, encoders)
    example = rows.where(np.arange(len(rows.targets)) % (len(rows.targets) // 64 + 1) == 0)
    fitted = PooledFit(
        network=network,
        horizons=horizons,
        effects=effects,
        log_means=np.log(means),
        capped_means=_means(capped(ratios / means)),
        kind_scales={},
        example=example,
    )
    return replace(fitted, kind_scales=kind_scales(fitted, assets))


def _standardization(rows: Rows) -> Standardization:
    deviation = rows.regressors.std(axis=0, dtype=np.float64)
    steps = rows.sequence.reshape(-1, rows.sequence.shape[-1])
    step_deviation = steps.std(axis=0, dtype=np.float64)
    return Standardization(
        rows.regressors.mean(axis=0, dtype=np.float64),
        np.where(deviation > 1e-6, deviation, 1.0),  # a kind that no asset is of
        steps.mean(axis=0, dtype=np.float64),
        np.where(step_deviation > 1e-6, step_deviation, 1.0),
    )


def _float32(values: FloatArray) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _means(values: FloatArray) -> FloatArray:
    """Means over rows where there are values; (horizons,)."""
    means: FloatArray = np.nanmean(values, axis=0, dtype=np.float64)
    return means
