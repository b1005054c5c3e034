"""The models in service: which one answers, how it compares, and what was refused."""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Self

from models_store import ArtifactRefused, LoadedModel, Refusal, Shelf, Store
from models_store.comparison import JUDGED, AssetComparison
from models_store.names import UNIVERSAL
from service.http.state import from_state
from service.models import log
from service.models.asset_choices import AUTO, LADDER, AssetChoices
from service.models.choice import Choice, Choices, OpenChoices, PinnedChoices
from service.models.on_trial import OnTrial
from service.models.standings import Standings
from service.models.universal import Universal
from volatility.errors import (
    InvalidSeries,
    RoughcastError,
    UnknownAsset,
    UnknownModel,
    UnsupportedHorizon,
)
from volatility.formats.reading import listed

__all__ = ["AUTO", "LADDER", "Catalogue", "CatalogueDep"]

MOST_NAMED = 20  # assets or models that a message lists
_TRIES = 5  # at a choice, while what is found out on the way changes what is to be said


@dataclass
class Told:
    """What has been found out for messages, and is not looked for again.

    Parameters
    ----------
    errors : why none of a name serves, by asset and model.
    assets : the first assets with models, as messages list them.
    """

    errors: dict[tuple[str | None, str], RoughcastError]
    assets: str | None = None


class Catalogue:
    """Every model in service; each is opened on first use.

    Parameters
    ----------
    store : where the models come from.
    most_open : how many choices of a model are kept open, those asked for last.
    held_as : how long a bar of an asset that is held is, and in which measure; None of others.

    Attributes
    ----------
    store : where the models come from.
    shelf : the models, the champions and what was refused.
    on_trial : versions that forecast beside these.
    standings : how the models of each asset compare.
    universal : the model for every asset.
    open_choices : those that are kept open.
    choices : those that :meth:`choice` gives at once.
    told : why none of a name serves, where that is kept.
    """

    def __init__(
        self,
        store: Store,
        most_open: int = 128,
        held_as: Callable[[str], tuple[int, str] | None] = lambda _: None,
    ) -> None:
        self.store = store
        self._held_as = held_as
        self.told: Told | None = None
        self.shelf = Shelf(store, log.refused, log.returned)
        self.on_trial = OnTrial(store)
        self.on_trial.look(self.assets())
        self.standings = Standings(self.shelf)
        self.universal = Universal.of(self.shelf.newest)
        self.open_choices = OpenChoices(most_open, self.shelf.racks, self.is_current)
        self.choices: Choices = self.open_choices

    def pinned(
        self,
        choices: Mapping[tuple[str, str], Choice] = MappingProxyType({}),
        universal: Universal | None = None,
    ) -> Self:
        """The same models, of which each that is chosen once stays, whatever serves by then.

        Why there is none of a name is found out once.

        Parameters
        ----------
        choices : to begin with, by asset and model.
        universal : the model for every asset, if not the one that serves.
        """
        found = copy(self)
        found.universal = universal or self.universal
        found.told = Told({})
        found.choices = PinnedChoices(self.open_choices, choices, found.is_current)
        return found

    def is_current(self, choice: Choice) -> bool:
        """Whether a choice of the model for every asset is of the one that serves."""
        return not isinstance(choice.source, Universal) or choice.source is self.universal

    def assets(self) -> list[str]:
        """Assets that have a model in service, as far as is known, sorted."""
        return self.shelf.assets()

    def models(self, asset: str) -> list[str]:
        """Models of an asset in service, as far as is known, sorted."""
        return self.shelf.models(asset)

    def numbers(self) -> dict[str, int]:
        """How many models each asset has in service, as far as is known."""
        return {asset: len(self.models(asset)) for asset in self.assets()}

    def totals(self) -> dict[str, int]:
        """How many assets have models in service, and how many these are together."""
        numbers = self.numbers()
        return {"assets": len(numbers), "models": sum(numbers.values())}

    def champion(self, asset: str) -> str | None:
        """The model that ``auto`` means, whether or not it is in service."""
        return self.shelf.rack(asset).champion

    def kind(self, asset: str) -> str | None:
        """What the models of an asset take it for, where one of them depends on that."""
        standing = self.standings.of(asset)
        return AssetChoices(asset, standing, self.universal).kind()

    def is_open(self, asset: str | None, model: str) -> bool:
        """Whether :meth:`choice` answers at once; likewise of ``auto``, where there is no such."""
        rack = self.shelf.rack(asset or "")
        if asset is None or not rack.may_serve():
            return True
        if model != AUTO and rack.find(model) is None:
            model = AUTO
        return self.choices.get(asset, model) is not None

    def choice(self, asset: str, model: str) -> Choice | None:
        """The model that answers a request, verified and opened if it is not open.

        Opening takes 2 to 45 ms of CPU, and where models of the asset have not been compared yet,
        up to a second.

        Returns
        -------
        None where no model of the name is in service.
        """
        known = self.choices.get(asset, model)
        if known is not None or not self.shelf.rack(asset).places:
            return known
        for more in reversed(range(_TRIES)):
            standing = self.standings.of(asset)
            if more and standing.rack.models() and not standing.find_out((JUDGED,), anyway=False):
                continue
            made = AssetChoices(asset, standing, self.universal)
            known = made.of(model)
            if self.shelf.rack(asset) is standing.rack:
                if known is not None and not made.are_lost(model):
                    self.choices.put(asset, model, standing.rack, known)
                break
        return known

    def prepare(self, asset: str, model: str) -> None:
        """Verify a model; keep open what ``auto`` means, while there is room."""
        if model != AUTO:
            self.shelf.verify_one(asset, model)
        elif not self.open_choices.are_full:
            self.choice(asset, model)

    def prepare_one(self) -> None:
        """Verify models until one passes, so that what cannot forecast is known at the start."""
        if self.universal.version is None:
            any(place.open() for place in self.shelf.places())

    def resolve(self, asset: str, model: str) -> Choice:
        """Choose the model that answers a request.

        Raises
        ------
        UnknownAsset, UnknownModel : there is none of that name.
        ArtifactRefused : there is, but it failed its checks and so did its earlier versions.
        """
        choice = self.choice(asset, model)
        if choice is not None:
            return choice
        raise self.why_none(asset, model)

    def why_none(self, asset: str | None, model: str) -> RoughcastError:
        """Why no model answers a request that names none in service.

        Raises
        ------
        ArtifactRefused : every model of the asset failed its checks.
        """
        if self.told is None:
            return self._why_none(asset, model)
        error = self.told.errors.get((asset, model))
        if error is None:
            error = self.told.errors[asset, model] = self._why_none(asset, model)
        return error.with_traceback(None)  # which grows each time that it is raised

    def _why_none(self, asset: str | None, model: str) -> RoughcastError:
        if asset is None or not self.shelf.models(asset):
            return self._nothing_serves(asset)
        return self._no_such_model(asset, model)

    def stand_in(self, choice: Choice, obstacle: str) -> Choice:
        """The model that answers where the companions of the one chosen are not known.

        Parameters
        ----------
        choice : of a model with companions.
        obstacle : why it cannot answer.

        Raises
        ------
        InvalidSeries : ``missing_companions``, no other is in service, or it looks at companions
            itself.
        """
        manifest = choice.model.manifest
        other = self.choice(manifest.asset, manifest.stand_in or "")
        reason = f"{manifest.model} looks at companions, and {obstacle}"
        if other is None or other.model.manifest.companions:
            why_not = "is not in service" if other is None else "looks at companions itself"
            raise InvalidSeries(
                f"{reason}; {manifest.stand_in}, which is to answer instead, {why_not}",
                code="missing_companions",
                field="companions",
                found=obstacle,
                needed=f"bars of {', '.join(it.asset for it in manifest.companions)}",
            )
        reasons = (choice.degraded_reason, other.degraded_reason)
        said = (f"{reason}; {manifest.stand_in} answers instead", *(it for it in reasons if it))
        return replace(other, degraded_reason="; ".join(said), asset=choice.asset)

    def find(self, asset: str, model: str) -> LoadedModel | None:
        """The model that answers a request, if there is one."""
        choice = self.choice(asset, model)
        return choice.model if choice else None

    def refusal(self, asset: str, model: str) -> Refusal | None:
        """Why a model, or its newest version, is not in service, if that is known."""
        return self.shelf.rack(asset).refusal(model)

    def comparison(self, asset: str, horizon: int = JUDGED) -> AssetComparison:
        """How the models of an asset compare; they are compared when first asked.

        Raises
        ------
        UnknownAsset, ArtifactRefused : it has no model in service.
        UnsupportedHorizon : it has none for this horizon.
        """
        horizons = self.standings.horizons(asset) if self.models(asset) else []
        if not horizons:
            raise self._nothing_serves(asset)
        found = self.standings.comparison(asset, horizon) if horizon in horizons else None
        if found is None:
            raise self._no_such_horizon(asset, horizon, horizons)
        return found

    def is_compared(self, asset: str, horizon: int) -> bool:
        """Whether :meth:`comparison` would answer, or refuse, at once."""
        return not self.models(asset) or self.standings.is_known(asset, horizon)

    def at(self, choice: Choice, horizon: int) -> Choice:
        """A choice with the model's skill at a further horizon.

        Raises
        ------
        UnsupportedHorizon : the model does not forecast so many sessions ahead.
        """
        choice.model.at(horizon)
        return replace(choice, skill=choice.source.skill(choice.model, horizon))

    def check_not_refused(self, asset: str) -> None:
        """Tell an asset whose models are all refused from one that does not exist.

        Raises
        ------
        ArtifactRefused : a model of the asset failed its checks.
        """
        for it in self.shelf.rack(asset).refusals:
            raise ArtifactRefused(asset, it.model, it.version, it.reason)

    def _nothing_serves(self, asset: str | None) -> UnknownAsset:
        if asset is not None:
            self.check_not_refused(asset)
            held = self._held_as(asset)
            if held is not None and self.universal.knows(*held):
                return _answered_by_universal(asset)
        names = self._listed()
        named = "no asset is named" if asset is None else f"there is no asset {asset!r} with models"
        return UnknownAsset(
            f"{named}; there are {names}{self._any_other}",
            field="asset",
            found=asset,
            needed=f"one of {names}",
        )

    def _listed(self) -> str:
        """The first assets with models; of a thousand they take half a millisecond to find."""
        if self.told is not None and self.told.assets is not None:
            return self.told.assets
        names = listed(self.assets(), MOST_NAMED) or "none"
        if self.told is not None:
            self.told.assets = names
        return names

    def _no_such_model(self, asset: str, model: str) -> RoughcastError:
        refusal = self.refusal(asset, model)
        if refusal:
            return ArtifactRefused(asset, model, refusal.version, refusal.reason)
        names = listed([AUTO, *self.models(asset)], MOST_NAMED)
        return UnknownModel(
            f"{asset} has no model {model!r}; it has {names}",
            field="model",
            found=model,
            needed=f"one of {names}",
        )

    def _no_such_horizon(self, asset: str, horizon: int, horizons: list[int]) -> UnsupportedHorizon:
        return UnsupportedHorizon(
            f"no model of {asset} forecasts {horizon} sessions ahead; there are {horizons}",
            field="horizon",
            found=horizon,
            needed=f"one of {horizons}",
        )

    @property
    def _any_other(self) -> str:
        """Whether there is a model for an asset that has none of its own."""
        if self.universal.version is None:
            return f"; the model for every asset is not in service: {self.universal.why_absent}"
        return f". Of any other, send daily bars, and leave model out or ask for {UNIVERSAL}"


def _answered_by_universal(asset: str) -> UnknownAsset:
    needed = f"a forecast by {AUTO} or {UNIVERSAL}, or GET /models/{UNIVERSAL}"
    return UnknownAsset(
        f"there is no asset {asset!r} with models of its own: it is held, and {UNIVERSAL}, the "
        f"model for every asset, answers for it; needed: {needed}",
        field="asset",
        found=asset,
        needed=needed,
    )


CatalogueDep = Annotated[Catalogue, from_state("catalogue")]
