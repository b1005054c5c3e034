from pathlib import Path

import pytest

from tests.training.simulated import SMALL_CONFIG
from training.config import InvalidConfig, flatten, read_config, seeds_from


def test_the_shipped_configuration_is_that_of_the_paper() -> None:
    config = read_config()
    # Table 7 and section 3.3
    assert (config.network.layers, config.network.hidden_size, config.network.heads) == (3, 64, 4)
    assert (config.network.lookback, config.network.bottleneck) == (20, 32)
    # Table 8
    assert (config.pretraining.learning_rate, config.fine_tuning.learning_rate) == (1e-3, 1e-4)
    assert (config.pretraining.batch_size, config.fine_tuning.batch_size) == (32, 16)
    assert (config.pretraining.epochs, config.fine_tuning.epochs) == (50, 30)
    assert config.pretraining.patience == config.fine_tuning.patience == 10
    assert config.network.dropout == 0.1


def test_flattening_keeps_every_field() -> None:
    flat = flatten(read_config(SMALL_CONFIG))
    assert flat["fine_tuning.epochs"] == 2
    assert flat["transfer.source"] == "SOURCE"
    assert flat["seed"] == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("epochs = 2", "epoch = 2"), r"pretraining\.epoch"),
        (("epochs = 2", ""), r"lacks pretraining\.epochs"),
        (("epochs = 2", "epochs = 'two'"), r"pretraining\.epochs must be int, not 'two'"),
        (("seed = 7", "seed = "), "cannot be read"),
        (("seed = 7", f"seed = {2**63}"), "seed must be from"),
        (("seeds = 1", "seeds = 0"), "seeds must be from 1 to 16, not 0"),
        (("horizons = [1]", "horizons = 1"), "horizons must be a list, not 1"),
        (("horizons = [1]", "horizons = [1, 0]"), "horizons must be from 1 to 250, not 0"),
        (("horizons = [1]", "horizons = [1, 22, 5]"), r"horizons must begin with 1.*\[1, 22, 5\]"),
        (("horizons = [1]", "horizons = [5]"), "horizons must begin with 1"),
        (("seed = 7\nseeds = 1", f"seed = {2**63 - 2}\nseeds = 3"), "3 seeds from .* go beyond"),
        (("epochs = 2", "epochs = 0"), r"pretraining\.epochs must be at least 1, not 0"),
        (("linear_refit_every = 22", "linear_refit_every = 0"), "linear_refit_every must be at"),
        (("validation_share = 0.2", "validation_share = 1"), "validation_share must be from"),
        (("learning_rate = 1e-2", "learning_rate = nan"), "learning_rate must be from"),
        (("heads = 2", "heads = 3"), r"network\.heads must divide network\.hidden_size, 8"),
    ],
)
def test_a_wrong_configuration_names_the_field(
    tmp_path: Path, change: tuple[str, str], message: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(SMALL_CONFIG.read_text().replace(*change, 1))
    with pytest.raises(InvalidConfig, match=message):
        read_config(path)


BOUNDS: dict[str, tuple[float, float | None]] = {
    "seeds": (1, 16),
    "walk_forward.linear_refit_every": (1, None),
    "walk_forward.network_refit_every": (1, None),
    "network.lookback": (1, None),
    "network.layers": (1, None),
    "network.bottleneck": (1, None),
    "network.dropout": (0.0, 0.95),
    **{
        f"{phase}.{name}": bounds
        for phase in ("pretraining", "fine_tuning")
        for name, bounds in {
            "learning_rate": (1e-8, 1.0),
            "batch_size": (1, None),
            "epochs": (1, None),
            "patience": (0, None),
            "plateau_patience": (0, None),
            "gradient_norm": (1e-8, 1e8),
            "validation_share": (0.01, 0.9),
        }.items()
    },
    "hybrid.alpha_learning_rate": (1e-8, 1.0),
    "regime_ensemble.regimes": (2, 10),
    "transformer.layers": (1, None),
    "transformer.feedforward": (1, None),
    "universal.hidden_size": (1, None),
    "universal.head": (1, None),
    "universal.dropout": (0.0, 0.95),
    "universal.learning_rate": (1e-8, 1.0),
    "universal.weight_decay": (0.0, 1.0),
    "universal.batch_size": (1, None),
    "universal.epochs": (1, None),
    "universal.ridge": (0.0, 1e6),
    "universal.seeds": (1, 16),
    "universal.vintage_months": (1, None),
    "universal.vintage_assets": (1, None),
}


def written(tmp_path: Path, name: str, value: float) -> Path:
    """The small configuration with one field changed."""
    section, _, field = name.rpartition(".")
    lines, at = [], ""
    for line in SMALL_CONFIG.read_text().splitlines():
        at = line.strip("[]") if line.startswith("[") else at
        lines.append(
            f"{field} = {value!r}" if at == section and line.startswith(f"{field} =") else line
        )
    path = tmp_path / "config.toml"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("name", BOUNDS)
def test_a_number_is_accepted_between_both_ends(tmp_path: Path, name: str) -> None:
    low, high = BOUNDS[name]
    for value in (low, low * 1_000 + 1 if high is None else high):
        assert flatten(read_config(written(tmp_path, name, value)))[name] == value
    beyond = [low - 1 if isinstance(low, int) else low - 1e-9]
    beyond += [] if high is None else [high + 1 if isinstance(high, int) else high * (1 + 1e-9)]
    said = f"at least {low}" if high is None else f"from {low} to {high}"
    for value in beyond:
        with pytest.raises(InvalidConfig) as refused:
            read_config(written(tmp_path, name, value))
        assert refused.value.needed == said


def test_heads_and_hidden_units_are_one_at_least(tmp_path: Path) -> None:
    for name in ("network.heads", "network.hidden_size"):
        with pytest.raises(InvalidConfig, match=f"{name} must be at least 1, not 0"):
            read_config(written(tmp_path, name, 0))
    assert read_config(written(tmp_path, "network.heads", 1)).network.heads == 1


def test_seeds_follow_the_configured_one() -> None:
    assert seeds_from(7, 3) == (7, 8, 9)
    assert seeds_from(2**63 - 1, 1) == (2**63 - 1,)
