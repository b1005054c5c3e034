from datetime import UTC, date, datetime

from service.app import create_app
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.operations.samples import Samples, samples
from tests.service.worlds import ASSET, clock, damage, verified

NAME = "roughcast_model_trained_until_timestamp_seconds"


def trained(found: Samples) -> dict[tuple[str, ...], date]:
    return {
        name[1:]: datetime.fromtimestamp(it, UTC).date()
        for name, it in found.items()
        if name[0] == NAME
    }


def test_of_each_asset_the_model_that_auto_means_is_told(client: TestClient) -> None:
    manifest = verified(client).get(f"/models/{ASSET}/log_har").json()["manifest"]
    end = date.fromisoformat(manifest["training"]["end"])
    assert trained(samples(client)) == {(ASSET, "log_har"): end}


def test_where_it_is_refused_that_which_answers_instead_is(settings: Settings) -> None:
    damage(settings, "log_har")
    with TestClient(create_app(settings, clock)) as client:
        assert set(trained(samples(verified(client)))) == {(ASSET, "har")}
