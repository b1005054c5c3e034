"""``python -m training evaluate`` from end to end, on tiny assets and networks."""

import gzip
import io
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from models_store.store import Store
from tests.training.simulated import SMALL_CONFIG, write_bars
from training import cli
from training.commands.evaluate import _command
from training.config import read_config
from training.models.registry import MODELS, recipes

FILES = {"results.csv", "results.json", "forecasts.csv.gz", "report.md", "report.html", "figures"}


def arguments(bars: Path, out: Path, *more: str) -> list[str]:
    common = ["--config", str(SMALL_CONFIG), "--out", str(out)]
    return ["evaluate", "--asset", "MINE", "--bars", str(bars), *common, *more]


def content(folder: Path) -> dict[str, bytes]:
    files = [entry for entry in folder.rglob("*") if entry.is_file()]
    return {str(entry.relative_to(folder)): entry.read_bytes() for entry in files}


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_bars(tmp_path_factory.mktemp("bars") / "mine.csv", nobs=620)


def test_the_same_results_twice_whatever_the_number_of_processes(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of every model that daily bars and a companion allow."""
    models = ["--source", "BTC-USD", "--companion", "ETH-USD"]
    horizons = ["--horizons", "5", "1"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert cli.main(arguments(bars, one, *models, *horizons, "--jobs", "1")) == 0
    assert {entry.name for entry in one.iterdir()} == FILES
    printed = capsys.readouterr().out
    assert "MINE, 1 session ahead, test part" in printed
    assert "MINE, mean of 5 sessions ahead" in printed
    assert "Significantly better than HAR (5 %)" in printed
    assert cli.main(arguments(bars, two, *models, *horizons, "--jobs", "2")) == 0
    assert content(one) == content(two)

    frame = pd.read_csv(one / "results.csv")
    assert set(frame["model"]) == set(MODELS) - {"harj", "harcj", "shar", "harq"}
    assert len(frame) == 2 * 2 * frame["model"].nunique()  # horizons, parts, models
    forecasts = pd.read_csv(io.BytesIO(gzip.decompress((one / "forecasts.csv.gz").read_bytes())))
    assert set(forecasts["model"]) == set(frame["model"])
    report = (one / "report.md").read_text()
    assert "--companion ETH-USD" in report
    assert "QLIKE against `lstm` from scratch: `transfer`" in report
    paths = re.findall(r"\]\((figures/[^)]+\.svg)\)", report)
    assert len(paths) == 2 * 4
    assert all((one / path).is_file() for path in paths)


def test_the_report_says_how_to_make_it_again(bars: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    more = ["--models", "har", "--seed", "3", "--jobs", "1", "--measure", "parkinson"]
    assert cli.main(arguments(bars, out, *more)) == 0
    before = content(out)
    (command,) = re.findall(r"Made by `python -m training (.*)`\.", (out / "report.md").read_text())
    assert cli.main([*command.split(), "--out", str(out), "--jobs", "1"]) == 0
    assert content(out) == before


def test_it_scores_as_a_retrain_does(bars: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "store", tmp_path / "out"
    root.mkdir()
    same = ["--config", str(SMALL_CONFIG), "--models", "ewma", "lstm", "--jobs", "1"]
    asset = ["--asset", "MINE", "--bars", str(bars)]
    assert cli.main(["retrain", *asset, *same, "--store", str(root)]) == 0
    assert cli.main(["evaluate", *asset, *same, "--out", str(out)]) == 0
    frame = pd.read_csv(out / "results.csv").set_index(["part", "model"])
    store = Store(root)
    for model in store.models("MINE"):
        evaluation = store.load("MINE", model).manifest.evaluation
        found = frame.loc[[("test", model)]].iloc[0]
        assert found["qlike_loss"] == pytest.approx(evaluation.qlike_loss, rel=1e-9)
        assert found["nobs"] == evaluation.nobs


def test_what_an_asset_cannot_have_is_named(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ["--models", "har", "shar", "--jobs", "1"]
    assert cli.main(arguments(bars, tmp_path / "out", *models)) == 0
    assert "without shar: its bars give no" in capsys.readouterr().out
    assert "shar" not in set(pd.read_csv(tmp_path / "out" / "results.csv")["model"])


@pytest.mark.parametrize(("source", "target"), [("BTC-USD", "ETH-USD"), ("ETH-USD", "BTC-USD")])
def test_transfer_between_any_two_assets(source: str, target: str, tmp_path: Path) -> None:
    pair = ["--source", source, "--target", target, "--models", "transfer", "lstm"]
    common = ["--config", str(SMALL_CONFIG), "--out", str(tmp_path / "out"), "--jobs", "1"]
    assert cli.main(["evaluate", *pair, *common]) == 0
    frame = pd.read_csv(tmp_path / "out" / "results.csv")
    assert set(frame["asset"]) == {target}
    assert "transfer" in set(frame["model"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--source", "ETH-USD", "--target", "ETH-USD"], "ETH-USD is both source and target"),
        (["--target", "NOBODY"], "NOBODY"),
        (
            ["--asset", "ETH-USD", "--horizons", "600", "--models", "har"],
            "in one part of them only",
        ),
        (["--target", "SPX", "--source", "ETH-USD", "--models", "transfer"], "pre-training on ETH"),
    ],
)
def test_what_cannot_be_evaluated_is_explained(
    options: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--config", str(SMALL_CONFIG), "--out", str(tmp_path / "out"), "--jobs", "1"]
    assert cli.main(["evaluate", *options, *common]) == 2
    assert message in re.sub(r"\s+", " ", capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_refused_before_anything_is_fitted(
    bars: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert cli.main(arguments(bars, tmp_path, "--models", "har")) == 2
    printed = capsys.readouterr()
    assert "notes.txt" in printed.err
    assert "sessions of" not in printed.out


def test_the_command_in_a_report_has_what_was_said_and_no_more() -> None:
    def told(*more: str) -> str:
        given = cli.make_parser().parse_args(["evaluate", *more])
        return _command(given, recipes(given.models, read_config(SMALL_CONFIG)))

    begin = "python -m training evaluate"
    assert told("--jobs", "2", "--out", "there", "-q") == f"{begin} --horizons 1"
    file = "--asset MINE --bars 'my bars.csv' --calendar XNYS --measure parkinson"
    more = "--outside-sessions drop --source SPX --config c.toml --seed 3 --seeds 2 --dayfirst"
    more += " --companion VIX --companion A=a.csv"
    chosen = "last_value ewma har log_har calendar_log_har"
    horizons = "--horizons 1 5"
    given = f"{file} {more} --models ewma --horizons 5 1 5"
    assert told(*shlex.split(given)) == f"{begin} {file} {more} --models {chosen} {horizons}"
    service = "--asset A --asset B --from-service http://there"
    assert told(*service.split()) == f"{begin} {service} --horizons 1"


@pytest.mark.parametrize("horizon", ["0", "-1", "soon"])
def test_a_horizon_that_is_not_ahead_is_refused(horizon: str) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["evaluate", "--horizons", horizon])
    assert stopped.value.code == 2
