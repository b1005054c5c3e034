"""The model for every asset as the model of one: nothing of it is fitted but the asset's scale.

A fit at a date takes the newest published version that had seen nothing later, so that a
walk-forward of an asset forecasts with what was known of all assets, and of it, at each date.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from models_store.shipped import shipped_artifacts
from models_store.universal.model import NAME, UniversalModel
from models_store.universal.store import UniversalStore
from training.config import Config
from training.data.assets import AssetData, TrainingSet
from training.models.linear.at_once import Predicted, Schedule
from training.models.pooled.rows import COLUMNS, log_targets
from training.models.pooled.zero_shot import zero_shot
from training.models.recipe import Fit, Hyperparameters
from volatility.errors import HistoryTooShort
from volatility.own_scale import OUTCOMES, log_scale
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
        if np.datetime64(min(known)) > first_cut_off:
            return (
                f"the model for every asset was first fitted on {min(known)}, after the first "
                f"half of its sessions, which ends on {first_cut_off}"
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
        asset, horizon = data.target, data.horizon
        models = published(self.store)
        fits = [version_known_on(models, asset.series.dates[known - 1]) for known in schedule.known]
        outcomes = log_targets(asset, (horizon,))[:, 0]
        rows = np.searchsorted(asset.series.dates, schedule.pairs.as_of) - (MINIMUM - 1)
        values = np.empty(len(rows))
        for model in dict.fromkeys(fits):
            column = model.horizons.index(horizon)
            plain = zero_shot(model, asset).plain[:, column]
            ratios = np.exp(outcomes - plain)
            for place, known in enumerate(schedule.known):
                if fits[place] is model:
                    own = schedule.fit_of == place
                    told = max(0, known - horizon - (MINIMUM - 1))  # rows whose outcome is known
                    newest = ratios[max(0, told - OUTCOMES) : told]
                    values[own] = plain[rows[own]] + log_scale(
                        newest, float(model.capped_means[column])
                    )
        return Predicted(values, np.zeros(len(rows)), "logs")


def universal(config: Config) -> Universal:
    """The recipe as configured."""
    return Universal(config.walk_forward.linear_refit_every, shipped_artifacts())


@cache
def published(store: Path) -> tuple[UniversalModel, ...]:
    """Every version of a store, opened once."""
    universal_store = UniversalStore(store)
    return tuple(universal_store.load(version) for version in universal_store.versions())


def version_known_on(models: Sequence[UniversalModel], day: np.datetime64) -> UniversalModel:
    """The newest that has seen nothing after a day.

    Raises
    ------
    HistoryTooShort : all have.
    """
    known = [it for it in models if np.datetime64(it.manifest.training_end) <= day]
    if not known:
        raise HistoryTooShort(
            f"no version of the model for every asset was fitted on sessions up to {day} alone",
            field="history",
            found=str(day),
            needed="a history that reaches beyond the first fit of that model",
        )
    return max(known, key=lambda it: (it.manifest.training_end, it.version))


def own_log_scale(model: UniversalModel, asset: AssetData, horizon: int) -> float:
    """What the outcomes of an asset say of the model's scale; see :mod:`volatility.own_scale`."""
    column = model.horizons.index(horizon)
    newest = asset.series.tail(OUTCOMES + SESSIONS + horizon)
    if len(newest) <= MINIMUM:
        return 0.0
    recent = replace(asset, series=newest)
    plain = zero_shot(model, recent).plain[:, column]
    outcomes = log_targets(recent, (horizon,))[:, 0]
    ratios = np.exp(outcomes - plain)[-OUTCOMES - horizon :]
    return log_scale(ratios, float(model.capped_means[column]))
