"""The models in service: which one answers, how it compares, and what was refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Annotated, Self

from models_store import (
    ArtifactRefused,
    LoadedModel,
    Refusal,
    Snapshot,
    Store,
    UniversalAssetModel,
)
from models_store.names import UNIVERSAL
from service.http.state import from_state
from service.models.asset_comparison import (
    JUDGED,
    AssetComparison,
    compare_models,
)
from service.models.skill import ModelSkill
from service.models.universal import Universal
from volatility.errors import (
    InvalidSeries,
    RoughcastError,
    UnknownAsset,
    UnknownModel,
    UnsupportedHorizon,
)
from volatility.scale_free import usual_kind

AUTO = "auto"  # the name under which an asset's champion is asked
# What `auto` is without a champion: fixed, since a comparison ranks by the test part.
_FALLBACKS = ("calendar_log_har", "log_har", "har", "last_value")
LADDER = (UNIVERSAL, *_FALLBACKS)  # what it is, in this order, where the champion cannot answer


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that answers a request.

    Parameters
    ----------
    model : the model.
    degraded_reason : why it is not the one that was meant, if so.
    skill : how it did against the baseline, or why that is not known.
    asset : that it is asked about; None where the request names none.
    fitted_on : first and last session of an asset of this name that the model for every asset was
        fitted on, if it is that which answers.
    """

    model: LoadedModel
    degraded_reason: str | None
    skill: ModelSkill | str
    asset: str | None
    fitted_on: tuple[date, date] | None = None


@dataclass(frozen=True)
class Catalogue:
    """Every model that passed its checks, as of one reading of the store.

    Attributes
    ----------
    store : where the models come from.
    snapshot : the models, the champions and what was refused.
    comparisons : by asset, one session ahead.
    universal : the model for every asset.
    """

    store: Store
    snapshot: Snapshot
    comparisons: Mapping[str, AssetComparison]
    universal: Universal
    _further: dict[tuple[str, int], AssetComparison] = field(default_factory=dict, init=False)

    @classmethod
    def of(cls, store: Store) -> Self:
        """Load every model that serves and compare those of each asset."""
        snapshot = Snapshot.of(store)
        comparisons = {
            asset: compare_models(asset, models, snapshot, JUDGED)
            for asset, models in snapshot.models.items()
            if models
        }
        return cls(store, snapshot, comparisons, Universal.of(snapshot))

    def assets(self) -> list[str]:
        """Assets that have a model in service, sorted."""
        return sorted(self.comparisons)

    def models(self, asset: str) -> list[str]:
        """Models of an asset in service, sorted."""
        return sorted(self.snapshot.models.get(asset, {}))

    def all_models(self) -> list[LoadedModel]:
        """Every model in service, by asset and name."""
        return [
            self.snapshot.models[asset][model]
            for asset in self.assets()
            for model in self.models(asset)
        ]

    def champion(self, asset: str) -> str | None:
        """The model that ``auto`` means, whether or not it is in service."""
        return self.snapshot.champions.get(asset)

    def kind(self, asset: str) -> str | None:
        """What the models of an asset take it for, where one of them depends on that."""
        models = self.snapshot.models.get(asset, {}).values()
        kinds = (it.manifest.predictor.kind_of_asset() for it in models)
        return next((kind for kind in kinds if kind), None)

    def resolve(self, asset: str, model: str) -> Choice:
        """Choose the model that answers a request.

        Raises
        ------
        UnknownAsset, UnknownModel : there is none of that name.
        ArtifactRefused : there is, but it failed its checks and so did its earlier versions.
        """
        choice = self.choices.get((asset, model))
        if choice is not None:
            return choice
        raise self.why_none(asset, model)

    def why_none(self, asset: str | None, model: str) -> RoughcastError:
        """Why no model answers a request that names none in service.

        Raises
        ------
        ArtifactRefused : every model of the asset failed its checks.
        """
        if asset is None or not self.snapshot.models.get(asset):
            return self._nothing_serves(asset)
        return self._no_such_model(asset, model)

    def universal_choice(
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
        model = self.universal.bound(kind, calendar, measure)
        degraded = reason or self.universal.degraded_reason
        skill = self._skill(model, model.manifest.horizons[0])
        fitted_on = self.universal.span_of(asset) if asset else None
        return Choice(model, degraded, skill, asset, fitted_on)

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
        other = self.choices.get((manifest.asset, manifest.stand_in or ""))
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
        choice = self.choices.get((asset, model))
        return choice.model if choice else None

    def refusal(self, asset: str, model: str) -> Refusal | None:
        """Why a model, or its newest version, is not in service."""
        refused = self.snapshot.refused
        return next((it for it in refused if (it.asset, it.model) == (asset, model)), None)

    def horizons(self, asset: str) -> list[int]:
        """Sessions ahead that some model of an asset forecasts, sorted."""
        models = self.snapshot.models.get(asset, {}).values()
        return sorted({horizon for model in models for horizon in model.manifest.horizons})

    def comparison(self, asset: str, horizon: int = JUDGED) -> AssetComparison:
        """How the models of an asset compare; at a further horizon, compared when first asked.

        Raises
        ------
        UnknownAsset, ArtifactRefused : it has no model in service.
        UnsupportedHorizon : it has none for this horizon.
        """
        if asset not in self.comparisons:
            raise self._nothing_serves(asset)
        if horizon not in self.horizons(asset):
            raise self._no_such_horizon(asset, horizon)
        if horizon == JUDGED:
            return self.comparisons[asset]
        known = self._further.get((asset, horizon))
        if known is None:
            known = compare_models(asset, self.snapshot.models[asset], self.snapshot, horizon)
            self._further[asset, horizon] = known
        return known

    def is_compared(self, asset: str, horizon: int) -> bool:
        """Whether :meth:`comparison` would answer, or refuse, at once."""
        known = horizon == JUDGED or (asset, horizon) in self._further
        return known or horizon not in self.horizons(asset)

    def with_history(self, choice: Choice, model: UniversalAssetModel, sessions: int) -> Choice:
        """A choice with what is known of its model with histories of so many sessions."""
        known = model.manifest
        bound = self.universal.bound(model.kind, known.calendar, known.measure, sessions)
        return replace(choice, model=bound, skill=self._skill(bound, known.horizons[0]))

    def at(self, choice: Choice, horizon: int) -> Choice:
        """A choice with the model's skill at a further horizon.

        Raises
        ------
        UnsupportedHorizon : the model does not forecast so many sessions ahead.
        """
        choice.model.at(horizon)
        return replace(choice, skill=self._skill(choice.model, horizon))

    def _skill(self, model: LoadedModel, horizon: int = JUDGED) -> ModelSkill | str:
        if isinstance(model, UniversalAssetModel):
            return self.universal.standing(model, horizon)
        asset = model.manifest.asset
        comparison = self.comparisons[asset]
        if horizon != JUDGED:
            comparison = self.comparison(asset, horizon)
        result, row = comparison.result, comparison.row(model)
        if isinstance(result, RoughcastError):
            return f"the models of {model.manifest.asset} cannot be compared: {result}"
        if row is None:
            reasons = {it.model: it.reason for it in comparison.excluded}
            return f"{model.manifest.model} is not compared: {reasons[model.manifest.model]}"
        return ModelSkill.of(row, result)

    @cached_property
    def choices(self) -> Mapping[tuple[str, str], Choice]:
        """The model that answers, by the asset and the model that are asked."""
        choices = {}
        for asset, models in self.snapshot.models.items():
            if models:
                choices[asset, AUTO] = self._champion(asset, models)
            for name, model in models.items():
                choices[asset, name] = self._choice(model)
        return choices

    def _champion(self, asset: str, models: Mapping[str, LoadedModel]) -> Choice:
        champion = self.champion(asset)
        if champion is not None and champion in models:
            return self._choice(models[champion])
        why = self._why_no(asset, champion)
        fallback = self._fallback(models)
        manifest = fallback.manifest
        if champion is not None and UNIVERSAL in models:
            fallback = models[UNIVERSAL]
        elif champion is not None and self.universal.knows(manifest.bar_interval, manifest.measure):
            kind = self.kind(asset) or usual_kind(manifest.calendar)
            why = f"{why}; {UNIVERSAL} answers instead"
            return self.universal_choice(asset, kind, manifest.calendar, manifest.measure, why)
        why = f"{why}; {fallback.manifest.model} answers instead"
        return Choice(fallback, why, self._skill(fallback), asset)

    def _why_no(self, asset: str, champion: str | None) -> str:
        name = champion or "champion"
        refusal = self.refusal(asset, name)
        if refusal:
            return f"the champion {champion or ''} is refused: {refusal.reason}".replace("  ", " ")
        if champion is None:
            return f"{asset} has no champion"
        return f"the champion {champion} is not in service"

    def _fallback(self, models: Mapping[str, LoadedModel]) -> LoadedModel:
        """The hardest benchmark that serves."""
        names = (*_FALLBACKS, *sorted(models))
        return models[next(name for name in names if name in models)]

    def _choice(self, model: LoadedModel) -> Choice:
        manifest = model.manifest
        refusal = self.refusal(manifest.asset, manifest.model)
        if refusal is None:
            return Choice(model, None, self._skill(model), manifest.asset)
        version = "the pointer" if refusal.version is None else f"version {refusal.version}"
        return Choice(
            model,
            f"{version} of {manifest.model} is refused: {refusal.reason}; "
            f"version {model.version} answers instead",
            self._skill(model),
            manifest.asset,
        )

    def check_not_refused(self, asset: str) -> None:
        """Tell an asset whose models are all refused from one that does not exist.

        Raises
        ------
        ArtifactRefused : a model of the asset failed its checks.
        """
        for it in self.snapshot.refused:
            if it.asset == asset:
                raise ArtifactRefused(asset, it.model, it.version, it.reason)

    def _nothing_serves(self, asset: str | None) -> UnknownAsset:
        if asset is not None:
            self.check_not_refused(asset)
        named = "no asset is named" if asset is None else f"there is no asset {asset!r} with models"
        return UnknownAsset(
            f"{named}; there are {self._listed()}{self._any_other}",
            field="asset",
            found=asset,
            needed=f"one of {self._listed()}",
        )

    def _no_such_model(self, asset: str, model: str) -> RoughcastError:
        refusal = self.refusal(asset, model)
        if refusal:
            return ArtifactRefused(asset, model, refusal.version, refusal.reason)
        names = ", ".join([AUTO, *self.models(asset)])
        return UnknownModel(
            f"{asset} has no model {model!r}; it has {names}",
            field="model",
            found=model,
            needed=f"one of {names}",
        )

    def _no_such_horizon(self, asset: str, horizon: int) -> UnsupportedHorizon:
        return UnsupportedHorizon(
            f"no model of {asset} forecasts {horizon} sessions ahead; "
            f"there are {self.horizons(asset)}",
            field="horizon",
            found=horizon,
            needed=f"one of {self.horizons(asset)}",
        )

    @property
    def _any_other(self) -> str:
        """Whether there is a model for an asset that has none of its own."""
        if self.universal.version is None:
            return f"; the model for every asset is not in service: {self.universal.why_absent}"
        return f". Of any other, send daily bars, and leave model out or ask for {UNIVERSAL}"

    def _listed(self) -> str:
        return ", ".join(self.assets()) or "none"


CatalogueDep = Annotated[Catalogue, from_state("catalogue")]
