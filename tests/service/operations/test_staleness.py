"""How old an asset's newest data are, with and without bars."""

from datetime import timedelta

import sqlalchemy as sa

from service.app import create_app
from service.assets import tables
from service.assets.database import HistoryStore
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.operations.samples import samples
from tests.service.worlds import ASSET, LAST, NOW, verified

NAME = "roughcast_stale_sessions"


def test_of_an_asset_without_bars_the_end_of_training_counts(settings: Settings) -> None:
    history = HistoryStore(settings.database_url)
    with history.database.writing() as connection:
        for table in (tables.bars, tables.assets):
            connection.execute(sa.delete(table))
    history.close()
    anew = settings.model_copy(update={"seed": "always"})
    with TestClient(create_app(anew, lambda: NOW + timedelta(days=3))) as client:
        found = samples(verified(client))
        manifest = client.get(f"/models/{ASSET}/log_har").json()["manifest"]
        assets = client.get("/assets").json()["assets"]
    assert [it["bars"] for it in assets if it["asset"] == ASSET] == [0]
    assert manifest["training"]["end"] == LAST
    assert found[NAME, ASSET] == 3


def test_of_one_with_bars_these_do(settings: Settings) -> None:
    bars = "date,open,high,low,close\n2021-02-04,100,101,99,100\n2021-02-05,100,101,99,100\n"
    with TestClient(create_app(settings, lambda: NOW + timedelta(days=3))) as client:
        path, csv = f"/assets/{ASSET}/bars", {"content-type": "text/csv"}
        client.put(path, content=bars, headers=csv).raise_for_status()
        assert samples(verified(client))[NAME, ASSET] == 1
