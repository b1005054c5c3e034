"""The configuration of a retrain: one frozen tree, read from TOML, saved with every artifact."""

import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin

from volatility.errors import InvalidInput
from volatility.series import MAX_HORIZON

Section = TypeVar("Section")


class InvalidConfig(InvalidInput):
    """A configuration lacks a field, has an unknown one, or one of a wrong type or out of range."""

    code = "invalid_config"


class Range(NamedTuple):
    """Which values of a field are accepted; both ends are."""

    low: float
    high: float = math.inf

    def __str__(self) -> str:
        return (
            f"at least {self.low}" if self.high == math.inf else f"from {self.low} to {self.high}"
        )


SEEDS = Range(-(2**63), 2**63 - 1)  # what torch takes
# Networks behind one forecast: what one seed more adds shrinks with their square, what it costs in
# fitting, in serving and in the size of an artifact does not.
AVERAGED = Range(1, 16)
HORIZONS = Range(1, MAX_HORIZON)  # sessions ahead


@dataclass(frozen=True)
class WalkForwardConfig:
    """How often the walk-forward evaluation fits again, in sessions."""

    linear_refit_every: Annotated[int, Range(1)]
    network_refit_every: Annotated[int, Range(1)]


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of the paper's network (section 3.3, Table 7)."""

    lookback: Annotated[int, Range(1)]
    hidden_size: Annotated[int, Range(1)]
    layers: Annotated[int, Range(1)]
    heads: Annotated[int, Range(1)]
    bottleneck: Annotated[int, Range(1)]
    dropout: Annotated[float, Range(0.0, 0.95)]

    def __post_init__(self) -> None:
        """Refuse heads that cannot share the hidden units equally."""
        if self.hidden_size % self.heads:
            raise InvalidConfig(
                f"network.heads must divide network.hidden_size, {self.hidden_size}; "
                f"{self.heads} does not",
                field="network.heads",
                found=self.heads,
                needed=f"a divisor of {self.hidden_size}",
            )


@dataclass(frozen=True)
class FittingConfig:
    """One phase of training a network (Table 8)."""

    learning_rate: Annotated[float, Range(1e-8, 1.0)]
    batch_size: Annotated[int, Range(1)]
    epochs: Annotated[int, Range(1)]
    patience: Annotated[int, Range(0)]
    plateau_patience: Annotated[int, Range(0)]
    gradient_norm: Annotated[float, Range(1e-8, 1e8)]
    validation_share: Annotated[float, Range(0.01, 0.9)]


@dataclass(frozen=True)
class HybridConfig:
    """What the hybrid of HAR and network adds."""

    alpha_learning_rate: Annotated[float, Range(1e-8, 1.0)]


@dataclass(frozen=True)
class RegimeConfig:
    """How many regimes the regime ensemble tells apart."""

    regimes: Annotated[int, Range(2, 10)]


@dataclass(frozen=True)
class TransformerConfig:
    """What the Transformer encoder has besides the network's width, heads and dropout."""

    layers: Annotated[int, Range(1)]
    feedforward: Annotated[int, Range(1)]


@dataclass(frozen=True)
class UniversalConfig:
    """The model for every asset: a ridge regression, and an encoder of what it leaves.

    Attributes
    ----------
    hidden_size : units of the LSTM.
    head : units between its last state and the forecast.
    ridge : penalty of the regression, of standardized regressors, a row.
    seeds : encoders that the model is the mean of.
    vintage_months : between two published fits.
    vintage_assets : of a panel that must have 1,000 sessions for the first of them.
    """

    hidden_size: Annotated[int, Range(1)]
    head: Annotated[int, Range(1)]
    dropout: Annotated[float, Range(0.0, 0.95)]
    learning_rate: Annotated[float, Range(1e-8, 1.0)]
    weight_decay: Annotated[float, Range(0.0, 1.0)]
    batch_size: Annotated[int, Range(1)]
    epochs: Annotated[int, Range(1)]
    ridge: Annotated[float, Range(0.0, 1e6)]
    seeds: Annotated[int, AVERAGED]
    vintage_months: Annotated[int, Range(1)]
    vintage_assets: Annotated[int, Range(1)]


@dataclass(frozen=True)
class TransferConfig:
    """Where transferred networks are pre-trained."""

    source: str


@dataclass(frozen=True)
class Config:
    """Everything that decides a retrain's outcome, apart from the data.

    Attributes
    ----------
    seed : of every random choice, or the first of :attr:`seeds`.
    seeds : how many seeds a network is fitted with and is the mean of.
    horizons : sessions ahead that models are made for; they are judged by the first, which is 1.
    """

    seed: Annotated[int, SEEDS]
    seeds: Annotated[int, AVERAGED]
    horizons: tuple[Annotated[int, HORIZONS], ...]
    walk_forward: WalkForwardConfig
    network: NetworkConfig
    pretraining: FittingConfig
    fine_tuning: FittingConfig
    hybrid: HybridConfig
    regime_ensemble: RegimeConfig
    transformer: TransformerConfig
    transfer: TransferConfig
    universal: UniversalConfig

    def __post_init__(self) -> None:
        """Refuse seeds that torch does not take, and horizons that do not begin with 1."""
        seeds_from(self.seed, self.seeds)
        in_order = tuple(sorted(set(self.horizons)))
        if self.horizons != in_order or in_order[:1] != (1,):
            raise InvalidConfig(
                f"horizons must begin with 1, by which models are judged, and increase; "
                f"{list(self.horizons)} do not",
                field="horizons",
                found=list(self.horizons),
                needed="such as [1, 5, 10, 22]",
            )


def seeds_from(first: int, count: int) -> tuple[int, ...]:
    """As many seeds, one after the other from ``first`` on.

    Raises
    ------
    InvalidConfig : the last of them is more than torch takes.
    """
    if first + count - 1 > SEEDS.high:
        raise InvalidConfig(
            f"{count} seeds from {first} on go beyond {SEEDS.high}",
            field="seed",
            found=first,
            needed=f"at most {SEEDS.high - count + 1}",
        )
    return tuple(range(first, first + count))


def read_config(path: Path | None = None) -> Config:
    """Read a configuration; the shipped one unless ``path`` names another.

    Raises
    ------
    InvalidConfig : the file cannot be parsed, or its fields are not those of :class:`Config`.
    """
    source = path or resources.files("training") / "configs" / "default.toml"
    try:
        content = tomllib.loads(source.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidConfig(f"{source} cannot be read: {error}", field="config") from error
    return _build(Config, content, where="")


def flatten(section: Any, prefix: str = "") -> dict[str, float | int | str | bool]:
    """A configuration (or part) as ``{"fine_tuning.epochs": 30, …}``, for a manifest."""
    flat: dict[str, float | int | str | bool] = {}
    for field in dataclasses.fields(section):
        value = getattr(section, field.name)
        name = f"{prefix}{field.name}"
        if isinstance(value, tuple):
            value = " ".join(map(str, value))
        flat |= flatten(value, f"{name}.") if dataclasses.is_dataclass(value) else {name: value}
    return flat


def _build(section: type[Section], content: Mapping[str, Any], where: str) -> Section:
    fields = {field.name: field for field in dataclasses.fields(section)}  # type: ignore[arg-type]
    odd = sorted(fields.keys() ^ content.keys())
    if odd:
        state = "lacks" if odd[0] in fields else "has an unknown field"
        raise InvalidConfig(
            f"the configuration {state} {where}{odd[0]}",
            field=f"{where}{odd[0]}",
            needed=f"exactly {sorted(fields)}",
        )
    return section(
        **{name: _value(field.type, content[name], where + name) for name, field in fields.items()}
    )


def _value(kind: Any, found: Any, where: str) -> Any:
    if dataclasses.is_dataclass(kind) and isinstance(found, dict):
        return _build(kind, found, f"{where}.")  # type: ignore[arg-type]
    if get_origin(kind) is Annotated:
        kind, accepted = get_args(kind)
        value = _value(kind, found, where)
        if not accepted.low <= value <= accepted.high:  # also true for NaN
            raise _unacceptable(where, str(accepted), found)
        return value
    if get_origin(kind) is tuple:
        if not isinstance(found, list):
            raise _unacceptable(where, "a list", found)
        return tuple(_value(get_args(kind)[0], it, where) for it in found)
    if kind is float and type(found) is int:
        return float(found)
    if type(found) is not kind:
        raise _unacceptable(where, kind.__name__, found)
    return found


def _unacceptable(where: str, needed: str, found: Any) -> InvalidConfig:
    return InvalidConfig(
        f"{where} must be {needed}, not {found!r}", field=where, found=found, needed=needed
    )
