"""What regressions on named regressors share, however their coefficients are estimated."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from training.data.assets import TrainingSet
from training.models.linear.asset_regressors import AssetRegressors, regressors_of
from training.models.recipe import Fit, Hyperparameters
from volatility.arrays import FloatArray, Scale
from volatility.regressor_names import coefficients_of, design_of, make_regressor
from volatility.regressors import LinearPredictor

Counts = NDArray[np.int64]


class Sample(NamedTuple):
    """What coefficients are estimated from, in order of time, on the model's scale."""

    design: FloatArray  # (n, regressors), without the constant
    targets: FloatArray  # (n,)

    def first(self, count: int) -> "Sample":
        """The oldest ``count`` rows."""
        return Sample(self.design[:count], self.targets[:count])


class Coefficients(NamedTuple):
    """Of one fit; or of several, with an axis for them in front."""

    slopes: FloatArray  # (regressors,) in the order of the design matrix
    intercept: FloatArray  # ()
    residual_variance: FloatArray  # () by which a forecast of logs is moved to the mean

    def at(self, fit: int | slice | Counts) -> "Coefficients":
        """Of several, one; or those at some places."""
        return Coefficients(*(part[fit] for part in self))


@dataclass(frozen=True)
class Regression(ABC):
    """Rv, or its logarithm, on named regressors.

    Attributes
    ----------
    name : the model's name in the store.
    regressors : see :mod:`volatility.regressor_names`.
    scale : whether rv or its logarithm is regressed, on regressors of the same.
    refit_every : sessions between two fits in a walk-forward evaluation.
    optional : columns that it does without, and without the regressors made of them, where an
        asset's bars do not give them.
    hyperparameters : what else was chosen.
    """

    name: str
    regressors: tuple[str, ...]
    scale: Scale
    refit_every: int
    optional: frozenset[str] = frozenset()
    hyperparameters: Hyperparameters = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    compared_with: str | None = None

    @abstractmethod
    def coefficients(self, sample: Sample) -> Coefficients:
        """Those of one fit."""

    def coefficients_each(self, sample: Sample, counts: Counts) -> Coefficients:
        """Those of one fit for each of (fits,) counts of oldest rows, all that it is to see."""
        found = [self.coefficients(sample.first(count)) for count in counts]
        return Coefficients(*map(np.stack, zip(*found, strict=True)))

    @property
    def lookback(self) -> int:
        """Sessions that the longest regressor reaches back."""
        return design_of(self.regressors).lookback

    @property
    def columns(self) -> tuple[str, ...]:
        """What the regressors are made of besides rv."""
        return design_of(self.regressors).columns

    def adapted_to(self, columns: Collection[str]) -> Self:
        """The same without regressors of optional columns that are not among ``columns``."""
        lacking = self.optional - set(columns)
        kept = [it for it in self.regressors if not lacking & set(make_regressor(it).columns)]
        return replace(self, regressors=tuple(kept))

    def fit(self, data: TrainingSet) -> Fit:
        """Estimate the coefficients and, in logs, what moves a forecast to the mean."""
        found = self.coefficients(self.sample(regressors_of(data.target), data.horizon))
        slopes = dict(zip(self.regressors, found.slopes.tolist(), strict=True))
        predictor = LinearPredictor(
            scale=self.scale,
            coefficients=coefficients_of(slopes),
            intercept=float(found.intercept),
        )
        return Fit(predictor, float(found.residual_variance))

    def sample(self, regressors: AssetRegressors, horizon: int) -> Sample:
        """Regressors and targets of every window with sessions ahead, on :attr:`scale`."""
        rows = regressors.rows(self.lookback, horizon, self.columns)
        design = regressors.windows(self.scale).design(self.regressors, rows)
        targets = np.log(rows.targets) if self.scale == "logs" else rows.targets
        return Sample(np.stack(design).T, targets)
