"""Transfer learning: the paper's network pre-trained on one asset and fine-tuned on another.

The pre-training sees the source only up to the target's own cut-off. With the whole source in it,
a forecast of Bitcoin in 2018 would rest on what happened to equities in 2020.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from training.config import Config, flatten
from training.fitting_history import FittingHistory
from training.models.neural.lstm import Lstm
from training.models.neural.pretraining import FineTunedRecipe
from training.models.recipe import Hyperparameters
from training.networks.fitting import Split, fit_network
from training.networks.strategies import STRATEGIES, stages_of
from training.networks.volatility_network import VolatilityNetwork


@dataclass(frozen=True, kw_only=True)
class Transfer(FineTunedRecipe[VolatilityNetwork]):
    """Pre-train on the source, fine-tune on the target by ``strategy``.

    Attributes
    ----------
    strategy : one of :data:`training.networks.strategies.STRATEGIES`.
    """

    strategy: str

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Source, strategy, the network's shape and both phases of training."""
        return {
            "source": self.sources[0],
            "strategy": self.strategy,
            **flatten(STRATEGIES[self.strategy], "strategy."),
            **flatten(self.network, "network."),
            **flatten(self.pretraining, "pretraining."),
            **flatten(self.fitting, "fine_tuning."),
        }

    @property
    def scratch(self) -> Lstm:
        """How the network is trained on the source."""
        return Lstm(
            name="lstm",
            network=self.network,
            fitting=self.pretraining,
            refit_every=self.refit_every,
        )

    def fine_tune(
        self, network: VolatilityNetwork, target: Split
    ) -> tuple[FittingHistory, Mapping[str, float]]:
        """Change what the strategy lets change, on the target's scale."""
        network.scaler.fit(target.training.inputs)
        stages = stages_of(network, STRATEGIES[self.strategy], self.fitting)
        return fit_network(network, target, self.fitting, stages), {}


def _transfer(name: str, strategy: str, config: Config) -> Transfer:
    return Transfer(
        name=name,
        strategy=strategy,
        sources=(config.transfer.source,),
        network=config.network,
        pretraining=config.pretraining,
        fitting=config.fine_tuning,
        refit_every=config.walk_forward.network_refit_every,
    )


def transfer(config: Config) -> Transfer:
    """The paper's transfer LSTM: only the head is fine-tuned."""
    return _transfer("transfer", "frozen", config)


def transfer_full(config: Config) -> Transfer:
    """All weights are fine-tuned at one rate."""
    return _transfer("transfer_full", "full", config)


def transfer_differential(config: Config) -> Transfer:
    """The encoder is fine-tuned at a tenth of the head's rate."""
    return _transfer("transfer_differential", "differential", config)


def transfer_gradual(config: Config) -> Transfer:
    """The head is fine-tuned first, then the encoder too, layer by layer."""
    return _transfer("transfer_gradual", "gradual", config)


def transfer_aggressive(config: Config) -> Transfer:
    """All weights are trained further as fast as in pre-training."""
    return _transfer("transfer_aggressive", "aggressive", config)
