"""Forecasts that nobody has asked for yet, by models that are about to serve."""

from collections.abc import Iterable
from contextlib import suppress

from models_store import LoadedModel
from models_store.comparison import JUDGED
from models_store.names import UNIVERSAL
from service.assets.holdings import Holdings
from service.forecasts.encoding import EncodedForecasts
from service.forecasts.query import Questions
from service.forecasts.requests import ForecastRequest
from service.models.catalogue import Catalogue
from service.models.universal import Universal
from volatility.errors import RoughcastError


class HeldRehearsal:
    """Asks models for forecasts from held history, at the horizons that were asked for before.

    So measures, past errors and the bytes of the answers are there when the model serves.

    Parameters
    ----------
    questions : as requests are turned into them.
    encoded : where answers are kept.
    holdings : the held history.
    """

    def __init__(self, questions: Questions, encoded: EncodedForecasts, holdings: Holdings) -> None:
        self._questions, self._encoded, self._holdings = questions, encoded, holdings

    def ask(self, models: Catalogue, asset: str, model: str, before: LoadedModel | None) -> None:
        """As :meth:`service.models.turning.Rehearsal.ask`."""
        held = self._holdings.find(asset)
        if held is not None:
            horizons = held.calibrated_at(before) if before is not None else ()
            self._ask(models, asset, model, {JUDGED, *horizons})

    def ask_universal(self, models: Catalogue, before: Universal) -> None:
        """As :meth:`service.models.turning.Rehearsal.ask_universal`."""
        for asset in self._holdings.assets():
            held = self._holdings.find(asset)
            if held is None or not before.knows(held.asset.bar_interval, held.asset.measure):
                continue
            known = held.asset
            bound = before.bound(known.kind, known.calendar, known.measure)
            self._ask(models, asset, UNIVERSAL, held.calibrated_at(bound))

    def _ask(self, models: Catalogue, asset: str, model: str, horizons: Iterable[int]) -> None:
        questions = self._questions.pinned(models)
        for horizon in horizons:
            with suppress(RoughcastError):  # which whoever asks is told
                request = ForecastRequest(asset=asset, model=model, horizon=horizon)
                self._encoded.answer(questions.of(request))
