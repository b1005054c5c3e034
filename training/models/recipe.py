"""What a model is to the rest of the room: a recipe that turns data into a fit."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from models_store.predictors.predictor import Predictor
from training.data.assets import AssetData, TrainingSet
from training.fitting_history import FittingHistory
from volatility.arrays import FloatArray

Hyperparameters = Mapping[str, float | int | str | bool | tuple[int, ...]]


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Attributes
    ----------
    predictor : the fitted function, before bias correction and clipping.
    residual_variance : of log residuals; zero on the levels scale.
    learned : quantities worth reading, such as the hybrid's alpha.
    sources : assets whose series were used besides the target's.
    histories : how the losses of a network went, by phase: "training", "pretraining" and the like.
    by_seed : of a network, the fits that it is the mean of, by their seeds.
    """

    predictor: Predictor
    residual_variance: float = 0.0
    learned: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[AssetData, ...] = ()
    histories: Mapping[str, FittingHistory] = field(default_factory=dict)
    by_seed: Mapping[int, "Fit"] = field(default_factory=dict)


class Recipe(Protocol):
    """How a model is fitted. Recipes hold configuration only, never data."""

    @property
    def name(self) -> str:
        """The model's name in the store."""

    @property
    def lookback(self) -> int:
        """Sessions of history that a forecast needs."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What the model sees of a session besides rv, sorted; see volatility.measures.columns."""

    @property
    def refit_every(self) -> int:
        """Sessions between two fits in a walk-forward evaluation."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Other assets that the model learns from."""

    @property
    def compared_with(self) -> str | None:
        """Name of the same model without :attr:`sources`, which tells what they add; or None."""

    @property
    def hyperparameters(self) -> Hyperparameters:
        """What was chosen rather than estimated."""

    def fit(self, data: TrainingSet) -> Fit:
        """Fit on everything in ``data``."""


@runtime_checkable
class Adaptable(Protocol):
    """A recipe that does without some of its columns where an asset's bars do not give them."""

    def adapted_to(self, columns: Collection[str]) -> Recipe:
        """The recipe for an asset whose bars give ``columns`` alone."""


def adapted(recipe: Recipe, columns: Collection[str]) -> Recipe:
    """The recipe for an asset whose bars give ``columns``; itself where it needs all of its own."""
    return recipe.adapted_to(columns) if isinstance(recipe, Adaptable) else recipe


@runtime_checkable
class Conditional(Protocol):
    """A recipe that cannot be followed before some date."""

    def obstacle(self, first_cut_off: np.datetime64) -> str | None:
        """Why there is no fit as of a session; None if there is one."""


def obstacle_of(recipe: Recipe, first_cut_off: np.datetime64) -> str | None:
    """Why a recipe cannot be followed as of a session, apart from the asset's bars."""
    return recipe.obstacle(first_cut_off) if isinstance(recipe, Conditional) else None


@runtime_checkable
class Replaceable(Protocol):
    """A recipe whose model another stands in for where a companion is not known."""

    @property
    def stand_in(self) -> str | None:
        """Name of the other; None where there is none."""


def stand_in_of(recipe: Recipe) -> str | None:
    """The model that answers where a companion is not known; None for one without companions."""
    return recipe.stand_in if isinstance(recipe, Replaceable) else None


@runtime_checkable
class Combined(Protocol):
    """A recipe that says the mean, in logs, of what others say."""

    @property
    def members(self) -> tuple[Recipe, ...]:
        """The others."""


def members_of(recipe: Recipe) -> tuple[str, ...]:
    """Names of what a recipe is the combination of; none for one that is fitted itself."""
    return tuple(it.name for it in recipe.members) if isinstance(recipe, Combined) else ()


def seen_in(known: TrainingSet) -> FloatArray:
    """The values of what is forecast that a fit has seen; a mean of days varies less than a day."""
    return known.target.series.rv if known.horizon == 1 else known.pairs(1).targets
