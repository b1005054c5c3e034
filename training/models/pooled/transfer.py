"""From the model for every asset to one asset that it has not seen, by the sessions known of it.

The model is used as it is, or fine-tuned by one of the paper's strategies on the target's own
sessions, or the same network is fitted on them alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from training.config import Config
from training.data.assets import AssetData
from training.models.pooled.rows import Rows, log_targets
from training.models.pooled.zero_shot import FitPooled, Inputs, Pooled, inputs_of
from volatility.arrays import FloatArray
from volatility.own_scale import log_scales

UNIVERSAL = "universal"  # with the target's own scale
UNSCALED = "universal_unscaled"
SCRATCH = "scratch"
BATCH = 64  # rows: fewer batches than the paper's 16 make, at a higher rate


class Setting(NamedTuple):
    """What is not estimated of a model that learns from a target.

    Attributes
    ----------
    epochs : over the target's rows.
    ridge : of a network from scratch: penalty of its regression; what a source learned is kept.
    """

    epochs: int = 0
    ridge: float = 0.0


class Variant(NamedTuple):
    """A model of a target and how it is made."""

    model: str
    setting: Setting = Setting()


# From a fitted model, rows of a target, epochs and configuration to a model of the target.
Tune = Callable[[Pooled, Rows, int, Config], Pooled]


@dataclass(frozen=True)
class Methods:
    """What needs torch.

    Attributes
    ----------
    fit : a model for every asset.
    tune : fine-tuning by each strategy.
    """

    fit: FitPooled
    tune: Mapping[str, Tune]


def adapted_forecasts(
    source: Pooled,
    asset: AssetData,
    cut_off: np.datetime64,
    variants: Sequence[Variant],
    methods: Methods,
    config: Config,
) -> dict[Variant, FloatArray]:
    """Forecasts of an asset by models that knew it up to a date.

    Parameters
    ----------
    source : a model for every asset that has not seen this one.
    asset : its first session is the first that is known of it. What follows ``cut_off`` is only
        forecast from.
    cut_off : last session that a model learns from.
    variants : the models.
    methods, config : how they are fitted.

    Returns
    -------
    Logs of rv one session after each from the 22nd on, (n,) each: the source's first horizon. All
    but the unscaled have the scale that the asset's outcomes had told by ``cut_off``.
    """
    known = asset.until(cut_off)
    outcomes = log_targets(known, source.horizons)
    seen = inputs_of(source, asset)
    rows = _rows(seen, outcomes)
    next_session = outcomes[:, 0]
    said: dict[Variant, FloatArray] = {}
    for variant in variants:
        model, setting = variant
        if model == UNSCALED:
            said[variant] = _plain(source, seen)
        elif model == UNIVERSAL:
            said[variant] = _scaled(source, seen, next_session)
        elif model == SCRATCH:
            own = methods.fit((known,), _from_scratch(config, setting))
            said[variant] = _scaled(own, inputs_of(own, asset), next_session)
        else:
            tuned = methods.tune[model](source, rows, setting.epochs, config)
            said[variant] = _scaled(tuned, seen, next_session)
    return said


def _rows(seen: Inputs, outcomes: FloatArray) -> Rows:
    """What a network learns from: sessions with an outcome at some horizon."""
    count = len(outcomes)
    targets = (outcomes - seen.offsets[:count]).astype(np.float32)
    rows = Rows(seen.regressors[:count], seen.sequence[:count], targets)
    return rows.where(np.logical_not(np.isnan(targets).all(axis=1)))


def _plain(pooled: Pooled, seen: Inputs) -> FloatArray:
    relative = pooled.network.run(seen.regressors, seen.sequence)
    return seen.offsets[:, 0] + relative[:, 0]


def _scaled(pooled: Pooled, seen: Inputs, outcomes: FloatArray) -> FloatArray:
    plain = _plain(pooled, seen)
    ratios = np.append(np.exp(outcomes - plain[: len(outcomes)]), np.nan)
    return np.asarray(plain + log_scales(ratios, float(pooled.capped_means[0]), 1)[-1])


def _from_scratch(config: Config, setting: Setting) -> Config:
    universal = replace(
        config.universal, ridge=setting.ridge, epochs=setting.epochs, batch_size=BATCH
    )
    return replace(config, horizons=config.horizons[:1], universal=universal)
