from tests.service.client import TestClient
from tests.service.operations.samples import samples
from tests.service.worlds import ASSET

HEADER = "date,open,high,low,close\n"
CSV = {"content-type": "text/csv"}


def put(client: TestClient, rows: str, **how: str) -> int:
    path = f"/assets/{ASSET}/bars"
    return client.put(path, content=HEADER + rows, headers=CSV, params=how).status_code


def test_bars_are_counted_by_what_became_of_them_and_refusals_by_code(client: TestClient) -> None:
    rows = "2021-02-01,100,101,99,100\n2021-02-02,100,101,99,100\n2021-02-03,100,101,99,100\n"
    assert put(client, rows) == 409
    assert put(client, rows, replace="true") == 200
    assert put(client, rows) == 200
    assert put(client, "2021-02-03,100,90,99,100\n") == 422
    assert put(client, "2021-02-03,100,90,99,100\n") == 422
    assert put(client, "2021-02-05,100,101,99,100\n") == 422
    outside = "/assets/NEW/bars"
    body = HEADER + "".join(f"2021-01-{day:02},100,{100 + day},99,100\n" for day in range(1, 31))
    told = {"calendar": "XNYS", "kind": "stock", "outside_sessions": "drop"}
    dropped = client.put(outside, content=body, headers=CSV, params=told).json()["dropped"]
    found = samples(client)
    bars = {outcome: found["roughcast_bars_total", outcome] for outcome in OUTCOMES}
    assert bars == {"added": 30 - dropped, "replaced": 3, "unchanged": 3, "dropped": dropped}
    assert dropped == 11
    refused = {name[1]: it for name, it in found.items() if name[0] == REFUSED}
    assert refused == {"bars_conflict": 1, "high_below_low": 2, "future_dates": 1}


OUTCOMES = ("added", "replaced", "unchanged", "dropped")
REFUSED = "roughcast_ingests_refused_total"
