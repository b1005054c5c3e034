"""What a fitted model for every asset says of one, session by session."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models_store.predictors.pooled import look
from training.config import Config
from training.data.assets import AssetData
from training.models.pooled.rows import Effects, histories, log_factors, log_targets
from volatility.arrays import FloatArray
from volatility.own_scale import log_scales
from volatility.scale_free import MINIMUM, scale_free
from volatility.trailing import SESSIONS


class Network(Protocol):
    """From what is scale-free to logs over the slow mean."""

    def run(self, regressors: NDArray[np.float32], sequence: NDArray[np.float32]) -> FloatArray:
        """(n, k) and (n, sessions, channels) to (n, horizons)."""


class Unscaled(Protocol):
    """A fitted model for every asset before any outcome has scaled it."""

    @property
    def network(self) -> Network:
        """From what is scale-free to logs over the slow mean."""

    @property
    def horizons(self) -> tuple[int, ...]:
        """Of the network's outputs."""

    @property
    def effects(self) -> Effects:
        """Of the calendar on log rv, (8,) by kind of asset."""


class Pooled(Unscaled, Protocol):
    """A fitted model for every asset."""

    @property
    def capped_means(self) -> FloatArray:
        """(horizons,) see :func:`volatility.own_scale.log_scales`."""

    @property
    def kind_scales(self) -> Mapping[str, FloatArray]:
        """(horizons,) logs by kind of asset; see :mod:`volatility.kind_scale`."""


class FittedPooled(Pooled, Protocol):
    """One that was fitted here, and can be exported."""

    def to_onnx(self) -> bytes:
        """The network as the content of ``model.onnx``, checked."""


@dataclass(frozen=True, eq=False)
class ExportedPooled:
    """A fitted model for every asset as it is published, and sent between processes.

    Attributes
    ----------
    graph : content of ``model.onnx``.
    horizons, effects, capped_means, kind_scales : as in :class:`Pooled`.
    """

    graph: bytes
    horizons: tuple[int, ...]
    effects: Effects
    capped_means: FloatArray
    kind_scales: Mapping[str, FloatArray]

    @classmethod
    def of(cls, pooled: FittedPooled) -> "ExportedPooled":
        """Export.

        Raises
        ------
        ParityError : the exported network predicts something else.
        """
        return cls(
            pooled.to_onnx(),
            pooled.horizons,
            pooled.effects,
            pooled.capped_means,
            pooled.kind_scales,
        )


class Inputs(NamedTuple):
    """What a pooled network sees of each session of an asset from the 22nd on."""

    regressors: NDArray[np.float32]  # (n, k)
    sequence: NDArray[np.float32]  # (n, 22, 4)
    offsets: FloatArray  # (n, horizons) added to what the network says: slow mean and calendar


FitPooled = Callable[[Sequence[AssetData], Config], FittedPooled]


class ZeroShot(NamedTuple):
    """What is said at each session of an asset from the 22nd on; (n, horizons) each."""

    plain: FloatArray  # log of mean rv ahead, with the scale of its kind and no outcome of its own
    log_scales: FloatArray  # of its own scale, as its outcomes had told it by then

    @property
    def scaled(self) -> FloatArray:
        """Log of mean rv ahead, times the asset's own scale."""
        return self.plain + self.log_scales


def zero_shot(pooled: Pooled, asset: AssetData, newest: int = SESSIONS) -> ZeroShot:
    """Forecast every session of an asset from what came before it.

    Parameters
    ----------
    pooled : a model for every asset.
    asset : any.
    newest : sessions of history that each forecast may look at, 22 to 250.
    """
    plain = plain_forecasts(pooled, inputs_of(pooled, asset, newest))
    return with_scales(pooled, asset.kind, plain, log_targets(asset, pooled.horizons))


def with_scales(pooled: Pooled, kind: str, plain: FloatArray, targets: FloatArray) -> ZeroShot:
    """Multiply the forecasts of an asset by the scale of its kind, and tell its own beyond that.

    Parameters
    ----------
    pooled : a model for every asset.
    kind : of the asset.
    plain, targets : (n, horizons) of :func:`plain_forecasts` and
        :func:`training.models.pooled.rows.log_targets`.
    """
    ordinary = pooled.kind_scales[kind]
    means = pooled.capped_means * np.exp(ordinary)
    return ZeroShot(plain + ordinary, own_log_scales(targets - plain, pooled.horizons, means))


def own_log_scales(
    residuals: FloatArray, horizons: Sequence[int], capped_means: FloatArray
) -> FloatArray:
    """Logs of an asset's own scale as its outcomes had told it by each session; (n, horizons).

    Parameters
    ----------
    residuals : (n, horizons) log of mean rv less the forecast's, from the 22nd session on; NaN
        where an outcome is not known. Of forecasts without any scale.
    horizons : their sessions ahead.
    capped_means : (horizons,) see :func:`volatility.own_scale.log_scales`.
    """
    ratios = np.exp(residuals)
    ratios[: SESSIONS - MINIMUM] = np.nan  # of forecasts that did not see a full window
    scales = [
        log_scales(ratios[:, column], float(mean), horizon)
        for column, (horizon, mean) in enumerate(zip(horizons, capped_means, strict=True))
    ]
    return np.stack(scales, axis=1)


def plain_forecasts(pooled: Unscaled, seen: Inputs) -> FloatArray:
    """Logs of mean rv ahead, without any scale; (n, horizons)."""
    return seen.offsets + pooled.network.run(seen.regressors, seen.sequence)


def inputs_of(pooled: Unscaled, asset: AssetData, newest: int = SESSIONS) -> Inputs:
    """What a model's network sees of an asset; parameters as in :func:`zero_shot`."""
    effects = pooled.effects[asset.kind]
    seen = histories(asset)
    if newest < SESSIONS:
        hidden = np.arange(SESSIONS) < SESSIONS - newest
        seen = {name: np.where(hidden, np.nan, values) for name, values in seen.items()}
    made = scale_free(*look(seen, asset.kind, asset.series.measure, effects, asset.calendar))
    return Inputs(
        made.regressors.astype(np.float32),
        made.sequence.astype(np.float32),
        made.level[:, None] + log_factors(asset, effects, pooled.horizons),
    )
