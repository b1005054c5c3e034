"""The contract between fitting and serving: manifest, store and runtime.

``training`` publishes artifacts into a :class:`~models_store.store.Store`; ``service`` loads them
from it and turns a history into a forecast through :class:`~models_store.runtime.LoadedModel`.
Both sides run the same lines, so a forecast in an evaluation, in a notebook and over HTTP is the
same number.
"""

from models_store.calibration import Calibration
from models_store.errors import ArtifactRefused, PredictionFailed
from models_store.evidence import Evidence
from models_store.explanation import Explanation
from models_store.forecast import Forecast, ForecastInput, Interval, Quantile
from models_store.manifest import Manifest
from models_store.place import Card, Refusal
from models_store.runtime import LoadedModel
from models_store.shelf import Shelf
from models_store.shipped import open_store
from models_store.store import Store
from models_store.universal.asset_model import UniversalAssetModel
from models_store.universal.model import UniversalModel

__all__ = [
    "ArtifactRefused",
    "Calibration",
    "Card",
    "Evidence",
    "Explanation",
    "Forecast",
    "ForecastInput",
    "Interval",
    "LoadedModel",
    "Manifest",
    "PredictionFailed",
    "Quantile",
    "Refusal",
    "Shelf",
    "Store",
    "UniversalAssetModel",
    "UniversalModel",
    "open_store",
]
