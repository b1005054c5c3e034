r"""The regression inside the network of a model for every asset, read out of its graph.

.. math:: g(x, q) = b + \sum_j w_j z_j + e(z, q), \quad
          z_j = \mathrm{clip}\big((x_j - \mu_j) / \sigma_j, -8, 8\big)

with regressors x and what the encoders e make of them and of the newest sessions q. Means,
deviations, intercepts and slopes are constants of the graph, by the names below: whoever exports
such a network keeps them, and a graph without them has no regression to tell of.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models_store.predictors.onnx_file import float_constants
from volatility.arrays import FloatArray

LIMIT = 8.0  # deviations beyond which a regressor says no more
MEAN, DEVIATION, INTERCEPTS, SLOPES = "mean", "deviation", "intercepts", "slopes"  # in the graph


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
