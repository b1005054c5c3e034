"""The one loop that trains every network."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from training.config import FittingConfig
from training.networks.threads import one_thread
from training.pairs import Pairs
from volatility.errors import HistoryTooShort

ParameterGroup = dict[str, Any]  # of a torch optimizer: parameters and their learning rate

MINIMUM_VALIDATION = 20  # fewer windows than this cannot tell when to stop


@dataclass(frozen=True)
class LogWindows:
    """Windows and targets as a network reads them."""

    inputs: Tensor  # (n, lookback) log rv, float32
    targets: Tensor  # (n,) log rv, float32

    @classmethod
    def of(cls, pairs: Pairs) -> "LogWindows":
        """Logs of ``pairs``."""
        return cls(
            torch.from_numpy(pairs.windows["rv"]).log().float(),
            torch.from_numpy(pairs.targets.copy()).log().float(),
        )

    def split(self, validation_share: float) -> tuple["LogWindows", "LogWindows"]:
        """The older part to train on and the newest part to validate on.

        Raises
        ------
        HistoryTooShort : the newest part has fewer than 20 windows.
        """
        count = int(len(self.targets) * validation_share)
        if count < MINIMUM_VALIDATION:
            needed = math.ceil(MINIMUM_VALIDATION / validation_share)
            raise HistoryTooShort(
                f"a network needs {needed} windows to train on; got {len(self.targets)}",
                field="history",
                found=len(self.targets),
                needed=f"at least {needed} windows",
            )
        return (
            LogWindows(self.inputs[:-count], self.targets[:-count]),
            LogWindows(self.inputs[-count:], self.targets[-count:]),
        )


@dataclass(frozen=True)
class FittingHistory:
    """Mean squared errors of log rv, one an epoch, and which epoch's weights were kept."""

    training_losses: tuple[float, ...]
    validation_losses: tuple[float, ...]
    best_epoch: int

    @property
    def best_validation_loss(self) -> float:
        """The validation loss of the weights that were kept."""
        return self.validation_losses[self.best_epoch]


@contextmanager
def reproducible(seed: int) -> Iterator[None]:
    """Seed torch for the block and give back its state; on one thread."""
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def fit_network(
    network: nn.Module,
    training: LogWindows,
    validation: LogWindows,
    config: FittingConfig,
    parameter_groups: Sequence[ParameterGroup] | None = None,
) -> FittingHistory:
    """Train ``network`` in place by Adam on the mean squared error of log rv.

    Stops when the validation loss has not improved for ``config.patience`` epochs, and restores
    the best epoch's weights. Call inside :func:`reproducible`.

    Parameters
    ----------
    network : (batch, lookback) log rv to (batch,) log rv.
    training, validation : windows to learn from and to stop by.
    config : rates, sizes and patience.
    parameter_groups : torch parameter groups with learning rates of their own; all trainable
        parameters at ``config.learning_rate`` if None.
    """
    groups = parameter_groups or [{"params": _trainable(network)}]
    optimizer = torch.optim.Adam(list(groups), lr=config.learning_rate)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=config.plateau_patience)
    training_losses: list[float] = []
    validation_losses: list[float] = []
    best_epoch, best_weights = 0, _copy_weights(network)
    for epoch in range(config.epochs):
        training_losses.append(_train_epoch(network, training, optimizer, config))
        validation_losses.append(mean_squared_error(network, validation))
        scheduler.step(validation_losses[-1])
        if validation_losses[-1] <= min(validation_losses):
            best_epoch, best_weights = epoch, _copy_weights(network)
        elif epoch - best_epoch >= config.patience:
            break
    network.load_state_dict(best_weights)
    network.eval()
    return FittingHistory(tuple(training_losses), tuple(validation_losses), best_epoch)


def mean_squared_error(network: nn.Module, windows: LogWindows) -> float:
    """Mean squared error of log rv, without dropout."""
    network.eval()
    with torch.no_grad():
        return float(nn.functional.mse_loss(network(windows.inputs), windows.targets))


def _train_epoch(
    network: nn.Module,
    training: LogWindows,
    optimizer: torch.optim.Optimizer,
    config: FittingConfig,
) -> float:
    _set_training_mode(network)
    total = 0.0
    order = torch.randperm(len(training.targets))
    for batch in torch.split(order, config.batch_size):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(network(training.inputs[batch]), training.targets[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(_trainable(network), config.gradient_norm)
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(training.targets)


def _set_training_mode(network: nn.Module) -> None:
    """Switch dropout on, except in parts that are frozen: what they represent must not change."""
    network.train()
    for part in network.modules():
        parameters = list(part.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            part.eval()


def _trainable(network: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _copy_weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}
