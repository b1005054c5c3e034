"""From a question to a forecast with everything that is said beside it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from models_store import Forecast, ForecastInput, LoadedModel
from service.forecasts.query import Question, Settled, settle
from service.models.catalogue import ModelSkill
from volatility.errors import RoughcastError
from volatility.series import DatedSeries


class IssuedForecast(NamedTuple):
    """A forecast as it leaves the service, whatever it is written in."""

    forecast_id: str  # digest of artifact, window, its dates, past errors, and what was asked for
    forecast: Forecast
    skill: ModelSkill | str  # or why it is not known
    stale_sessions: int | None  # None for a history without dates
    degraded_reason: str | None
    warnings: tuple[str, ...]


def forecast(question: Question) -> IssuedForecast:
    """Answer one question.

    Raises
    ------
    RoughcastError : it cannot be answered; the error says why.
    """
    [issued] = _issue([settle(question)])
    return issued


def forecast_batch(questions: Sequence[Question]) -> list[IssuedForecast | RoughcastError]:
    """Answer every question as :func:`forecast` would, or say why not, in order."""
    answers: dict[int, IssuedForecast | RoughcastError] = {}
    by_model: dict[str, dict[int, Settled]] = defaultdict(dict)
    for place, question in enumerate(questions):
        try:
            by_model[question.choice.model.sha256][place] = settle(question)
        except RoughcastError as error:
            answers[place] = error
    for asked in by_model.values():
        answers.update(zip(asked, _issue_or_refuse(list(asked.values())), strict=True))
    return [answers[place] for place in range(len(questions))]


def _issue_or_refuse(asked: Sequence[Settled]) -> Iterator[IssuedForecast | RoughcastError]:
    """Ask one model all its questions at once; where it refuses one, find out which."""
    try:
        yield from _issue(asked)
    except RoughcastError:
        refusals = [_refusal(it) for it in asked]
        issued = iter(_issue([it for it, no in zip(asked, refusals, strict=True) if not no]))
        for refusal in refusals:
            yield refusal or next(issued)


def _refusal(asked: Settled) -> RoughcastError | None:
    try:
        asked.choice.model.check(asked.given)
    except RoughcastError as error:
        return error
    return None


def _issue(asked: Sequence[Settled]) -> list[IssuedForecast]:
    if not asked:
        return []
    model = asked[0].choice.model
    forecasts = model.forecast_batch([it.given for it in asked])
    return [_issued(it, forecast) for it, forecast in zip(asked, forecasts, strict=True)]


def _issued(asked: Settled, forecast: Forecast) -> IssuedForecast:
    choice, given, stale_sessions, warnings = asked
    unknown_skill = (choice.skill,) if isinstance(choice.skill, str) else ()
    return IssuedForecast(
        _forecast_id(choice.model, given, forecast),
        forecast,
        choice.skill,
        stale_sessions,
        choice.degraded_reason,
        (*warnings, *forecast.warnings, *unknown_skill),
    )


def _forecast_id(model: LoadedModel, given: ForecastInput, forecast: Forecast) -> str:
    history, levels, horizon, _, quantiles = given
    count = model.required_sessions
    asked = f"{horizon} {levels} {quantiles}" if quantiles else f"{horizon} {levels}"
    digest = hashlib.sha256(f"{model.sha256} {asked}".encode())
    digest.update(history.rv[-count:].tobytes())
    for name in model.manifest.columns:
        digest.update(history.columns[name][-count:].tobytes())
    if isinstance(history, DatedSeries):
        digest.update(history.dates[-count:].tobytes())
    digest.update(forecast.calibration.content)
    return digest.hexdigest()[:32]
