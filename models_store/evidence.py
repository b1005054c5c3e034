"""What an artifact says of itself, and how it did: all that comparing models needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from models_store.manifest import Manifest
from volatility.evaluation.tracks import ForecastTrack


@dataclass(frozen=True)
class Evidence:
    """One version of a model whose files are what was published.

    Attributes
    ----------
    manifest : what the model is.
    version : its number in the store.
    sha256 : digest of the whole artifact (of its ``SHA256SUMS``).
    tracks : by horizon, its out-of-sample forecasts.
    """

    manifest: Manifest
    version: int
    sha256: str
    tracks: Mapping[int, ForecastTrack]

    @property
    def track(self) -> ForecastTrack:
        """Forecasts of the horizon that the model was judged by."""
        return self.tracks[self.manifest.horizons[0]]


AnyEvidence = TypeVar("AnyEvidence", bound=Evidence)
