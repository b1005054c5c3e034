"""From a request to a question: the model settled, and the history that it is asked about."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import NamedTuple

import numpy as np

from models_store import LoadedModel, Manifest, refusals
from models_store.comparison import JUDGED
from service.assets.held import Held
from service.assets.holdings import Holdings
from service.assets.known import KnownHoldings, PastHoldings
from service.assets.schemas import time_name
from service.forecasts.choosing import Chooser, sessions_until
from service.forecasts.companions import Beside, companions_of
from service.forecasts.horizons import check_horizons
from service.forecasts.length import is_long_beside, is_long_for_universal, is_too_short
from service.forecasts.pinned import PinnedModels
from service.forecasts.policy import HistoryPolicy
from service.forecasts.replay import brings_its_own
from service.forecasts.requests import ForecastRequest, HistoryInput
from service.http.clock import Clock
from service.http.errors import located
from service.http.json import to_date
from service.models.catalogue import AUTO, Catalogue
from service.models.choice import Choice
from service.models.skill import LiveStanding
from service.models.universal import Universal
from volatility.bars import DAILY, Bars, from_records
from volatility.calendars import Calendar, days_of
from volatility.errors import InvalidInput, OutsideCalendar
from volatility.measuring import measured
from volatility.plausibility import check_series
from volatility.series import DatedSeries, RealizedSeries

_MANY_BARS = 2_000
Live = Callable[[str, LoadedModel, int], LiveStanding | None]
Given = Bars | HistoryInput | None  # the history that a request brings


class ClockReading:
    """One reading of the clock, the sessions that had closed by then, and what was held.

    Parameters
    ----------
    now : with its zone.
    holdings : the held history; of a time in the past, as it was known then.
    """

    __slots__ = ("_closed", "holdings", "now")

    def __init__(self, now: datetime, holdings: Holdings | PastHoldings) -> None:
        self.now = now
        self.holdings = holdings
        self._closed: dict[str, np.datetime64] = {}

    def last_closed_session(self, calendar: Calendar) -> np.datetime64:
        """Last session of a calendar that had closed; looked up once."""
        closed = self._closed.get(calendar.name)
        if closed is None:
            try:
                closed = calendar.last_closed_session(self.now)
            except OutsideCalendar as error:
                raise (error.with_field("known_at") if self.known_at else error) from None
            self._closed[calendar.name] = closed
        return closed

    @property
    def known_at(self) -> datetime | None:
        """The time in the past, if it is one."""
        return self.holdings.known_at if isinstance(self.holdings, PastHoldings) else None


class Question(NamedTuple):
    """What is asked of a model."""

    choice: Choice
    history: Held | RealizedSeries  # as it is held, or in the model's measure
    horizon: int
    levels: tuple[float, ...]
    as_of: date | None  # the day of held history that is replayed
    last_closed: np.datetime64  # session of the history's calendar
    warnings: tuple[str, ...]
    quantiles: tuple[float, ...]
    explain: bool
    beside: Beside = Beside()
    policy: HistoryPolicy | None = None
    known_at: datetime | None = None  # the time whose knowledge of held history is replayed
    live: LiveStanding | None = None  # of the model

    @property
    def key(self) -> tuple[object, ...] | None:
        """Everything that an answer depends on, if all that it is made from is held."""
        held = self.history
        if not isinstance(held, Held) or self.beside.revisions is None:
            return None
        return (
            held.asset.asset,
            self.choice.model.version,
            self.choice.model.sha256,
            self.choice.degraded_reason,
            self.choice.skill,
            self.warnings,
            self.beside.revisions,
            self.horizon,
            self.levels,
            self.quantiles,
            self.as_of,
            held.revision,
            self.last_closed.tobytes(),  # compared for each answer that is kept, numpy's slowly
            self.known_at,
            self.live,
            self.explain,
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
    live : how a model of an asset did live so many sessions ahead, if that is known.
    versions : those that requests name; of its own where none are given.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        holdings: Holdings,
        clock: Clock,
        policy: HistoryPolicy | None = None,
        live: Live = lambda *_: None,
        versions: PinnedModels | None = None,
    ) -> None:
        self.catalogue = catalogue
        self._holdings = holdings
        self._chooser = Chooser(catalogue, holdings)
        self.versions = versions or PinnedModels(catalogue, holdings)
        self._clock = clock
        self._policy = policy
        self._live = live

    def pinned(self, catalogue: Catalogue | None = None) -> "Questions":
        """The same, of models each of which stays once it is chosen; see `Catalogue.pinned`."""
        models, more = catalogue or self.catalogue.pinned(), (self._live, self.versions)
        return Questions(models, self._holdings, self._clock, self._policy, *more)

    def of(
        self,
        request: ForecastRequest,
        reading: ClockReading | None = None,
        choice: Choice | None = None,
    ) -> Asked:
        """What a request asks, at present if at no other reading of the clock.

        Of the model that it names, or of another that is chosen already.

        Raises
        ------
        UnknownAsset, UnknownModel, UnknownVersion, ArtifactRefused : there is no such model.
        UnsupportedHorizon : the model does not forecast so many sessions ahead, both one and a list
            are given, or one of a list twice.
        NoHistory : the request brings none, and none is held.
        InvalidAsOf : it replays a day of a history that it brings, or what was known of it.
        NotYetKnown : it replays what will be known.
        InvalidInput : the history that it brings cannot be used.
        """
        return self._of(request, reading or self.read_clock(), choice)

    def read_clock(self) -> ClockReading:
        """The time at which requests are taken to have come, if they are to come together."""
        return ClockReading(self._clock(), self._holdings)

    def is_long(self, request: ForecastRequest) -> bool:
        """Whether a request would keep others waiting if it were answered between them.

        It is where it brings thousands of bars, its companions' among them, its model is not open,
        or the models have not been compared yet at a horizon that it asks for, which takes up to a
        second; and where the model for every asset has to forecast what a history tells
        the outcomes of, a tenth of a millisecond each, and a model with companions likewise, or a
        calendar has to be built. A forecast is explained in some milliseconds, and what was known
        at a time is read from the database.
        """
        choice = self.catalogue.choices.get(request.asset or "", request.model)
        if request.explain or request.known_at or not self.is_open(request, choice):
            return True
        horizons = request.horizons or (request.horizon,)
        if choice is None:
            return is_long_for_universal(
                request, horizons, self.catalogue, self._holdings, self._chooser
            )
        history = request.history
        given = len(history.bars or history.rv or ()) if history else 0
        if given + sum(len(it.bars) for it in request.companions.values()) > _MANY_BARS:
            return True
        if request.model == AUTO and is_too_short(request, choice.model, self._holdings):
            return True
        catalogue, companions = self.catalogue, choice.model.manifest.companions
        if companions and is_long_beside(
            request, choice.model, horizons, catalogue, self._holdings
        ):
            return True
        known = (it == JUDGED or catalogue.is_compared(request.asset or "", it) for it in horizons)
        return not all(known)

    def is_open(self, request: ForecastRequest, choice: Choice | None = None) -> bool:
        """Whether no model has to be opened; ``auto`` tells what is known of an asset, too."""
        asset, catalogue = request.asset, self.catalogue
        if request.model_version is not None:
            return False
        if choice is None and not catalogue.is_open(asset, request.model):
            return False
        return not (request.calendar or request.kind) or catalogue.is_open(asset, AUTO)

    def _of(self, request: ForecastRequest, reading: ClockReading, choice: Choice | None) -> Asked:
        horizons = request.horizons
        if horizons is not None:
            check_horizons(request, horizons)
        if request.known_at is not None:
            known = KnownHoldings(self._holdings, request.known_at, reading.now)
            reading = ClockReading(known.at, known)
        question = self._question(request, reading, choice or self._choice_of(request))
        if horizons is None:
            return self._at(question, request.horizon)
        return TermStructure(tuple([self._at(question, it) for it in horizons]))

    def _at(self, question: Question, horizon: int) -> Question:
        choice = question.choice
        if isinstance(question.history, Held):
            live = self._live(choice.asset or "", choice.model, horizon)
            question = question if live is None else question._replace(live=live)
        if horizon == JUDGED:
            return question
        choice = self.catalogue.at(choice, horizon)
        return question._replace(choice=choice, horizon=horizon)

    def _question(
        self, request: ForecastRequest, reading: ClockReading, choice: Choice | None
    ) -> Question:
        """What is asked, one session ahead."""
        asset, history = request.asset, request.history
        warnings: tuple[str, ...] = ()
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
        doubt = self._holdings.doubt
        if doubt is not None and question.beside.any_held(question.history, request.companions):
            warnings = (*warnings, doubt)
        return question._replace(warnings=(*warnings, *question.warnings)) if warnings else question

    def _choice_of(self, request: ForecastRequest) -> Choice | None:
        asset, model, version = request.asset, request.model, request.model_version
        if version is not None:
            return self.versions.choice(asset, model, version)
        return self._choice(asset, model) if asset else None

    def _choice(self, asset: str, model: str) -> Choice | None:
        catalogue = self.catalogue
        return catalogue.choices.get(asset, model) or catalogue.choice(asset, model)

    def _accompanied(
        self, request: ForecastRequest, given: Given, choice: Choice, reading: ClockReading
    ) -> Question:
        """What is asked of a model, with its companions, or of the one that does without them."""
        question = self._asked(request, given, choice, reading)
        model, sent = question.choice.model, request.companions
        manifest = model.manifest
        if not manifest.companions and not sent:
            return question
        beside = companions_of(manifest, sent, reading.holdings, reading.now)
        if manifest.companions:
            history = question.history
            if not isinstance(history, Held):  # else the one that stands in is refused in its place
                refusals.check_own_columns(manifest, history)
            beside = beside.join(history, model)
            obstacle = beside.obstacle(manifest, question.as_of)
            if obstacle:
                other = self.catalogue.stand_in(question.choice, obstacle)
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
        choice = _with_history(question.choice, nobs)
        return question if choice is question.choice else question._replace(choice=choice)

    def _of_held(self, request: ForecastRequest, choice: Choice, reading: ClockReading) -> Question:
        held, as_of = reading.holdings.get(choice.asset or ""), request.as_of
        closed = reading.last_closed_session(held.calendar)
        if as_of is None and reading.known_at is not None:
            as_of = to_date(closed)
        nobs = sessions_until(held, as_of)
        if nobs < choice.model.required_sessions:
            choice = self._chooser.in_place_of(choice, request, nobs) or choice
        return Question(
            _with_history(choice, nobs),
            held,
            JUDGED,
            request.levels,
            as_of,
            closed,
            (),
            request.quantiles,
            request.explain,
            known_at=reading.known_at,
        )


def _with_history(choice: Choice, sessions: int) -> Choice:
    universal = choice.source  # what is known of its model depends on how much that sees
    return universal.with_history(choice, sessions) if isinstance(universal, Universal) else choice


def _bars_of(history: HistoryInput, interval: int) -> Bars | None:
    if history.bars is None:
        return None
    try:
        return from_records(history.bars, interval)
    except InvalidInput as error:
        raise located(error, "history.", time_name(history.bars)) from None


def _of_inline(
    request: ForecastRequest, given: Bars | HistoryInput, choice: Choice, reading: ClockReading
) -> Question:
    if request.as_of is not None or request.known_at is not None:
        raise brings_its_own(request)
    model = choice.model
    try:
        series, warnings = _series_of(given, model.manifest, model.calendar, reading.now)
    except InvalidInput as error:
        bars = request.history.bars if request.history else None
        raise located(error, "history.", time_name(bars)) from None
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
        rv, measure, dates = np.array(given.rv), manifest.measure, given.dates
        series = DatedSeries(rv, measure, days_of(dates)) if dates else RealizedSeries(rv, measure)
        check_series(series, calendar, now)
        return series, ()
    return measured(given, manifest.measure, calendar, now, manifest.own_columns)
