"""FastAPI's own OpenTelemetry: a span a request, and how long requests took."""

import os
from importlib.util import find_spec

import structlog
from fastapi.telemetry import TelemetryConfig
from opentelemetry import trace

log = structlog.get_logger("service")

# As OpenTelemetry has them: where all is sent to, or each kind.
ENDPOINTS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
    "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
)


def telemetry() -> TelemetryConfig:
    """What FastAPI records: nothing, unless the environment says where to send it.

    Whoever puts the service into a program of their own may have set up a provider instead.
    To look for one costs a twelfth of a forecast, so nobody does at each request.
    """
    wanted = any(os.environ.get(it) for it in ENDPOINTS)
    installed = find_spec("opentelemetry.sdk") is not None
    if wanted and not installed:
        log.warning("nothing is exported to OpenTelemetry", needed="pip install 'roughcast[otel]'")
    provided = not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    on = installed and (wanted or provided)
    return {"tracing": on, "metrics": on, "logs": on, "auto_configure": wanted}
