r"""The network of a model for every asset, and the regression inside it, read out of its graph.

.. math:: g(x, q) = b + \sum_j w_j z_j + e(z, q), \quad
          z_j = \mathrm{clip}\big((x_j - \mu_j) / \sigma_j, -8, 8\big)

with regressors x and what the encoders e make of them and of the newest sessions q. Means,
deviations, intercepts and slopes are constants of the graph, by the names below: whoever exports
such a network keeps them, and a graph without them has no regression to tell of.
"""

import hashlib
from dataclasses import dataclass, replace
from weakref import WeakValueDictionary

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
from numpy.typing import NDArray

from models_store.predictors.network import open_session
from models_store.predictors.onnx_file import float_constants
from models_store.predictors.time_limit import run_options
from volatility.arrays import FloatArray

LIMIT = 8.0  # deviations beyond which a regressor says no more
MEAN, DEVIATION, INTERCEPTS, SLOPES = "mean", "deviation", "intercepts", "slopes"  # in the graph
AnyFloat = NDArray[np.float32] | NDArray[np.float64]

_CHUNK = 16  # rows a run: a row then costs a third of what it does alone
_TRIED = 20  # rows: a chunk and a part of one
_REGRESSORS, _SEQUENCE, _OUTPUT = "regressors", "sequence", "log_rv"


@dataclass(frozen=True, eq=False)
class PooledRegression:
    """A regression on standardized regressors.

    Attributes
    ----------
    mean, deviation : of each regressor over the panel, (k,).
    intercepts : (horizons,).
    slopes : (k, horizons), per deviation.
    """

    mean: FloatArray
    deviation: FloatArray
    intercepts: FloatArray
    slopes: FloatArray

    @classmethod
    def of(cls, graph: bytes, regressors: int, outputs: int) -> "PooledRegression | None":
        """That of a graph, from the content of its file; None where it has none.

        Parameters
        ----------
        graph : content of the file.
        regressors, outputs : how many the graph takes and gives.

        Raises
        ------
        ValueError : the file is no ONNX file; a constant has another shape than these ask for, or a
            value that is not finite; a deviation is not above zero.
        """
        shapes = {
            MEAN: (regressors,),
            DEVIATION: (regressors,),
            INTERCEPTS: (outputs,),
            SLOPES: (regressors, outputs),
        }
        constants = float_constants(graph)
        if any(name not in constants for name in shapes):
            return None
        for name, shape in shapes.items():
            _check(name, constants[name], shape)
        return cls(*(constants[name].astype(np.float64) for name in shapes))

    def added(self, regressors: NDArray[np.float32], output: int) -> FloatArray:
        """What each of (batch, k) regressors adds to an output of the network; (batch, k)."""
        scaled = ((regressors - self.mean) / self.deviation).clip(-LIMIT, LIMIT)
        return np.asarray(scaled * self.slopes[:, output])


def _check(name: str, values: NDArray[np.float32], shape: tuple[int, ...]) -> None:
    if values.shape != shape:
        raise ValueError(f"the constant {name} has the shape {values.shape}; needed: {shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"the constant {name} has values that are not finite")
    if name == DEVIATION and not (values > 0).all():
        raise ValueError(f"the constant {name} has values of zero or below; needed: above zero")


@dataclass(frozen=True)
class PooledGraph:
    """The network of a model for every asset, in ``model.onnx``.

    Attributes
    ----------
    content : of its file.
    session : that runs it.
    regression : the part of the network that is a regression, if it has one.
    chunk : rows a run.
    """

    content: bytes
    session: ort.InferenceSession
    regression: PooledRegression | None
    chunk: int = _CHUNK

    @classmethod
    def of(cls, content: bytes) -> "PooledGraph":
        """Open a graph on one thread of the CPU, from the content of its file.

        The models of a thousand assets may hold one graph: while open it is not opened again.
        It is run in chunks where rows have the same bits alone and in chunks, which depends on the
        kernels of the machine and is tried on random rows; row by row elsewhere.

        Raises
        ------
        ValueError : the constants of its regression do not fit its inputs and outputs.
        Whatever onnxruntime raises on a file that is no graph.
        """
        digest = hashlib.sha256(content).digest()
        known = _open.get(digest)
        if known is None:
            known = _open[digest] = cls._opened(content)
        return known

    @classmethod
    def _opened(cls, content: bytes) -> "PooledGraph":
        session = open_session(content)
        rng = np.random.default_rng(0)
        given = [rng.normal(size=(_TRIED, *it.shape[1:])) for it in session.get_inputs()]
        silent = cls(content, session, None).alike(*given)
        said = silent.run(*(it[:1] for it in given))
        regression = PooledRegression.of(content, given[0].shape[1], said.shape[1])
        return replace(silent, regression=regression)

    def __reduce__(self) -> tuple[object, ...]:
        """Between processes goes the file's content; a session cannot."""
        return _reopen, (self.content, self.chunk)

    def run(self, regressors: AnyFloat, sequence: AnyFloat) -> FloatArray:
        """From (batch, k) regressors and (batch, 22, 4) sequences to (batch, horizons) logs."""
        columns = regressors.astype(np.float32), sequence.astype(np.float32)
        parts = [
            self._run(*(it[start : start + self.chunk] for it in columns))
            for start in range(0, len(regressors), self.chunk)
        ]
        return np.concatenate(parts).astype(np.float64)

    def _run(
        self, regressors: NDArray[np.float32], sequence: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        given = {_REGRESSORS: regressors, _SEQUENCE: sequence}
        output: NDArray[np.float32] = self.session.run([_OUTPUT], given, run_options())[0]
        return output

    def alike(self, regressors: AnyFloat, sequence: AnyFloat) -> "PooledGraph":
        """The same graph, run row by row unless rows have the same bits alone and in chunks."""
        alone = replace(self, chunk=1)
        together = np.array_equal(self.run(regressors, sequence), alone.run(regressors, sequence))
        return self if together else alone


# By digest of their files. Two threads may open one graph twice, of which one is kept.
_open: WeakValueDictionary[bytes, PooledGraph] = WeakValueDictionary()


def _reopen(content: bytes, chunk: int) -> PooledGraph:
    return replace(PooledGraph.of(content), chunk=chunk)
