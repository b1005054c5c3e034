"""How old what forecasts are made from is: held histories, and models."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from models_store import Card
from service.assets.holdings import Holdings
from service.models.catalogue import LADDER, Catalogue
from volatility.calendars import get_calendar
from volatility.errors import OutsideCalendar


def auto_cards(catalogue: Catalogue) -> Iterator[tuple[str, Card]]:
    """Each asset with models, and what is known of the one that ``auto`` means.

    Models that have not been verified yet are left out; nothing is opened.
    """
    for asset in catalogue.assets():
        cards, serving = catalogue.shelf.rack(asset).cards(), catalogue.models(asset)
        names = (catalogue.champion(asset), *LADDER, *serving)
        found = next((cards[it] for it in names if it in serving and it in cards), None)
        if found is not None:
            yield asset, found


def stale_sessions(holdings: Holdings, catalogue: Catalogue, now: datetime) -> dict[str, int]:
    """Sessions that have closed since the last one known of each asset.

    Of one that is held, that is the last one held; of one of which no bars are, the last that its
    model was fitted on. Left out is one of which nothing is known, or whose calendar does not
    reach to ``now``.
    """
    held = {asset: it for asset in holdings.assets() if (it := holdings.find(asset))}
    found = {asset: it.stale_sessions(now) for asset, it in held.items()}
    for asset, card in auto_cards(catalogue):
        if found.get(asset) is None:
            found[asset] = _since(card, now)
    return {asset: number for asset, number in sorted(found.items()) if number is not None}


def _since(card: Card, now: datetime) -> int | None:
    try:
        calendar = get_calendar(card.calendar)
        return calendar.stale_sessions(np.datetime64(card.training_end, "D"), now)
    except OutsideCalendar:
        return None
