"""What a model is to the rest of the room: a recipe that turns data into a fit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from models_store.predictors.predictor import Predictor
from training.networks.fitting import FittingHistory
from training.pairs import Pairs, make_pairs
from volatility.calendars import Calendar, get_calendar
from volatility.series import DatedSeries

Hyperparameters = Mapping[str, float | int | str | bool | tuple[int, ...]]


@dataclass(frozen=True)
class AssetData:
    """One asset's daily rv with every column there is, and where it came from."""

    asset: str
    series: DatedSeries
    calendar_name: str
    bar_interval: int  # seconds
    source: str  # a shipped dataset, or the name of the user's file

    @property
    def calendar(self) -> Calendar:
        """The asset's sessions."""
        return get_calendar(self.calendar_name)

    def pairs(self, lookback: int, columns: Sequence[str] = (), horizon: int = 1) -> Pairs:
        """Windows and targets; see :func:`training.pairs.make_pairs`."""
        return make_pairs(self.series, lookback, self.calendar, horizon, columns)

    def until(self, cut_off: np.datetime64) -> "AssetData":
        """The same without anything after ``cut_off``."""
        return replace(self, series=self.series.until(cut_off))


@dataclass(frozen=True)
class TrainingSet:
    """Everything that a fit may see.

    Attributes
    ----------
    target : the asset to forecast.
    sources : other assets to learn from, by name.
    seed : of every random choice.
    horizon : sessions ahead; a target is their mean daily rv.
    """

    target: AssetData
    sources: Mapping[str, AssetData]
    seed: int
    horizon: int = 1

    def pairs(self, lookback: int, columns: Sequence[str] = ()) -> Pairs:
        """Windows and targets of the target, at this horizon."""
        return self.target.pairs(lookback, columns, self.horizon)

    def source_pairs(self, name: str, lookback: int, columns: Sequence[str] = ()) -> Pairs:
        """Windows and targets of one source, at this horizon."""
        return self.sources[name].pairs(lookback, columns, self.horizon)

    def until(self, cut_off: np.datetime64) -> "TrainingSet":
        """The same as it was known on ``cut_off``: sources too are cut, or they would leak."""
        return replace(
            self,
            target=self.target.until(cut_off),
            sources={name: source.until(cut_off) for name, source in self.sources.items()},
        )


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
    """

    predictor: Predictor
    residual_variance: float = 0.0
    learned: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[AssetData, ...] = ()
    histories: Mapping[str, FittingHistory] = field(default_factory=dict)


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
        """What the model sees of each session besides rv, sorted; see volatility.columns."""

    @property
    def refit_every(self) -> int:
        """Sessions between two fits in a walk-forward evaluation."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Other assets that the model learns from."""

    @property
    def hyperparameters(self) -> Hyperparameters:
        """What was chosen rather than estimated."""

    def fit(self, data: TrainingSet) -> Fit:
        """Fit on everything in ``data``."""
