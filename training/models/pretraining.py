"""Networks trained on a source once, for every fit that starts from them."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast

from torch import nn

from training.models.network_recipe import Network, ScratchRecipe
from training.networks.fitting import FittingHistory, Split, reproducible


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


# A network and its windows take a megabyte at most; several seeds and cut-offs take turns.
@lru_cache(maxsize=16)
def _pretrained(
    recipe: ScratchRecipe[Any], source: _Source, seed: int
) -> tuple[nn.Module, FittingHistory]:
    with reproducible(seed):
        return recipe.train_network(source.split)
