"""Any recipe on a series without the calendar: what days do is divided out before it is fitted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor
from training.data.assets import AssetData, TrainingSet
from training.models.recipe import (
    Fit,
    Hyperparameters,
    Recipe,
    adapted,
    obstacle_of,
    stand_in_of,
)
from volatility.arrays import FloatArray
from volatility.seasonality import (
    DAY_CLASSES,
    SHRINKAGE,
    day_classes,
    estimation_span,
    rolling_calendar_effects,
)


class WithoutCalendar(NamedTuple):
    """An asset with each session's effect, as it was known before it, divided out.

    A target of several sessions is then the mean of sessions without their effects.
    """

    asset: AssetData
    classes: NDArray[np.int64]  # (n,) places in DAY_CLASSES
    effects: FloatArray  # (n + 1, 8) row t is what was known before session t

    @staticmethod
    @lru_cache(maxsize=4)  # all models of an asset, at all horizons, see the same
    def of(asset: AssetData) -> "WithoutCalendar":
        """Estimate the effects, and divide them out."""
        series, calendar = asset.series, asset.calendar
        classes = day_classes(series.dates, calendar)
        effects = rolling_calendar_effects(series.log_rv, classes, estimation_span(calendar))
        own: FloatArray = effects[np.arange(len(series)), classes]
        adjusted = replace(asset, series=replace(series, rv=series.rv / np.exp(own)))
        return WithoutCalendar(adjusted, classes, effects)

    @property
    def at_end(self) -> Mapping[str, float]:
        """What is known after the whole sample, by class."""
        return dict(zip(DAY_CLASSES, self.effects[-1].tolist(), strict=True))


@dataclass(frozen=True)
class CalendarAdjusted:
    """A recipe that sees rv without the effects of weekday and half day.

    Each session of the target, and of every source, is divided by its effect as it was known the
    session before. The effects known at the end are kept: they are divided out of the windows that
    a forecast is made from, and multiplied back into it.

    Attributes
    ----------
    name : the model's name in the store.
    inner : the recipe that is fitted to what remains. Its other columns stay as they are.
    """

    name: str
    inner: Recipe

    @property
    def lookback(self) -> int:
        """That of :attr:`inner`."""
        return self.inner.lookback

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of :attr:`inner`: what the calendar needs, a date tells."""
        return self.inner.columns

    @property
    def refit_every(self) -> int:
        """That of :attr:`inner`."""
        return self.inner.refit_every

    @property
    def sources(self) -> tuple[str, ...]:
        """Those of :attr:`inner`."""
        return self.inner.sources

    @property
    def compared_with(self) -> str | None:
        """That of :attr:`inner`."""
        return self.inner.compared_with

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Those of :attr:`inner`, and how the effects are shrunk."""
        return {**self.inner.hyperparameters, "calendar_shrinkage": SHRINKAGE}

    @property
    def stand_in(self) -> str | None:
        """That of :attr:`inner`."""
        return stand_in_of(self.inner)

    def obstacle(self, first_cut_off: np.datetime64) -> str | None:
        """That of :attr:`inner`."""
        return obstacle_of(self.inner, first_cut_off)

    def fit(self, data: TrainingSet) -> Fit:
        """Fit :attr:`inner` to what the calendar does not explain."""
        target = WithoutCalendar.of(data.target)
        sources = {name: WithoutCalendar.of(it).asset for name, it in data.sources.items()}
        fit = self.inner.fit(replace(data, target=target.asset, sources=sources))
        return _put_back(fit, target.at_end, data)

    def adapted_to(self, columns: Collection[str]) -> "CalendarAdjusted":
        """The same of :attr:`inner` for an asset whose bars give ``columns`` alone."""
        return replace(self, inner=adapted(self.inner, columns))


def _put_back(fit: Fit, effects: Mapping[str, float], data: TrainingSet) -> Fit:
    """The fit, and each that it is the mean of, as one of ``data`` with its effects."""
    return replace(
        fit,
        predictor=CalendarAdjustedPredictor(
            fit.predictor, effects, data.target.calendar_name, data.horizon
        ),
        sources=tuple(data.sources[source.asset] for source in fit.sources),
        by_seed={seed: _put_back(own, effects, data) for seed, own in fit.by_seed.items()},
    )
