"""A query is read to the letter, and what answers GET answers HEAD."""

import http.client
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.client import TestClient
from tests.service.processes import serving
from tests.service.worlds import ASSET, settings_in


@pytest.mark.parametrize(
    ("path", "code", "field", "found", "needed"),
    [
        (f"/forecast/{ASSET}?horizn=5", "unknown_parameter", "horizn", "5", "as_of, explain"),
        (f"/forecast/{ASSET}?horizon=1&horizon=5", "duplicate_parameter", "horizon", 2, "one"),
        (f"/forecast/{ASSET}?model=har&model=har", "duplicate_parameter", "model", 2, "one"),
        (f"/assets/{ASSET}/bars?limits=1", "unknown_parameter", "limits", "1", "end, format"),
        (f"/assets/{ASSET}/history?known_at=", "unknown_parameter", "known_at", "", "end, format"),
        (f"/models/{ASSET}/har?v=1", "unknown_parameter", "v", "1", "version"),
        (f"/hurst/{ASSET}?x", "unknown_parameter", "x", "", "no parameter"),
        (f"/compare/{ASSET}?h=5", "unknown_parameter", "h", "5", "format, horizon"),
        ("/assets?a=1", "unknown_parameter", "a", "1", "no parameter"),
        ("/metrics?a=1", "unknown_parameter", "a", "1", "no parameter"),
        ("/health/live?a=%FF", "unknown_parameter", "a", "\ufffd", "no parameter"),
    ],
)
def test_a_query_that_would_not_be_looked_at_is_refused(
    client: TestClient, path: str, code: str, field: str, found: object, needed: str
) -> None:
    answer = client.get(path)
    problem = answer.json()
    assert answer.status_code == 422, problem
    assert (problem["code"], problem["field"], problem["found"]) == (code, field, found)
    assert problem["needed"].startswith(needed)


def test_a_body_makes_no_difference(client: TestClient) -> None:
    answer = client.post("/forecast?asset=B", json={"asset": ASSET})
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown_parameter")
    assert client.post("/forecast?", json={"asset": ASSET}).status_code == 200


def test_all_that_is_wrong_is_told_up_to_twenty(client: TestClient) -> None:
    few = client.get("/assets?" + "&".join(f"a{at}=1" for at in range(20))).json()
    assert [it["field"] for it in few["errors"]] == [f"a{at}" for at in range(20)]
    assert "stopped" not in few["detail"]
    many = client.get("/assets?" + "&".join(f"a{at}=1" for at in range(21))).json()
    assert [it["field"] for it in many["errors"]] == [f"a{at}" for at in range(20)]
    assert "at which reading stopped" in many["detail"]


@pytest.fixture(scope="module")
def port(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    own = tmp_path_factory.mktemp("served")
    shutil.copytree(world, own, dirs_exist_ok=True)
    with serving(settings_in(own)) as served:
        yield served.port


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/forecast/{ASSET}", 200),
        ("/health/ready", 200),
        ("/assets", 200),
        ("/forecast/NOBODY", 404),
        ("/nowhere", 404),
        ("/forecast", 405),
        ("/assets?a=1", 422),
    ],
)
def test_head_is_answered_as_get_without_the_body(port: int, path: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    seen = []
    for method in ("HEAD", "GET"):  # on one connection: a body would be the next answer's head
        connection.request(method, path)
        answer = connection.getresponse()
        seen.append((answer.status, answer.headers["content-type"], answer.read()))
    connection.close()
    assert [it[0] for it in seen] == [status, status]
    assert seen[0][1] == seen[1][1]
    assert seen[0][2] == b""
