"""The paper's network with a Transformer encoder in place of the LSTM (Dhansoia 2025, 6.4)."""

from dataclasses import dataclass

from training.config import Config, TransformerConfig, flatten
from training.models.neural.network_recipe import ScratchRecipe
from training.models.recipe import Hyperparameters
from training.networks.fitting import LogWindows
from training.networks.transformer_encoder import TransformerEncoder
from training.networks.volatility_network import VolatilityNetwork


@dataclass(frozen=True, kw_only=True)
class Transformer(ScratchRecipe[VolatilityNetwork]):
    """Self-attention over the window, trained from scratch.

    Attributes
    ----------
    encoder : what the encoder has besides the width, heads, bottleneck and dropout of ``network``.
    """

    encoder: TransformerConfig

    @property
    def hyperparameters(self) -> Hyperparameters:
        """The network's shape, without the LSTM's layers, and how it is trained."""
        shared = {k: v for k, v in super().hyperparameters.items() if k != "network.layers"}
        return {**shared, **flatten(self.encoder, "transformer.")}

    def build(self, training: LogWindows) -> VolatilityNetwork:
        """The network with random weights, scaled as ``training`` is."""
        network = VolatilityNetwork(self.network, TransformerEncoder(self.network, self.encoder))
        network.scaler.fit(training.inputs)
        return network


def transformer(config: Config) -> Transformer:
    """A Transformer of the network's width, trained as ``pretraining`` configures."""
    return Transformer(
        name="transformer",
        network=config.network,
        fitting=config.pretraining,
        refit_every=config.walk_forward.network_refit_every,
        encoder=config.transformer,
    )
