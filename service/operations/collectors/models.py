"""How old the models are that `auto` means."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from models_store.names import UNIVERSAL
from service.models.catalogue import Catalogue
from service.operations.staleness import auto_cards


class ModelMetrics(Collector):
    """Of one service.

    Parameters
    ----------
    catalogue : its models.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def collect(self) -> Iterator[Metric]:
        """The end of training of what ``auto`` means, and of the model for every asset."""
        trained = GaugeMetricFamily(
            "roughcast_model_trained_until_timestamp_seconds",
            "Beginning of the last day that the model was fitted on: that which `auto` means, and "
            "that for every asset.",
            labels=("asset", "model"),
        )
        for asset, card in auto_cards(self._catalogue):
            trained.add_metric((asset, card.model), _seconds(card.training_end))
        universal = self._catalogue.universal.model
        if universal is not None:
            trained.add_metric((UNIVERSAL, UNIVERSAL), _seconds(universal.manifest.training_end))
        yield trained


def _seconds(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
