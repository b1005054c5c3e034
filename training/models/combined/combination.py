"""The mean, in logs, of what several models say: by default an asset's own and that of all."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from models_store.predictors.combination import CombinedPredictor, Member
from training.config import Config
from training.data.assets import TrainingSet
from training.models.recipe import Fit, Hyperparameters, Recipe, adapted, obstacle_of, seen_in
from training.models.registry import COMBINATION, MEMBERS, make_recipe
from volatility.series import Bounds


@dataclass(frozen=True)
class Combination:
    """A recipe whose fit is the mean of logs of its members' fits.

    Attributes
    ----------
    members : their recipes, fixed before any test.
    stand_in : the combination that forecasts where a companion of some member is not known.
    """

    name: str
    members: tuple[Recipe, ...]
    sources: tuple[str, ...] = ()
    compared_with: str | None = None
    stand_in: str | None = None

    @property
    def lookback(self) -> int:
        """The longest of the members'."""
        return max(it.lookback for it in self.members)

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of all members, sorted."""
        return tuple(sorted({name for it in self.members for name in it.columns}))

    @property
    def refit_every(self) -> int:
        """Of the member that is fitted most often."""
        return min(it.refit_every for it in self.members)

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Names of the members."""
        return {"members": " ".join(it.name for it in self.members)}

    def adapted_to(self, columns: Collection[str]) -> "Combination":
        """The same for an asset whose bars give ``columns`` alone."""
        return replace(self, members=tuple(adapted(it, columns) for it in self.members))

    def obstacle(self, first_cut_off: np.datetime64) -> str | None:
        """Why some member cannot be fitted as of a session; None if all can."""
        return next((why for it in self.members if (why := obstacle_of(it, first_cut_off))), None)

    def fit(self, data: TrainingSet) -> Fit:
        """Fit every member, and bound it by what it has seen."""
        bounds = Bounds.of(seen_in(data))
        fits = {member.name: member.fit(data) for member in self.members}
        members = [
            Member(name, fit.predictor, fit.residual_variance, bounds) for name, fit in fits.items()
        ]
        learned = {
            f"{name}.{quantity}": value
            for name, fit in fits.items()
            for quantity, value in fit.learned.items()
        }
        return Fit(CombinedPredictor(members), learned=learned)


def combination(config: Config) -> Combination:
    """The asset's own regressions, and the model for every asset."""
    return Combination(COMBINATION, tuple(make_recipe(name, config) for name in MEMBERS))
