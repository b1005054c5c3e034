"""All fits of a regression's walk-forward in one pass: its regressors are built once.

The same forecasts as those of the fitted predictors, block by block, up to rounding. With the
calendar divided out they are built twice: what a fit learns from has each session's effect as it
was known before the session, and does not change from fit to fit; what it forecasts from has the
effects as they were known at the fit.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, TypeGuard, runtime_checkable

import numpy as np

from training.data.assets import TrainingSet
from training.models.calendar_adjusted import CalendarAdjusted, WithoutCalendar
from training.models.linear.regression import Coefficients, Counts, Regression
from training.models.recipe import Recipe
from volatility.arrays import FloatArray, Scale
from volatility.filters import windows
from volatility.pairs import Pairs
from volatility.regressor_names import design_of
from volatility.regressors import on_scale
from volatility.seasonality import day_classes


class Predicted(NamedTuple):
    """What the fits say of the rows that each is to forecast."""

    values: FloatArray  # (rows,) on the model's scale
    residual_variance: FloatArray  # (rows,)
    scale: Scale


@dataclass(frozen=True)
class Schedule:
    """Which fits there are, and what each is to forecast.

    Attributes
    ----------
    known : (fits,) oldest sessions of the target that each fit sees, ascending.
    pairs : windows of the recipe's lookback and columns, and targets: rows to forecast.
    fit_of : (rows,) the fit that forecasts each row, a place in ``known``.
    """

    known: Counts
    pairs: Pairs
    fit_of: Counts


@runtime_checkable
class PredictsAtOnce(Recipe, Protocol):
    """A recipe that has a way of its own to make all fits in one pass."""

    def predict_at_once(self, data: TrainingSet, schedule: Schedule) -> Predicted:
        """Fit as scheduled on what of ``data`` is known, and predict."""


AtOnce = Regression | CalendarAdjusted | PredictsAtOnce


def can_be(recipe: Recipe) -> TypeGuard[AtOnce]:
    """Whether a recipe is a regression, with or without the calendar, or knows how itself."""
    inner = recipe.inner if isinstance(recipe, CalendarAdjusted) else recipe
    return isinstance(inner, Regression | PredictsAtOnce)


def predict(recipe: AtOnce, data: TrainingSet, schedule: Schedule) -> Predicted:
    """Fit as scheduled on what of ``data`` is known, and predict; as :func:`can_be` allows."""
    if isinstance(recipe, PredictsAtOnce):
        return recipe.predict_at_once(data, schedule)
    if isinstance(recipe, CalendarAdjusted):
        assert isinstance(recipe.inner, Regression)
        return _predict_adjusted(recipe.inner, data, schedule)
    found = _coefficients(recipe, data, schedule)
    design = design_of(recipe.regressors).build_each(on_scale(schedule.pairs.windows, recipe.scale))
    return _predicted(recipe, design, found, schedule)


def _predict_adjusted(recipe: Regression, data: TrainingSet, schedule: Schedule) -> Predicted:
    without = WithoutCalendar.of(data.target)
    found = _coefficients(recipe, replace(data, target=without.asset), schedule)
    factors = np.exp(without.effects[schedule.known])[schedule.fit_of]  # (rows, 8)
    pairs, dates = schedule.pairs, data.target.series.dates
    newest = np.searchsorted(dates, pairs.as_of)
    classes = windows(without.classes.astype(np.float64), recipe.lookback).astype(np.int64)
    seen = np.take_along_axis(factors, classes[newest - recipe.lookback + 1], axis=1)
    calm = {**pairs.windows, "rv": pairs.windows["rv"] / seen}
    design = design_of(recipe.regressors).build_each(on_scale(calm, recipe.scale))
    said = _predicted(recipe, design, found, schedule)
    calendar = data.target.calendar
    coming = day_classes(calendar.sessions_after(pairs.as_of, data.horizon), calendar)
    ahead = np.take_along_axis(factors, coming, axis=1).mean(axis=1)
    moved = said.values + np.log(ahead) if recipe.scale == "logs" else said.values * ahead
    return said._replace(values=moved)


def _coefficients(recipe: Regression, data: TrainingSet, schedule: Schedule) -> Coefficients:
    """Of each fit, on the targets that had ended by the last session it sees."""
    pairs = data.pairs(recipe.lookback, recipe.columns)
    first_ahead = np.searchsorted(data.target.series.dates, pairs.target_dates)
    counts = np.searchsorted(first_ahead + data.horizon, schedule.known, side="right")
    return recipe.coefficients_each(recipe.sample(pairs), counts)


def _predicted(
    recipe: Regression, design: list[FloatArray], found: Coefficients, schedule: Schedule
) -> Predicted:
    slopes, intercept, variance = found.at(schedule.fit_of)
    values = intercept
    for place, column in enumerate(design):
        values = values + slopes[:, place] * column
    return Predicted(values, variance, recipe.scale)
