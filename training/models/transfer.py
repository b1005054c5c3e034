"""Transfer learning: the paper's network pre-trained on one asset and fine-tuned on another.

The pre-training sees the source only up to the target's own cut-off. With the whole source in it,
a forecast of Bitcoin in 2018 would rest on what happened to equities in 2020.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType

from training.config import Config, FittingConfig, NetworkConfig, flatten
from training.models.lstm import train_from_scratch
from training.models.recipe import AssetData, Fit, Hyperparameters, TrainingSet
from training.networks.fitting import LogWindows, ParameterGroup, fit_network, reproducible
from training.networks.predictor import TorchPredictor
from training.networks.volatility_network import VolatilityNetwork
from volatility.errors import HistoryTooShort


@dataclass(frozen=True)
class Strategy:
    """How much of a pre-trained network fine-tuning may change.

    Attributes
    ----------
    encoder_rate : the encoder's learning rate as a multiple of the configured one; 0 freezes it.
    """

    encoder_rate: float


STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {"frozen": Strategy(encoder_rate=0.0), "full": Strategy(encoder_rate=1.0)}
)


@dataclass(frozen=True)
class Transfer:
    """Pre-train on the source, fine-tune on the target by ``strategy``."""

    name: str
    strategy: str
    sources: tuple[str]
    network: NetworkConfig
    pretraining: FittingConfig
    fine_tuning: FittingConfig
    refit_every: int
    columns: tuple[str, ...] = ()

    @property
    def lookback(self) -> int:
        """Length of the network's window."""
        return self.network.lookback

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Source, strategy, the network's shape and both phases of training."""
        return {
            "source": self.sources[0],
            "strategy": self.strategy,
            **flatten(self.network, "network."),
            **flatten(self.pretraining, "pretraining."),
            **flatten(self.fine_tuning, "fine_tuning."),
        }

    def fit(self, data: TrainingSet) -> Fit:
        """Pre-train, or take the pre-trained network at hand, and fine-tune.

        Raises
        ------
        HistoryTooShort : the source has too little history before the target's cut-off.
        """
        source = data.sources[self.sources[0]]
        network = copy.deepcopy(
            _pretrained(_Source.of(source), self.network, self.pretraining, data.seed)
        )
        training, validation = LogWindows.of(data.pairs(self.lookback)).split(
            self.fine_tuning.validation_share
        )
        with reproducible(data.seed):
            network.scaler.fit(training.inputs)
            groups = parameter_groups(network, STRATEGIES[self.strategy], self.fine_tuning)
            history = fit_network(network, training, validation, self.fine_tuning, groups)
        return Fit(
            TorchPredictor(network, self.lookback),
            residual_variance=history.best_validation_loss,
            learned={"best_epoch": history.best_epoch},
            sources=(source,),
        )


def parameter_groups(
    network: VolatilityNetwork, strategy: Strategy, fitting: FittingConfig
) -> list[ParameterGroup]:
    """Torch parameter groups for ``strategy``; freezes the encoder where it says so."""
    head: ParameterGroup = {"params": list(network.head.parameters())}
    if strategy.encoder_rate == 0:
        network.encoder.requires_grad_(False)
        return [head]
    encoder: ParameterGroup = {
        "params": list(network.encoder.parameters()),
        "lr": fitting.learning_rate * strategy.encoder_rate,
    }
    return [head, encoder]


@dataclass(frozen=True)
class _Source:
    """An asset's data that can key a cache: equal when the digests of the series are."""

    asset: str
    sha256: str
    data: AssetData = field(compare=False)

    @classmethod
    def of(cls, data: AssetData) -> "_Source":
        return cls(data.asset, data.series.sha256, data)


@lru_cache(maxsize=2)  # every strategy fitted at one cut-off shares one pre-training
def _pretrained(
    source: _Source, shape: NetworkConfig, fitting: FittingConfig, seed: int
) -> VolatilityNetwork:
    try:
        network, _ = train_from_scratch(source.data, shape, fitting, seed)
    except HistoryTooShort as error:
        raise HistoryTooShort(
            f"pre-training on {source.asset} up to the target's cut-off: {error}; "
            "choose another transfer.source in the configuration, or --models without transfer",
            field="source",
            found=error.found,
            needed=error.needed,
        ) from error
    return network


def _transfer(name: str, strategy: str, config: Config) -> Transfer:
    return Transfer(
        name=name,
        strategy=strategy,
        sources=(config.transfer.source,),
        network=config.network,
        pretraining=config.pretraining,
        fine_tuning=config.fine_tuning,
        refit_every=config.walk_forward.network_refit_every,
    )


def transfer(config: Config) -> Transfer:
    """The paper's transfer LSTM: only the head is fine-tuned."""
    return _transfer("transfer", "frozen", config)


def transfer_full(config: Config) -> Transfer:
    """All weights are fine-tuned."""
    return _transfer("transfer_full", "full", config)
