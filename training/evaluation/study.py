"""What is evaluated: models on one target at one horizon, and the parts its sample falls into."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from training.data.assets import AssetData, TrainingSet
from training.data.bars_file import MINIMUM_SESSIONS
from training.models.recipe import Recipe, adapted, obstacle_of
from volatility.companions import companions_in
from volatility.errors import HistoryTooShort, TooFewObservations
from volatility.evaluation.intervals import MINIMUM
from volatility.evaluation.tracks import ForecastTrack

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
    """Where the parts of a sample begin that are forecast; what lies before is only fitted on.

    Attributes
    ----------
    selection : first session of the third quarter, by which models are chosen.
    selection_end : first target date that is no longer of it: one whose horizon reaches into the
        test part.
    test : first session of the last quarter, by which they are judged: nothing is chosen there.
    """

    selection: np.datetime64
    selection_end: np.datetime64
    test: np.datetime64

    def of_selection(self, track: ForecastTrack) -> ForecastTrack:
        """The forecasts that models are chosen by."""
        return track.between(self.selection, self.selection_end)


def obstacle(recipe: Recipe, asset: AssetData, horizons: Sequence[int] = (1,)) -> str | None:
    """Why a model cannot be fitted and judged for ``asset``; None if it can.

    Parameters
    ----------
    recipe : the model.
    asset : the target.
    horizons : at all of which it is to be fitted, in sessions ahead.
    """
    if asset.asset in recipe.sources:
        return f"{asset.asset} is what it learns from"
    recipe = adapted(recipe, asset.series.columns)
    missing = sorted(set(recipe.columns) - set(asset.series.columns))
    if missing:
        return f"its bars give no {', '.join(missing)}"
    sessions, needed = len(asset.series), 2 * (recipe.lookback + MINIMUM_TARGETS)
    if sessions < needed:
        return f"its first fit needs {needed // 2} of the {sessions} sessions, and has half of them"
    why = obstacle_of(recipe, asset.series.dates[sessions // 2 - 1])
    return why or _unaccompanied(recipe, asset, horizons)


def _unaccompanied(recipe: Recipe, asset: AssetData, horizons: Sequence[int]) -> str | None:
    """Why the companions of a model do not allow a fit: they are not known for long enough."""
    names = companions_in(recipe.columns)
    if not names:
        return None
    known = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} known before only"
    for horizon in horizons:
        data = TrainingSet(asset, {}, 0, horizon)
        fitted, selected, tested = _by_part(data, recipe.lookback, recipe.columns)
        fewest, errors = min(fitted, selected, tested), selected + tested
        ahead = "" if horizon == 1 else f", {horizon} sessions ahead"
        if fewest < MINIMUM_TARGETS:
            where, needed = f"{fewest} targets of some part of the sample", MINIMUM_TARGETS
        elif errors < _errors_needed(horizon):
            where, needed = f"{errors} targets of the last half", _errors_needed(horizon)
        else:
            continue
        return f"{known} {where}{ahead}; needed: {needed}"
    return None


def applicable(
    recipes: Sequence[Recipe], asset: AssetData, horizons: Sequence[int] = (1,)
) -> tuple[Recipe, ...]:
    """The recipes that make sense for ``asset``.

    Nothing is transferred from an asset to itself, and a model is fitted only where the bars give
    every column that it cannot do without, and the first half of them windows enough to learn from.
    Companions must be known before enough targets at each of the horizons.
    """
    held = asset.series.columns
    return tuple(adapted(it, held) for it in recipes if obstacle(it, asset, horizons) is None)


def parts_of(data: TrainingSet) -> SampleParts:
    """The third and the last quarter of a target's sessions."""
    dates = data.target.series.dates
    test = len(dates) - len(dates) // 4
    return SampleParts(
        selection=dates[len(dates) // 2],
        selection_end=dates[test - data.horizon + 1],
        test=dates[test],
    )


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
            f"{MINIMUM_SESSIONS}, half to fit on, a quarter to choose models and calibrate "
            "intervals on, and a quarter to test on",
            field="bars",
            found=len(target.series),
            needed=f"at least {MINIMUM_SESSIONS} sessions",
        )


def _check_targets(data: TrainingSet) -> None:
    target, horizon = data.target, data.horizon
    sessions = len(target.series)
    fitted, selected, tested = _targets_by_part(data)
    count, fewest = fitted + selected + tested, min(fitted, selected, tested)
    ahead = "" if horizon == 1 else f" and begin {horizon} without a gap"
    following = (
        f"of {target.asset}'s {sessions} sessions {count} follow directly on the one before"
        f"{ahead} in the calendar {target.calendar_name}"
    )
    field = "bars" if horizon == 1 else "horizons"
    if fewest < MINIMUM_TARGETS:
        raise TooFewObservations(
            f"{following}, in one part of them only {fewest}; "
            f"fitting, choosing and testing need {MINIMUM_TARGETS} each",
            field=field,
            found=fewest,
            needed=f"at least {MINIMUM_TARGETS} sessions without a gap before them in each part",
        )
    needed = _errors_needed(horizon)
    if selected + tested < needed:
        raise TooFewObservations(
            f"{following}, in the last half of them only {selected + tested}; an interval that "
            f"can be tested needs {needed}",
            field=field,
            found=selected + tested,
            needed=f"at least {needed} sessions without a gap before them in the last half",
        )


def _targets_by_part(data: TrainingSet) -> tuple[int, int, int]:
    """Targets to fit on, to choose by, and to test on."""
    return _by_part(data, 1, ())


def _errors_needed(horizon: int) -> int:
    """Targets of the last half with which its last forecast is the first to have an interval."""
    return MINIMUM + horizon


def _by_part(data: TrainingSet, lookback: int, columns: Sequence[str]) -> tuple[int, int, int]:
    if data.horizon >= len(data.target.series) - 1:
        return 0, 0, 0
    dates = data.pairs(lookback, columns).target_dates
    parts = parts_of(data)
    selection, test = np.searchsorted(dates, [parts.selection, parts.test]).tolist()
    return selection, test - selection, len(dates) - test
