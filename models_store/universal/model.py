"""The model for every asset, opened: it becomes the model of any asset that it is bound to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from models_store.names import UNIVERSAL
from models_store.predictors.pooled import PooledPredictor
from models_store.predictors.pooled_graph import PooledGraph
from models_store.universal.manifest import UniversalManifest
from volatility.arrays import FloatArray
from volatility.scale_free import KINDS
from volatility.seasonality import DAY_CLASSES

NAME = UNIVERSAL


@dataclass(frozen=True, eq=False)
class UniversalModel:
    """A verified artifact of the model for every asset.

    Attributes
    ----------
    manifest : what the model is.
    version : its number in the store.
    sha256 : digest of the whole artifact (of its ``SHA256SUMS``).
    network : from what is scale-free to logs over the slow mean.
    """

    manifest: UniversalManifest
    version: int
    sha256: str
    network: PooledGraph

    @property
    def horizons(self) -> tuple[int, ...]:
        """Of the network's outputs."""
        return self.manifest.horizons

    @property
    def effects(self) -> Mapping[str, FloatArray]:
        """Of the calendar on log rv, (8,) by kind of asset."""
        return {
            kind: np.array([self.manifest.calendar_effects[kind][name] for name in DAY_CLASSES])
            for kind in KINDS
        }

    @property
    def capped_means(self) -> FloatArray:
        """(horizons,) see :func:`volatility.own_scale.log_scales`."""
        return np.array(self.manifest.capped_means)

    @property
    def kind_scales(self) -> Mapping[str, FloatArray]:
        """(horizons,) logs by kind of asset; see :mod:`volatility.kind_scale`."""
        scales, none = self.manifest.kind_scales, np.zeros(len(self.horizons))
        return {kind: np.array(scales.get(kind, none)) for kind in KINDS}

    def predictors(
        self,
        kind: str,
        calendar: str,
        measure: str,
        columns: Collection[str],
        log_scales: Mapping[int, float] | None = None,
    ) -> dict[int, PooledPredictor]:
        """The predictors of one asset, by horizon.

        Parameters
        ----------
        kind : of the asset.
        calendar : its name.
        measure : of rv.
        columns : that the asset's bars give.
        log_scales : the asset's own, by horizon; none for 0.
        """
        seen = tuple(sorted(set(columns) & set(self.manifest.columns)))
        kind_scales = self.kind_scales[kind].tolist()
        return {
            horizon: PooledPredictor(
                graph=self.network,
                output=output,
                horizon=horizon,
                asset_kind=kind,
                effects=self.manifest.calendar_effects[kind],
                calendar_name=calendar,
                measure=measure,
                columns=seen,
                kind_scale=kind_scales[output],
                log_scale=(log_scales or {}).get(horizon, 0.0),
            )
            for output, horizon in enumerate(self.manifest.horizons)
        }
