"""Which model answers a request: the asset's own, or the one for every asset."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import numpy as np

from models_store import LoadedModel
from models_store.names import UNIVERSAL, check_asset_name
from service.assets.database import HeldAsset
from service.assets.held import Held
from service.assets.holdings import Holdings, find_asset
from service.assets.newcomers import Described, check_agrees
from service.assets.schemas import time_name
from service.forecasts.requests import ForecastRequest
from service.http.errors import Fault, InvalidRequest, located
from service.models.asset_choices import REGRESSIONS
from service.models.catalogue import AUTO, Catalogue
from service.models.choice import Choice
from service.models.universal import Universal
from volatility.bars import DAILY, Bars
from volatility.calendar_inference import market_of_bars
from volatility.errors import InvalidBars, InvalidSeries, RoughcastError, UnknownModel
from volatility.names import did_you_mean
from volatility.scale_free import USUAL_MEASURE


class Chosen(NamedTuple):
    """The model that answers a request, and what was inferred of an asset that is not known."""

    choice: Choice
    warnings: tuple[str, ...]


class Chooser:
    """Chooses the model that answers a request.

    Parameters
    ----------
    catalogue : the models.
    holdings : the held history.
    """

    def __init__(self, catalogue: Catalogue, holdings: Holdings) -> None:
        self._catalogue = catalogue
        self._holdings = holdings

    def of(self, request: ForecastRequest, bars: Bars | None) -> Chosen:
        """The model for every asset, where the request asks for none of the asset's own.

        Parameters
        ----------
        request : what is asked.
        bars : that it brings, read as daily ones.

        Raises
        ------
        UnknownAsset, UnknownModel, ArtifactRefused : there is no such model in service.
        AssetMismatch : what is said of the asset contradicts what is known of it.
        InvalidName : it cannot name an asset.
        InvalidInput : the history is not of daily bars.
        UnknownCalendar : there is none of the name given.
        InvalidRequest : neither an asset nor a history is given.
        """
        known = self._known(request)
        if self._catalogue.universal.version is None:
            raise self._catalogue.why_none(request.asset, request.model)
        if known is None:
            return self._of_newcomer(request, bars)
        check_agrees(known, _described(request))
        if known.bar_interval != DAILY:
            raise _shorter_than_a_day(known)
        return Chosen(_of_known(self._catalogue.universal, known), ())

    def check(self, request: ForecastRequest, asset: str) -> None:
        """Compare what a request says of an asset that has models with what is known of it.

        Raises
        ------
        AssetMismatch : they differ.
        UnknownCalendar : there is none of the name given.
        """
        known = find_asset(asset, self._holdings, self._catalogue)
        if known is not None:
            check_agrees(known, _described(request))

    def in_place_of(self, choice: Choice, request: ForecastRequest, nobs: int) -> Choice | None:
        """The model that answers ``auto`` where the history is too short for what was chosen.

        Parameters
        ----------
        choice : what was chosen.
        request : what is asked.
        nobs : sessions of the history, fewer than that needs.

        Returns
        -------
        The first of the ladder that such a history is long enough for, or else the first that needs
        less than what was chosen; None where none does.
        """
        is_rv = request.history is not None and request.history.bars is None
        if request.model != AUTO or request.asset is None or is_rv:
            return None
        model, shortest = choice.model, None
        why = f"{model.manifest.model} needs {model.required_sessions} sessions and the history has"
        for other in self._ladder(request.asset, f"{why} {nobs}"):
            if other.model.required_sessions <= nobs:
                return other
            if shortest is None and other.model.required_sessions < model.required_sessions:
                shortest = other
        return shortest

    def _ladder(self, name: str, why: str) -> Iterator[Choice]:
        """What may answer where a history is too short for the model that was chosen.

        Not the last value: a single session is no history.
        """
        known, universal = (
            find_asset(name, self._holdings, self._catalogue),
            self._catalogue.universal,
        )
        if known is not None and universal.knows(known.bar_interval, known.measure):
            yield _of_known(universal, known, f"{why}; {UNIVERSAL} answers instead")
        for own in REGRESSIONS:
            other = self._catalogue.choice(name, own)
            if other is not None and other.degraded_reason is None:
                yield replace(other, degraded_reason=f"{why}; {own} answers instead")

    def held_model(self, asset: HeldAsset) -> LoadedModel | None:
        """The model for every asset, bound to a held one, if it is made for its bars."""
        universal = self._catalogue.universal
        if not universal.knows(asset.bar_interval, asset.measure):
            return None
        return _of_known(universal, asset).model

    def _known(self, request: ForecastRequest) -> HeldAsset | None:
        """What is known of the asset, where the model for every asset may answer."""
        name, model, catalogue = request.asset, request.model, self._catalogue
        if name is None:
            if request.history is None:
                raise _about_nothing()
            if model not in (AUTO, UNIVERSAL):
                raise catalogue.why_none(name, model)
            return None
        known = find_asset(name, self._holdings, catalogue)
        if not catalogue.models(name):  # another's forecasts would hide that its own are damaged
            catalogue.check_not_refused(name)
        refused = catalogue.refusal(name, model) is not None
        if self._has_no_model_of_its_own(request, known) and model not in (AUTO, UNIVERSAL):
            raise _no_model_of_its_own(name, model)
        if model not in (AUTO, UNIVERSAL) or refused or (known is None and request.history is None):
            raise catalogue.why_none(name, model)
        return known

    def _has_no_model_of_its_own(self, request: ForecastRequest, known: HeldAsset | None) -> bool:
        """Whether the model for every asset would answer for an asset, and nothing else."""
        catalogue, history = self._catalogue, request.history
        if catalogue.universal.version is None or catalogue.models(request.asset or ""):
            return False
        if known is not None:
            return catalogue.universal.knows(known.bar_interval, known.measure)
        return history is not None and history.bars is not None

    def _of_newcomer(self, request: ForecastRequest, bars: Bars | None) -> Chosen:
        """Of an asset that is neither held nor has models."""
        if request.asset is not None:
            check_asset_name(request.asset)
        if bars is None:
            raise _needs_bars()
        try:
            market = market_of_bars(bars, request.calendar, request.kind)
        except InvalidBars as error:
            given = request.history.bars if request.history else None
            raise located(error, "history.", time_name(given)) from None
        choice = self._catalogue.universal.choice(
            request.asset, market.kind, market.calendar, USUAL_MEASURE
        )
        return Chosen(choice, (market.inferred,) if market.inferred else ())


def sessions_until(held: Held, as_of: date | None) -> int:
    """Sessions of a held asset up to a day, or all of them."""
    dates = held.sessions()
    if as_of is None:
        return len(dates)
    return int(np.searchsorted(dates, np.datetime64(as_of, "D"), side="right"))


def _of_known(universal: Universal, known: HeldAsset, reason: str | None = None) -> Choice:
    return universal.choice(known.asset, known.kind, known.calendar, known.measure, reason)


def _described(request: ForecastRequest) -> Described:
    return Described(request.calendar, request.kind)


def _no_model_of_its_own(asset: str, model: str) -> UnknownModel:
    needed = f"{AUTO} or {UNIVERSAL}"
    meant = did_you_mean(model, (AUTO, UNIVERSAL))
    return UnknownModel(
        f"{asset} has no model {model!r}, and none of its own: {UNIVERSAL}, the model for every "
        f"asset, answers for it{meant}; needed: {needed}",
        field="model",
        found=model,
        needed=needed,
    )


def _about_nothing() -> InvalidRequest:
    needed = "the name of an asset, or a history"
    detail = f"asset: found none, and no history; needed: {needed}"
    return InvalidRequest([Fault("missing_field", detail, "asset", None, needed)])


def _shorter_than_a_day(known: HeldAsset) -> RoughcastError:
    return UnknownModel(
        f"{UNIVERSAL} forecasts from daily bars; {known.asset} has bars of {known.bar_interval} "
        "seconds",
        field="model",
        found=UNIVERSAL,
        needed="an asset with daily bars, or one of its own models",
    )


def _needs_bars() -> InvalidSeries:
    return InvalidSeries(
        f"an asset without a model of its own is forecast by {UNIVERSAL}, which needs returns and "
        "ranges beside rv; send daily bars",
        code="missing_columns",
        field="history",
        found="rv alone",
        needed="daily bars, of 22 sessions or more",
    )
