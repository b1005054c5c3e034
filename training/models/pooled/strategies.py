"""The paper's five strategies of transfer, from the model for every asset to one of them."""

from dataclasses import replace
from functools import partial

from training.config import Config, FittingConfig
from training.models.pooled.fitting import PooledFit, fit_pooled
from training.models.pooled.rows import Rows
from training.models.pooled.transfer import BATCH, Methods
from training.networks.pooled_tuning import fine_tune
from training.networks.strategies import STRATEGIES


def methods() -> Methods:
    """How a model for every asset is fitted, and fine-tuned by each strategy."""
    return Methods(fit_pooled, {name: partial(tune, name) for name in STRATEGIES})


def tune(strategy: str, source: PooledFit, rows: Rows, epochs: int, config: Config) -> PooledFit:
    """Fine-tune a fitted model's network on rows of an asset that it has not seen.

    Parameters
    ----------
    strategy : one of :data:`training.networks.strategies.STRATEGIES`.
    source : stays as it is.
    rows : of the target; their targets are logs over its slow mean.
    epochs : of all stages together.
    config : rates, and the seed.

    Returns
    -------
    The model with another network. It learns logs, and goes on saying as much more than a log as
    the panel asked for; how much the target asks for, its own scale knows.
    """
    network = fine_tune(
        source.network,
        rows.regressors,
        rows.sequence,
        (rows.targets + source.log_means).astype(rows.targets.dtype),
        STRATEGIES[strategy],
        _fitting(config, epochs),
        config.seed,
    )
    return replace(source, network=network)


def _fitting(config: Config, epochs: int) -> FittingConfig:
    """As the paper's network is fine-tuned, slower than it was trained by the same factor."""
    slower = config.fine_tuning.learning_rate / config.pretraining.learning_rate
    return replace(
        config.fine_tuning,
        learning_rate=config.universal.learning_rate * slower,
        batch_size=BATCH,
        epochs=epochs,
    )
