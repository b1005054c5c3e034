"""Every model by its name in the store, and where it is made.

A model is a file in ``linear/`` or ``neural/`` and a line here: the module and, behind the colon,
the function in it that makes the recipe from a :class:`~training.config.Config`. Modules are
imported when a recipe is made, so that torch is loaded only where a network is asked for.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from training.config import Config
from volatility.errors import UnknownModel
from volatility.evaluation.compare import BENCHMARKS
from volatility.extras import NETWORKS_EXTRA, require
from volatility.names import did_you_mean

if TYPE_CHECKING:  # models_store, which a list of names has no use for
    from training.models.pooled.transfer import Methods
    from training.models.pooled.zero_shot import FitPooled
    from training.models.recipe import Recipe

LINEAR: Mapping[str, str] = MappingProxyType(
    {
        "last_value": "training.models.linear.averages:last_value",
        "moving_average": "training.models.linear.averages:moving_average",
        "ewma": "training.models.linear.averages:ewma",
        "har": "training.models.linear.har:har",
        "har_wls": "training.models.linear.har:har_wls",
        "log_har": "training.models.linear.har:log_har",
        "calendar_log_har": "training.models.linear.calendar_har:calendar_log_har",
        "harj": "training.models.linear.harj:harj",
        "harcj": "training.models.linear.harj:harcj",
        "shar": "training.models.linear.shar:shar",
        "harq": "training.models.linear.harq:harq",
        "lhar": "training.models.linear.lhar:lhar",
        "garch": "training.models.linear.garch:garch",
        "gjr": "training.models.linear.garch:gjr",
        "rfsv": "training.models.linear.rfsv:rfsv",
        "hexp": "training.models.linear.hexp:hexp",
        "ridge": "training.models.linear.ridge:ridge",
        "hexp_companions": "training.models.linear.accompanied:hexp_companions",
        "ridge_companions": "training.models.linear.accompanied:ridge_companions",
        "mem": "training.models.linear.mem:mem",
    }
)
COMBINATION_COMPANIONS = "combination_companions"  # the same, of regressions with companions
COMBINATION = "combination"  # what `auto` means unless something is better beyond doubt
# Of which it is the mean in logs: fixed on the third quarter of 53 assets; see docs/decisions/0030.
MEMBERS = ("hexp", "ridge", "universal")
POOLED: Mapping[str, str] = MappingProxyType(
    {
        "universal": "training.models.pooled.universal:universal",
        COMBINATION: "training.models.combined.combination:combination",
        COMBINATION_COMPANIONS: (
            "training.models.combined.combination_companions:combination_companions"
        ),
    }
)
NEURAL: Mapping[str, str] = MappingProxyType(  # these need the extra "networks"
    {
        "lstm": "training.models.neural.lstm:lstm",
        "transfer": "training.models.neural.transfer:transfer",
        "transfer_full": "training.models.neural.transfer:transfer_full",
        "transfer_differential": "training.models.neural.transfer:transfer_differential",
        "transfer_gradual": "training.models.neural.transfer:transfer_gradual",
        "transfer_aggressive": "training.models.neural.transfer:transfer_aggressive",
        "transfer_residual": "training.models.neural.transfer_residual:transfer_residual",
        "hybrid": "training.models.neural.hybrid:hybrid",
        "dynamic_attention": "training.models.neural.dynamic_attention:dynamic_attention",
        "residual_boosting": "training.models.neural.residual_boosting:residual_boosting",
        "regime_ensemble": "training.models.neural.regime_ensemble:regime_ensemble",
        "transformer": "training.models.neural.transformer:transformer",
    }
)
MODELS: Mapping[str, str] = MappingProxyType({**LINEAR, **POOLED, **NEURAL})
_POOLED_FIT = "training.models.pooled.fitting:fit_pooled"
# The model that answers in place of one whose companion is not known.
STAND_INS: Mapping[str, str] = MappingProxyType(
    {
        "hexp_companions": "hexp",
        "ridge_companions": "ridge",
        COMBINATION_COMPANIONS: COMBINATION,
    }
)
_POOLED_METHODS = "training.models.pooled.strategies:methods"
_ACCOMPANIED = {plain: name for name, plain in STAND_INS.items()}
MEMBERS_COMPANIONS = tuple(_ACCOMPANIED.get(name, name) for name in MEMBERS)
_SEED_MEAN = "training.models.neural.seed_mean:SeedMean"


def make_recipe(name: str, config: Config) -> "Recipe":
    """Load a model's module and configure its recipe; that of a network fits one seed.

    Raises
    ------
    UnknownModel : ``name`` is not in :data:`MODELS`.
    ExtraMissing : it is a network, and the extra ``networks`` is not installed.
    """
    _check_known([name])
    if name in NEURAL:
        require(NETWORKS_EXTRA, name)
    recipe: Recipe = _load(MODELS[name])(config)
    return recipe


def recipes(names: Sequence[str], config: Config) -> "list[Recipe]":
    """The recipes of ``names`` and of the benchmarks beside them, in the order of :data:`MODELS`.

    Those of networks are means over the configured number of seeds.

    Raises
    ------
    UnknownModel, ExtraMissing : see :func:`make_recipe`.
    """
    _check_known(names)
    asked = set(BENCHMARKS).union(*map(_needed_by, names))
    for name in NEURAL:
        if name in asked:
            require(NETWORKS_EXTRA, name, ", or name other models with --models")
    chosen = {name: make_recipe(name, config) for name in MODELS if name in asked}
    return [
        _load(_SEED_MEAN)(recipe, config.seeds) if name in NEURAL else recipe
        for name, recipe in chosen.items()
    ]


def pooled_fit() -> "FitPooled":
    """What fits the model for every asset.

    Raises
    ------
    ExtraMissing : the extra ``networks`` is not installed.
    """
    require(NETWORKS_EXTRA, "the model for every asset")
    fit: FitPooled = _load(_POOLED_FIT)
    return fit


def pooled_methods() -> "Methods":
    """What fits the model for every asset, and fine-tunes it by each strategy.

    Raises
    ------
    ExtraMissing : the extra ``networks`` is not installed.
    """
    require(NETWORKS_EXTRA, "the model for every asset")
    made: Methods = _load(_POOLED_METHODS)()
    return made


def _needed_by(name: str) -> set[str]:
    """A model, what its forecasts are made of, and what stands in for any of them."""
    members = {COMBINATION: MEMBERS, COMBINATION_COMPANIONS: MEMBERS_COMPANIONS}.get(name, ())
    stand_in = (STAND_INS[name],) if name in STAND_INS else ()
    return {name}.union(*map(_needed_by, (*members, *stand_in)))


def _load(path: str) -> Any:
    module, function = path.split(":")
    return getattr(import_module(module), function)


def _check_known(names: Sequence[str]) -> None:
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise UnknownModel(
            f"there is no model {unknown[0]!r}{did_you_mean(unknown[0], MODELS)}",
            field="models",
            found=unknown[0],
            needed=f"any of {list(MODELS)}",
        )
