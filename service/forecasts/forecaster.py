"""From a question to a forecast with everything that is said beside it."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

from models_store import Forecast, ForecastInput, LoadedModel
from service.forecasts.query import Asked, Question, Settled, TermStructure, settle
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
    asset: str | None  # as asked; the model of any asset knows no name


Issued = IssuedForecast | tuple[IssuedForecast, ...]  # several of a term structure


@overload
def forecast(asked: Question) -> IssuedForecast: ...
@overload
def forecast(asked: Asked) -> Issued: ...
def forecast(asked: Asked) -> Issued:
    """Answer one question, at each of its horizons if it has several.

    Raises
    ------
    RoughcastError : it cannot be answered; the error says why.
    """
    [issued] = _issue([_settle(asked)])
    return issued


def forecast_batch(questions: Sequence[Asked]) -> list[Issued | RoughcastError]:
    """Answer every question as :func:`forecast` would, or say why not, in order."""
    answers: dict[int, Issued | RoughcastError] = {}
    by_model: dict[str, dict[int, _Settled]] = defaultdict(dict)
    for place, question in enumerate(questions):
        try:
            settled = _settle(question)
        except RoughcastError as error:
            answers[place] = error
        else:
            by_model[settled.model.identity][place] = settled
    for asked in by_model.values():
        answers.update(zip(asked, _issue_or_refuse(list(asked.values())), strict=True))
    return [answers[place] for place in range(len(questions))]


class _Settled(NamedTuple):
    """A question or a term structure, settled at each horizon."""

    each: tuple[Settled, ...]
    listed: bool  # whether a list of horizons was asked

    @property
    def model(self) -> LoadedModel:
        return self.each[0].choice.model


def _settle(asked: Asked) -> _Settled:
    if isinstance(asked, TermStructure):
        return _Settled(tuple([settle(question) for question in asked.questions]), True)
    return _Settled((settle(asked),), False)


def _issue_or_refuse(asked: Sequence[_Settled]) -> Iterator[Issued | RoughcastError]:
    """Ask one model all its questions at once; where it refuses one, find out which."""
    try:
        yield from _issue(asked)
    except RoughcastError:
        refusals = [_refusal(it) for it in asked]
        issued = iter(_issue([it for it, no in zip(asked, refusals, strict=True) if not no]))
        for refusal in refusals:
            yield refusal or next(issued)


def _refusal(asked: _Settled) -> RoughcastError | None:
    try:
        for it in asked.each:
            asked.model.check(it.given)
    except RoughcastError as error:
        return error
    return None


def _issue(asked: Sequence[_Settled]) -> list[Issued]:
    if not asked:
        return []
    flat = [it for settled in asked for it in settled.each]
    forecasts = asked[0].model.forecast_batch([it.given for it in flat])
    issued = map(_issued, flat, forecasts)
    return [
        tuple([next(issued) for _ in each]) if listed else next(issued) for each, listed in asked
    ]


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
        choice.asset,
    )


def _forecast_id(model: LoadedModel, given: ForecastInput, forecast: Forecast) -> str:
    history, levels, horizon, quantiles = given[0], given.levels, given.horizon, given.quantiles
    count = model.window_sessions
    asked = f"{horizon} {levels} {quantiles}" if quantiles else f"{horizon} {levels}"
    digest = hashlib.sha256(f"{model.identity} {asked}".encode())
    digest.update(history.rv[-count:].tobytes())
    for name in model.manifest.columns:
        digest.update(history.columns[name][-count:].tobytes())
    if isinstance(history, DatedSeries):
        digest.update(history.dates[-count:].tobytes())
    digest.update(forecast.calibration.content)
    return digest.hexdigest()[:32]
