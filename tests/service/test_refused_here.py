"""What a service refuses of what it holds, serves or can reach: found, and needed for it."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from service.assets.database import HeldAsset
from service.assets.holdings import Holdings
from service.assets.known import PastHoldings
from service.database.base import Timeouts
from service.database.opening import open_database
from service.forecasts import choosing
from service.forecasts.readiness import models_ready
from service.forecasts.replay import brings_its_own, in_batch
from service.forecasts.requests import ForecastRequest
from service.http.errors import DatabaseUnavailable
from service.ledger.reading import Ledger
from service.models import commands
from service.models.writing import written
from service.operations.telemetry import telemetry
from service.settings import Settings
from tests.errors import details
from tests.service.client import TestClient
from tests.service.worlds import ASSET
from volatility.errors import RoughcastError

HELD = HeldAsset("A", "XNYS", "garman_klass", 3_600, "sent over HTTP", "stock")
NOTHING: Any = SimpleNamespace(find=lambda *_: None, get=lambda _: None, flush=lambda: None)
NOON = datetime(2021, 1, 5, 12, tzinfo=UTC)
REPLAYED = ForecastRequest(history={"rv": [1e-4]}, known_at=NOON)  # type: ignore[arg-type]

WRITABLE = (
    "a store that this process may write to, or python -m service models on a machine that may"
)


def raising(error: RoughcastError) -> Callable[[], object]:
    def refuse() -> None:
        raise error

    return refuse


def unwritable() -> None:
    raise PermissionError(13, "Permission denied")


def nameless() -> None:
    raise OSError


CASES: list[tuple[Callable[[], object], str, str | None, object, str | None]] = [
    (
        lambda: Holdings.get(SimpleNamespace(_held={}), "A"),  # type: ignore[arg-type]
        "no_history",
        "history",
        None,
        "history in the request, or held bars",
    ),
    (
        raising(PastHoldings._nothing_of(NOTHING, "A")),
        "no_history",
        "asset",
        "A",
        "an asset that has not been deleted since",
    ),
    (
        raising(choosing._shorter_than_a_day(HELD)),
        "unknown_model",
        "model",
        "universal",
        "an asset with daily bars, or one of its own models",
    ),
    (
        raising(choosing._needs_bars()),
        "missing_columns",
        "history",
        "rv alone",
        "daily bars, of 22 sessions or more",
    ),
    (
        raising(brings_its_own(REPLAYED)),
        "known_at_with_history",
        "known_at",
        "2021-01-05 12:00:00+00:00",
        "either known_at or history",
    ),
    (
        raising(in_batch(NOON)),
        "known_at_in_batch",
        "known_at",
        "2021-01-05T12:00:00+00:00",
        "POST /forecast, or items without known_at",
    ),
    (
        lambda: Ledger(*[NOTHING] * 5).find("a1"),
        "unknown_forecast",
        "forecast_id",
        "a1",
        "the forecast_id of an answer from held history",
    ),
    (
        lambda: Ledger(*[NOTHING] * 5).performance("A", 1),
        "no_history",
        "asset",
        "A",
        "a held asset",
    ),
    *(
        (
            lambda write=write: written(write),
            "store_not_writable",
            "store",
            why,
            WRITABLE,
        )
        for write, why in ((unwritable, "Permission denied"), (nameless, "OSError"))
    ),
    (
        lambda: commands.run(Namespace(run=commands._list), Settings(store=Path("there/is/none"))),
        "invalid_setting",
        "store",
        None,
        "the store that the service is served from",
    ),
]


@pytest.mark.parametrize(("refused", "code", "field", "found", "needed"), CASES)
def test_a_refusal_says_what_is_wrong_where_and_what_is_needed(
    refused: Callable[[], object], code: str, field: str, found: object, needed: str
) -> None:
    with pytest.raises(RoughcastError) as error:
        refused()
    assert (error.value.code, details(error.value)) == (code, (field, found, needed))


def test_a_postgresql_needs_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "service.database.postgres", None)
    with pytest.raises(RoughcastError, match=r"pip install 'roughcast\[postgres\]'") as error:
        open_database("postgresql://user@host/name", Timeouts.of(Settings()))
    assert (error.value.code, details(error.value)) == (
        "invalid_setting",
        ("database_url", None, "the extra postgres"),
    )


@pytest.mark.parametrize(
    ("stopping", "models", "found", "needed", "why"),
    [
        (True, {"A": 2}, None, "another process to ask", "the service has been told to stop"),
        (False, {}, 0, "at least one model in the store", "the store / holds no models in service"),
        (False, {"A": 2}, None, "a database", "it is away"),
    ],
)
def test_why_it_is_not_ready(
    stopping: bool, models: dict[str, int], found: object, needed: str, why: str
) -> None:
    async def away(_ping: object) -> None:
        raise DatabaseUnavailable("it is away", needed="a database")

    catalogue: Any = SimpleNamespace(
        numbers=lambda: models,
        universal=SimpleNamespace(version=None),
        shelf=SimpleNamespace(refused=()),
        store=SimpleNamespace(root="/"),
    )
    holdings: Any = SimpleNamespace(store=SimpleNamespace(ping=None))
    lanes: Any = SimpleNamespace(probes=SimpleNamespace(run=away))
    draining: Any = SimpleNamespace(begun=stopping)
    with pytest.raises(RoughcastError) as error:
        asyncio.run(models_ready(catalogue, holdings, lanes, draining))
    assert (error.value.code, str(error.value)) == ("not_ready", why)
    assert details(error.value) == (None, found, needed)


def test_models_are_counted_with_the_one_for_every_asset() -> None:
    async def there(_ping: object) -> None: ...

    for version, number in ((None, 5), (0, 6), (9, 6)):
        catalogue: Any = SimpleNamespace(
            numbers=lambda: {"A": 2, "B": 3}, universal=SimpleNamespace(version=version)
        )
        holdings: Any = SimpleNamespace(store=SimpleNamespace(ping=None))
        lanes: Any = SimpleNamespace(probes=SimpleNamespace(run=there))
        draining: Any = SimpleNamespace(begun=False)
        assert asyncio.run(models_ready(catalogue, holdings, lanes, draining)) == number


def test_a_news_impact_curve_needs_two_sessions(client: TestClient) -> None:
    bar = {"date": "2021-02-03", "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5}
    asked = {"asset": ASSET, "model": "last_value", "history": {"bars": [bar]}}
    answer = client.post("/news-impact", json=asked)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "history_too_short")
    said = problem["field"], problem["found"], problem["needed"]
    assert said == ("history", 1, "at least two sessions")


def test_what_exports_telemetry_is_told_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr("service.operations.telemetry.find_spec", lambda _: None)
    monkeypatch.setattr(
        "service.operations.telemetry.log",
        SimpleNamespace(warning=lambda event, **more: told.append((event, more))),
    )
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://there")
    off = {"tracing": False, "metrics": False, "logs": False}
    assert telemetry() == off | {"auto_configure": True}
    needed = {"needed": "pip install 'roughcast[otel]'"}
    assert told == [("nothing is exported to OpenTelemetry", needed)]


def test_the_length_of_bars_is_told() -> None:
    error = choosing._shorter_than_a_day(replace(HELD, bar_interval=60))
    assert str(error) == "universal forecasts from daily bars; A has bars of 60 seconds"
