"""All fits of a regression's walk-forward in one pass: its regressors are built once.

The same forecasts as those of the fitted predictors, block by block, up to rounding. With the
calendar divided out they are built twice: what a fit learns from has each session's effect as it
was known before the session, and does not change from fit to fit; what it forecasts from has the
effects as they were known at the fit.
"""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeGuard, runtime_checkable

import numpy as np

from training.data.assets import AssetData, TrainingSet
from training.models.calendar_adjusted import CalendarAdjusted
from training.models.linear.asset_regressors import AssetRegressors
from training.models.linear.regression import Coefficients, Counts, Regression
from training.models.recipe import Recipe
from volatility.arrays import FloatArray, Scale
from volatility.pairs import Pairs
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
    pairs : rows to forecast: what windows of the recipe's lookback are paired with, and of the
        windows the newest session.
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
    """Whether a recipe is a regression or knows how itself."""
    return is_regression(recipe) or isinstance(recipe, PredictsAtOnce)


def is_regression(recipe: Recipe) -> bool:
    """Whether a recipe is a regression, or one of logs without the calendar."""
    if isinstance(recipe, CalendarAdjusted):
        return isinstance(recipe.inner, Regression) and recipe.inner.scale == "logs"
    return isinstance(recipe, Regression)


def predict(
    recipe: AtOnce, data: TrainingSet, schedule: Schedule, regressors: AssetRegressors
) -> Predicted:
    """Fit as scheduled on what of ``data`` is known, and predict; as :func:`can_be` allows.

    Parameters
    ----------
    recipe, data, schedule : the model, the target, and what is to be made of them.
    regressors : of the target.
    """
    if isinstance(recipe, PredictsAtOnce):
        return recipe.predict_at_once(data, schedule)
    if isinstance(recipe, CalendarAdjusted):
        assert isinstance(recipe.inner, Regression)
        return _predict_adjusted(recipe.inner, data, schedule, regressors)
    found = _coefficients(recipe, regressors, data.horizon, schedule.known)
    design = regressors.windows(recipe.scale).design(recipe.regressors, schedule.pairs)
    return _predicted(recipe, design, found, schedule)


def _predict_adjusted(
    recipe: Regression, data: TrainingSet, schedule: Schedule, regressors: AssetRegressors
) -> Predicted:
    known = schedule.known
    found = _coefficients(recipe, regressors.without_calendar, data.horizon, known)
    design = regressors.windows_as_known(known, recipe.lookback).design(
        recipe.regressors, schedule.pairs
    )
    said = _predicted(recipe, design, found, schedule)
    calendar = data.target.calendar
    coming = day_classes(calendar.sessions_after(schedule.pairs.as_of, data.horizon), calendar)
    factors = np.exp(regressors.effects[known])[schedule.fit_of]  # (rows, classes)
    ahead = np.take_along_axis(factors, coming, axis=1).mean(axis=1)
    return said._replace(values=said.values + np.log(ahead))


def _coefficients(
    recipe: Regression, regressors: AssetRegressors, horizon: int, known: Counts
) -> Coefficients:
    """Of each fit, on the targets that had ended by the last session it sees."""
    rows = regressors.rows(recipe.lookback, horizon, recipe.columns)
    counts = counts_known(regressors.asset, rows, horizon, known)
    return recipe.coefficients_each(recipe.sample(regressors, horizon), counts)


def counts_known(asset: AssetData, rows: Pairs, horizon: int, known: Counts) -> Counts:
    """How many of some rows have targets that had ended by the last session a fit sees; (fits,)."""
    first_ahead = np.searchsorted(asset.series.dates, rows.target_dates)
    return np.searchsorted(first_ahead + horizon, known, side="right")


def _predicted(
    recipe: Regression, design: list[FloatArray], found: Coefficients, schedule: Schedule
) -> Predicted:
    slopes, intercept, variance = found.at(schedule.fit_of)
    values = intercept
    for place, column in enumerate(design):
        values = values + slopes[:, place] * column
    return Predicted(values, variance, recipe.scale)
