"""Traces, where somebody wants them."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import util
from importlib.machinery import ModuleSpec
from threading import Thread
from typing import Any

import httpx
import pytest
import structlog
from opentelemetry import trace

from service.app import create_app
from service.operations import telemetry as module
from service.operations.telemetry import telemetry
from service.settings import Settings
from tests.service.client import TestClient
from tests.service.patience import eventually
from tests.service.processes import serving
from tests.service.worlds import ASSET, clock

# As OpenTelemetry documents them.
ENDPOINTS = tuple(
    f"OTEL_EXPORTER_OTLP_{kind}ENDPOINT" for kind in ("", "TRACES_", "METRICS_", "LOGS_")
)
ON = {"tracing": True, "metrics": True, "logs": True, "auto_configure": True}
OFF = dict.fromkeys(ON, False)


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)


def install(monkeypatch: pytest.MonkeyPatch, is_there: bool) -> None:
    def found(name: str) -> ModuleSpec | None:
        if name != "opentelemetry.sdk":
            return util.find_spec(name)
        return ModuleSpec(name, None) if is_there else None

    monkeypatch.setattr(module, "find_spec", found)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_it_is_on_where_the_environment_says_where_to(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    install(monkeypatch, is_there=True)
    assert telemetry() == OFF
    monkeypatch.setenv(name, "http://127.0.0.1:4318")
    assert telemetry() == ON


def test_without_the_extra_it_is_said_that_nothing_is_exported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, is_there=False)
    with structlog.testing.capture_logs() as lines:
        assert telemetry() == OFF
        assert lines == []
        monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:4318")
        assert telemetry() == OFF | {"auto_configure": True}
    assert [(it["event"], it["needed"]) for it in lines] == [
        ("nothing is exported to OpenTelemetry", "pip install 'roughcast[otel]'")
    ]


def test_a_span_has_the_name_of_its_route(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")
    exporter, provider = memory.InMemorySpanExporter(), sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    with TestClient(create_app(settings, clock)) as client:
        client.get(f"/forecast/{ASSET}").raise_for_status()
        client.get("/forecast/DOGE")
    spans = [it for it in exporter.get_finished_spans() if it.parent is None]
    found = [
        (it.name, it.attributes["http.route"], it.attributes["http.response.status_code"])
        for it in spans
    ]
    route = "/forecast/{asset}"
    assert found == [(f"GET {route}", route, 200), (f"GET {route}", route, 404)]


class Collector(BaseHTTPRequestHandler):
    """Takes what a process exports."""

    taken: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self.taken.append((self.path, content))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    taken: list[tuple[str, bytes]] = []
    server = HTTPServer(("127.0.0.1", 0), type("Own", (Collector,), {"taken": taken}))
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_process_exports_to_where_its_environment_says(
    settings: Settings,
    collector: tuple[str, list[tuple[str, bytes]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("opentelemetry.sdk")
    url, taken = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "roughcast-under-test")
    with serving(settings) as served:
        httpx.get(f"http://127.0.0.1:{served.port}/forecast/{ASSET}").raise_for_status()
        eventually(lambda: any(b"GET /forecast/{asset}" in it for _, it in taken))
    paths = [path for path, it in taken if b"GET /forecast/{asset}" in it]
    assert set(paths) == {"/v1/traces"}
    assert all(b"roughcast-under-test" in it for path, it in taken if path == "/v1/traces")
