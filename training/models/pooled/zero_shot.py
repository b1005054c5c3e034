"""What a fitted model for every asset says of one, session by session."""

from collections.abc import Callable, Sequence
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


class Pooled(Protocol):
    """A fitted model for every asset."""

    @property
    def network(self) -> Network:
        """From what is scale-free to logs over the slow mean."""

    @property
    def horizons(self) -> tuple[int, ...]:
        """Of the network's outputs."""

    @property
    def effects(self) -> Effects:
        """Of the calendar on log rv, (8,) by kind of asset."""

    @property
    def capped_means(self) -> FloatArray:
        """(horizons,) see :func:`volatility.own_scale.log_scales`."""


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
    horizons, effects, capped_means : as in :class:`Pooled`.
    """

    graph: bytes
    horizons: tuple[int, ...]
    effects: Effects
    capped_means: FloatArray

    @classmethod
    def of(cls, pooled: FittedPooled) -> "ExportedPooled":
        """Export.

        Raises
        ------
        ParityError : the exported network predicts something else.
        """
        return cls(pooled.to_onnx(), pooled.horizons, pooled.effects, pooled.capped_means)


class Inputs(NamedTuple):
    """What a pooled network sees of each session of an asset from the 22nd on."""

    regressors: NDArray[np.float32]  # (n, k)
    sequence: NDArray[np.float32]  # (n, 22, 4)
    offsets: FloatArray  # (n, horizons) added to what the network says: slow mean and calendar


FitPooled = Callable[[Sequence[AssetData], Config], FittedPooled]


class ZeroShot(NamedTuple):
    """What is said at each session of an asset from the 22nd on; (n, horizons) each."""

    plain: FloatArray  # log of mean rv ahead, without any outcome of the asset
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
    plain, horizons = plain_forecasts(pooled, inputs_of(pooled, asset, newest)), pooled.horizons
    scales = own_log_scales(log_targets(asset, horizons) - plain, horizons, pooled.capped_means)
    return ZeroShot(plain, scales)


def own_log_scales(
    residuals: FloatArray, horizons: Sequence[int], capped_means: FloatArray
) -> FloatArray:
    """Logs of an asset's own scale as its outcomes had told it by each session; (n, horizons).

    Parameters
    ----------
    residuals : (n, horizons) log of mean rv less the forecast's, from the 22nd session on; NaN
        where an outcome is not known.
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


def plain_forecasts(pooled: Pooled, seen: Inputs) -> FloatArray:
    """Logs of mean rv ahead, without any outcome of the asset; (n, horizons)."""
    return seen.offsets + pooled.network.run(seen.regressors, seen.sequence)


def inputs_of(pooled: Pooled, asset: AssetData, newest: int = SESSIONS) -> Inputs:
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
