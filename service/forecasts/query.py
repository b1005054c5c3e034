"""From a request to a question: the model settled, and the history that it is asked about."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from models_store import LoadedModel, Manifest, refusals
from models_store.universal.asset_model import UniversalAssetModel
from service.assets.holdings import Held, Holdings
from service.forecasts.choosing import Chooser, sessions_until
from service.forecasts.companions import Beside, companions_of, held_revisions
from service.forecasts.horizons import check_horizons
from service.forecasts.policy import HistoryPolicy
from service.forecasts.requests import ForecastRequest, HistoryInput
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
Given = Bars | HistoryInput | None  # the history that a request brings


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
    beside: Beside = Beside()
    policy: HistoryPolicy | None = None

    @property
    def key(self) -> tuple[object, ...] | None:
        """Everything that an answer from held history depends on.

        None for another history, and for an explanation, which is ten times as long.
        """
        held = self.history
        if not isinstance(held, Held) or self.explain or self.beside.revisions is None:
            return None
        return (
            held.asset.asset,
            self.choice.model.sha256,
            self.choice.degraded_reason,
            self.warnings,
            self.beside.revisions,
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


class Questions:
    """Makes questions of requests.

    Parameters
    ----------
    catalogue : the models.
    holdings : the held history.
    clock : the time, with its zone.
    policy : which histories may be forecast from, if not all.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        holdings: Holdings,
        clock: Clock,
        policy: HistoryPolicy | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._holdings = holdings
        self._chooser = Chooser(catalogue, holdings)
        self._clock = clock
        self._policy = policy

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

    def is_degraded(self, request: ForecastRequest) -> bool:
        """Whether another model of the asset stands in for the one that is asked."""
        choice = self._catalogue.choices.get((request.asset or "", request.model))
        return choice is not None and choice.degraded_reason is not None

    def is_long(self, request: ForecastRequest) -> bool:
        """Whether a request would keep others waiting if it were answered between them.

        It is where it brings thousands of bars, its companions' among them, or the models have not
        been compared yet at a horizon that it asks for, which takes up to a tenth of a second; and
        where the model for every asset has to forecast what a history tells the outcomes of, a
        tenth of a millisecond each, and a model with companions likewise, or a calendar has to be
        built. A forecast is explained in some milliseconds.
        """
        if request.explain:
            return True
        horizons = request.horizons or (request.horizon,)
        choice = self._catalogue.choices.get((request.asset or "", request.model))
        if choice is None:
            return self._is_long_for_universal(request, horizons)
        history = request.history
        given = len(history.bars or history.rv or ()) if history else 0
        if given + sum(len(it.bars) for it in request.companions.values()) > _MANY_BARS:
            return True
        if choice.model.manifest.companions and self._is_long_beside(
            request, choice.model, horizons
        ):
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

    def _is_long_beside(
        self, request: ForecastRequest, model: LoadedModel, horizons: Sequence[int]
    ) -> bool:
        """Whether a model has to forecast anew what a history tells the outcomes of."""
        if request.companions or request.history is not None or request.as_of is not None:
            return True
        held = self._holdings.find(request.asset or "")
        revisions = held_revisions(model.manifest, self._holdings)
        if held is None or revisions is None:  # refused, or answered without companions
            return False
        return not all(held.is_calibrated(model, it, revisions) for it in horizons)

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
        given = history if bars is None else bars
        question = self._accompanied(request, given, choice, reading)
        if self._policy is not None:
            question = question._replace(policy=self._policy)
        return question._replace(warnings=(*warnings, *question.warnings)) if warnings else question

    def _accompanied(
        self, request: ForecastRequest, given: Given, choice: Choice, reading: ClockReading
    ) -> Question:
        """What is asked of a model, with its companions, or of the one that does without them."""
        question = self._asked(request, given, choice, reading)
        model, sent = question.choice.model, request.companions
        manifest = model.manifest
        if not manifest.companions and not sent:
            return question
        beside = companions_of(manifest, sent, self._holdings, reading.now)
        if manifest.companions:
            history = question.history
            if not isinstance(history, Held):  # else the one that stands in is refused in its place
                refusals.check_own_columns(manifest, history)
            beside = beside.join(history, model)
            obstacle = beside.obstacle(manifest, question.as_of)
            if obstacle:
                other = self._catalogue.stand_in(question.choice, obstacle)
                return self._accompanied(request, given, other, reading)
            if beside.joined is not None and not isinstance(history, Held):
                question = question._replace(history=beside.joined)
        unused = sorted(set(sent) - {it.asset for it in manifest.companions})
        said = tuple(f"{manifest.model} does not look at the companion {it}" for it in unused)
        return question._replace(beside=beside, warnings=(*question.warnings, *said))

    def _asked(
        self, request: ForecastRequest, given: Given, choice: Choice, reading: ClockReading
    ) -> Question:
        """What is asked of a model, or of another where the history is too short for it."""
        if given is None:
            return self._of_held(request, choice, reading)
        question = _of_inline(request, given, choice, reading)
        nobs = 0 if isinstance(question.history, Held) else len(question.history)
        if nobs < choice.model.required_sessions:
            other = self._chooser.in_place_of(choice, request, nobs)
            question = _of_inline(request, given, other, reading) if other else question
        return question._replace(choice=self._with_history(question.choice, nobs))

    def _of_held(self, request: ForecastRequest, choice: Choice, reading: ClockReading) -> Question:
        held = self._holdings.get(choice.asset or "")
        nobs = sessions_until(held, request.as_of)
        if nobs < choice.model.required_sessions:
            choice = self._chooser.in_place_of(choice, request, nobs) or choice
        return Question(
            self._with_history(choice, nobs),
            held,
            JUDGED,
            request.levels,
            request.as_of,
            reading.last_closed_session(held.calendar),
            (),
            request.quantiles,
            request.explain,
        )

    def _with_history(self, choice: Choice, sessions: int) -> Choice:
        """What is known of the model for every asset depends on how much it sees."""
        if not isinstance(choice.model, UniversalAssetModel):
            return choice
        return self._catalogue.with_history(choice, choice.model, sessions)

    def _of_or_error(
        self, request: ForecastRequest, reading: ClockReading
    ) -> Asked | RoughcastError:
        try:
            return self._of(request, reading)
        except RoughcastError as error:
            return error


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
    measured, more = daily_series(given, manifest.measure, calendar, manifest.own_columns)
    return measured, dict.fromkeys(map(str, (*findings, *more)))


def _given_series(history: HistoryInput, measure: str) -> RealizedSeries:
    rv = np.array(history.rv)
    if history.dates is None:
        return RealizedSeries(rv, measure)
    return DatedSeries(rv, measure, days_of(history.dates))
