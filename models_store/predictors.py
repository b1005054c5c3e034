"""The two kinds of fitted model that an artifact can hold, as functions of a window of ``rv``.

Training evaluates the same classes that serving loads: what is scored is what is served.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray

from models_store.manifest import OnnxPredictorSpec
from volatility import regressors
from volatility.arrays import BoolArray, FloatArray, Windows

Scale = Literal["levels", "logs"]

_REGISTER = 16  # float32 values in the widest vector register, of 64 bytes


class Prediction(NamedTuple):
    """What a model says of each row of its windows."""

    values: FloatArray  # (batch,) on the predictor's scale
    diagnostics: Mapping[str, FloatArray]  # (batch, k) each: a network's weights or probabilities


class Predictor(Protocol):
    """A fitted model before bias correction and clipping."""

    @property
    def scale(self) -> Scale:
        """Whether :meth:`predict` returns rv or log rv."""

    @property
    def lookback(self) -> int:
        """Sessions of history in one window."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the windows need besides rv, sorted."""

    def predict(self, windows: Windows) -> Prediction:
        """Predict the next session from (batch, lookback) windows."""


@dataclass(frozen=True)
class LinearPredictor:
    """Intercept plus a weighted sum of regressors of ``rv`` (levels) or ``log_rv`` (logs).

    Regressors of other columns see those as they are, on either scale.
    """

    scale: Scale
    coefficients: Mapping[str, float]  # by regressor, in the order of the design matrix
    intercept: float = 0.0

    @property
    def lookback(self) -> int:
        """Sessions that the longest regressor reaches back."""
        return regressors.lookback_of(tuple(self.coefficients))

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the regressors are made of besides rv, sorted."""
        return regressors.columns_of(tuple(self.coefficients))

    def predict(self, windows: Windows) -> Prediction:
        """Predict the next session from (batch, lookback) windows; (batch,) on ``scale``."""
        names = tuple(self.coefficients)
        design = regressors.build(names, on_scale(windows, self.scale))  # (batch, regressors)
        # Term by term rather than by a matrix product: BLAS adds in another order for one row
        # than for many, and a forecast must not depend on the batch it came in.
        prediction = np.full(len(design), self.intercept)
        for column, coefficient in zip(design.T, self.coefficients.values(), strict=True):
            prediction += coefficient * column
        return Prediction(prediction, {})

    def to_json(self) -> bytes:
        """``coefficients.json``, for people to read as much as for :meth:`from_json`."""
        content = {"intercept": self.intercept, "coefficients": dict(self.coefficients)}
        return (json.dumps(content, indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, content: bytes, scale: Scale, names: tuple[str, ...]) -> "LinearPredictor":
        """Read ``coefficients.json``.

        Raises
        ------
        ValueError : the file is not of this form, or names other regressors than ``names``.
        """
        fields = json.loads(content)
        coefficients = {name: float(value) for name, value in fields["coefficients"].items()}
        if tuple(coefficients) != names:
            raise ValueError(f"coefficients.json names {tuple(coefficients)}, the manifest {names}")
        return cls(scale=scale, coefficients=coefficients, intercept=float(fields["intercept"]))


@dataclass(frozen=True)
class OnnxPredictor:
    """A network on the logs scale: raw ``log_rv`` in, ``log_rv`` of the next session out."""

    session: ort.InferenceSession
    spec: OnnxPredictorSpec
    lookback: int
    scale: Scale = "logs"
    columns: tuple[str, ...] = ()

    @classmethod
    def from_file(cls, path: Path, spec: OnnxPredictorSpec, lookback: int) -> "OnnxPredictor":
        """Open ``model.onnx`` on one thread of the CPU."""
        options = ort.SessionOptions()
        # One thread, not spinning: a forecast takes a tenth of a millisecond, and a service that
        # holds dozens of sessions must leave the cores to its requests.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return cls(session, spec, lookback)

    def predict(self, windows: Windows) -> Prediction:
        """Predict the next session from (batch, lookback) windows; (batch,) log rv.

        Row by row: matrix kernels for one row and for many differ in the last bits, and a forecast
        must not depend on the batch it came in.
        """
        names, given = self.spec.outputs, self.spec.input
        log_rv = _aligned(np.log(windows["rv"]))
        rows = [self.session.run(names, {given: row[None, :]}) for row in log_rv]
        if not rows:
            return Prediction(np.empty(0), {})
        diagnostics = enumerate(self.spec.diagnostics, start=1)
        return Prediction(_joined(rows, 0), {name: _joined(rows, at) for at, name in diagnostics})


def _joined(rows: Sequence[Sequence[NDArray[np.float32]]], output: int) -> FloatArray:
    """One output of every row."""
    return np.concatenate([row[output] for row in rows]).astype(np.float64)


def _aligned(values: FloatArray) -> NDArray[np.float32]:
    """A copy as float32, (batch, n), in which every row begins where a vector register may.

    Kernels take the values before such a place one by one, and so add them in another order: the
    same row would give other last bits wherever in memory it happens to stand.
    """
    count, length = values.shape
    width = -(-length // _REGISTER) * _REGISTER
    memory = np.empty(count * width + _REGISTER, np.float32)
    start = -(memory.ctypes.data // memory.itemsize) % _REGISTER
    rows = memory[start : start + count * width].reshape(count, width)[:, :length]
    rows[:] = values
    return rows


def on_scale(windows: Windows, scale: Scale) -> Windows:
    """Windows as a model on ``scale`` sees them: on the logs scale rv is logged, and rv alone."""
    return {**windows, "rv": np.log(windows["rv"])} if scale == "logs" else windows


class Bounds(NamedTuple):
    """What of rv was seen in training, and so what a forecast may be; decimal² per day."""

    low: float
    high: float
    mean: float

    @classmethod
    def of(cls, rv: FloatArray) -> "Bounds":
        """Bounds of (n,) rv."""
        return cls(float(rv.min()), float(rv.max()), float(rv.mean()))


def to_rv(
    prediction: FloatArray, scale: Scale, residual_variance: float, bounds: Bounds
) -> tuple[FloatArray, BoolArray]:
    r"""Move predictions to the mean of ``rv`` and keep them inside the range seen in training.

    Parameters
    ----------
    prediction : (batch,) rv on the levels scale, log rv on the logs scale.
    scale : which of the two.
    residual_variance : variance of the log residuals; used on the logs scale.
    bounds : of ``rv`` in training.

    Returns
    -------
    (batch,) ``rv``, and (batch,) whether it is something else than the prediction.

    Notes
    -----
    If log rv given the past is normal with variance :math:`s^2`, the mean of rv is
    :math:`\exp(\mu + s^2/2)`. The range is the "insanity filter" of Swanson & White (1997): no
    model has seen beyond its data. A linear model in levels that predicts a negative variance has
    said nothing about its size, and least of all that it is the smallest ever seen: as in
    Bollerslev, Patton & Quaedvlieg (2016) the mean takes its place.
    """
    rv = np.exp(prediction + 0.5 * residual_variance) if scale == "logs" else prediction
    kept = np.minimum(np.maximum(rv, bounds.low), bounds.high)  # np.clip takes three times as long
    if scale == "levels" and (rv <= 0).any():
        kept = np.where(rv <= 0, bounds.mean, kept)
    return kept, kept != rv
