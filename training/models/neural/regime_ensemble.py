r"""Forecasts of several regimes, weighted by how likely each is (Dhansoia 2025, eq. 6).

.. math::
   \pi(x_t) &= \operatorname{softmax}(V [h_t; f_t] + c) \\
   \hat x^{(k)}_{t+1} &= W_k [h_t; f_t] + b_k \\
   \hat x_{t+1} &= \sum_{k=1}^K \pi_k(x_t) \, \hat x^{(k)}_{t+1}

in logs of rv, with the encoding :math:`h_t` of the LSTM and the features :math:`f_t` of HAR, means
over 1, 5 and 22 sessions, standardized. Each regime thus has a HAR of its own and a reading of the
encoding of its own. All of them start as the HAR of the whole training part, and the classifier as
a mixture that tells low from high weekly means; training moves all of it together.

Regimes are numbered by level: after training they are sorted by the mean of log rv over a week,
weighted by their probabilities over the training part, so that the first one is the calmest.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.config import Config, NetworkConfig, RegimeConfig, flatten
from training.fitting_history import FittingHistory
from training.models.linear.har import LAGS
from training.models.neural.fixed_har import FixedHar, har_means
from training.models.neural.network_recipe import HarNetworkRecipe
from training.models.recipe import Hyperparameters
from training.networks.fitting import LogWindows, Split
from training.networks.volatility_network import Encoder, Scaler

WEEK = LAGS.index(5)


class RegimeNetwork(nn.Module):
    """A classifier of regimes and a predictor for each, over one encoder."""

    diagnostics = ("regime_probabilities",)

    def __init__(self, shape: NetworkConfig, regimes: int) -> None:
        super().__init__()
        self.lookback = shape.lookback
        self.scaler = Scaler()
        self.encoder = Encoder(shape)
        self.classifier = nn.Linear(shape.bottleneck + len(LAGS), regimes)
        self.predictors = nn.Linear(shape.bottleneck + len(LAGS), regimes)

    def fit_start(self, training: LogWindows) -> None:
        """Start from HAR in every regime, and from regimes of low to high weekly means."""
        self.scaler.fit(training.inputs)
        har = FixedHar()
        har.fit(training)
        features = self.scaler(har_means(training.inputs))  # (n, 3)
        with torch.no_grad():
            for layer in (self.classifier, self.predictors):
                nn.init.zeros_(layer.weight)
            self.predictors.weight[:, -len(LAGS) :] = har.coefficients
            at_mean = har.intercept + self.scaler.mean * har.coefficients.sum()
            self.predictors.bias.fill_((at_mean - self.scaler.mean) / self.scaler.deviation)
            self._start_classifier(features[:, WEEK])

    def _start_classifier(self, weekly: Tensor) -> None:
        """The posterior of normals of one width around equidistant quantiles of (n,) ``weekly``."""
        regimes = len(self.classifier.bias)
        centres = torch.quantile(weekly, (torch.arange(regimes) + 0.5) / regimes)
        variance = weekly.var() / regimes
        self.classifier.weight[:, WEEK - len(LAGS)] = centres / variance
        self.classifier.bias.copy_(-0.5 * centres.square() / variance)

    def explain(self, log_rv: Tensor) -> tuple[Tensor, Tensor]:
        """Predict from (batch, 22) log rv; (batch,), and (batch, regimes) probabilities."""
        encoding = self.encoder(self.scaler(log_rv[:, -self.lookback :]))  # (batch, bottleneck)
        features = self.scaler(har_means(log_rv))  # (batch, 3)
        seen = torch.cat([encoding, features], dim=1)
        probabilities = torch.softmax(self.classifier(seen), dim=1)
        mixed = (probabilities * self.predictors(seen)).sum(dim=1)
        return self.scaler.inverse(mixed), probabilities

    def forward(self, log_rv: Tensor) -> Tensor:
        """Predict from (batch, 22) log rv; (batch,)."""
        return self.explain(log_rv)[0]

    @torch.no_grad()
    def levels(self, windows: LogWindows) -> Tensor:
        """Mean of log rv over a week in each regime, weighted by its probability; (regimes,)."""
        _, probabilities = self.explain(windows.inputs)
        weekly = har_means(windows.inputs)[:, WEEK]
        return (weekly @ probabilities) / probabilities.sum(dim=0)

    @torch.no_grad()
    def sort(self, windows: LogWindows) -> None:
        """Number the regimes by their level, the lowest first."""
        order = self.levels(windows).argsort()
        for layer in (self.classifier, self.predictors):
            layer.weight.copy_(layer.weight[order])
            layer.bias.copy_(layer.bias[order])


@dataclass(frozen=True, kw_only=True)
class RegimeEnsemble(HarNetworkRecipe[RegimeNetwork]):
    """Regimes that a network tells apart, each with a predictor of its own.

    Attributes
    ----------
    ensemble : how many regimes.
    """

    ensemble: RegimeConfig

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Regimes, HAR's lags, the network's shape and how it is trained."""
        return {**super().hyperparameters, **flatten(self.ensemble, "regime_ensemble.")}

    def build(self, training: LogWindows) -> RegimeNetwork:
        """A random encoder that nothing reads yet, and HAR in every regime."""
        network = RegimeNetwork(self.network, self.ensemble.regimes)
        network.fit_start(training)
        return network

    def train_network(self, target: Split) -> tuple[RegimeNetwork, FittingHistory]:
        """The trained network with its regimes in order; see :class:`HarNetworkRecipe`."""
        network, history = super().train_network(target)
        network.sort(target.training)
        return network, history

    def learned(self, network: RegimeNetwork, target: Split) -> Mapping[str, float]:
        """Each regime's level of log rv in the training part."""
        levels = network.levels(target.training).tolist()
        return {f"regime_{place}_log_rv": level for place, level in enumerate(levels, start=1)}


def regime_ensemble(config: Config) -> RegimeEnsemble:
    """As many regimes as ``regime_ensemble`` says, trained as ``pretraining`` configures."""
    return RegimeEnsemble(
        name="regime_ensemble",
        network=config.network,
        fitting=config.pretraining,
        refit_every=config.walk_forward.network_refit_every,
        ensemble=config.regime_ensemble,
    )
