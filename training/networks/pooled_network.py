r"""The network of the model for every asset: a regression, and encoders of what it leaves.

.. math:: g(x, q) = W z + b + \frac{1}{K} \sum_{k=1}^K e_k(z, q), \quad
          z = \mathrm{clip}\big((x - \mu) / \sigma, -8, 8\big)

with regressors x, a sequence q of the newest sessions, and encoders :math:`e_k` that differ by
their seed: an LSTM over the sequence, whose last state goes with z into a small head. One output a
horizon.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models_store.predictors.pooled_graph import LIMIT, PooledGraph
from training.config import UniversalConfig
from training.networks.predictor import (
    PARITY_TOLERANCE,
    ParityError,
    forget_origins,
    quiet_exporter,
)
from training.networks.threads import one_thread
from volatility.arrays import FloatArray

_GRADIENT_NORM = 1.0
_EVALUATED = 8_192  # rows at a time


@dataclass(frozen=True, eq=False)
class Standardization:
    """Means and deviations of regressors and of the sequence's channels, (k,) each."""

    mean: FloatArray
    deviation: FloatArray
    sequence_mean: FloatArray
    sequence_deviation: FloatArray


class Encoder(nn.Module):
    """From standardized regressors and sequence to a correction at each horizon."""

    def __init__(self, regressors: int, channels: int, horizons: int, config: UniversalConfig):
        super().__init__()
        self.lstm = nn.LSTM(channels, config.hidden_size, batch_first=True)
        self.head = nn.Sequential(
            nn.Linear(config.hidden_size + regressors, config.head),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.head, horizons),
        )

    def forward(self, regressors: Tensor, sequence: Tensor) -> Tensor:
        """(batch, k) and (batch, sessions, channels) to (batch, horizons)."""
        states, _ = self.lstm(sequence)  # (batch, sessions, hidden)
        correction: Tensor = self.head(torch.cat([states[:, -1], regressors], dim=1))
        return correction


class PooledNetwork(nn.Module):
    """Standardization, regression and encoders in one graph; see the module's top.

    To a strategy of transfer its head is that of its encoders, and its encoder their LSTMs. Means,
    deviations and coefficients are buffers: no strategy changes what the regression learned.

    Parameters
    ----------
    scaling : of regressors and sequence.
    coefficients : (1 + k, horizons) of the regression, the intercepts first.
    encoders : of several seeds; none for the regression alone.
    """

    mean: Tensor
    deviation: Tensor
    sequence_mean: Tensor
    sequence_deviation: Tensor
    intercepts: Tensor
    slopes: Tensor

    def __init__(
        self, scaling: Standardization, coefficients: FloatArray, encoders: Sequence[Encoder]
    ) -> None:
        super().__init__()
        for name, values in vars(scaling).items():
            self.register_buffer(name, torch.from_numpy(values.astype(np.float32)))
        self.register_buffer("intercepts", torch.from_numpy(coefficients[0].astype(np.float32)))
        self.register_buffer("slopes", torch.from_numpy(coefficients[1:].astype(np.float32)))
        self.encoders = nn.ModuleList(encoders)

    @property
    def head(self) -> nn.Module:
        """What follows the LSTMs."""
        return nn.ModuleList([it.head for it in self._each])

    @property
    def encoder_parts(self) -> list[list[nn.Parameter]]:
        """The parameters of the LSTMs, which have one layer."""
        return [[weights for it in self._each for weights in it.lstm.parameters()]]

    @property
    def _each(self) -> list[Encoder]:
        return cast(list[Encoder], list(self.encoders))

    def forward(self, regressors: Tensor, sequence: Tensor) -> Tensor:
        """Raw (batch, k) and (batch, sessions, channels) to (batch, horizons)."""
        scaled = ((regressors - self.mean) / self.deviation).clamp(-LIMIT, LIMIT)
        values: Tensor = scaled @ self.slopes + self.intercepts
        if len(self.encoders):
            steps = (sequence - self.sequence_mean) / self.sequence_deviation
            values = values + torch.stack([it(scaled, steps) for it in self.encoders]).mean(0)
        return values

    @torch.no_grad()
    def run(self, regressors: NDArray[np.float32], sequence: NDArray[np.float32]) -> FloatArray:
        """As :meth:`forward`, on arrays; (n, horizons)."""
        self.eval()
        with one_thread():
            parts = [
                self(
                    torch.from_numpy(regressors[start : start + _EVALUATED]),
                    torch.from_numpy(sequence[start : start + _EVALUATED]),
                )
                for start in range(0, len(regressors), _EVALUATED)
            ]
        return torch.cat(parts).double().numpy()

    def to_onnx(self, regressors: NDArray[np.float32], sequence: NDArray[np.float32]) -> bytes:
        """The content of ``model.onnx``, checked against torch on example rows.

        Raises
        ------
        ParityError : some prediction differs by more than 1e-5 of log rv.
        """
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.onnx"
            self._write(regressors[:2], sequence[:2], path)
            exported = PooledGraph.of(path.read_bytes()).run(regressors, sequence)
            difference = float(np.abs(exported - self.run(regressors, sequence)).max())
            if not difference <= PARITY_TOLERANCE:  # also true for NaN
                raise ParityError(
                    f"onnxruntime and torch differ by {difference:.2g} of log rv; "
                    f"at most {PARITY_TOLERANCE:g} is accepted"
                )
            return path.read_bytes()

    def _write(
        self, regressors: NDArray[np.float32], sequence: NDArray[np.float32], path: Path
    ) -> None:
        batch = torch.export.Dim("batch")
        with quiet_exporter():
            program = torch.onnx.export(
                self.eval(),
                (torch.from_numpy(regressors), torch.from_numpy(sequence)),
                dynamo=True,
                verbose=False,
                input_names=["regressors", "sequence"],
                output_names=["log_rv"],
                dynamic_shapes=({0: batch}, {0: batch}),
            )
        assert program is not None
        model = program.model_proto  # made anew at each look
        forget_origins(model)
        onnx.save(model, path)


def fit_encoder(
    regressors: NDArray[np.float32],
    sequence: NDArray[np.float32],
    residuals: NDArray[np.float32],
    config: UniversalConfig,
    seed: int,
) -> Encoder:
    """Train one encoder on what the regression leaves.

    A fixed number of epochs, with a learning rate that warms up and cools down: hundreds of
    thousands of rows of dozens of assets leave little to stop early for.

    Parameters
    ----------
    regressors : (n, k), standardized.
    sequence : (n, sessions, channels), standardized.
    residuals : (n, horizons) logs; NaN where a target is missing.
    config : shape and training.
    seed : of weights, batches and dropout.
    """
    torch.manual_seed(seed)
    order = torch.Generator().manual_seed(seed)
    encoder = Encoder(regressors.shape[1], sequence.shape[2], residuals.shape[1], config)
    optimizer = torch.optim.AdamW(
        encoder.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    batches = max(1, len(residuals) // config.batch_size)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, config.learning_rate, total_steps=config.epochs * batches + 1
    )
    inputs, steps, given = map(torch.from_numpy, (regressors, sequence, residuals))
    known, targets = ~given.isnan(), given.nan_to_num()
    encoder.train()
    with one_thread():
        for _ in range(config.epochs):
            for rows in torch.randperm(len(targets), generator=order).tensor_split(batches):
                optimizer.zero_grad()
                loss = error_of(encoder(inputs[rows], steps[rows]), targets[rows], known[rows])
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(encoder.parameters(), _GRADIENT_NORM)
                optimizer.step()
                cycle.step()
    return encoder.eval()


def error_of(predicted: Tensor, targets: Tensor, known: Tensor) -> Tensor:
    """Mean squared error of the targets that are known; (batch, horizons) each."""
    return ((predicted - targets) * known).square().sum() / known.sum()
