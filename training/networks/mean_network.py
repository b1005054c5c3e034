"""Several trained networks as one, which says what they say on average."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from training.networks.diagnostics import diagnostics_of


class MeanNetwork(nn.Module):
    """The mean of networks of one shape, of their predictions and of what they show besides.

    Parameters
    ----------
    networks : each from (batch, lookback) log rv to (batch,) log rv, with the same diagnostics.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """Names of what each of them shows besides its prediction."""
        return diagnostics_of(self.networks[0])

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, lookback) log rv; (batch,)."""
        return _mean([network(log_rv) for network in self.networks])

    def explain(self, log_rv: Tensor) -> tuple[Tensor, ...]:
        """Predict from (batch, lookback) log rv; (batch,), then (batch, k) diagnostics."""
        explained = [network.explain(log_rv) for network in self.networks]  # type: ignore[operator]
        return tuple(_mean(values) for values in zip(*explained, strict=True))


def _mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).mean(dim=0)
