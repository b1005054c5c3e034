"""Whether the service can forecast at all."""

from service.assets.holdings import Holdings
from service.http.draining import Draining
from service.http.errors import DatabaseUnavailable, NotReady
from service.http.lanes import Lanes
from service.models.catalogue import Catalogue


async def models_ready(
    catalogue: Catalogue, holdings: Holdings, lanes: Lanes, draining: Draining
) -> int:
    """How many models are in service, the one for every asset among them.

    Raises
    ------
    NotReady : none is, the database does not answer, or the process has been told to stop.
    Overloaded : too many probes wait for the database already.
    """
    if draining.begun:
        raise NotReady("the service has been told to stop", needed="another process to ask")
    number = sum(catalogue.numbers().values()) + (catalogue.universal.version is not None)
    if not number:
        raise NotReady(_why_empty(catalogue), found=0, needed="at least one model in the store")
    try:
        await lanes.probes.run(holdings.store.ping)
    except DatabaseUnavailable as error:
        raise NotReady(str(error), needed=error.needed) from None
    return number


def _why_empty(catalogue: Catalogue) -> str:
    refusals = catalogue.shelf.refused
    if not refusals:
        return f"the store {catalogue.store.root} holds no models in service"
    return "every model was refused: " + "; ".join(
        f"{it.asset}/{it.model}: {it.reason}" for it in refusals
    )
