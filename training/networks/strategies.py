"""Strategies of transfer learning as data: which layers fine-tuning may change, and how fast.

They do not know what network they are for: one that learned on one asset, or on a panel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from torch import nn

from training.config import FittingConfig
from training.networks.fitting import ParameterGroup, Stage


@dataclass(frozen=True)
class Strategy:
    """How much of a pre-trained network fine-tuning may change, and how fast.

    Attributes
    ----------
    head_rate : the head's learning rate as a multiple of the configured one.
    encoder_rate : the encoder's; 0 freezes it.
    layer_by_layer : train the head alone first, then at each stage one part more, from the top
        down: what follows the LSTM, then the layers of the LSTM, the last one first.
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


class Layered(Protocol):
    """A network of a head on an encoder."""

    @property
    def head(self) -> nn.Module:
        """From encodings to forecasts."""

    @property
    def encoder_parts(self) -> Sequence[Sequence[nn.Parameter]]:
        """The encoder's parameters from the top down."""


def stages_of(network: Layered, strategy: Strategy, fitting: FittingConfig) -> list[Stage]:
    """What ``strategy`` trains, one stage after the other.

    Layer by layer, the stages share the configured epochs equally, and the last one takes what is
    left over; there is at least one epoch each.
    """
    head = ParameterGroup(
        list(network.head.parameters()), fitting.learning_rate * strategy.head_rate
    )
    encoder_rate = fitting.learning_rate * strategy.encoder_rate
    parts = network.encoder_parts if encoder_rate else []
    groups = [head, *(ParameterGroup(part, encoder_rate) for part in parts)]
    if not strategy.layer_by_layer:
        return [Stage(groups, fitting.epochs)]
    epochs = max(1, fitting.epochs // len(groups))
    stages = [Stage(groups[:count], epochs) for count in range(1, len(groups))]
    return [*stages, Stage(groups, max(1, fitting.epochs - epochs * len(stages)))]
