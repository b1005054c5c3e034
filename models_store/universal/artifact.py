"""A universal model on disk.

::

    manifest.json       what it is: see models_store.universal.manifest
    model.onnx          its network
    reference.npz       simulated histories, and the forecasts that training got for them: replayed
                        at every load
    SHA256SUMS          digests of all of the above

No series of an asset that it was fitted on is in it, nor anything one could be restored from.
"""

from pathlib import Path

import numpy as np

from models_store.artifact import (
    MANIFEST,
    REFERENCE,
    check_replay,
    open_verified,
    opening_in_time,
    with_sums,
)
from models_store.files import refusing
from models_store.limits import check_reference
from models_store.predictors.pooled_graph import PooledGraph
from models_store.signatures import NO_KEYS, TrustedKeys
from models_store.universal.manifest import UniversalManifest
from models_store.universal.model import UniversalModel
from volatility.arrays import FloatArray, Windows
from volatility.npz import encode_arrays, read_arrays

MODEL = "model.onnx"
REFERENCE_KIND, REFERENCE_MEASURE, REFERENCE_CALENDAR = "stock", "garman_klass", "XNYS"
_FORECAST = "forecast"  # in reference.npz, beside the columns


def encode(
    manifest: UniversalManifest, graph: bytes, reference: Windows, log_forecasts: FloatArray
) -> dict[str, bytes]:
    """The files of an artifact, by name.

    Parameters
    ----------
    manifest : what the model is.
    graph : content of ``model.onnx``.
    reference : (n, 250) histories of a stock in New York, by column and with the day.
    log_forecasts : (n, horizons) what training got for them.
    """
    return with_sums(
        {
            MANIFEST: (manifest.model_dump_json(indent=2) + "\n").encode(),
            MODEL: graph,
            REFERENCE: encode_arrays({**reference, _FORECAST: log_forecasts}),
        }
    )


def load(folder: Path, version: int, trusted: TrustedKeys = NO_KEYS) -> UniversalModel:
    """Verify the artifact in ``folder`` and open it.

    Raises
    ------
    DamagedArtifact : a file is missing, unlisted or altered, none of the ``trusted`` keys has
        signed it, the manifest does not fit its schema, the network cannot be opened, or replaying
        ``reference.npz`` gives other forecasts.
    """
    files, manifest = open_verified(folder, UniversalManifest, trusted)
    files.check_names((MANIFEST, MODEL, REFERENCE))
    with opening_in_time():
        with refusing("the model cannot be opened"):
            graph = PooledGraph.of(files[MODEL])
            model = UniversalModel(manifest, version, files.sha256, graph)
        with refusing(f"{REFERENCE} cannot be replayed"):
            windows = dict(read_arrays(files[REFERENCE]))
            expected = windows.pop(_FORECAST)
            check_reference(len(expected))
            difference = float(np.abs(reference_forecasts(model, windows) - expected).max())
        check_replay(difference)
    return model


def reference_forecasts(model: UniversalModel, reference: Windows) -> FloatArray:
    """Logs of what a model says of reference histories, (n, horizons)."""
    predictors = model.predictors(
        REFERENCE_KIND, REFERENCE_CALENDAR, REFERENCE_MEASURE, model.manifest.columns
    )
    return np.stack([it.predict(reference).values for it in predictors.values()], axis=1)
