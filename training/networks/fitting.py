"""The one loop that trains every network, in stages that are data."""

import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from training.config import FittingConfig
from training.fitting_history import FittingHistory
from training.networks.threads import one_thread
from volatility.arrays import FloatArray
from volatility.errors import HistoryTooShort, RoughcastError
from volatility.pairs import Pairs

Forward = Callable[[Tensor], Tensor]

MINIMUM_VALIDATION = 20  # fewer windows than this cannot tell when to stop


class EncodesFirst(nn.Module, ABC):
    """A network whose ``forward(x)`` is ``decode(encode(x))``.

    Where nothing of ``encoder`` is trained, encodings are computed once and not in every epoch.
    """

    encoder: nn.Module  # holds all parameters that ``encode`` depends on

    @abstractmethod
    def encode(self, log_rv: Tensor) -> Tensor:
        """From (batch, lookback) log rv to (batch, n) encodings."""

    @abstractmethod
    def decode(self, encoding: Tensor) -> Tensor:
        """From (batch, n) encodings to (batch,) log rv."""

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, lookback) log rv; (batch,)."""
        return self.decode(self.encode(log_rv))


class Diverged(RoughcastError):
    """A network's weights left all bounds in training."""

    code = "diverged"


@dataclass(frozen=True)
class LogWindows:
    """Windows and targets as a network reads them."""

    inputs: Tensor  # (n, lookback) log rv, float32
    targets: Tensor  # (n,) log rv, float32

    @classmethod
    def of(cls, pairs: Pairs) -> "LogWindows":
        """Logs of the ``rv`` windows and the targets of ``pairs``."""
        return cls(
            torch.from_numpy(pairs.windows["rv"]).log().float(),
            torch.from_numpy(pairs.targets.copy()).log().float(),
        )

    @classmethod
    def of_logs(cls, windows: FloatArray, targets: FloatArray) -> "LogWindows":
        """(n, lookback) windows and (n,) targets that are logs already."""
        return cls(
            torch.from_numpy(np.array(windows, dtype=np.float32)),
            torch.from_numpy(targets.astype(np.float32)),
        )

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True, eq=False)
class Split:
    """What a network learns from, and what tells when to stop.

    The latter is the newer, and also gives the residual variance.
    """

    training: LogWindows
    validation: LogWindows

    @classmethod
    def of(cls, pairs: Pairs, validation_share: float) -> "Split":
        """The older part of ``pairs`` to train on and the newest part to validate on.

        Raises
        ------
        HistoryTooShort : the newest part has fewer than 20 windows.
        """
        count = int(len(pairs) * validation_share)
        if count < MINIMUM_VALIDATION:
            needed = math.ceil(MINIMUM_VALIDATION / validation_share)
            raise HistoryTooShort(
                f"a network needs {needed} windows to train on; got {len(pairs)}",
                field="history",
                found=len(pairs),
                needed=f"at least {needed} windows",
            )
        both = LogWindows.of(pairs)
        return cls(
            LogWindows(both.inputs[:-count], both.targets[:-count]),
            LogWindows(both.inputs[-count:], both.targets[-count:]),
        )

    @cached_property
    def sha256(self) -> str:
        """Digest of all windows and targets."""
        digest = hashlib.sha256()
        for part in (self.training, self.validation):
            for values in (part.inputs, part.targets):
                digest.update(repr(tuple(values.shape)).encode())
                digest.update(values.contiguous().numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class ParameterGroup:
    """Parameters that are trained at one learning rate."""

    parameters: Sequence[nn.Parameter]
    learning_rate: float


@dataclass(frozen=True)
class Stage:
    """Epochs in which the same parameters are trained; all others are frozen."""

    groups: Sequence[ParameterGroup]
    epochs: int


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Seed torch for the block and give back its state; on one thread."""
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def fit_network(
    network: nn.Module,
    split: Split,
    config: FittingConfig,
    stages: Sequence[Stage] = (),
) -> FittingHistory:
    """Train ``network`` in place by Adam on the mean squared error of log rv.

    A stage ends when the validation loss has not improved for ``config.patience`` epochs, and
    leaves the best weights so far, with which the next one starts. Call inside
    :func:`reproducible`.

    Parameters
    ----------
    network : (batch, lookback) log rv to (batch,) log rv.
    split : windows to learn from and to stop by.
    config : rates, sizes and patience.
    stages : what to train and for how long, one after the other, each with an optimizer of its
        own; if empty, all trainable parameters at ``config.learning_rate`` for ``config.epochs``.

    Returns
    -------
    The losses of all stages, epoch by epoch.

    Raises
    ------
    Diverged : the validation loss is not finite.
    """
    record = _Record(network)
    for stage in stages or [_whole(network, config)]:
        _fit_stage(network, split, config, stage, record)
        network.load_state_dict(record.best_weights)
    network.eval()
    return record.history


def freeze_all_but(network: nn.Module, stage: Stage) -> None:
    """Leave only a stage's parameters to be trained."""
    network.requires_grad_(False)
    for group in stage.groups:
        for parameter in group.parameters:
            parameter.requires_grad_(True)


def set_training_mode(network: nn.Module) -> None:
    """Switch dropout on, except in parts that are frozen: what they represent must not change."""
    network.train()
    for part in network.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            part.eval()


class _Record:
    """The losses of the epochs done, and the weights of the best of them."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._training_losses: list[float] = []
        self._validation_losses: list[float] = []
        self.best_epoch = 0
        self.best_weights = _copy_weights(network)

    @property
    def epochs(self) -> int:
        return len(self._validation_losses)

    @property
    def history(self) -> FittingHistory:
        return FittingHistory(
            tuple(self._training_losses), tuple(self._validation_losses), self.best_epoch
        )

    def add(self, training_loss: float, validation_loss: float) -> None:
        self._training_losses.append(training_loss)
        self._validation_losses.append(validation_loss)
        if validation_loss <= min(self._validation_losses):
            self.best_epoch = self.epochs - 1
            self.best_weights = _copy_weights(self._network)


def _fit_stage(
    network: nn.Module, split: Split, config: FittingConfig, stage: Stage, record: _Record
) -> None:
    freeze_all_but(network, stage)
    forward, split = _without_frozen_encoder(network, split)
    optimizer = torch.optim.Adam(
        [{"params": list(group.parameters), "lr": group.learning_rate} for group in stage.groups],
        fused=True,
    )
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=config.plateau_patience)
    first = record.epochs
    for epoch in range(first, first + stage.epochs):
        set_training_mode(network)
        training_loss = _train_epoch(forward, split.training, optimizer, config)
        network.eval()
        validation_loss = _error(forward, split.validation)
        _check_converging(validation_loss, epoch)
        scheduler.step(validation_loss)
        record.add(training_loss, validation_loss)
        without_improvement = epoch - max(record.best_epoch, first)
        if record.best_epoch != epoch and without_improvement >= config.patience:
            break


def _check_converging(validation_loss: float, epoch: int) -> None:
    if not math.isfinite(validation_loss):
        raise Diverged(
            f"training diverged: the validation loss is {validation_loss} after epoch {epoch + 1}; "
            "a lower learning_rate, or gradient_norm, may help",
            field="learning_rate",
            found=validation_loss,
            needed="a finite loss",
        )


def _train_epoch(
    forward: Forward,
    training: LogWindows,
    optimizer: torch.optim.Optimizer,
    config: FittingConfig,
) -> float:
    trained = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    total = 0.0
    for batch in torch.split(torch.randperm(len(training)), config.batch_size):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(forward(training.inputs[batch]), training.targets[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(trained, config.gradient_norm)
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(training)


def _error(forward: Forward, windows: LogWindows) -> float:
    with torch.no_grad():
        return float(nn.functional.mse_loss(forward(windows.inputs), windows.targets))


def _whole(network: nn.Module, config: FittingConfig) -> Stage:
    return Stage([ParameterGroup(_trainable(network), config.learning_rate)], config.epochs)


def _without_frozen_encoder(network: nn.Module, split: Split) -> tuple[Forward, Split]:
    """What is left to compute of a network whose encoder is frozen, with encodings as its input.

    A frozen encoder, which has its dropout off, gives a window the same encoding in every epoch:
    computing them once makes an epoch many times faster.
    """
    if not isinstance(network, EncodesFirst) or _trainable(network.encoder):
        return network, split
    network.eval()
    with torch.no_grad():
        training, validation = (
            LogWindows(network.encode(part.inputs), part.targets)
            for part in (split.training, split.validation)
        )
    return network.decode, Split(training, validation)


def _trainable(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _copy_weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}
