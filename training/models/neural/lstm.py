"""The paper's network trained from scratch on the target alone (Dhansoia 2025, section 3.3)."""

from dataclasses import dataclass

from training.config import Config
from training.models.neural.network_recipe import ScratchRecipe
from training.networks.fitting import LogWindows
from training.networks.volatility_network import VolatilityNetwork


@dataclass(frozen=True, kw_only=True)
class Lstm(ScratchRecipe[VolatilityNetwork]):
    """LSTM with attention, trained from scratch."""

    def build(self, training: LogWindows) -> VolatilityNetwork:
        """The network of the paper, scaled as ``training`` is."""
        network = VolatilityNetwork(self.network)
        network.scaler.fit(training.inputs)
        return network


def lstm(config: Config) -> Lstm:
    """The paper's network from scratch, trained as ``pretraining`` configures."""
    return Lstm(
        name="lstm",
        network=config.network,
        fitting=config.pretraining,
        refit_every=config.walk_forward.network_refit_every,
    )
