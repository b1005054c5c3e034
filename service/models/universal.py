"""The model for every asset, and what it becomes for what is asked about."""

from dataclasses import replace
from datetime import date
from typing import Self

from models_store import LoadedModel, Refusal, UniversalAssetModel, UniversalModel
from models_store.universal.bindings import Bindings
from models_store.universal.model import NAME
from models_store.universal.store import Newest
from service.models.choice import Choice
from volatility.bars import DAILY
from volatility.calendar_inference import INFERRED
from volatility.errors import UnknownModel
from volatility.scale_free import usual_kind
from volatility.trailing import SESSIONS


class Universal:
    """The model for every asset, bound once to each kind, calendar and measure that is asked.

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
        self._bindings = Bindings(model) if model else None

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
        """As that of its bindings; None where none serves."""
        return self._bindings.span_of(asset) if self._bindings else None

    @property
    def bindings(self) -> list[tuple[str, str, str, int]]:
        """What it has been bound to: kind, calendar, measure and recorded length of history."""
        return self._bindings.keys if self._bindings else []

    def is_bound(self, calendar: str) -> bool:
        """Whether a calendar has been asked before, and need not be built."""
        return self._bindings is not None and self._bindings.is_bound(calendar)

    def bound(
        self, kind: str, calendar: str, measure: str, sessions: int = SESSIONS
    ) -> UniversalAssetModel:
        """The model of assets of a kind; see :meth:`models_store.universal.bindings.Bindings.of`.

        Raises
        ------
        UnknownModel : none serves, or it was fitted on no such measure.
        UnknownCalendar : there is none of the name.
        """
        return self._serving().of(kind, calendar, measure, sessions)

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
        """How such a model did on assets of a kind that its fits had not seen, in words."""
        return self._serving().standing(model, horizon)

    def _serving(self) -> Bindings:
        self.get()  # which says why there is none
        assert self._bindings is not None
        return self._bindings
