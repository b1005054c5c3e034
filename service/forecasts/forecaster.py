"""From a question to a forecast with everything that is said beside it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, overload

from models_store import Forecast, ForecastInput, LoadedModel
from models_store.issuing import fitted_on_it, forecast_id, in_sample_warnings
from service.assets.held import Held
from service.forecasts.query import Asked, Question, TermStructure
from service.forecasts.replay import replayed_session
from service.models.choice import Choice
from service.models.skill import LiveStanding, ModelSkill
from volatility.errors import RoughcastError
from volatility.series import DatedSeries
from volatility.staleness import age_warnings, sessions_since


class IssuedForecast(NamedTuple):
    """A forecast as it leaves the service, whatever it is written in."""

    forecast_id: (
        str  # digest of artifact, asset, window, its dates, past errors, and what was asked for
    )
    forecast: Forecast
    skill: ModelSkill | str  # or why it is not known
    stale_sessions: int | None  # None for a history without dates
    degraded_reason: str | None
    warnings: tuple[str, ...]
    asset: str | None  # as asked; the model of any asset knows no name
    coverage: tuple[tuple[float, float, int], ...] = ()  # live, by level: share, of how many


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


class Settled(NamedTuple):
    """A question with the history that the model sees, and what must be said beside it."""

    choice: Choice
    given: ForecastInput
    stale_sessions: int | None  # None for a history without dates
    warnings: tuple[str, ...]
    live: LiveStanding | None


class _Settled(NamedTuple):
    """A question or a term structure, settled at each horizon."""

    each: tuple[Settled, ...]
    listed: bool  # whether a list of horizons was asked

    @property
    def model(self) -> LoadedModel:
        return self.each[0].choice.model


def _settle(asked: Asked) -> _Settled:
    if isinstance(asked, TermStructure):
        return _Settled(tuple([_settle_one(question) for question in asked.questions]), True)
    return _Settled((_settle_one(asked),), False)


def _settle_one(question: Question) -> Settled:
    """Cut held history where the question says, in the measure of the model.

    Raises
    ------
    InvalidAsOf : the day to replay has not closed, or is not a session.
    OutsideCalendar : the calendar does not know it.
    InvalidInput : the bars that are held cannot be measured.
    HistoryStale, HistoryIncomplete : the operator lets no such history be forecast from.
    """
    model, history, beside = question.choice.model, question.history, question.beside
    joined, revisions = beside.joined, beside.revisions
    until, warnings, calibration = question.last_closed, question.warnings, None
    if isinstance(history, Held):
        held, manifest = history, model.manifest
        history = held.series(manifest.measure, manifest.own_columns) if joined is None else joined
        whole, seen = len(history), tuple[str, ...]()
        if question.as_of is not None:
            until = replayed_session(question.as_of, held.calendar, until)
            history = history.until(until)
            seen = _in_sample(question.choice, question.as_of)
        elif whole:
            choice, last = question.choice, history.dates[-1].item()
            seen = fitted_on_it(model, choice.asset, choice.fitted_on, last)
        warnings = (*seen, *held.price_warnings(history, model.window_sessions), *warnings)
        if len(history) == whole and revisions is not None:
            calibration = held.calibration(model, question.horizon, joined, revisions)
    elif isinstance(history, DatedSeries) and len(history):
        warnings = (*_in_sample(question.choice, history.dates[-1].item()), *warnings)
    stale = sessions_since(history, until, model.calendar)
    if question.policy is not None:
        question.policy.check(history, stale, model)
    if beside.companions:
        warnings = (*warnings, *beside.remarks(history, model.calendar))
    given = ForecastInput(
        history,
        question.levels,
        question.horizon,
        calibration,
        question.quantiles,
        question.explain,
    )
    said = (*age_warnings(history, stale, until), *warnings)
    return Settled(question.choice, given, stale, said, question.live)


def _issue_or_refuse(asked: Sequence[_Settled]) -> list[Issued | RoughcastError]:
    """Ask one model all its questions at once; where that fails, without those that it refuses.

    Where it refuses none, it is asked one by one: it fails over one of them, or refuses one by what
    only its computation tells.
    """
    try:
        return [*_issue(asked)]
    except RoughcastError as error:
        if len(asked) == 1:
            return [error]
    refusals = [_refusal(it) for it in asked]
    sound = [it for it, no in zip(asked, refusals, strict=True) if not no]
    if len(sound) == len(asked):
        return [_issue_or_refuse([it])[0] for it in asked]
    issued = iter(_issue_or_refuse(sound))
    return [refusal or next(issued) for refusal in refusals]


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
    choice, given, stale_sessions, warnings, live = asked
    skill = live.skill if live is not None and live.skill is not None else choice.skill
    unknown_skill = (skill,) if isinstance(skill, str) else ()
    return IssuedForecast(
        forecast_id(choice.model, choice.asset, given, forecast),
        forecast,
        skill,
        stale_sessions,
        choice.degraded_reason,
        (*warnings, *forecast.warnings, *unknown_skill),
        choice.asset,
        live.coverage if live is not None else (),
    )


def _in_sample(choice: Choice, as_of: date) -> tuple[str, ...]:
    return in_sample_warnings(choice.model, choice.asset, choice.fitted_on, as_of)
