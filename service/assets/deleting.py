"""Assets that are held no longer: which may be deleted, and how."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models_store.files import refusing_model
from models_store.names import CHAMPION
from service.assets import tables
from service.http.errors import AssetInUse
from service.models.catalogue import Catalogue
from volatility import datasets
from volatility.errors import NoHistory


class Deleted(NamedTuple):
    """What was deleted.

    Parameters
    ----------
    bars, replaced_bars : how many were held, and had been replaced.
    revision : above any that the asset had.
    """

    bars: int
    replaced_bars: int
    revision: int


def check_deletable(asset: str, catalogue: Catalogue) -> None:
    """Refuse to delete what forecasts are made from, or would come back.

    Raises
    ------
    AssetInUse : the asset has models in the store, is a companion of others, or is shipped.
    ArtifactRefused : it cannot be read at present which models it has.
    """
    with refusing_model(asset, CHAMPION, None, "the folder of the asset cannot be read: "):
        models = sorted({*catalogue.models(asset), *catalogue.store.models(asset)})
    if models:
        found = f"the store has models of it: {', '.join(models)}"
    elif asset in datasets.NAMES:
        found = "it is shipped"
    elif beside := [f"{other}/{model}" for other, model in catalogue.shelf.beside(asset)]:
        found = f"models look at it as a companion: {', '.join(beside)}"
    else:
        return
    raise AssetInUse(
        f"{asset} cannot be deleted: {found}",
        field="asset",
        found=asset,
        needed="an asset that has no models in the store, is no companion and is not shipped",
    )


def delete(connection: Connection, asset: str, now: int, by: str) -> Deleted:
    """Delete an asset and its bars, and note that it was.

    Parameters
    ----------
    connection : in a transaction that writes.
    asset : that is held.
    now : microseconds since 1970.
    by : id of the key that asked for it; empty without one.

    Raises
    ------
    NoHistory : it is not held.
    """
    held, gone = tables.assets.c, tables.deleted_assets
    revision = connection.scalar(
        sa.select(held.revision).where(held.asset == asset).with_for_update()
    )
    if revision is None:
        raise not_held(asset)
    replaced, bars, _, _ = (
        connection.execute(sa.delete(table).where(table.c.asset == asset)).rowcount
        for table in (tables.replaced_bars, tables.bars, tables.assets, gone)
    )
    note = {"asset": asset, "revision": revision + 1, "deleted_at": now, "deleted_by": by}
    connection.execute(gone.insert().values(note))
    return Deleted(bars, replaced, revision + 1)


def not_held(asset: str) -> NoHistory:
    """The error that says that nothing is held of an asset, or no longer."""
    return NoHistory(f"{asset} is not held", field="asset", found=asset, needed="a held asset")
