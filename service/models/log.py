"""What the log says of models that are refused, are back, or take the place of others."""

import structlog

from models_store import Refusal
from models_store.succession import NewChampion, Swap

log = structlog.get_logger("service")


def refused(refusal: Refusal) -> None:
    """Warn of a model or a pointer that is refused."""
    log.warning(
        "artifact refused",
        asset=refusal.asset,
        model=refusal.model,
        version=refusal.version,
        reason=refusal.reason,
        served_version=refusal.served_version,
    )


def returned(asset: str, model: str, version: int) -> None:
    """Say that what was lost can be read again."""
    log.info("artifact can be read again", asset=asset, model=model, version=version)


def swapped(swap: Swap) -> None:
    """Say that another version serves."""
    log.info("model swapped", **swap._asdict())


def named(champion: NewChampion) -> None:
    """Say that another model is champion."""
    log.info("champion changed", **champion._asdict())
