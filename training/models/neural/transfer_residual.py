"""The correction to HAR, learned on one asset's residuals and fine-tuned on another's.

Dhansoia (2025), Table 5. Each asset has its own HAR and its own scales; what is transferred is the
network g of :mod:`training.models.neural.residual_boosting`, from standardized windows to
standardized residuals.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from training.config import Config, flatten
from training.fitting_history import FittingHistory
from training.models.linear.har import LAGS
from training.models.neural.pretraining import FineTunedRecipe
from training.models.neural.residual_boosting import (
    ResidualBoosting,
    ResidualNetwork,
    correction_std,
)
from training.models.recipe import Hyperparameters
from training.networks.fitting import Split, fit_network


@dataclass(frozen=True, kw_only=True)
class TransferResidual(FineTunedRecipe[ResidualNetwork]):
    """Pre-train the correction on the source's residuals, fine-tune all of it on the target's."""

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Source, HAR's lags, the network's shape and both phases of training."""
        return {
            "source": self.sources[0],
            "lags": LAGS,
            **flatten(self.network, "network."),
            **flatten(self.pretraining, "pretraining."),
            **flatten(self.fitting, "fine_tuning."),
        }

    @property
    def scratch(self) -> ResidualBoosting:
        """How the network is trained on the source."""
        return ResidualBoosting(
            name="residual_boosting",
            network=self.network,
            fitting=self.pretraining,
            refit_every=self.refit_every,
        )

    def fine_tune(
        self, network: ResidualNetwork, target: Split
    ) -> tuple[FittingHistory, Mapping[str, float]]:
        """Train all of the correction, on the target's scales and its HAR's residuals."""
        network.fit_scales(target.training)
        history = fit_network(network, target, self.fitting)
        return history, {"correction_std": correction_std(network, target)}


def transfer_residual(config: Config) -> TransferResidual:
    """Pre-trained on ``transfer.source``, fine-tuned as ``fine_tuning`` configures."""
    return TransferResidual(
        name="transfer_residual",
        sources=(config.transfer.source,),
        network=config.network,
        pretraining=config.pretraining,
        fitting=config.fine_tuning,
        refit_every=config.walk_forward.network_refit_every,
    )
