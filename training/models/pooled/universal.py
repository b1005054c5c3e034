"""The model for every asset as the model of one: nothing of it is fitted but the asset's scale.

A fit at a date takes the newest published version that had seen nothing later, so that a
walk-forward of an asset forecasts with what was known of all assets, and of it, at each date.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from models_store.shipped import shipped_artifacts
from models_store.universal.model import NAME, UniversalModel
from models_store.universal.store import UniversalStore
from training.config import Config
from training.data.assets import AssetData, TrainingSet
from training.models.linear.at_once import Predicted, Schedule
from training.models.pooled.rows import COLUMNS
from training.models.pooled.zero_shot import zero_shot
from training.models.recipe import Fit, Hyperparameters
from volatility.errors import HistoryTooShort
from volatility.scale_free import MINIMUM
from volatility.trailing import SESSIONS


@dataclass(frozen=True)
class Universal:
    """The published model for every asset, with the asset's own scale.

    Attributes
    ----------
    refit_every : sessions between two looks at the scale in a walk-forward evaluation.
    store : where its versions are.
    columns : what it sees besides rv.
    """

    refit_every: int
    store: Path
    columns: tuple[str, ...] = tuple(sorted(COLUMNS))
    name: str = NAME
    lookback: int = SESSIONS
    sources: tuple[str, ...] = ()
    compared_with: str | None = None

    @property
    def hyperparameters(self) -> Hyperparameters:
        """None of its own: what the model is, its artifact says."""
        return {}

    def adapted_to(self, columns: Collection[str]) -> "Universal":
        """The same for an asset whose bars give ``columns`` alone."""
        return replace(self, columns=tuple(it for it in self.columns if it in columns))

    def obstacle(self, first_cut_off: np.datetime64) -> str | None:
        """Why there is no fit as of a session; None if there is one."""
        known = [model.manifest.training_end for model in published(self.store)]
        if not known:
            return f"no model for every asset is published in {self.store}"
        if np.datetime64(min(known)) >= first_cut_off:
            return (
                f"the model for every asset was first fitted on {min(known)}, and the first half "
                f"of its sessions ends on {first_cut_off}"
            )
        return None

    def fit(self, data: TrainingSet) -> Fit:
        """Bind the newest version that knows nothing later, and learn the asset's scale.

        Raises
        ------
        HistoryTooShort : every version knows something later.
        """
        asset = data.target
        model = version_known_on(published(self.store), asset.series.dates[-1])
        scale = own_log_scale(model, asset, data.horizon)
        predictors = model.predictors(
            asset.kind,
            asset.calendar_name,
            asset.series.measure,
            self.columns,
            {data.horizon: scale},
        )
        return Fit(predictors[data.horizon], learned={"log_scale": scale})

    def predict_at_once(self, data: TrainingSet, schedule: Schedule) -> Predicted:
        """As the fits of a walk-forward: each version looks at the whole history once."""
        asset, models = data.target, published(self.store)
        fits = [version_known_on(models, asset.series.dates[known - 1]) for known in schedule.known]
        rows = np.searchsorted(asset.series.dates, schedule.pairs.as_of) - (MINIMUM - 1)
        values = np.empty(len(rows))
        for model in dict.fromkeys(fits):
            column = model.horizons.index(data.horizon)
            said = _said_by(model, asset)
            for place, known in enumerate(schedule.known):
                if fits[place] is model:
                    own = schedule.fit_of == place
                    scale = said.log_scales[known - MINIMUM, column]  # as its last session knew it
                    values[own] = said.plain[rows[own], column] + scale
        return Predicted(values, np.zeros(len(rows)), "logs")


# Horizons share it: as many versions as one asset is forecast by.
_said_by = lru_cache(maxsize=16)(zero_shot)


def universal(config: Config) -> Universal:
    """The recipe as configured."""
    return Universal(config.walk_forward.linear_refit_every, shipped_artifacts())


@cache
def published(store: Path) -> tuple[UniversalModel, ...]:
    """Every version of a store, opened once."""
    universal_store = UniversalStore(store)
    return tuple(universal_store.load(version) for version in universal_store.versions())


def version_known_on(models: Sequence[UniversalModel], day: np.datetime64) -> UniversalModel:
    """The newest that had seen everything it knows before a day.

    A session of the same date may have ended hours later elsewhere.

    Raises
    ------
    HistoryTooShort : all have.
    """
    known = [it for it in models if np.datetime64(it.manifest.training_end) < day]
    if not known:
        raise HistoryTooShort(
            f"no version of the model for every asset was fitted on sessions before {day} alone",
            field="history",
            found=str(day),
            needed="a history that reaches beyond the first fit of that model",
        )
    return max(known, key=lambda it: (it.manifest.training_end, it.version))


def own_log_scale(model: UniversalModel, asset: AssetData, horizon: int) -> float:
    """What the outcomes of an asset say of the model's scale; see :mod:`volatility.own_scale`."""
    if len(asset.series) < MINIMUM:
        return 0.0
    return float(zero_shot(model, asset).log_scales[-1, model.horizons.index(horizon)])
