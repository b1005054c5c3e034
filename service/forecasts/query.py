"""From a request to a question: the model settled, and the history that it is asked about."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from models_store import ForecastInput, Manifest
from service.assets.holdings import Held, Holdings
from service.forecasts.choosing import Chooser, sessions_until
from service.forecasts.horizons import check_horizons
from service.forecasts.replaying import fitted_on_it, replayed_session
from service.forecasts.schemas import ForecastRequest, HistoryInput
from service.http.clock import Clock
from service.http.errors import InvalidAsOf, located
from service.models.asset_comparison import JUDGED
from service.models.catalogue import Catalogue, Choice
from volatility.bars import DAILY, Bars, from_records, validate
from volatility.calendars import Calendar, days_of
from volatility.errors import InvalidInput, RoughcastError
from volatility.plausibility import check_series
from volatility.series import DatedSeries, RealizedSeries, daily_series
from volatility.trailing import SESSIONS

_MANY_BARS = 2_000


class ClockReading:
    """One reading of the clock, and the sessions that had closed by then.

    Parameters
    ----------
    now : with its zone.
    """

    __slots__ = ("_closed", "now")

    def __init__(self, now: datetime) -> None:
        self.now = now
        self._closed: dict[str, np.datetime64] = {}

    def last_closed_session(self, calendar: Calendar) -> np.datetime64:
        """Last session of a calendar that had closed; looked up once."""
        closed = self._closed.get(calendar.name)
        if closed is None:
            closed = self._closed[calendar.name] = calendar.last_closed_session(self.now)
        return closed


class Question(NamedTuple):
    """What is asked of a model."""

    choice: Choice
    history: Held | RealizedSeries  # as it is held, or in the model's measure
    horizon: int
    levels: tuple[float, ...]
    as_of: date | None  # the day of held history that is replayed
    last_closed: np.datetime64  # session of the history's calendar
    warnings: tuple[str, ...]
    quantiles: tuple[float, ...] = ()
    explain: bool = False

    @property
    def key(self) -> tuple[object, ...] | None:
        """Everything that an answer from held history depends on.

        None for another history, and for an explanation, which is ten times as long.
        """
        held = self.history
        if not isinstance(held, Held) or self.explain:
            return None
        return (
            held.asset.asset,
            self.choice.model.sha256,
            self.choice.degraded_reason,
            self.horizon,
            self.levels,
            self.quantiles,
            self.as_of,
            held.revision,
            self.last_closed,
        )


class TermStructure(NamedTuple):
    """One question for each of several horizons, of the same model and history."""

    questions: tuple[Question, ...]

    @property
    def key(self) -> tuple[object, ...] | None:
        """As that of a question."""
        keys = tuple([question.key for question in self.questions])
        return None if None in keys else keys


Asked = Question | TermStructure


class Settled(NamedTuple):
    """A question with the history that the model sees, and what must be said beside it."""

    choice: Choice
    given: ForecastInput
    stale_sessions: int | None  # None for a history without dates
    warnings: tuple[str, ...]


class Questions:
    """Makes questions of requests.

    Parameters
    ----------
    catalogue : the models.
    holdings : the held history.
    clock : the time, with its zone.
    """

    def __init__(self, catalogue: Catalogue, holdings: Holdings, clock: Clock) -> None:
        self._catalogue = catalogue
        self._holdings = holdings
        self._chooser = Chooser(catalogue, holdings)
        self._clock = clock

    def of(self, request: ForecastRequest) -> Asked:
        """What a request asks at present.

        Raises
        ------
        UnknownAsset, UnknownModel, ArtifactRefused : there is no such model in service.
        UnsupportedHorizon : the model does not forecast so many sessions ahead, both one and a list
            are given, or one of a list twice.
        NoHistory : the request brings none, and none is held.
        InvalidAsOf : it replays a day of a history that it brings.
        InvalidInput : the history that it brings cannot be used.
        """
        return self._of(request, ClockReading(self._clock()))

    def of_batch(
        self, requests: Sequence[ForecastRequest | RoughcastError]
    ) -> list[Asked | RoughcastError]:
        """What each request asks at one and the same time, or why it cannot be asked.

        Errors among ``requests`` stay in their places.
        """
        reading = ClockReading(self._clock())
        return [
            it if isinstance(it, RoughcastError) else self._of_or_error(it, reading)
            for it in requests
        ]

    def is_long(self, request: ForecastRequest) -> bool:
        """Whether a request would keep others waiting if it were answered between them.

        It is where it brings thousands of bars, or the models have not been compared yet at a
        horizon that it asks for, which takes up to a tenth of a second; and where the model for
        every asset has to forecast what a history tells the outcomes of, a tenth of a millisecond
        each, or a calendar has to be built. A forecast is explained in some milliseconds.
        """
        if request.explain:
            return True
        horizons = request.horizons or (request.horizon,)
        if (request.asset, request.model) not in self._catalogue.choices:
            return self._is_long_for_universal(request, horizons)
        history = request.history
        if history is not None and len(history.bars or history.rv or ()) > _MANY_BARS:
            return True
        return not all(
            it == JUDGED or self._catalogue.is_compared(request.asset or "", it) for it in horizons
        )

    def _is_long_for_universal(self, request: ForecastRequest, horizons: Sequence[int]) -> bool:
        history, calendar = request.history, request.calendar
        if calendar is not None and not self._catalogue.universal.is_bound(calendar):
            return True
        if history is not None:
            return len(history.bars or history.rv or ()) > SESSIONS
        held = self._holdings.find(request.asset or "")
        if held is None or len(held.sessions()) <= SESSIONS:
            return False
        model = self._chooser.held_model(held.asset)
        if model is None:
            return False
        return request.as_of is not None or not all(
            held.is_calibrated(model, it) for it in horizons
        )

    def _of(self, request: ForecastRequest, reading: ClockReading) -> Asked:
        horizons = request.horizons
        if horizons is not None:
            check_horizons(request, horizons)
        question = self._question(request, reading)
        if horizons is None:
            return self._at(question, request.horizon)
        return TermStructure(tuple([self._at(question, it) for it in horizons]))

    def _at(self, question: Question, horizon: int) -> Question:
        if horizon == JUDGED:
            return question
        choice = self._catalogue.at(question.choice, horizon)
        return question._replace(choice=choice, horizon=horizon)

    def _question(self, request: ForecastRequest, reading: ClockReading) -> Question:
        """What is asked, one session ahead."""
        asset, history = request.asset, request.history
        warnings: tuple[str, ...] = ()
        choice = self._catalogue.choices.get((asset, request.model)) if asset else None
        interval = choice.model.manifest.bar_interval if choice else DAILY
        bars = _bars_of(history, interval) if history else None
        if choice is None:
            choice, warnings = self._chooser.of(request, bars)
        elif asset and (request.calendar or request.kind):
            self._chooser.check(request, asset)
        if history is None:
            return self._of_held(request, choice, reading)
        given = history if bars is None else bars
        question = _of_inline(request, given, choice, reading)
        nobs = 0 if isinstance(question.history, Held) else len(question.history)
        if nobs < choice.model.required_sessions:
            other = self._chooser.in_place_of(choice, request, nobs)
            question = _of_inline(request, given, other, reading) if other else question
        question = question._replace(choice=self._catalogue.with_history(question.choice, nobs))
        return question._replace(warnings=(*warnings, *question.warnings)) if warnings else question

    def _of_held(self, request: ForecastRequest, choice: Choice, reading: ClockReading) -> Question:
        held = self._holdings.get(choice.asset or "")
        nobs = sessions_until(held, request.as_of)
        if nobs < choice.model.required_sessions:
            choice = self._chooser.in_place_of(choice, request, nobs) or choice
        return Question(
            self._catalogue.with_history(choice, nobs),
            held,
            JUDGED,
            request.levels,
            request.as_of,
            reading.last_closed_session(held.calendar),
            (),
            request.quantiles,
            request.explain,
        )

    def _of_or_error(
        self, request: ForecastRequest, reading: ClockReading
    ) -> Asked | RoughcastError:
        try:
            return self._of(request, reading)
        except RoughcastError as error:
            return error


def settle(question: Question) -> Settled:
    """Cut held history where the question says, in the measure of the model.

    Raises
    ------
    InvalidAsOf : the day to replay has not closed, or is not a session.
    OutsideCalendar : the calendar does not know it.
    InvalidInput : the bars that are held cannot be measured.
    """
    model, history = question.choice.model, question.history
    until, warnings, calibration = question.last_closed, question.warnings, None
    if isinstance(history, Held):
        held, manifest = history, model.manifest
        history = held.series(manifest.measure, manifest.columns)
        whole = len(history)
        if question.as_of is not None:
            until = replayed_session(question.as_of, held.calendar, until)
            history = history.until(until)
            warnings = _in_sample_warnings(question.choice, question.as_of)
        elif whole and question.choice.fitted_on:
            warnings = fitted_on_it(question.choice, history.dates[-1].item())
        if len(history) == whole:
            calibration = held.calibration(model, question.horizon)
    stale = _sessions_since(history, until, model.calendar)
    given = ForecastInput(
        history,
        question.levels,
        question.horizon,
        calibration,
        question.quantiles,
        question.explain,
    )
    return Settled(question.choice, given, stale, (*_stale_warnings(history, stale), *warnings))


def _bars_of(history: HistoryInput, interval: int) -> Bars | None:
    if history.bars is None:
        return None
    try:
        return from_records(history.bars, interval)
    except InvalidInput as error:
        raise located(error, "history.") from None


def _of_inline(
    request: ForecastRequest, given: Bars | HistoryInput, choice: Choice, reading: ClockReading
) -> Question:
    if request.as_of is not None:
        raise InvalidAsOf(
            "as_of replays a day from held history, but the request brings its own; leave one out",
            code="as_of_with_history",
            field="as_of",
            found=str(request.as_of),
            needed="either as_of or history",
        )
    model = choice.model
    try:
        series, warnings = _series_of(given, model.manifest, model.calendar, reading.now)
    except InvalidInput as error:
        raise located(error, "history.") from None
    if isinstance(series, DatedSeries):
        warnings = (*_in_sample_warnings(choice, series.dates[-1].item()), *warnings)
    return Question(
        choice,
        series,
        JUDGED,
        request.levels,
        None,
        reading.last_closed_session(model.calendar),
        tuple(warnings),
        request.quantiles,
        request.explain,
    )


def _series_of(
    given: Bars | HistoryInput, manifest: Manifest, calendar: Calendar, now: datetime
) -> tuple[RealizedSeries, Iterable[str]]:
    """Daily series of a history in any of its forms, and what is worth knowing about it.

    Bars are measured with the measure and the columns of the model; ``rv`` is taken to be in its
    measure, and has no columns.
    """
    if isinstance(given, HistoryInput):
        series = _given_series(given, manifest.measure)
        check_series(series, calendar, now)
        return series, ()
    findings = validate(given, calendar, now)
    measured, more = daily_series(given, manifest.measure, calendar, manifest.columns)
    return measured, dict.fromkeys(map(str, (*findings, *more)))


def _given_series(history: HistoryInput, measure: str) -> RealizedSeries:
    rv = np.array(history.rv)
    if history.dates is None:
        return RealizedSeries(rv, measure)
    return DatedSeries(rv, measure, days_of(history.dates))


def _sessions_since(series: RealizedSeries, until: np.datetime64, calendar: Calendar) -> int | None:
    """Sessions after the last one of a series, up to ``until``."""
    if not isinstance(series, DatedSeries) or not len(series):
        return None
    dates = series.dates
    return max(0, len(calendar.sessions(dates[-1], until)) - 1) if until > dates[-1] else 0


def _stale_warnings(series: RealizedSeries, stale: int | None) -> tuple[str, ...]:
    if not stale or not isinstance(series, DatedSeries):
        return ()
    sessions = "1 session has" if stale == 1 else f"{stale} sessions have"
    return (f"the history is stale: it ends on {series.dates[-1]}, and {sessions} closed since",)


def _in_sample_warnings(choice: Choice, as_of: date) -> tuple[str, ...]:
    """That a replay is by a model which has seen the day, or of other assets what came later."""
    manifest = choice.model.manifest
    end = manifest.training.end
    own = fitted_on_it(choice, as_of) if choice.fitted_on else ()
    if own or as_of >= end:  # on the last session of training the target is still to come
        return own
    warning = (
        f"in-sample: {manifest.model} was fitted on sessions up to {end}, so a replay of {as_of} "
        "is better than a forecast made on that day could have been"
    )
    return (warning,)
