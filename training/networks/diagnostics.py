"""What a network shows besides its prediction.

A network that has something to show names it in ``diagnostics`` and returns it from
``explain(log_rv)``: the (batch,) prediction, then (batch, k) for each name.
"""

from torch import Tensor, nn


def diagnostics_of(network: nn.Module) -> tuple[str, ...]:
    """Names of what a network shows; none for one that only predicts."""
    names: tuple[str, ...] = getattr(network, "diagnostics", ())
    return names


def outputs_of(network: nn.Module, log_rv: Tensor) -> tuple[Tensor, ...]:
    """All that a network says of (batch, lookback) log rv: (batch,), then its diagnostics."""
    if not diagnostics_of(network):
        return (network(log_rv),)
    outputs: tuple[Tensor, ...] = network.explain(log_rv)  # type: ignore[operator]
    return outputs
