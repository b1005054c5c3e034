"""What the recipes of all networks have in common: windows of logs in, a trained network out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from torch import nn

from training.config import FittingConfig, NetworkConfig, flatten
from training.data.assets import TrainingSet
from training.fitting_history import FittingHistory
from training.models.linear.har import LAGS
from training.models.recipe import Fit, Hyperparameters
from training.networks.fitting import LogWindows, Split, Stage, fit_network, reproducible
from training.networks.predictor import TorchPredictor
from volatility.errors import HistoryTooShort

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True, kw_only=True)
class NetworkRecipe(ABC):
    """How a network is trained.

    Attributes
    ----------
    name : the model's name in the store.
    network : its shape.
    fitting : how it is trained on the target.
    refit_every : sessions between two fits in a walk-forward evaluation.
    sources : other assets that it learns from.
    """

    name: str
    network: NetworkConfig
    fitting: FittingConfig
    refit_every: int
    sources: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Networks see rv alone."""
        return ()

    @property
    def compared_with(self) -> str | None:
        """None: a network from scratch is what others are compared with."""
        return None

    @property
    def lookback(self) -> int:
        """Length of the network's window."""
        return self.network.lookback

    @property
    def hyperparameters(self) -> Hyperparameters:
        """The network's shape and how it is trained."""
        return flatten(self.network, "network.") | flatten(self.fitting, "fitting.")

    def fit(self, data: TrainingSet) -> Fit:
        """Train on everything in ``data``, the newest part of which tells when to stop.

        Raises
        ------
        HistoryTooShort : the target, or a source before the target's cut-off, has too little.
        """
        target = self.target_split(data)
        sources = {name: self._source(data, name) for name in self.sources}
        fit = self.train(target, sources, data.seed)
        return replace(fit, sources=tuple(data.sources[name] for name in self.sources))

    def target_split(self, data: TrainingSet) -> Split:
        """What is trained on of the target, and what tells when to stop.

        Raises
        ------
        HistoryTooShort : there is too little to stop by.
        """
        return Split.of(data.pairs(self.lookback), self.fitting.validation_share)

    @abstractmethod
    def train(self, target: Split, sources: Mapping[str, Split], seed: int) -> Fit:
        """Train on windows of at least :attr:`lookback` log rv.

        Parameters
        ----------
        target : of the asset to forecast.
        sources : of the other assets, by name.
        seed : of every random choice.
        """

    @property
    def source_share(self) -> float:
        """The share of a source's windows to validate on."""
        return self.fitting.validation_share

    def _source(self, data: TrainingSet, name: str) -> Split:
        try:
            return Split.of(data.source_pairs(name, self.lookback), self.source_share)
        except HistoryTooShort as error:
            raise HistoryTooShort(
                f"pre-training on {name} up to the target's cut-off: {error}; choose another "
                "source with --source or transfer.source in the configuration, or --models "
                "without transfer",
                field="source",
                found=error.found,
                needed=error.needed,
            ) from error


@dataclass(frozen=True, kw_only=True)
class ScratchRecipe(NetworkRecipe, Generic[Network]):
    """A network trained from random weights on the target alone."""

    @abstractmethod
    def build(self, training: LogWindows) -> Network:
        """The network with random weights; scales and HARs inside it are those of ``training``."""

    def stages(self, network: Network) -> Sequence[Stage]:  # noqa: ARG002
        """What :func:`fit_network` trains: everything at one rate, unless a recipe says more."""
        return ()

    def learned(self, network: Network, target: Split) -> Mapping[str, float]:  # noqa: ARG002
        """Quantities of the trained network that are worth reading."""
        return {}

    def train(
        self,
        target: Split,
        sources: Mapping[str, Split],  # noqa: ARG002 - the interface of all networks
        seed: int,
    ) -> Fit:
        """Train from random weights; see :meth:`NetworkRecipe.train`."""
        with reproducible(seed):
            network, history = self.train_network(target)
            learned = {**self.learned(network, target), "best_epoch": history.best_epoch}
        return Fit(
            TorchPredictor(network, self.lookback),
            residual_variance=history.best_validation_loss,
            learned=learned,
            histories={"training": history},
        )

    def train_network(self, target: Split) -> tuple[Network, FittingHistory]:
        """The trained network itself; call inside :func:`reproducible`."""
        network = self.build(target.training)
        return network, fit_network(network, target, self.fitting, self.stages(network))


@dataclass(frozen=True, kw_only=True)
class HarNetworkRecipe(ScratchRecipe[Network]):
    """A network with a HAR inside it."""

    @property
    def lookback(self) -> int:
        """The longer of HAR's and the network's windows."""
        return max(*LAGS, self.network.lookback)

    @property
    def hyperparameters(self) -> Hyperparameters:
        """HAR's lags, the network's shape and how it is trained."""
        return {"lags": LAGS, **super().hyperparameters}
