"""Every study's forecasts, scored on the parts of its sample."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from training.evaluation.study import Study, parts_of
from training.evaluation.walk_forward import BlockForecasts, tracks_of, walk_forward
from training.evaluation.workers import worker_pool
from training.models.recipe import Recipe
from volatility.evaluation.compare import Comparison, compare
from volatility.evaluation.tracks import ForecastTrack

TEST, HALF = "test", "half"  # the last quarter, which is the headline, and the last half

Progress = Callable[[Recipe], None]  # called with the recipe of every fit that ends


@dataclass(frozen=True)
class Evaluated:
    """A study's forecasts and how good they were.

    Attributes
    ----------
    study : what was evaluated.
    tracks : by model, its forecasts of the last half.
    comparisons : by part of the sample, ``test`` and ``half``.
    """

    study: Study
    tracks: Mapping[str, ForecastTrack]
    comparisons: Mapping[str, Comparison]


def evaluate(
    studies: Sequence[Study], jobs: int = -1, progress: Progress | None = None
) -> list[Evaluated]:
    """Forecast every study walk-forward, and score its models.

    Parameters
    ----------
    studies : each with a history long enough, see :func:`training.evaluation.study.check_history`.
    jobs : processes; -1 is one a core. The result does not depend on it.
    progress : told of every fit that ends.

    Raises
    ------
    HistoryTooShort : a model has too little to learn from before the first forecast.
    MisalignedForecasts : a model's forecasts stand by the wrong dates.
    """
    report = progress or (lambda _recipe: None)
    forecasts: list[BlockForecasts] = []
    for part in walk_forward(studies, worker_pool(jobs)):
        forecasts.append(part)
        report(part.recipe)
    return [_score(study, tracks_of(study, forecasts)) for study in studies]


def _score(study: Study, tracks: dict[str, ForecastTrack]) -> Evaluated:
    target = study.data.target
    parts = parts_of(target)
    starts = {TEST: parts.test, HALF: parts.half}
    comparisons = {
        part: compare(list(tracks.values()), start, daily=target.series)
        for part, start in starts.items()
    }
    return Evaluated(study, tracks, comparisons)
