"""HAR inside a network's graph."""

import torch
from torch import Tensor, nn

from training.models.linear.har import LAGS, har_least_squares
from training.networks.fitting import LogWindows


class FixedHar(nn.Module):
    """Log-HAR with coefficients that training does not touch."""

    coefficients: Tensor
    intercept: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("coefficients", torch.zeros(len(LAGS)))
        self.register_buffer("intercept", torch.zeros(()))

    def fit(self, training: LogWindows) -> None:
        """Estimate the coefficients by least squares on (n, 22 or more) log rv.

        On the training part alone: a HAR that has seen the validation part as well would look
        better there than it is, and what is learned beside it too little needed.
        """
        estimate = har_least_squares(
            training.inputs.double().numpy(), training.targets.double().numpy()
        )
        self.coefficients.copy_(torch.from_numpy(estimate.coefficients))
        self.intercept.fill_(estimate.intercept)

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, 22 or more) log rv; (batch,)."""
        return self.intercept + (har_means(log_rv) * self.coefficients).sum(dim=1)


def har_means(log_rv: Tensor) -> Tensor:
    """The features of HAR, means over the last 1, 5 and 22 sessions; (batch, 3)."""
    return torch.stack([log_rv[:, -lag:].mean(dim=1) for lag in LAGS], dim=1)
