"""The paper's network trained from scratch on the target alone."""

from dataclasses import dataclass

from training.config import Config, FittingConfig, NetworkConfig, flatten
from training.models.recipe import AssetData, Fit, Hyperparameters, TrainingSet
from training.networks.fitting import FittingHistory, LogWindows, fit_network, reproducible
from training.networks.predictor import TorchPredictor
from training.networks.volatility_network import VolatilityNetwork


@dataclass(frozen=True)
class Lstm:
    """LSTM with attention, trained from scratch."""

    network: NetworkConfig
    fitting: FittingConfig
    refit_every: int
    name: str = "lstm"
    sources: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def lookback(self) -> int:
        """Length of the network's window."""
        return self.network.lookback

    @property
    def hyperparameters(self) -> Hyperparameters:
        """The network's shape and how it is trained."""
        return flatten(self.network, "network.") | flatten(self.fitting, "fitting.")

    def fit(self, data: TrainingSet) -> Fit:
        """Train from random weights."""
        network, history = train_from_scratch(data.target, self.network, self.fitting, data.seed)
        return Fit(
            TorchPredictor(network, self.lookback),
            residual_variance=history.best_validation_loss,
            learned={"best_epoch": history.best_epoch},
        )


def train_from_scratch(
    data: AssetData, shape: NetworkConfig, fitting: FittingConfig, seed: int
) -> tuple[VolatilityNetwork, FittingHistory]:
    """A new network trained on one asset."""
    training, validation = LogWindows.of(data.pairs(shape.lookback)).split(fitting.validation_share)
    with reproducible(seed):
        network = VolatilityNetwork(shape)
        network.scaler.fit(training.inputs)
        history = fit_network(network, training, validation, fitting)
    return network, history


def lstm(config: Config) -> Lstm:
    """The recipe as configured."""
    return Lstm(config.network, config.pretraining, config.walk_forward.network_refit_every)
