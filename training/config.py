"""The configuration of a retrain: one frozen tree, read from TOML, saved with every artifact."""

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from volatility.errors import InvalidInput

Section = TypeVar("Section")


class InvalidConfig(InvalidInput):
    """A configuration file names a field that does not exist, or lacks one, or has a wrong type."""

    code = "invalid_config"


@dataclass(frozen=True)
class WalkForwardConfig:
    """How often the walk-forward evaluation fits again, in sessions."""

    linear_refit_every: int
    network_refit_every: int


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of the paper's network (section 3.3, Table 7)."""

    lookback: int
    hidden_size: int
    layers: int
    heads: int
    bottleneck: int
    dropout: float


@dataclass(frozen=True)
class FittingConfig:
    """One phase of training a network (Table 8)."""

    learning_rate: float
    batch_size: int
    epochs: int
    patience: int
    plateau_patience: int
    gradient_norm: float
    validation_share: float


@dataclass(frozen=True)
class HybridConfig:
    """What the hybrid of HAR and network adds."""

    alpha_learning_rate: float


@dataclass(frozen=True)
class TransferConfig:
    """Where transferred networks are pre-trained."""

    source: str


@dataclass(frozen=True)
class Config:
    """Everything that decides a retrain's outcome, apart from the data."""

    seed: int
    walk_forward: WalkForwardConfig
    network: NetworkConfig
    pretraining: FittingConfig
    fine_tuning: FittingConfig
    hybrid: HybridConfig
    transfer: TransferConfig


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
    if kind is float and isinstance(found, int) and not isinstance(found, bool):
        return float(found)
    if type(found) is not kind:
        raise InvalidConfig(
            f"{where} must be {kind.__name__}, not {found!r}",
            field=where,
            found=found,
            needed=kind.__name__,
        )
    return found
