"""Transfer learning: the paper's network pre-trained on one asset and fine-tuned on another.

The pre-training sees the source only up to the target's own cut-off. With the whole source in it,
a forecast of Bitcoin in 2018 would rest on what happened to equities in 2020.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from training.config import Config, FittingConfig, flatten
from training.fitting_history import FittingHistory
from training.models.neural.lstm import Lstm
from training.models.neural.pretraining import FineTunedRecipe
from training.models.recipe import Hyperparameters
from training.networks.fitting import ParameterGroup, Split, Stage, fit_network
from training.networks.volatility_network import Encoder, VolatilityNetwork


@dataclass(frozen=True)
class Strategy:
    """How much of a pre-trained network fine-tuning may change, and how fast.

    Attributes
    ----------
    head_rate : the head's learning rate as a multiple of the configured one.
    encoder_rate : the encoder's; 0 freezes it.
    layer_by_layer : train the head alone first, then at each stage one part more, from the top
        down: attention and bottleneck, then the layers of the LSTM, the last one first.
    """

    head_rate: float
    encoder_rate: float
    layer_by_layer: bool = False


# The paper (Table 5) names the last three and gives no rates. With fine-tuning's 1e-4, ten times
# is the rate of pre-training.
STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "frozen": Strategy(head_rate=1.0, encoder_rate=0.0),
        "full": Strategy(head_rate=1.0, encoder_rate=1.0),
        "differential": Strategy(head_rate=10.0, encoder_rate=1.0),
        "gradual": Strategy(head_rate=1.0, encoder_rate=1.0, layer_by_layer=True),
        "aggressive": Strategy(head_rate=10.0, encoder_rate=10.0),
    }
)


@dataclass(frozen=True, kw_only=True)
class Transfer(FineTunedRecipe[VolatilityNetwork]):
    """Pre-train on the source, fine-tune on the target by ``strategy``.

    Attributes
    ----------
    strategy : one of :data:`STRATEGIES`.
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


def stages_of(
    network: VolatilityNetwork, strategy: Strategy, fitting: FittingConfig
) -> list[Stage]:
    """What ``strategy`` trains, one stage after the other.

    Layer by layer, the stages share the configured epochs equally, and the last one takes what is
    left over; there is at least one epoch each.
    """
    head = ParameterGroup(
        list(network.head.parameters()), fitting.learning_rate * strategy.head_rate
    )
    encoder_rate = fitting.learning_rate * strategy.encoder_rate
    assert isinstance(network.encoder, Encoder), "strategies know the layers of the paper's network"
    parts = network.encoder.parts if encoder_rate else []
    groups = [head, *(ParameterGroup(part, encoder_rate) for part in parts)]
    if not strategy.layer_by_layer:
        return [Stage(groups, fitting.epochs)]
    epochs = max(1, fitting.epochs // len(groups))
    stages = [Stage(groups[:count], epochs) for count in range(1, len(groups))]
    return [*stages, Stage(groups, max(1, fitting.epochs - epochs * len(stages)))]


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
