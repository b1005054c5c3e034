"""How the losses of a network went in one phase of its training."""

from dataclasses import dataclass


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
