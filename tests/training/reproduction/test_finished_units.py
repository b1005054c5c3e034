import subprocess
import sys
from dataclasses import replace
from fnmatch import fnmatch
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.training.reproduction.stand_in import stand_in_data
from tests.training.simulated import small_config
from training.evaluation.finished_units import FinishedUnits
from training.files import write_atomically
from training.reproduction import units as module
from training.reproduction.run import finish, kept_networks, trained
from training.reproduction.samples import samples_of
from training.reproduction.units import NETWORKS, Unit, UnitResult, units_of

LOAD_NETWORKS = """
import sys
from importlib import import_module
from training.models.registry import NEURAL
before = set(sys.modules)
for place in NEURAL.values():
    import_module(place.partition(":")[0])
print(*(
    name for name in set(sys.modules) - before
    if name.startswith("training.") and not hasattr(sys.modules[name], "__path__")
))
"""


def unit_of(name: str = "lstm", sample: str = "daily", **fitting: Any) -> Unit:
    config = small_config()
    config = replace(config, pretraining=replace(config.pretraining, **fitting))
    return units_of([samples_of(stand_in_data())[sample]], config, [7], [name])[0]


Parts = FinishedUnits[UnitResult]


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return kept_networks(tmp_path)


def keep(unit: Unit, parts: Parts) -> Path:
    parts.write(unit.name, unit.digest, unit.run())
    return parts.path(unit.name, unit.digest)


def test_every_network_of_the_tables_has_a_unit_for_each_seed_and_sample() -> None:
    units = units_of(samples_of(stand_in_data()).values(), small_config(), [1, 2])
    assert len(units) == len({unit.name for unit in units}) == 2 * 2 * len(NETWORKS)
    assert [unit.cost for unit in units] == sorted((unit.cost for unit in units), reverse=True)


def test_a_finished_unit_is_read_as_it_was(parts: Parts, tmp_path: Path) -> None:
    unit = unit_of()
    assert trained(unit, parts) is None
    assert finish(unit, unit.digest, tmp_path) == "daily-lstm-7"
    kept = trained(unit, parts)
    assert kept == unit.run()  # to the last digit
    assert kept is not None
    assert len(kept.forecasts) == len(unit.test)
    assert len(kept.histories["training"].validation_losses) == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda unit: replace(unit, seed=8),
        lambda unit: replace(unit, sample="other"),
        lambda unit: replace(unit, recipe=replace(unit.recipe, refit_every=1)),
        lambda unit: replace(unit, test=unit.test.where(np.arange(len(unit.test)) > 0)),
        lambda _: unit_of(epochs=3),
        lambda _: unit_of("hybrid"),
        lambda _: unit_of(sample="published"),
    ],
)
def test_a_unit_that_differs_is_another(change: object, parts: Parts) -> None:
    keep(unit_of(), parts)
    assert trained(change(unit_of()), parts) is None  # type: ignore[operator]


def test_data_that_differ_make_another_unit(parts: Parts) -> None:
    unit = unit_of("transfer")
    keep(unit, parts)
    assert trained(unit, parts) is not None
    changed = dict.fromkeys(unit.sources, unit.target)
    assert trained(replace(unit, sources=changed), parts) is None


def test_code_that_differs_makes_another_unit(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit = unit_of()
    keep(unit, parts)
    assert len(module.code_version()) == 64
    monkeypatch.setattr(module, "code_version", lambda: "another")
    assert trained(unit, parts) is None


@pytest.mark.parametrize("damage", [b"", b"x", b"x\n{}", b"\xff", b"{digest}\n{", b"{digest}\n[]"])
def test_a_damaged_file_is_not_read(damage: bytes, parts: Parts) -> None:
    unit = unit_of()
    keep(unit, parts).write_bytes(damage.replace(b"{digest}", unit.digest.encode()))
    assert trained(unit, parts) is None


def test_forecasts_of_other_rows_are_not_read(parts: Parts) -> None:
    unit = unit_of()
    result = unit.run()
    parts.write(unit.name, unit.digest, replace(result, forecasts=result.forecasts[1:]))
    assert trained(unit, parts) is None


def test_residual_networks_see_z_scores_and_forecast_log_volatility() -> None:
    plain, standardized = unit_of("hybrid"), unit_of("residual_boosting")
    assert plain.moments is None
    assert standardized.moments is not None
    assert standardized.target.training.targets.mean().item() == pytest.approx(0, abs=1e-5)
    level = np.mean(plain.run().forecasts)
    assert np.mean(standardized.run().forecasts) == pytest.approx(level, abs=0.5)


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_old_code_trained_is_not_kept_for_new_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unit, parts = unit_of(), kept_networks(tmp_path)
    begun = unit.digest
    monkeypatch.setattr(module, "code_version", lambda: "edited while it was running")
    edited = unit_of()
    assert edited.digest != begun
    finish(edited, begun, tmp_path)
    assert trained(edited, parts) is None
    monkeypatch.undo()
    assert trained(unit_of(), parts) is not None


def covered_modules() -> set[str]:
    return {
        f"{package}.{file.name.removesuffix('.py')}"
        for package, patterns in module.CODE.items()
        for file in resources.files(package).iterdir()
        if any(fnmatch(file.name, pattern) for pattern in patterns)
    }


def test_the_digest_of_the_code_covers_all_modules_of_training_that_networks_load() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD_NETWORKS], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "training.models.linear.har" in loaded
    assert loaded <= covered_modules()
    assert "training.models.registry" not in covered_modules()  # its lines train nothing


def test_the_digest_of_the_code_covers_what_trains_a_network() -> None:
    covered = covered_modules()
    trains = {"training.networks.fitting", "training.models.neural.lstm", "volatility.pairs"}
    measures = {"volatility.series", "volatility.measures.intraday", "volatility.regressors"}
    assert trains | measures <= covered
    named = {
        f"{package}.{pattern.removesuffix('.py')}"
        for package, patterns in module.CODE.items()
        for pattern in patterns
        if "*" not in pattern
    }
    assert named <= covered  # no file that has been moved since
