"""Networks trained on a source once, for every fit that starts from them."""

import copy
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Generic, cast

from torch import nn

from training.config import AVERAGED, FittingConfig
from training.fitting_history import FittingHistory
from training.models.neural.network_recipe import Network, NetworkRecipe, ScratchRecipe
from training.models.recipe import Fit
from training.networks.fitting import Split, reproducible
from training.networks.predictor import TorchPredictor


@dataclass(frozen=True)
class _Source:
    """Windows that can key a cache: equal when their contents are."""

    sha256: str
    split: Split = field(compare=False)


def pretrain(
    recipe: ScratchRecipe[Network], source: Split, seed: int
) -> tuple[Network, FittingHistory]:
    """The network that ``recipe`` trains on ``source``, trained now or at hand already.

    Every strategy fitted at one cut-off shares one pre-training. The network is shared as well: to
    train it further, copy it.
    """
    network, history = _pretrained(recipe, _Source(source.sha256, source), seed)
    return cast(Network, network), history  # the cache knows modules only


# Models fitted at one cut-off in one process start from one network of each seed. It takes a
# megabyte at most with its windows; with room for fewer seeds than there may be, every model would
# find those that it needs first gone.
@lru_cache(maxsize=int(AVERAGED.high))
def _pretrained(
    recipe: ScratchRecipe[Any], source: _Source, seed: int
) -> tuple[nn.Module, FittingHistory]:
    with reproducible(seed):
        return recipe.train_network(source.split)


@dataclass(frozen=True, kw_only=True)
class FineTunedRecipe(NetworkRecipe, Generic[Network]):
    """A network trained on the source from scratch, and further on the target.

    Attributes
    ----------
    pretraining : how the network is trained on the source.
    """

    pretraining: FittingConfig

    @property
    @abstractmethod
    def scratch(self) -> ScratchRecipe[Network]:
        """How the network is trained on the source."""

    @abstractmethod
    def fine_tune(
        self, network: Network, target: Split
    ) -> tuple[FittingHistory, Mapping[str, float]]:
        """Train ``network`` further, in place; its losses, and what is worth reading of it."""

    @property
    def compared_with(self) -> str:
        """The same network trained from scratch."""
        return self.scratch.name

    @property
    def lookback(self) -> int:
        """That of the network from scratch."""
        return self.scratch.lookback

    @property
    def source_share(self) -> float:
        """The share of the source's windows to validate on."""
        return self.pretraining.validation_share

    def train(self, target: Split, sources: Mapping[str, Split], seed: int) -> Fit:
        """Pre-train, or take the pre-trained network at hand, and fine-tune."""
        pretrained, pretraining = pretrain(self.scratch, sources[self.sources[0]], seed)
        network = copy.deepcopy(pretrained)
        with reproducible(seed):
            history, learned = self.fine_tune(network, target)
        return Fit(
            TorchPredictor(network, self.lookback),
            residual_variance=history.best_validation_loss,
            learned={**learned, "best_epoch": history.best_epoch},
            histories={"pretraining": pretraining, "fine_tuning": history},
        )
