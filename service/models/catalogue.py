"""The models in service: which one answers, how it compares, and what was refused."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Self

import numpy as np

from models_store import ArtifactRefused, LoadedModel, Refusal, Snapshot, Store
from service.http.json import to_date
from service.http.state import from_state
from volatility.arrays import DateArray
from volatility.errors import MisalignedForecasts, RoughcastError, UnknownAsset, UnknownModel
from volatility.evaluation.compare import Comparison, ComparisonRow, compare

AUTO = "auto"  # the name under which an asset's champion is asked
# What the others are measured against: HAR, or the next plainest where it is not in service.
_BASELINES = ("har", "log_har", "last_value")
# What `auto` is without a champion: fixed, since a comparison ranks by the test part.
_FALLBACKS = ("calendar_log_har", "log_har", "har", "last_value")


@dataclass(frozen=True, slots=True)
class ModelSkill:
    """How a model did against a baseline, out of sample, on the same dates.

    Parameters
    ----------
    baseline : the model it is measured against.
    qlike_ratio : its QLIKE over that of the baseline; NaN or infinite where the latter is 0.
    dm_pvalue : two-sided, of Diebold-Mariano against the baseline; None for the baseline itself.
    in_confidence_set : whether the model confidence set holds it.
    nobs : dates compared.
    span : the first and the last of them.
    """

    baseline: str
    qlike_ratio: float
    dm_pvalue: float | None
    in_confidence_set: bool
    nobs: int
    span: tuple[date, date]


@dataclass(frozen=True, slots=True)
class Choice:
    """The model that answers a request.

    Parameters
    ----------
    model : the model.
    degraded_reason : why it is not the one that was meant, if so.
    skill : how it did against the baseline, or why that is not known.
    """

    model: LoadedModel
    degraded_reason: str | None
    skill: ModelSkill | str


@dataclass(frozen=True, slots=True)
class Excluded:
    """A model that a comparison leaves out."""

    model: str
    version: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class AssetComparison:
    """The models of one asset on the same dates, or why they cannot be compared."""

    measure: str
    protocol: str
    result: Comparison | RoughcastError
    misaligned: tuple[Excluded, ...]  # models whose forecasts stand by the wrong dates
    others: tuple[Excluded, ...]

    @property
    def excluded(self) -> tuple[Excluded, ...]:
        """Every model that is left out."""
        return (*self.misaligned, *self.others)

    def row(self, model: LoadedModel) -> ComparisonRow | None:
        """The row of one model, if it was compared."""
        if isinstance(self.result, RoughcastError):
            return None
        rows = (row for row in self.result.rows if row.model == model.manifest.model)
        return next(rows, None)


@dataclass(frozen=True)
class Catalogue:
    """Every model that passed its checks, as of one reading of the store.

    Attributes
    ----------
    store : where the models come from.
    snapshot : the models, the champions and what was refused.
    comparisons : by asset.
    """

    store: Store
    snapshot: Snapshot
    comparisons: Mapping[str, AssetComparison]

    @classmethod
    def of(cls, store: Store) -> Self:
        """Load every model that serves and compare those of each asset."""
        snapshot = Snapshot.of(store)
        comparisons = {
            asset: _compare(asset, models, snapshot)
            for asset, models in snapshot.models.items()
            if models
        }
        return cls(store, snapshot, comparisons)

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
        if not self.snapshot.models.get(asset):
            raise self._nothing_serves(asset)
        raise self._no_such_model(asset, model)

    def find(self, asset: str, model: str) -> LoadedModel | None:
        """The model that answers a request, if there is one."""
        choice = self.choices.get((asset, model))
        return choice.model if choice else None

    def refusal(self, asset: str, model: str) -> Refusal | None:
        """Why a model, or its newest version, is not in service."""
        refused = self.snapshot.refused
        return next((it for it in refused if (it.asset, it.model) == (asset, model)), None)

    def comparison(self, asset: str) -> AssetComparison:
        """How the models of an asset compare.

        Raises
        ------
        UnknownAsset, ArtifactRefused : it has no model in service.
        """
        if asset not in self.comparisons:
            raise self._nothing_serves(asset)
        return self.comparisons[asset]

    def _skill(self, model: LoadedModel) -> ModelSkill | str:
        comparison = self.comparisons[model.manifest.asset]
        result, row = comparison.result, comparison.row(model)
        if isinstance(result, RoughcastError):
            return f"the models of {model.manifest.asset} cannot be compared: {result}"
        if row is None:
            reasons = {it.model: it.reason for it in comparison.excluded}
            return f"{model.manifest.model} is not compared: {reasons[model.manifest.model]}"
        test = row.diebold_mariano.get(result.baseline)
        first, last = result.span
        return ModelSkill(
            baseline=result.baseline,
            qlike_ratio=row.qlike_ratio,
            dm_pvalue=test.pvalue if test else None,
            in_confidence_set=row.in_confidence_set,
            nobs=result.nobs,
            span=(to_date(first), to_date(last)),
        )

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
        fallback = self._fallback(models)
        return Choice(
            fallback,
            f"{self._why_no(asset, champion)}; {fallback.manifest.model} answers instead",
            self._skill(fallback),
        )

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
            return Choice(model, None, self._skill(model))
        version = "the pointer" if refusal.version is None else f"version {refusal.version}"
        return Choice(
            model,
            f"{version} of {manifest.model} is refused: {refusal.reason}; "
            f"version {model.version} answers instead",
            self._skill(model),
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

    def _nothing_serves(self, asset: str) -> UnknownAsset:
        self.check_not_refused(asset)
        return UnknownAsset(
            f"there is no asset {asset!r} with models; there are {self._listed()}",
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

    def _listed(self) -> str:
        return ", ".join(self.assets()) or "none"


CatalogueDep = Annotated[Catalogue, from_state("catalogue")]


def _compare(asset: str, models: Mapping[str, LoadedModel], snapshot: Snapshot) -> AssetComparison:
    champion = models.get(snapshot.champions.get(asset, "")) or next(iter(models.values()))
    measure = champion.manifest.measure
    same = {name: it for name, it in models.items() if it.manifest.measure == measure}
    result, misaligned = _result(same)
    return AssetComparison(
        measure=measure,
        protocol=champion.manifest.evaluation.protocol,
        result=result,
        misaligned=misaligned,
        others=(
            *(_of_other_measure(it) for it in models.values() if it.manifest.measure != measure),
            *(_refused(it) for it in snapshot.refused if it.asset == asset),
        ),
    )


def _result(
    models: Mapping[str, LoadedModel],
) -> tuple[Comparison | RoughcastError, tuple[Excluded, ...]]:
    """Compare; where one model contradicts the others or the dates, leave it out and say so."""
    tracks = [model.track for model in models.values()]
    try:
        compared = compare(tracks, _start(models.values()), _baseline(models))
    except MisalignedForecasts as error:
        culprit = error.field
        if culprit is None or culprit not in models or len(models) == 1:
            return error, ()
        shifted = Excluded(culprit, models[culprit].version, f"misaligned: {error}")
        result, more = _result({name: it for name, it in models.items() if name != culprit})
        return result, (shifted, *more)
    except RoughcastError as error:
        return error, ()
    return compared, tuple(
        Excluded(model, models[model].version, f"misaligned: {reason}")
        for model, reason in compared.left_out.items()
    )


def _baseline(models: Collection[str]) -> str:
    return next(name for name in (*_BASELINES, *sorted(models)) if name in models)


def _start(models: Iterable[LoadedModel]) -> np.datetime64:
    """First target date of the test part of every model: the latest of their own."""
    starts: DateArray = np.array([it.manifest.evaluation.test_start for it in models], "M8[D]")
    return np.datetime64(starts.max(), "D")


def _of_other_measure(model: LoadedModel) -> Excluded:
    manifest = model.manifest
    return Excluded(manifest.model, model.version, f"fitted on another measure: {manifest.measure}")


def _refused(refusal: Refusal) -> Excluded:
    return Excluded(refusal.model, refusal.version, f"refused: {refusal.reason}")
