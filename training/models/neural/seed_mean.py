r"""A network fitted with several seeds, and their mean in logs.

.. math:: \hat x_{t+1} = \frac{1}{K} \sum_{k=1}^K \hat x^{(k)}_{t+1}

The seeds of a network differ by where its weights start, by the order of its batches and by its
dropout, none of which says anything of the asset. Their mean has the error that they share and 1/K
of the variance of what they do not.

Networks are trained for the next session. What they say of it is carried to further horizons; see
:mod:`training.networks.carried_network`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from statistics import fmean

import numpy as np

from training.config import seeds_from
from training.data.assets import TrainingSet
from training.fitting_history import FittingHistory
from training.models.linear.least_squares import least_squares
from training.models.neural.network_recipe import NetworkRecipe
from training.models.recipe import Fit, Hyperparameters
from training.networks.carried_network import CarriedNetwork
from training.networks.fitting import LogWindows
from training.networks.mean_network import MeanNetwork
from training.networks.predictor import TorchPredictor
from volatility.pairs import Pairs


@dataclass(frozen=True)
class SeedMean:
    """A network's recipe, followed once a seed; with one seed, the fit of the recipe itself.

    Attributes
    ----------
    recipe : of the network.
    seeds : how many, one after the other from that of the data on.
    """

    recipe: NetworkRecipe
    seeds: int

    @property
    def name(self) -> str:
        """That of the network."""
        return self.recipe.name

    @property
    def lookback(self) -> int:
        """That of the network."""
        return self.recipe.lookback

    @property
    def columns(self) -> tuple[str, ...]:
        """Those of the network."""
        return self.recipe.columns

    @property
    def refit_every(self) -> int:
        """Sessions between two fits in a walk-forward evaluation, of all seeds."""
        return self.recipe.refit_every

    @property
    def sources(self) -> tuple[str, ...]:
        """Other assets that the network learns from."""
        return self.recipe.sources

    @property
    def compared_with(self) -> str | None:
        """Name of the same network from scratch, or None."""
        return self.recipe.compared_with

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Those of the network."""
        return self.recipe.hyperparameters

    def fit(self, data: TrainingSet) -> Fit:
        """Train with every seed, pre-training included, and take the mean.

        A fit for several sessions ahead has one more step: what its network says of the next
        session is carried to them.

        Raises
        ------
        HistoryTooShort : see :meth:`NetworkRecipe.fit`.
        """
        next_session = _next_session(self, _Known.of(replace(data, horizon=1)))
        if data.horizon == 1:
            return next_session
        return _carried(next_session, data.pairs(self.lookback))


@dataclass(frozen=True)
class _Known:
    """A training set that can key a cache: equal when what a network sees of it is."""

    contents: tuple[str, ...]
    data: TrainingSet = field(compare=False)

    @classmethod
    def of(cls, data: TrainingSet) -> "_Known":
        assets = {"": data.target, **data.sources}
        digests = (
            f"{name} {it.asset} {it.source} {it.calendar_name} {it.series.select(()).sha256}"
            for name, it in assets.items()
        )
        return cls((str(data.seed), *digests), data)


# The models of a walk-forward that share a pre-training are fitted horizon by horizon in one
# process: there is room for each of them until the last horizon. A fit takes a few megabytes.
@lru_cache(maxsize=16)
def _next_session(recipe: SeedMean, known: _Known) -> Fit:
    """The fit for the next session, made now or at hand already."""
    data = known.data
    fits = {
        seed: recipe.recipe.fit(replace(data, seed=seed))
        for seed in seeds_from(data.seed, recipe.seeds)
    }
    if len(fits) == 1:
        return replace(fits[data.seed], by_seed=fits)
    validation = recipe.recipe.target_split(data).validation
    return replace(_mean(list(fits.values()), recipe.lookback, validation), by_seed=fits)


def _carried(fit: Fit, pairs: Pairs) -> Fit:
    """A fit for the next session carried to the horizon of ``pairs``, and so are its seeds."""
    predictor, targets = _torch(fit), np.log(pairs.targets)
    said = predictor.predict(pairs.windows).values
    estimate = least_squares(said[:, None], targets)
    intercept, slope = estimate.intercept, float(estimate.coefficients[0])
    network = CarriedNetwork(predictor.network, intercept, slope)
    return Fit(
        TorchPredictor(network, predictor.lookback),
        residual_variance=float(np.mean(np.square(estimate.residuals))),
        learned={"intercept": intercept, "slope": slope},
        sources=fit.sources,
        by_seed={seed: _carried(own, pairs) for seed, own in fit.by_seed.items()},
    )


def _mean(fits: Sequence[Fit], lookback: int, validation: LogWindows) -> Fit:
    """One network of all, with its own error where the seeds were stopped.

    What corrects its bias is the mean squared error of the mean over the validation part. That of
    single seeds is larger by the variance between them, which the mean has not got.
    """
    predictor = TorchPredictor(MeanNetwork([_torch(fit).network for fit in fits]), lookback)
    errors = predictor.predict_log(validation.inputs) - validation.targets.double().numpy()
    return Fit(
        predictor,
        residual_variance=float(np.mean(np.square(errors))),
        learned={name: fmean(fit.learned[name] for fit in fits) for name in fits[0].learned},
        sources=fits[0].sources,
        histories=_numbered([fit.histories for fit in fits]),
    )


def _torch(fit: Fit) -> TorchPredictor:
    assert isinstance(fit.predictor, TorchPredictor), "networks predict by torch"
    return fit.predictor


def _numbered(
    histories: Sequence[Mapping[str, FittingHistory]],
) -> dict[str, FittingHistory]:
    """Those of all seeds, with the place of the seed behind the name of the phase, from 1."""
    return {
        f"{phase}_{place}": history
        for place, own in enumerate(histories, start=1)
        for phase, history in own.items()
    }
