"""One network, one seed, one sample: the smallest piece of work, and what comes of it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from training.config import Config, FittingConfig
from training.evaluation.digests import code_digest, digest_of
from training.fitting_history import FittingHistory
from training.models.neural.network_recipe import NetworkRecipe
from training.models.recipe import Fit
from training.models.registry import make_recipe
from training.networks.fitting import Split
from training.networks.predictor import TorchPredictor
from training.reproduction.samples import Moments, Rows, Sample
from volatility.arrays import FloatArray

# In the order of the paper's tables.
NETWORKS = (
    "lstm",
    "transfer",
    "transfer_full",
    "transfer_differential",
    "transfer_gradual",
    "transfer_aggressive",
    "hybrid",
    "dynamic_attention",
    "residual_boosting",
    "regime_ensemble",
    "transfer_residual",
)
# Table 5: "trained on z-score normalized data".
STANDARDIZED = frozenset({"residual_boosting", "regime_ensemble", "transfer_residual"})

# What a trained network depends on, besides its data and its configuration: patterns of files by
# package. Not the registry, nor linear models that no network contains: a line there retrains none.
CODE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "training": ("config.py", "fitting_history.py"),
        "training.data": ("assets.py",),
        "training.models": ("calendar_adjusted.py", "recipe.py"),
        "training.models.linear": (
            "asset_regressors.py",
            "cross_products.py",
            "har.py",
            "least_squares.py",
            "regression.py",
        ),
        "training.models.neural": ("*.py",),
        "training.networks": ("*.py",),
        "training.reproduction": ("samples.py", "units.py"),
        "volatility": (
            "filters.py",
            "pairs.py",
            "regressor_names.py",
            "regressors.py",
            "series.py",
        ),
        "volatility.measures": ("*.py",),
    }
)
_LIBRARIES = ("numpy", "torch")


@dataclass(frozen=True)
class UnitResult:
    """What is kept of a trained network.

    Attributes
    ----------
    forecasts : (n,) log volatility of the test part's rows, in their order.
    learned : quantities worth reading, such as the hybrid's alpha.
    histories : losses by phase of training.
    """

    forecasts: tuple[float, ...]
    learned: Mapping[str, float]
    histories: Mapping[str, FittingHistory]

    def to_json(self) -> dict[str, Any]:
        """Plain values, without loss of digits."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "UnitResult":
        """The inverse of :meth:`to_json`."""
        return cls(
            forecasts=tuple(content["forecasts"]),
            learned=dict(content["learned"]),
            histories={name: _history(kept) for name, kept in content["histories"].items()},
        )


@dataclass(frozen=True)
class Unit:
    """A network to train.

    Attributes
    ----------
    recipe : how.
    seed : of every random choice.
    sample : name of the sample.
    target, sources : what to learn from.
    test : what to forecast, in the units that the network sees.
    moments : to move the forecasts back to log volatility; None where the network saw it.
    """

    recipe: NetworkRecipe
    seed: int
    sample: str
    target: Split
    sources: Mapping[str, Split]
    test: Rows
    moments: Moments | None

    @property
    def name(self) -> str:
        """For a file and for people."""
        return f"{self.sample}-{self.recipe.name}-{self.seed}"

    @property
    def digest(self) -> str:
        """sha256 of all that decides what comes of it."""
        return digest_of(
            self.recipe,
            self.seed,
            self.sample,
            self.moments,
            self.target.sha256,
            {name: split.sha256 for name, split in self.sources.items()},
            self.test.windows,
            code_version(),
        )

    @property
    def cost(self) -> int:
        """Batches, at most: what its training takes, to begin with the longest."""
        batches = _batches(self.recipe.fitting, self.target)
        pretraining = getattr(self.recipe, "pretraining", None)
        if pretraining is not None:
            batches += sum(_batches(pretraining, source) for source in self.sources.values())
        return batches

    def run(self) -> UnitResult:
        """Train the network and forecast the test part."""
        fit = self.recipe.train(self.target, self.sources, self.seed)
        forecasts = _predict(fit, self.test.windows)
        if self.moments is not None:
            forecasts = self.moments.restore(forecasts)
        return UnitResult(tuple(forecasts.tolist()), dict(fit.learned), dict(fit.histories))


def units_of(
    samples: Iterable[Sample], config: Config, seeds: Sequence[int], names: Sequence[str] = NETWORKS
) -> list[Unit]:
    """Every network with every seed on every sample, the longest first."""
    units = [
        unit
        for sample in samples
        for name in names
        for unit in _units(sample, _network_recipe(name, config), seeds)
    ]
    return sorted(units, key=lambda unit: -unit.cost)


@cache
def code_version() -> str:
    """sha256 of the modules and the versions of the libraries that decide what a network learns."""
    return code_digest(CODE, _LIBRARIES)


def _network_recipe(name: str, config: Config) -> NetworkRecipe:
    recipe = make_recipe(name, config)
    assert isinstance(recipe, NetworkRecipe), f"{name} is no network"
    return recipe


def _units(sample: Sample, recipe: NetworkRecipe, seeds: Sequence[int]) -> list[Unit]:
    target = sample.target.partition(recipe.lookback)
    source = sample.source.partition(recipe.lookback)
    moments = target.moments if recipe.name in STANDARDIZED else None
    if moments is not None:
        target, source = target.standardized(), source.standardized()
    sources = dict.fromkeys(recipe.sources, source.split)
    split = target.split
    return [Unit(recipe, seed, sample.name, split, sources, target.test, moments) for seed in seeds]


def _predict(fit: Fit, windows: FloatArray) -> FloatArray:
    assert isinstance(fit.predictor, TorchPredictor), "networks predict by torch"
    return fit.predictor.predict_log(windows)


def _batches(fitting: FittingConfig, split: Split) -> int:
    return fitting.epochs * math.ceil(len(split.training) / fitting.batch_size)


def _history(content: Mapping[str, Any]) -> FittingHistory:
    return FittingHistory(
        tuple(content["training_losses"]),
        tuple(content["validation_losses"]),
        content["best_epoch"],
    )
