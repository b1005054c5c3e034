from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.training.simulated import SMALL_CONFIG, make_asset, small_config
from training import cli
from training.commands.preparation import Preparation, check_writable, workers_of
from training.models.neural.seed_mean import SeedMean
from volatility.datasets import NAMES
from volatility.errors import InvalidInput
from volatility.evaluation.compare import BENCHMARKS


def prepare(*arguments: str) -> Preparation:
    """What a retrain is asked for; of HAR, unless the arguments name other models."""
    models = () if "--models" in arguments else ("--models", "har")
    command = ["retrain", "--config", str(SMALL_CONFIG), *models, *arguments]
    return Preparation.of(cli.make_parser().parse_args(command))


def test_an_asset_and_a_target_are_the_same() -> None:
    prepared = prepare("--asset", "SPX", "--target", "ETH-USD", "--asset", "SPX")
    assert (prepared.assets, prepared.file) == (("SPX", "ETH-USD"), None)
    assert prepare().assets == NAMES


def test_options_override_the_configuration() -> None:
    config = prepare("--seed", "5", "--source", "ETH-USD", "--asset", "SPX").config
    assert (config.seed, config.transfer.source) == (5, "ETH-USD")
    last = str(2**63 - 1)
    config = prepare("--seed", last, "--seeds", "1").config
    assert (config.seed, config.seeds) == (2**63 - 1, 1)
    assert prepare().config == small_config()


def test_a_source_that_nothing_learns_from_is_refused() -> None:
    prepared = prepare("--source", "ETH-USD", "--asset", "SPX")
    with pytest.raises(InvalidInput, match=r"none of \['har'\] is"):
        prepared.load_sources(datetime.now(UTC))


def test_sources_are_those_that_the_models_learn_from() -> None:
    prepared = prepare("--source", "ETH-USD", "--asset", "SPX", "--models", "transfer", "lstm")
    assert list(prepared.load_sources(datetime.now(UTC))) == ["ETH-USD"]
    assert prepare().load_sources(datetime.now(UTC)) == {}


def test_a_study_has_the_models_that_can_be_fitted() -> None:
    study = prepare("--models", "har", "lhar").study(make_asset(), {}, horizon=5)
    assert study.key == ("TARGET", 5)
    assert [recipe.name for recipe in study.recipes] == list(BENCHMARKS)


def test_a_folder_is_tried_and_left_empty(tmp_path: Path) -> None:
    check_writable(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


@pytest.mark.parametrize(("command", "option"), [("retrain", "--store"), ("evaluate", "--out")])
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_fitted(
    command: str, option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("mine")
    place = file if command == "retrain" else file / "out"
    arguments = ["--asset", "ETH-USD", "--models", "har", "--jobs", "1", option, str(place)]
    assert cli.main([command, *arguments]) == 2
    printed = capsys.readouterr()
    assert str(file) in printed.err
    assert "sessions of" not in printed.out
    assert file.read_text() == "mine"


def test_networks_are_means_over_as_many_seeds_as_asked_for() -> None:
    *_, linear, lstm = prepare("--models", "lstm", "--seeds", "4").recipes
    assert isinstance(lstm, SeedMean)
    assert (lstm.name, lstm.seeds) == ("lstm", 4)
    assert linear.name == "calendar_log_har"
    assert not isinstance(linear, SeedMean)


@pytest.mark.parametrize("count", ["0", "17", "many"])
def test_a_number_of_seeds_out_of_range_is_refused(
    count: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        prepare("--seeds", count)
    assert "argument --seeds" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--backend", "dask"], "go together"),
        (["--scheduler", "tcp://127.0.0.1:8786"], "go together"),
        (["--backend", "dask", "--scheduler", "tcp://127.0.0.1:1", "--jobs", "2"], "--jobs counts"),
    ],
)
def test_a_cluster_is_named_whole_and_alone(options: list[str], message: str) -> None:
    for command in ("retrain", "evaluate"):
        with pytest.raises(InvalidInput, match=message):
            workers_of(cli.make_parser().parse_args([command, *options]))
