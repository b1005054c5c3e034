"""The model for every asset, and what it becomes for what is asked about."""

from dataclasses import replace
from datetime import date
from typing import Self

from models_store import LoadedModel, Refusal, UniversalAssetModel, UniversalModel
from models_store.universal.asset_model import bind
from models_store.universal.manifest import KindRecord
from models_store.universal.model import NAME
from models_store.universal.store import Newest
from service.models.choice import Choice
from volatility.bars import DAILY
from volatility.calendar_inference import INFERRED
from volatility.calendars import get_calendar
from volatility.errors import UnknownModel
from volatility.scale_free import usual_kind
from volatility.trailing import SESSIONS


class Universal:
    """The model for every asset, bound once to each kind, calendar and measure that is asked.

    There are no more bindings than calendars times kinds, measures and recorded lengths of
    history, whatever assets are called: a binding knows no asset's name.

    Attributes
    ----------
    model : the artifact; None where none can serve.

    Parameters
    ----------
    model : as the attribute.
    refused : why its newest version does not serve, if it does not.
    """

    def __init__(self, model: UniversalModel | None, refused: Refusal | None) -> None:
        self.model = model
        self._refused = refused
        self._bound: dict[tuple[str, str, str, int], UniversalAssetModel] = {}
        self._calendars: set[str] = set()  # of those
        self._standings: dict[tuple[str, int, int], str] = {}
        fitted_on = model.manifest.assets if model else ()
        self._spans = {it.asset.casefold(): (it.start, it.end) for it in fitted_on}

    @classmethod
    def of(cls, newest: Newest, before: Self | None = None) -> Self:
        """That of a store.

        Parameters
        ----------
        newest : as the store has it.
        before : the one that serves, if this is to take its place: it is bound to the same.
        """
        found = cls(newest.model, next(iter(newest.refused), None))
        if newest.model is not None:  # bound before the first request asks for it
            measures = newest.model.manifest.measures
            usual = [(usual_kind(it), it, each, SESSIONS) for it in INFERRED for each in measures]
            others = before.bindings if before else ()
            for key in (*usual, *(it for it in others if it[2] in measures)):
                found.bound(*key)
        return found

    def get(self) -> UniversalModel:
        """The artifact that serves.

        Raises
        ------
        UnknownModel : none does.
        """
        if self.model is None:
            raise UnknownModel(
                f"the model for every asset is not in service: {self.why_absent}",
                field="model",
                found=NAME,
                needed="an asset that has models of its own",
            )
        return self.model

    @property
    def version(self) -> int | None:
        """The version that serves, if any does."""
        return self.model.version if self.model else None

    @property
    def why_absent(self) -> str:
        """Why none serves."""
        if self._refused is None:
            return "the store holds none"
        return f"it is refused: {self._refused.reason}"

    @property
    def degraded_reason(self) -> str | None:
        """Why an earlier version serves, if one does."""
        if self._refused is None:
            return None
        return (
            f"version {self._refused.version} of {NAME} is refused: {self._refused.reason}; "
            f"version {self.version} answers instead"
        )

    def knows(self, bar_interval: int, measure: str) -> bool:
        """Whether it serves, and is made for such bars."""
        model = self.model
        return model is not None and bar_interval == DAILY and measure in model.manifest.measures

    def span_of(self, asset: str) -> tuple[date, date] | None:
        """First and last session of an asset of this name that it was fitted on, if of any.

        Upper and lower case count alike.
        """
        return self._spans.get(asset.casefold())

    @property
    def bindings(self) -> list[tuple[str, str, str, int]]:
        """What it has been bound to: kind, calendar, measure and recorded length of history."""
        return list(self._bound)

    def is_bound(self, calendar: str) -> bool:
        """Whether a calendar has been asked before, and need not be built."""
        return calendar in self._calendars

    def bound(
        self, kind: str, calendar: str, measure: str, sessions: int = SESSIONS
    ) -> UniversalAssetModel:
        """The model of assets of a kind, with daily bars.

        Parameters
        ----------
        kind : one of :data:`volatility.scale_free.KINDS`.
        calendar : its name.
        measure : of rv.
        sessions : of an asset's history.

        Raises
        ------
        UnknownModel : none serves, or it was fitted on no such measure.
        UnknownCalendar : there is none of the name.
        """
        model = self.get()
        if measure not in model.manifest.measures:
            measures = " and ".join(model.manifest.measures)
            raise UnknownModel(
                f"{NAME} was fitted on {measures}; got an asset that is measured by {measure}",
                field="model",
                found=NAME,
                needed=f"an asset that is measured by {measures}",
            )
        recorded = model.manifest.recorded_sessions(kind, sessions)
        key = kind, get_calendar(calendar).name, measure, recorded
        if key not in self._bound:
            self._bound[key] = bind(model, NAME, *key)
            self._calendars.add(key[1])
        return self._bound[key]

    def choice(
        self, asset: str | None, kind: str, calendar: str, measure: str, reason: str | None = None
    ) -> Choice:
        """The model for every asset as the one that answers.

        Parameters
        ----------
        asset : that is asked about, if it has a name.
        kind, calendar, measure : of the asset.
        reason : why it answers in place of another, if it does.

        Raises
        ------
        UnknownModel : it does not serve, or was fitted on no such measure.
        UnknownCalendar : there is none of the name.
        """
        model = self.bound(kind, calendar, measure)
        skill = self.skill(model, model.manifest.horizons[0])
        fitted_on = self.span_of(asset) if asset else None
        return Choice(model, reason or self.degraded_reason, skill, asset, self, fitted_on)

    def with_history(self, choice: Choice, sessions: int) -> Choice:
        """A choice of this model, with what is known of it with histories of so many sessions."""
        model = choice.model
        assert isinstance(model, UniversalAssetModel)
        known = model.manifest
        bound = self.bound(model.kind, known.calendar, known.measure, sessions)
        return replace(choice, model=bound, skill=self.skill(bound, known.horizons[0]))

    def skill(self, model: LoadedModel, horizon: int) -> str:
        """How such a model did on assets of a kind that its fits had not seen, in words.

        Said once of each binding: the artifact stays the one that it is.
        """
        assert isinstance(model, UniversalAssetModel)
        key = model.kind, model.sessions, horizon
        said = self._standings.get(key)
        if said is None:
            said = self._standings[key] = self._say_standing(model, horizon)
        return said

    def _say_standing(self, model: UniversalAssetModel, horizon: int) -> str:
        manifest = self.get().manifest
        record = manifest.records(model.kind, model.sessions)[horizon]
        whole = model.sessions == manifest.lookback
        seen = "all their bars" if whole else f"their newest {model.sessions} bars alone"
        return _standing(record, self._whose(model.kind), seen, horizon)

    def _whose(self, kind: str) -> str:
        has_such = any(it.kind == kind for it in self.get().manifest.assets)
        return f"assets of the kind {kind}" if has_such else f"assets, none of the kind {kind}"


def _standing(record: KindRecord, whose: str, seen: str, horizon: int) -> str:
    percent = 100 * record.log_har_change
    side = "below" if percent < 0 else "above"
    ahead = "1 session" if horizon == 1 else f"{horizon} sessions"
    start, end = record.evaluation.test_start, record.evaluation.test_end
    return (
        f"how {NAME} does on this asset is not known; on {record.assets} {whose}, left out of its "
        f"fits and with {seen}, its QLIKE at {ahead} was {abs(percent):.1f} % {side} that "
        f"of each one's own log-HAR, {start} to {end}"
    )
