"""The combination whose regressions look at companions."""

from training.config import Config
from training.models.combined.combination import Combination
from training.models.registry import (
    COMBINATION_COMPANIONS,
    MEMBERS_COMPANIONS,
    STAND_INS,
    make_recipe,
)


def combination_companions(config: Config) -> Combination:
    """The asset's own regressions with its companions, and the model for every asset."""
    members = tuple(make_recipe(name, config) for name in MEMBERS_COMPANIONS)
    return Combination(COMBINATION_COMPANIONS, members, stand_in=STAND_INS[COMBINATION_COMPANIONS])
