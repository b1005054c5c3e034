"""Every model by its name in the store. To add one: a file beside this one and a line here."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from training.config import Config
from training.models.linear import benchmarks, garch, har, harj, harq, lhar, rfsv, shar
from training.models.neural import (
    dynamic_attention,
    hybrid,
    lstm,
    regime_ensemble,
    residual_boosting,
    transfer,
    transfer_residual,
    transformer,
)
from training.models.recipe import Recipe
from volatility.errors import UnknownModel

MODELS: Mapping[str, Callable[[Config], Recipe]] = MappingProxyType(
    {
        "last_value": lambda c: benchmarks.last_value(c.walk_forward.linear_refit_every),
        "moving_average": lambda c: benchmarks.moving_average(c.walk_forward.linear_refit_every),
        "ewma": lambda c: benchmarks.ewma(c.walk_forward.linear_refit_every),
        "har": lambda c: har.har(c.walk_forward.linear_refit_every),
        "har_wls": lambda c: har.har_wls(c.walk_forward.linear_refit_every),
        "log_har": lambda c: har.log_har(c.walk_forward.linear_refit_every),
        "harj": lambda c: harj.harj(c.walk_forward.linear_refit_every),
        "harcj": lambda c: harj.harcj(c.walk_forward.linear_refit_every),
        "shar": lambda c: shar.shar(c.walk_forward.linear_refit_every),
        "harq": lambda c: harq.harq(c.walk_forward.linear_refit_every),
        "lhar": lambda c: lhar.lhar(c.walk_forward.linear_refit_every),
        "garch": lambda c: garch.garch(c.walk_forward.linear_refit_every),
        "gjr": lambda c: garch.gjr(c.walk_forward.linear_refit_every),
        "rfsv": lambda c: rfsv.rfsv(c.walk_forward.linear_refit_every),
        "lstm": lstm.lstm,
        "transfer": transfer.transfer,
        "transfer_full": transfer.transfer_full,
        "transfer_differential": transfer.transfer_differential,
        "transfer_gradual": transfer.transfer_gradual,
        "transfer_aggressive": transfer.transfer_aggressive,
        "transfer_residual": transfer_residual.transfer_residual,
        "hybrid": hybrid.hybrid,
        "dynamic_attention": dynamic_attention.dynamic_attention,
        "residual_boosting": residual_boosting.residual_boosting,
        "regime_ensemble": regime_ensemble.regime_ensemble,
        "transformer": transformer.transformer,
    }
)


BENCHMARKS = ("last_value", "har", "log_har")  # evaluated beside whatever else is


def recipes(names: Sequence[str], config: Config) -> list[Recipe]:
    """The recipes of ``names`` and of the benchmarks that stand beside them, configured.

    Raises
    ------
    UnknownModel : a name is not in :data:`MODELS`.
    """
    unknown = [name for name in names if name not in MODELS]
    if unknown:
        raise UnknownModel(
            f"there is no model {unknown[0]!r}",
            field="models",
            found=unknown[0],
            needed=f"any of {list(MODELS)}",
        )
    return [make(config) for name, make in MODELS.items() if name in {*BENCHMARKS, *names}]
