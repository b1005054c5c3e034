"""Whatever comes in: never a 5xx, never NaN, always what the OpenAPI document says."""

import copy
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.transport.serialization import serialize_binary
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from service.app import create_app
from service.assets.reading import EXCEL, PARQUET
from service.database.base import USUAL
from service.database.opening import open_database
from service.http.error_forms import foreign_form
from service.security.keys import make_key
from service.security.scopes import KeyScope, needed_for
from service.security.store import KeyStore
from service.settings import Settings
from tests.models_store.artifacts import make_series
from tests.service.any_asset import made_up_bars, publish_universal
from tests.service.client import TestClient
from tests.service.protocols import speaking
from tests.service.worlds import ASSET, bars_of, clock, json_bars, json_rv, settings_in


def documented_code(_context: Any, response: Any, case: Any) -> None:
    """The problem's code is one that the description of its status names."""
    responses = case.operation.definition.raw["responses"]
    described = responses.get(str(response.status_code))
    if response.status_code < 400 or case.method == "HEAD" or described is None:
        return  # what status is not described, another check finds
    if foreign_form(case.operation.path) is not None:
        return  # which has no code, or not in its place
    code = response.json()["code"]
    # What fits no schema has codes of its own, all listed in docs/api.md.
    if "invalid_value" not in described["description"]:
        assert code in re.findall(r"`(\w+)`", described["description"])


CHECKS = [
    not_a_server_error,
    documented_code,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))  # of each route; see make fuzz
MODEST = settings(
    max_examples=EXAMPLES or 8,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
# What a key may do does not depend on the rest of a request: not all that the schema leads to.
FEW = MODEST if EXAMPLES else settings(MODEST, max_examples=6, phases=[Phase.generate])


SCOPES_OF_KEYS: tuple[tuple[KeyScope, ...] | None, ...] = (
    ("forecast", "ingest"),
    ("ingest",),
    None,
)
HERE = "http://127.0.0.1"  # the service answers to the machine's own names alone


@schemathesis.serializer(PARQUET, EXCEL)
def as_it_is(_context: Any, value: Any) -> bytes:
    """Tables of other programs: whatever is drawn, none of which is one."""
    return serialize_binary(value)


class Door:
    """Stands at import time for the application that a fixture makes later."""

    app: FastAPI

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


door = Door()
schema = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
schema.app = door


@pytest.fixture(scope="module")
def inside(world: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("fuzz")
    shutil.copytree(world, folder, dirs_exist_ok=True)
    settings_inside = settings_in(folder)
    publish_universal(settings_inside)
    door.app = create_app(settings_inside, clock)
    return settings_inside


@pytest.fixture(scope="module")
def keys(inside: Settings) -> dict[tuple[KeyScope, ...] | None, dict[str, str]]:
    """By scopes, the headers that bring a key with them."""
    database = open_database(inside.database_url, USUAL)
    headers: dict[tuple[KeyScope, ...] | None, dict[str, str]] = {None: {}}
    for scopes in SCOPES_OF_KEYS:
        if scopes is not None:
            key, text = make_key("fuzz", scopes, 0)
            KeyStore(database).add(key)
            headers[scopes] = {"authorization": f"Bearer {text}"}
    database.close()
    return headers


@pytest.fixture(scope="module")
def with_keys(inside: Settings, keys: object) -> FastAPI:
    assert keys
    return create_app(inside.model_copy(update={"authentication": "keys"}), clock)


@pytest.fixture
def locked(with_keys: FastAPI) -> Iterator[None]:
    """The door leads to a service that needs keys."""
    before = door.app
    door.app = with_keys
    yield
    door.app = before


@pytest.fixture(scope="module")
def shared(inside: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(inside, clock)) as client:
        yield client


@schema.parametrize()
@MODEST
def test_nothing_that_the_document_allows_or_forbids_ends_in_5xx(
    inside: Settings, case: Any
) -> None:
    answer = case.call_and_validate(checks=CHECKS, base_url=HERE)
    assert answer.status_code not in (401, 403, 421)


@schema.parametrize()
@FEW
@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("scopes", SCOPES_OF_KEYS)
def test_nor_does_it_where_keys_are_needed(
    keys: dict[tuple[KeyScope, ...] | None, dict[str, str]],
    scopes: tuple[KeyScope, ...] | None,
    case: Any,
) -> None:
    # Without the one that is drawn of the scheme that the document names.
    drawn = {k: it for k, it in (case.headers or {}).items() if k.lower() != "authorization"}
    case.headers = {**drawn, **keys[scopes]}
    answer = case.call_and_validate(checks=CHECKS, base_url=HERE)
    if "authorization" not in {it.lower() for it in answer.request.headers}:
        scopes = None  # the case is about its absence, and Schemathesis takes it out again
    needed = needed_for(case.method, case.formatted_path)
    if needed is None or needed in (scopes or ()):
        assert answer.status_code not in (401, 403)
    else:
        assert answer.status_code == (401 if scopes is None else 403)


SERIES = make_series()
DAYS = [str(it) for it in SERIES.dates[-23:]]
BODIES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/forecast", {"asset": ASSET, "model": "har", "horizon": 1, "levels": [0.8]}),
    ("POST", "/forecast", {"asset": ASSET, "as_of": "2020-12-24"}),
    ("POST", "/forecast", {"asset": ASSET, "known_at": "2021-01-05T12:00:00Z"}),
    ("POST", "/forecast", {"asset": ASSET, "history": {"rv": json_rv()}}),
    (
        "POST",
        "/forecast",
        {
            "asset": ASSET,
            "history": {"rv": json_rv(23), "dates": [str(it) for it in SERIES.dates[-23:]]},
        },
    ),
    ("POST", "/forecast", {"asset": ASSET, "history": {"bars": json_bars(bars_of(SERIES))[-24:]}}),
    (
        "POST",
        "/forecast",
        {"asset": "MINE", "calendar": "XNYS", "kind": "etf", "history": {"bars": made_up_bars(24)}},
    ),
    ("POST", "/forecast/batch", {"items": [{"asset": ASSET}, {"asset": ASSET, "levels": []}]}),
    ("POST", "/hurst", {"rv": json_rv(130), "measure": "parkinson", "intraday_nobs": 24}),
    ("PUT", f"/assets/{ASSET}/bars", {"bars": json_bars(bars_of(SERIES))[-2:]}),
    ("PUT", "/assets/MINE/bars?calendar=XNYS", {"bars": made_up_bars(24)}),
    (
        "POST",
        f"/v2/models/{ASSET}~har/infer",
        {
            "id": "7",
            "inputs": [
                speaking.numbers("rv", [json_rv(23)] * 2),
                speaking.texts("date", [DAYS, DAYS]),
            ],
            "outputs": [{"name": "rv", "parameters": {"binary_data": True}}, {"name": "lower"}],
            "parameters": {"horizon": 1, "levels": "0.8", "held": False},
        },
    ),
    (
        "POST",
        "/v2/models/universal/infer",
        {"inputs": speaking.bars([made_up_bars(24)]), "parameters": {"horizon": 5}},
    ),
    (
        "POST",
        "/v1/timeseries/forecast",
        {
            "model": f"{ASSET}~har",
            "inputs": [
                {
                    "type": "univariate_time_series",
                    "name": "rv",
                    "series": json_rv(23),
                    "frequency": "D",
                    "start_timestamp": f"{DAYS[0]}T00:00:00Z",
                }
            ],
            "options": {"horizon": 1, "quantiles": [0.5]},
            "metadata": {"note": [1]},
        },
    ),
]

numbers = st.one_of(
    st.floats(),
    st.integers(-(10**20), 10**20),
    st.sampled_from([0, -0.0, 5e-324, 1e-300, 1e300, 1.7976931348623157e308]),
)
leaves = st.one_of(
    st.none(),
    st.booleans(),
    numbers,
    st.text(max_size=5),
    st.dates().map(str),
    st.sampled_from(["", "auto", ASSET, "2021-02-03", "0001-01-01", "9999-12-31", "log_har"]),
)
parts = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children = node.items() if isinstance(node, dict) else ()
    for key, child in enumerate(node) if isinstance(node, list) else children:
        yield from places(child, (*path, key))


def replaced(body: Any, path: tuple[Any, ...], part: Any) -> Any:
    if not path:
        return part
    changed = copy.deepcopy(body)
    at = changed
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = part
    return changed


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, str, Any]:
    """A good request in which up to three parts are something else."""
    method, path, body = draw(st.sampled_from(BODIES))
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(sorted(places(body), key=repr)))
        body = replaced(body, where, draw(numbers | parts))
    return method, path, body


@given(request=mutants())
@settings(MODEST, max_examples=200)
def test_no_part_of_a_good_request_can_break_it(
    shared: TestClient, request: tuple[str, str, Any]
) -> None:
    method, path, body = request
    answer = shared.request(
        method, path, content=json.dumps(body), headers={"content-type": "application/json"}
    )
    assert answer.status_code < 500, answer.text
    end = int(answer.headers.get(speaking.LENGTH, len(answer.content)))
    json.loads(answer.content[:end], parse_constant=_refuse)


@given(content=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
@settings(MODEST, max_examples=80)
@pytest.mark.parametrize("media_type", ["text/csv", "application/json"])
def test_no_bytes_can_break_it(shared: TestClient, media_type: str, content: bytes) -> None:
    for table in (content, b"date,open,high,low,close\n" + content):
        answer = shared.put(
            f"/assets/{ASSET}/bars", content=table, headers={"content-type": media_type}
        )
        assert answer.status_code < 500, answer.text


@given(
    content=st.binary(max_size=120),
    size=st.integers(-1, 200) | st.just(2**40),
    rows=st.integers(-1, 9),
    end=st.integers(0, 400) | st.none(),
)
@settings(MODEST, max_examples=150)
@pytest.mark.parametrize("name", ["rv", "date"])
def test_no_binary_data_can_break_it(
    shared: TestClient, name: str, content: bytes, size: int, rows: int, end: int | None
) -> None:
    datatype = "BYTES" if name == "date" else "FP64"
    tensor: dict[str, Any] = {"name": name, "shape": [rows, 3], "datatype": datatype}
    tensor["parameters"] = {"binary_data_size": size}
    good, _ = speaking.in_binary([speaking.numbers("rv", [json_rv(3)])])
    head = json.dumps({"inputs": [tensor]}).encode()
    for body in (head + content, good[: end or len(good)] + content):
        length = str(len(head) if end is None else end)
        answer = shared.post(
            f"/v2/models/{ASSET}~har/infer", content=body, headers={speaking.LENGTH: length}
        )
        assert answer.status_code < 500, answer.text


def _refuse(literal: str) -> float:
    raise AssertionError(f"{literal} is not JSON")
