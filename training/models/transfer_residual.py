"""The correction to HAR, learned on one asset's residuals and fine-tuned on another's.

Dhansoia (2025), Table 5. Each asset has its own HAR and its own scales; what is transferred is the
network g of :mod:`training.models.residual_boosting`, from standardized windows to standardized
residuals.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass

from training.config import Config, FittingConfig, flatten
from training.models.har import LAGS
from training.models.network_recipe import NetworkRecipe
from training.models.pretraining import pretrain
from training.models.recipe import Fit, Hyperparameters
from training.models.residual_boosting import ResidualBoosting, correction_std
from training.networks.fitting import Split, fit_network, reproducible
from training.networks.predictor import TorchPredictor


@dataclass(frozen=True, kw_only=True)
class TransferResidual(NetworkRecipe):
    """Pre-train the correction on the source's residuals, fine-tune all of it on the target's.

    Attributes
    ----------
    pretraining : how the network is trained on the source.
    """

    pretraining: FittingConfig

    @property
    def lookback(self) -> int:
        """The longer of HAR's and the network's windows."""
        return self.scratch.lookback

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
    def source_share(self) -> float:
        """The share of the source's windows to validate on."""
        return self.pretraining.validation_share

    @property
    def scratch(self) -> ResidualBoosting:
        """How the network is trained on the source."""
        return ResidualBoosting(
            name="residual_boosting",
            network=self.network,
            fitting=self.pretraining,
            refit_every=self.refit_every,
        )

    def train(self, target: Split, sources: Mapping[str, Split], seed: int) -> Fit:
        """Pre-train, or take the pre-trained network at hand, and fine-tune."""
        pretrained, pretraining = pretrain(self.scratch, sources[self.sources[0]], seed)
        network = copy.deepcopy(pretrained)
        with reproducible(seed):
            network.fit_scales(target.training)
            history = fit_network(network, target, self.fitting)
            learned = {"correction_std": correction_std(network, target)}
        return Fit(
            TorchPredictor(network, self.lookback),
            residual_variance=history.best_validation_loss,
            learned={**learned, "best_epoch": history.best_epoch},
            histories={"pretraining": pretraining, "fine_tuning": history},
        )


def transfer_residual(config: Config) -> TransferResidual:
    """The recipe as configured."""
    return TransferResidual(
        name="transfer_residual",
        sources=(config.transfer.source,),
        network=config.network,
        pretraining=config.pretraining,
        fitting=config.fine_tuning,
        refit_every=config.walk_forward.network_refit_every,
    )
