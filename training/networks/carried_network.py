r"""What a network says of the next session, carried to the mean of several.

.. math:: \log \hat{rv}_{t,h} = a_h + b_h \, \hat x_{t+1}

with the network's :math:`\hat x_{t+1}`, log rv of the next session, and numbers of least squares.
Where log rv reverts to its mean as one factor does, what is known of further sessions is linear in
what is known of the next one; see ``docs/decisions/0040-networks-several-sessions-ahead.md``.
"""

import torch
from torch import Tensor, nn

from training.networks.diagnostics import diagnostics_of, outputs_of


class CarriedNetwork(nn.Module):
    """A network with its prediction carried further.

    Parameters
    ----------
    network : from (batch, lookback) log rv to (batch,) log rv of the next session.
    intercept, slope : of what is said of the sessions ahead in what is said of the next.
    """

    intercept: Tensor
    slope: Tensor

    def __init__(self, network: nn.Module, intercept: float, slope: float) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("intercept", torch.tensor(intercept, dtype=torch.float32))
        self.register_buffer("slope", torch.tensor(slope, dtype=torch.float32))

    @property
    def diagnostics(self) -> tuple[str, ...]:
        """Names of what the network shows besides its prediction."""
        return diagnostics_of(self.network)

    def carry(self, next_session: Tensor) -> Tensor:
        """From (batch,) log rv of the next session to (batch,) log of the mean of several."""
        return self.intercept + self.slope * next_session

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, lookback) log rv; (batch,)."""
        return self.carry(self.network(log_rv))

    def explain(self, log_rv: Tensor) -> tuple[Tensor, ...]:
        """Predict from (batch, lookback) log rv; (batch,), then (batch, k) diagnostics."""
        said, *shown = outputs_of(self.network, log_rv)
        return self.carry(said), *shown


class SeveralHorizons(nn.Module):
    """A network and what it says of further sessions, computed once for all.

    Parameters
    ----------
    network : of the next session.
    further : the same network, carried.
    """

    def __init__(self, network: nn.Module, further: list[CarriedNetwork]) -> None:
        super().__init__()
        self.network = network
        self.further = nn.ModuleList(further)

    def forward(self, log_rv: Tensor) -> tuple[Tensor, ...]:
        """The next session, (batch,) each further horizon, then (batch, k) diagnostics."""
        said, *shown = outputs_of(self.network, log_rv)
        carried = [it.carry(said) for it in self.further]  # type: ignore[operator]
        return said, *carried, *shown
