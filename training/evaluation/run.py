"""Every study's forecasts, scored on the parts of its sample."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.evaluation.finished_units import FinishedUnits
from training.evaluation.study import Study, parts_of
from training.evaluation.walk_forward import FitDone, forecast_studies
from training.evaluation.workers import worker_pool
from volatility.evaluation.compare import Comparison, compare
from volatility.evaluation.tracks import ForecastTrack

TEST, SELECTION = "test", "selection"  # the last quarter, which is the headline, and the third


@dataclass(frozen=True)
class Evaluated:
    """A study's forecasts and how good they were.

    Attributes
    ----------
    study : what was evaluated.
    tracks : by model, its forecasts of the last half; without those that comparisons leave out.
    comparisons : by part of the sample, ``test`` and ``selection``.
    """

    study: Study
    tracks: Mapping[str, ForecastTrack]
    comparisons: Mapping[str, Comparison]


def evaluate(
    studies: Sequence[Study],
    jobs: int = -1,
    fit_done: FitDone = lambda _: None,
    finished: FinishedUnits[Any] | None = None,
) -> list[Evaluated]:
    """Forecast every study walk-forward, and score its models.

    Parameters
    ----------
    studies : each with a history long enough, see :func:`training.evaluation.study.check_history`.
    jobs : processes; -1 is one a core. The result does not depend on it.
    fit_done : told of every fit that ends.
    finished : fits of an earlier run that was stopped; see
        :func:`training.evaluation.workers.worker_pool`.

    Raises
    ------
    HistoryTooShort : a model has too little to learn from before the first forecast.
    MisalignedForecasts : the forecasts of HAR stand by the wrong dates.
    """
    tracks = forecast_studies(studies, worker_pool(jobs, finished), fit_done)
    return [_score(study, own) for study, own in zip(studies, tracks, strict=True)]


def _score(study: Study, tracks: dict[str, ForecastTrack]) -> Evaluated:
    target = study.data.target
    parts = parts_of(study.data)
    test = compare(list(tracks.values()), parts.test, daily=target.series)
    # What all dates leave out, those of the selection part alone may not tell.
    kept = {model: it for model, it in tracks.items() if model not in test.left_out}
    chosen_by = [parts.of_selection(track) for track in kept.values()]
    selection = compare(chosen_by, daily=target.series)
    return Evaluated(study, kept, {TEST: test, SELECTION: selection})
