"""What Prometheus would read."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from tests.service.client import TestClient

Samples = dict[tuple[str, ...], float]  # by name and the values of labels, these sorted by name


def samples(client: TestClient) -> Samples:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return read(answer.text)


def samples_of(collector: Collector) -> Samples:
    registry = CollectorRegistry()
    registry.register(collector)
    return read(generate_latest(registry).decode())


def read(text: str) -> Samples:
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
