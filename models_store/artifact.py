"""One artifact on disk: how it is written, and everything that is checked before it is used.

::

    manifest.json       what the model is
    coefficients.json   a linear model, or
    model.onnx          a network; see models_store.predictors
    evaluation.npz      its walk-forward forecasts, by target date
    reference.npz       windows of every column the model needs (and the days, where it knows the
                        calendar), and the forecasts that training got for them: replayed at every
                        load
    SHA256SUMS          digests of all of the above, for `sha256sum --check` too
    SHA256SUMS.sig      who published it, if it is signed; see models_store.signatures

``SHA256SUMS`` covers the manifest as well, so one flipped byte anywhere is noticed; its own digest
names the artifact as a whole. In both ``.npz`` the arrays of a horizon that the model is not judged
by begin with its number, as in ``5/forecast``.
"""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from models_store.manifest import Manifest
from models_store.predictors.calendar_adjusted import CalendarAdjustedPredictor
from models_store.predictors.kinds import KINDS
from models_store.predictors.predictor import Predictors
from models_store.runtime import LoadedModel
from models_store.signatures import NO_KEYS, SIGNATURE, SUMS, TrustedKeys
from volatility.arrays import DateArray, FloatArray, Windows
from volatility.evaluation.tracks import ForecastTrack

MANIFEST = "manifest.json"
EVALUATION = "evaluation.npz"
REFERENCE = "reference.npz"

# torch and onnxruntime add float32 in different orders; on log rv that moves a forecast by 1e-6.
REPLAY_TOLERANCE = 1e-5
_FORECAST = "forecast"  # in reference.npz, beside the columns
_SEED = "seed_"  # in evaluation.npz, before each seed whose own forecasts stand beside their mean

# A store is loaded by several threads, and numpy reads an array's header by Python's parser, whose
# recursion depth Python 3.11 counts for all threads together: now and then it refused a sound file.
_parsing_headers = threading.Lock()


AnyManifest = TypeVar("AnyManifest", bound=BaseModel)


class DamagedArtifact(ValueError):
    """An artifact is not what training wrote; the message says which check failed."""


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


def load(folder: Path, version: int, trusted: TrustedKeys = NO_KEYS) -> LoadedModel:
    """Verify the artifact in ``folder`` and open it.

    Raises
    ------
    DamagedArtifact : a file is missing, unlisted or altered, none of the ``trusted`` keys has
        signed it, the manifest does not fit its schema, the model cannot be opened, or replaying
        ``reference.npz`` gives other forecasts.
    """
    digest, manifest = open_verified(folder, Manifest, trusted)
    with refusing("the model cannot be opened"):
        model = LoadedModel(
            manifest=manifest,
            version=version,
            sha256=digest,
            predictors=_open_predictors(folder, manifest),
            tracks=_read_tracks(folder, manifest),
        )
    _check_predictors(model)
    _replay(folder, model)
    return model


def verify_files(folder: Path) -> str:
    """Compare every file with ``SHA256SUMS``; return the digest of the whole artifact.

    Raises
    ------
    DamagedArtifact : a file is missing, unlisted or altered.
    """
    try:
        sums = (folder / SUMS).read_bytes()
        lines = [line.split("  ", 1) for line in sums.decode().splitlines()]
        listed = {name: digest for digest, name in lines}
    except (OSError, ValueError) as error:
        raise DamagedArtifact(f"{SUMS} cannot be read: {error}") from error
    present = {path.name for path in folder.iterdir()} - {SUMS, SIGNATURE}
    if present != set(listed):
        odd = sorted(present ^ set(listed))
        raise DamagedArtifact(f"{SUMS} and the folder disagree on {', '.join(odd)}")
    for name, expected in listed.items():
        try:
            found = _sha256((folder / name).read_bytes())
        except OSError as error:
            raise DamagedArtifact(f"{name} cannot be read: {error}") from error
        if found != expected:
            raise DamagedArtifact(
                f"{name} has sha256 {found[:12]}…, but {SUMS} says {expected[:12]}…"
            )
    return _sha256(sums)


def open_verified(
    folder: Path, schema: type[AnyManifest], trusted: TrustedKeys = NO_KEYS
) -> tuple[str, AnyManifest]:
    """The digest of an artifact whose files are what training wrote, and its manifest.

    Raises
    ------
    DamagedArtifact : as :func:`verify_files`; none of the ``trusted`` keys has signed it; or the
        manifest does not fit its schema.
    """
    digest = verify_files(folder)
    fault = trusted.fault(folder, digest)
    if fault is not None:
        raise DamagedArtifact(fault)
    try:
        return digest, schema.model_validate_json((folder / MANIFEST).read_bytes())
    except ValidationError as error:
        raise DamagedArtifact(f"{MANIFEST} does not fit its schema: {error}") from error


@contextmanager
def refusing(said: str) -> Iterator[None]:
    """Refuse the artifact, whatever onnxruntime, json or numpy raise on a bad file.

    Parameters
    ----------
    said : what is not possible, such as "the model cannot be opened".
    """
    try:
        yield
    except Exception as error:
        raise DamagedArtifact(f"{said}: {error}") from error


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


def _open_predictors(folder: Path, manifest: Manifest) -> Predictors:
    spec = manifest.predictor
    kind = KINDS[spec.kind]
    predictors = kind.load(folder / kind.file, spec, manifest.scale, manifest.lookback)
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


def _read_tracks(folder: Path, manifest: Manifest) -> dict[int, ForecastTrack]:
    arrays = read_arrays(folder / EVALUATION)
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


def _replay(folder: Path, model: LoadedModel) -> None:
    with refusing(f"{REFERENCE} cannot be replayed"):
        windows = dict(read_arrays(folder / REFERENCE))
        horizons = model.manifest.horizons
        expected = {h: windows.pop(_place(h, horizons) + _FORECAST) for h in horizons}
        found = {horizon: model.predict_rv(windows, horizon).rv for horizon in horizons}
        moved = [np.log(found[horizon] / expected[horizon]) for horizon in horizons]
        difference = float(np.max(np.abs(moved)))
    check_replay(difference)


def encode_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays by name, as the content of an ``.npz`` file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        for name, values in arrays.items():
            encoded = io.BytesIO()
            np.lib.format.write_array(encoded, np.asarray(values), allow_pickle=False)
            # As np.savez_compressed, at a level that makes as little of such numbers as its own in
            # two fifths of the time. Without a date, so that the same arrays are the same bytes.
            entry = zipfile.ZipInfo(f"{name}.npy")
            content.writestr(entry, encoded.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=1)
    return buffer.getvalue()


def read_arrays(path: Path) -> Mapping[str, np.ndarray]:
    """Arrays of an ``.npz`` file, by name."""
    # As np.load, which opens each array twice and reads it piece by piece.
    with _parsing_headers, zipfile.ZipFile(path) as content:
        encoded = {name: io.BytesIO(content.read(name)) for name in content.namelist()}
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(it, allow_pickle=False)
            for name, it in encoded.items()
        }


def _to_days(dates: DateArray) -> np.ndarray:
    return dates.astype("datetime64[D]").astype(np.int64)  # npz keeps integers, not dates


def _from_days(days: np.ndarray) -> DateArray:
    return days.astype("datetime64[D]")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
