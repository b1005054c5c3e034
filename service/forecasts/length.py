"""Whether a forecast keeps others waiting: where much has to be computed that is not kept yet."""

from collections.abc import Sequence

from models_store import LoadedModel
from service.assets.holdings import Holdings
from service.forecasts.choosing import Chooser, sessions_until
from service.forecasts.companions import held_revisions
from service.forecasts.requests import ForecastRequest
from service.models.catalogue import Catalogue
from volatility.trailing import SESSIONS


def is_long_for_universal(
    request: ForecastRequest,
    horizons: Sequence[int],
    catalogue: Catalogue,
    holdings: Holdings,
    chooser: Chooser,
) -> bool:
    """Whether the model for every asset has to forecast what a history tells the outcomes of.

    Parameters
    ----------
    request : that it answers.
    horizons : sessions ahead that are asked for.
    catalogue, holdings, chooser : by which it is chosen.
    """
    history, calendar = request.history, request.calendar
    if calendar is not None and not catalogue.universal.is_bound(calendar):
        return True
    if history is not None:
        return len(history.bars or history.rv or ()) > SESSIONS
    held = holdings.find(request.asset or "")
    if held is None or len(held.sessions()) <= SESSIONS:
        return False
    model = chooser.held_model(held.asset)
    if model is None:
        return False
    return request.as_of is not None or not all(held.is_calibrated(model, it) for it in horizons)


def is_too_short(request: ForecastRequest, model: LoadedModel, holdings: Holdings) -> bool:
    """Whether another model answers for so short a history, which may have to be opened.

    Parameters
    ----------
    request, holdings : as in :func:`is_long_for_universal`.
    model : that is meant.
    """
    history = request.history
    if history is not None:
        return len(history.bars or history.rv or ()) < model.required_sessions
    held = holdings.find(request.asset or "")
    if held is None:  # which is refused
        return False
    return sessions_until(held, request.as_of) < model.required_sessions


def is_long_beside(
    request: ForecastRequest,
    model: LoadedModel,
    horizons: Sequence[int],
    catalogue: Catalogue,
    holdings: Holdings,
) -> bool:
    """Whether a model with companions has to forecast what a history tells the outcomes of.

    Or the one that may have to stand in for it is not open.

    Parameters
    ----------
    request, horizons, catalogue, holdings : as in :func:`is_long_for_universal`.
    model : that answers.
    """
    if not catalogue.is_open(request.asset, model.manifest.stand_in or ""):
        return True
    if request.companions or request.history is not None or request.as_of is not None:
        return True
    held = holdings.find(request.asset or "")
    revisions = held_revisions(model.manifest, holdings)
    if held is None or revisions is None:  # refused, or answered without companions
        return False
    return not all(held.is_calibrated(model, it, revisions) for it in horizons)
