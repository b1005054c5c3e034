"""One artifact on disk: how it is written, and everything that is checked before it is used.

::

    manifest.json       what the model is
    coefficients.json   a linear model, or
    model.onnx          a network; see models_store.predictors
    evaluation.npz      its walk-forward forecasts, by target date
    reference.npz       windows of every column the model needs (and the days, where it knows the
                        calendar), and the forecasts that training got for them: replayed when it
                        is first opened
    SHA256SUMS          digests of all of the above, for `sha256sum --check` too
    SHA256SUMS.sig      who published it, if it is signed; see models_store.signatures

``SHA256SUMS`` covers the manifest as well, so one flipped byte anywhere is noticed; its own digest
names the artifact as a whole. In both ``.npz`` the arrays of a horizon that the model is not judged
by begin with its number, as in ``5/forecast``.
"""

import hashlib
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from models_store import limits
from models_store.evidence import Evidence
from models_store.files import ArtifactFiles, DamagedArtifact, refusing
from models_store.graph_cost import ROWS
from models_store.manifest import Manifest
from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor
from models_store.predictors.kinds import KINDS
from models_store.predictors.predictor import Predictors, PredictsTogether
from models_store.predictors.time_limit import check_time, in_time
from models_store.runtime import LoadedModel
from models_store.signatures import NO_KEYS, SUMS, TrustedKeys
from volatility.arrays import DateArray, FloatArray, Windows
from volatility.evaluation.tracks import ForecastTrack
from volatility.npz import encode_arrays, read_arrays
from volatility.series import to_rv

MANIFEST = "manifest.json"
EVALUATION = "evaluation.npz"
REFERENCE = "reference.npz"

# torch and onnxruntime add float32 in different orders; on log rv that moves a forecast by 1e-6.
REPLAY_TOLERANCE = 1e-5
_FORECAST = "forecast"  # in reference.npz, beside the columns
_SEED = "seed_"  # in evaluation.npz, before each seed whose own forecasts stand beside their mean


AnyManifest = TypeVar("AnyManifest", bound=BaseModel)


def encode(
    manifest: Manifest,
    model_file: bytes,
    tracks: Mapping[int, ForecastTrack],
    reference: Windows,
    reference_rv: Mapping[int, FloatArray],
) -> dict[str, bytes]:
    """The files of an artifact, by name.

    Parameters
    ----------
    manifest : what the model is.
    model_file : content of the file that the predictor's kind writes.
    tracks : by horizon, out-of-sample walk-forward forecasts.
    reference : windows of rv, of the manifest's columns and, where there are calendar effects, of
        the day; (batch, lookback) each.
    reference_rv : by horizon, (batch,) forecasts that training got for them, decimal² per day.
    """
    horizons = manifest.horizons
    forecasts = {_place(h, horizons) + _FORECAST: reference_rv[h] for h in horizons}
    evaluation = {
        _place(horizon, horizons) + name: values
        for horizon in horizons
        for name, values in _arrays_of(tracks[horizon]).items()
    }
    return with_sums(
        {
            MANIFEST: (manifest.model_dump_json(indent=2) + "\n").encode(),
            KINDS[manifest.predictor.kind].file: model_file,
            EVALUATION: encode_arrays(evaluation),
            REFERENCE: encode_arrays({**reference, **forecasts}),
        }
    )


def with_sums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of an artifact, by name, with their digests."""
    sums = "".join(f"{_sha256(content)}  {name}\n" for name, content in sorted(files.items()))
    return {**files, SUMS: sums.encode()}


def load(
    folder: Path, version: int, trusted: TrustedKeys = NO_KEYS, replayed: Container[str] = ()
) -> LoadedModel:
    """Verify the artifact in ``folder`` and open it.

    Parameters
    ----------
    folder : its place.
    version : its number.
    trusted : by whose keys it must be signed, if any are given.
    replayed : digests of artifacts that this process has replayed: of the same files it would get
        the same forecasts again.

    Raises
    ------
    UnreadableArtifact : a file cannot be read at present.
    DamagedArtifact : a file is missing, unlisted or altered, none of the ``trusted`` keys has
        signed it, the manifest does not fit its schema, the model cannot be opened, or replaying
        ``reference.npz`` gives other forecasts.
    """
    files, manifest = _open_verified(folder, trusted)
    evidence = _evidence(files, manifest, version)
    with opening_in_time():
        with refusing("the model cannot be opened"):
            predictors = _open_predictors(files, manifest)
        model = LoadedModel(
            manifest=manifest,
            version=version,
            sha256=files.sha256,
            tracks=evidence.tracks,
            predictors=predictors,
        )
        _check_predictors(model)
        if model.sha256 not in replayed:
            _replay(files, model)
    return model


@contextmanager
def opening_in_time() -> Iterator[None]:
    """Refuse an artifact whose opening and replaying take longer than any does."""
    with refusing("the model is not opened"), in_time("that", limits.MAX_OPENING_SECONDS):
        yield


def read_evidence(folder: Path, version: int, trusted: TrustedKeys = NO_KEYS) -> Evidence:
    """Verify the files of the artifact in ``folder``, and read all but the model itself.

    Raises
    ------
    DamagedArtifact : a file is missing, unlisted or altered, none of the ``trusted`` keys has
        signed it, the manifest does not fit its schema, or ``evaluation.npz`` cannot be read.
    """
    files, manifest = _open_verified(folder, trusted)
    return _evidence(files, manifest, version)


def open_verified(
    folder: Path, schema: type[AnyManifest], trusted: TrustedKeys = NO_KEYS
) -> tuple[ArtifactFiles, AnyManifest]:
    """The files of an artifact, which are what training wrote, and its manifest.

    Raises
    ------
    DamagedArtifact : as :meth:`ArtifactFiles.read`, or the manifest does not fit its schema.
    """
    files = ArtifactFiles.read(folder, trusted)
    with refusing(f"{MANIFEST} does not fit its schema"):
        return files, schema.model_validate_json(files[MANIFEST])


def _open_verified(folder: Path, trusted: TrustedKeys) -> tuple[ArtifactFiles, Manifest]:
    files, manifest = open_verified(folder, Manifest, trusted)
    kind = KINDS[manifest.predictor.kind]
    files.check_names((MANIFEST, kind.file, EVALUATION, REFERENCE))
    return files, manifest


def check_replay(difference: float) -> None:
    """Refuse an artifact whose forecasts of ``reference.npz`` are not those that training got.

    Parameters
    ----------
    difference : the largest, in logs.

    Raises
    ------
    DamagedArtifact : it is above :data:`REPLAY_TOLERANCE`.
    """
    if not difference <= REPLAY_TOLERANCE:  # also true for NaN
        raise DamagedArtifact(
            f"replaying {REFERENCE} moves log rv by {difference:.2g}; "
            f"at most {REPLAY_TOLERANCE:g} is accepted"
        )


def _evidence(files: ArtifactFiles, manifest: Manifest, version: int) -> Evidence:
    with refusing(f"{EVALUATION} cannot be read"):
        tracks = _read_tracks(files, manifest)
    return Evidence(manifest, version, files.sha256, tracks)


def _open_predictors(files: ArtifactFiles, manifest: Manifest) -> Predictors:
    spec = manifest.predictor
    kind = KINDS[spec.kind]
    predictors = kind.load(files[kind.file], spec, manifest.scale, manifest.lookback)
    effects = manifest.calendar_effects
    if effects is None:
        return predictors
    return {
        horizon: CalendarAdjustedPredictor(inner, effects, manifest.calendar, horizon)
        for horizon, inner in predictors.items()
    }


def _check_predictors(model: LoadedModel) -> None:
    named, predictors = model.manifest, model.predictors
    if set(predictors) != set(named.horizons):
        raise DamagedArtifact(
            f"{MANIFEST} names the horizons {list(named.horizons)}, "
            f"but the model forecasts {list(predictors)}"
        )
    needed = sorted({column for it in predictors.values() for column in it.columns})
    if needed != sorted(named.columns):
        raise DamagedArtifact(
            f"{MANIFEST} names the columns {named.columns}, but the model needs {tuple(needed)}"
        )


def _read_tracks(files: ArtifactFiles, manifest: Manifest) -> dict[int, ForecastTrack]:
    arrays = read_arrays(files[EVALUATION])
    return {
        horizon: _track(arrays, _place(horizon, manifest.horizons), manifest.model, horizon)
        for horizon in manifest.horizons
    }


def _track(arrays: Mapping[str, np.ndarray], place: str, model: str, horizon: int) -> ForecastTrack:
    seeds = place + _SEED
    return ForecastTrack(
        model=model,
        as_of=_from_days(arrays[place + "as_of"]),
        target_dates=_from_days(arrays[place + "target_dates"]),
        forecast=arrays[place + "forecast"],
        rv=arrays[place + "rv"],
        horizon=horizon,
        by_seed={
            int(name.removeprefix(seeds)): values
            for name, values in arrays.items()
            if name.startswith(seeds)
        },
    )


def _arrays_of(track: ForecastTrack) -> dict[str, np.ndarray]:
    return {
        "as_of": _to_days(track.as_of),
        "target_dates": _to_days(track.target_dates),
        "forecast": track.forecast,
        "rv": track.rv,
        **{f"{_SEED}{seed}": forecast for seed, forecast in track.by_seed.items()},
    }


def _place(horizon: int, horizons: Sequence[int]) -> str:
    """What the names of a horizon's arrays begin with."""
    return "" if horizon == horizons[0] else f"{horizon}/"


def _replay(files: ArtifactFiles, model: LoadedModel) -> None:
    with refusing(f"{REFERENCE} cannot be replayed"):
        windows = dict(read_arrays(files[REFERENCE]))
        horizons = model.manifest.horizons
        expected = {h: windows.pop(_place(h, horizons) + _FORECAST) for h in horizons}
        limits.check_reference(max(map(len, windows.values())))
        # So many at a time as the cost of a graph is told for.
        parts = [
            _replayed(model, {name: it[at : at + ROWS] for name, it in windows.items()})
            for at in range(0, len(windows["rv"]), ROWS)
        ]
        found = {horizon: np.concatenate([it[horizon] for it in parts]) for horizon in horizons}
        moved = [np.log(found[horizon] / expected[horizon]) for horizon in horizons]
        difference = float(np.max(np.abs(moved)))
    check_replay(difference)


def _replayed(model: LoadedModel, windows: Windows) -> dict[int, FloatArray]:
    """Mean rv that the model says of windows, by horizon."""
    check_time()
    horizons, scale = model.manifest.horizons, model.manifest.scale
    first, *_ = predictors = [model.predictors[it] for it in horizons]
    if not isinstance(first, PredictsTogether):
        return {it: model.predict_rv(windows, it).rv for it in horizons}
    found = {}
    for horizon, values in zip(horizons, first.predict_together(predictors, windows), strict=True):
        at = model.at(horizon)
        found[horizon] = to_rv(values, scale, at.known.residual_variance, at.bounds)[0]
    return found


def _to_days(dates: DateArray) -> np.ndarray:
    return dates.astype("datetime64[D]").astype(np.int64)  # npz keeps integers, not dates


def _from_days(days: np.ndarray) -> DateArray:
    return days.astype("datetime64[D]")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
