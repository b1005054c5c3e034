"""What is evaluated: models on one target at one horizon, and the parts its sample falls into."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training.data.assets import AssetData, TrainingSet
from training.data.bars_file import MINIMUM_SESSIONS
from training.models.recipe import Recipe
from volatility.errors import HistoryTooShort, TooFewObservations
from volatility.evaluation.intervals import MINIMUM

MINIMUM_TARGETS = 50  # in each part; the promotion gate too judges on no fewer


class StudyKey(NamedTuple):
    """Target and horizon, by which studies are told apart."""

    asset: str
    horizon: int  # sessions ahead


@dataclass(frozen=True)
class Study:
    """One target at one horizon, with the models that forecast it."""

    data: TrainingSet
    recipes: tuple[Recipe, ...]

    @property
    def key(self) -> StudyKey:
        """Target and horizon."""
        return StudyKey(self.data.target.asset, self.data.horizon)


@dataclass(frozen=True)
class SampleParts:
    """Where the scored parts of a sample begin; what lies before is only fitted on."""

    half: np.datetime64  # first session of the last half: everything that is forecast
    test: np.datetime64  # first session of the last quarter: the headline


def obstacle(recipe: Recipe, asset: AssetData) -> str | None:
    """Why a model cannot be fitted for ``asset``; None if it can."""
    if asset.asset in recipe.sources:
        return f"{asset.asset} is what it learns from"
    missing = sorted(set(recipe.columns) - set(asset.series.columns))
    return f"its bars give no {', '.join(missing)}" if missing else None


def applicable(recipes: Sequence[Recipe], asset: AssetData) -> tuple[Recipe, ...]:
    """The recipes that make sense for ``asset``.

    Nothing is transferred from an asset to itself, and a model is fitted only where the bars give
    every column that it sees.
    """
    return tuple(recipe for recipe in recipes if obstacle(recipe, asset) is None)


def parts_of(asset: AssetData) -> SampleParts:
    """The last half and the last quarter of an asset's sessions."""
    dates = asset.series.dates
    return SampleParts(half=dates[len(dates) // 2], test=dates[-(len(dates) // 4)])


def check_history(data: TrainingSet) -> None:
    """Refuse a target that cannot be fitted, calibrated and tested on.

    Raises
    ------
    HistoryTooShort : fewer than 500 sessions.
    TooFewObservations : enough sessions, but with so many missing between them, or a horizon so
        long, that in some part too few are followed by all that is to be forecast, or in the last
        half too few for an interval.
    """
    _check_length(data.target)
    _check_targets(data)


def _check_length(target: AssetData) -> None:
    if len(target.series) < MINIMUM_SESSIONS:
        raise HistoryTooShort(
            f"{target.asset} has {len(target.series)} sessions; a retrain or an evaluation needs "
            f"{MINIMUM_SESSIONS}, half to fit on, a quarter to calibrate intervals on and a "
            "quarter to test on",
            field="bars",
            found=len(target.series),
            needed=f"at least {MINIMUM_SESSIONS} sessions",
        )


def _check_targets(data: TrainingSet) -> None:
    target, horizon = data.target, data.horizon
    sessions = len(target.series)
    fitted, calibrated, tested = _targets_by_part(data)
    count, fewest = fitted + calibrated + tested, min(fitted, calibrated, tested)
    ahead = "" if horizon == 1 else f" and begin {horizon} without a gap"
    following = (
        f"of {target.asset}'s {sessions} sessions {count} follow directly on the one before"
        f"{ahead} in the calendar {target.calendar_name}"
    )
    field = "bars" if horizon == 1 else "horizons"
    if fewest < MINIMUM_TARGETS:
        raise TooFewObservations(
            f"{following}, in one part of them only {fewest}; "
            f"fitting, calibrating and testing need {MINIMUM_TARGETS} each",
            field=field,
            found=fewest,
            needed=f"at least {MINIMUM_TARGETS} sessions without a gap before them in each part",
        )
    # The last forecast is the first to have an interval: so many errors are known by then.
    needed = MINIMUM + horizon
    if calibrated + tested < needed:
        raise TooFewObservations(
            f"{following}, in the last half of them only {calibrated + tested}; an interval that "
            f"can be tested needs {needed}",
            field=field,
            found=calibrated + tested,
            needed=f"at least {needed} sessions without a gap before them in the last half",
        )


def _targets_by_part(data: TrainingSet) -> tuple[int, int, int]:
    """Targets to fit on before the last half, to calibrate on in it, and to test on."""
    if data.horizon >= len(data.target.series) - 1:
        return 0, 0, 0
    dates = data.pairs(1).target_dates
    parts = parts_of(data.target)
    half, test = np.searchsorted(dates, [parts.half, parts.test]).tolist()
    return half, test - half, len(dates) - test
