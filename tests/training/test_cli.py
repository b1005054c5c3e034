import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models_store.store import Store
from tests.models_store.artifacts import opened, verified
from tests.training.simulated import SMALL_CONFIG, write_bars
from training import cli
from training.data.assets import TrainingSet
from training.evaluation.walk_forward import forecast_studies
from training.networks.predictor import ParityError
from training.publishing import retrain
from training.publishing.store_results import BEGIN, END
from volatility.errors import HistoryTooShort
from volatility.evaluation.compare import BENCHMARKS
from volatility.evaluation.tracks import ForecastTrack
from volatility.series import RealizedSeries

LINEAR = ["--models", "har"]


def arguments(store: Path, bars: Path, *more: str) -> list[str]:
    common = ["--store", str(store), "--config", str(SMALL_CONFIG), "--jobs", "1"]
    return ["retrain", "--asset", "MINE", "--bars", str(bars), *common, *more]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "store").mkdir()  # an empty store: the shipped models are not needed here
    return tmp_path / "store"


def test_an_asset_nobody_has_seen(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A user's own CSV becomes models that forecast, networks among them."""
    bars = write_bars(tmp_path / "mine.csv", nobs=620)
    models = ["--models", "hybrid", "ewma"]
    assert cli.main(arguments(root, bars, *models)) == 0
    printed = capsys.readouterr().out
    assert "620 sessions of garman_klass" in printed
    assert re.search(r"log_har.*the first version in service", printed)
    store = Store(root)
    assert store.models("MINE") == sorted([*BENCHMARKS, "ewma", "hybrid"])
    assert store.champion("MINE") in store.models("MINE")
    loaded = store.load("MINE", "hybrid")
    assert 0 < loaded.manifest.learned["alpha"] < 1
    assert loaded.manifest.training.source == "mine.csv"
    assert loaded.manifest.evaluation.nobs == 620 // 4
    history = RealizedSeries(rv=np.full(30, 1e-4), measure="garman_klass")
    assert loaded.forecast(history).rv > 0


def test_retraining_on_the_same_data_changes_nothing(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    models = ["--models", "lstm"]
    assert cli.main(arguments(root, bars, *models)) == 0
    before = verified(Store(root))
    assert cli.main(arguments(root, bars, *models)) == 0
    assert "unchanged" in capsys.readouterr().out
    store = Store(root)
    assert all(store.versions("MINE", model) == [1] for model in store.models("MINE"))
    after = verified(store)
    assert before.cards() == after.cards()


def test_only_what_was_asked_for_is_published(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    assert cli.main(arguments(root, bars, "--models", *BENCHMARKS)) == 0
    frame = pd.read_csv(bars)
    frame[:-1].to_csv(bars, index=False)  # so that all would forecast something else
    assert cli.main(arguments(root, bars, "--models", "lhar")) == 0
    store = Store(root)
    published = {model: store.versions("MINE", model) for model in store.models("MINE")}
    assert published == {model: [1] for model in (*BENCHMARKS, "lhar")}
    printed = capsys.readouterr().out
    assert re.search(r"log_har .*│ +│ +│ evaluated beside; version 1 stays", printed)
    assert store.champion("MINE") in published


def test_what_forecasts_the_same_is_not_published_though_its_digest_differs(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    assert cli.main(arguments(root, bars, *LINEAR)) == 0
    monkeypatch.setattr("training.publishing.artifacts.version", lambda _: "2.0")
    assert cli.main(arguments(root, bars, *LINEAR)) == 0
    store = Store(root)
    assert store.versions("MINE", "har") == [1]
    assert store.load("MINE", "har").manifest.code_version != "2.0"


def test_a_benchmark_that_cannot_be_loaded_is_published_again(root: Path, tmp_path: Path) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    assert cli.main(arguments(root, bars, *LINEAR)) == 0
    (root / "MINE" / "log_har" / "1" / "coefficients.json").write_text("{}")
    assert cli.main(arguments(root, bars, *LINEAR)) == 0
    store = Store(root)
    assert (store.versions("MINE", "log_har"), store.current("MINE", "log_har")) == ([1, 2], 2)
    assert store.versions("MINE", "har") == [1]


def test_a_worse_version_is_published_but_does_not_serve(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    assert cli.main(arguments(root, bars, *LINEAR)) == 0
    honest = forecast_studies

    def with_errors(*arguments: Any) -> list[dict[str, ForecastTrack]]:
        noise = np.exp(np.random.default_rng(1).standard_normal(310))
        (tracks,) = honest(*arguments)
        return [
            {
                model: replace(track, forecast=track.forecast * noise[: len(track)])
                for model, track in tracks.items()
            }
        ]

    monkeypatch.setattr(retrain, "forecast_studies", with_errors)
    assert cli.main(arguments(root, bars, *LINEAR)) == 1
    assert cli.main(arguments(root, bars, *LINEAR)) == 1  # the same again is not published again
    store = Store(root)
    assert store.versions("MINE", "har") == [1, 2]
    assert store.current("MINE", "har") == 1


def test_nothing_is_published_when_an_export_fails(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise ParityError("onnxruntime and torch differ")

    monkeypatch.setattr("training.networks.predictor._write_onnx", fail)
    assert cli.main(arguments(root, write_bars(tmp_path / "mine.csv"), "--models", "lstm")) == 2
    assert "onnxruntime and torch differ" in capsys.readouterr().err
    assert Store(root).assets() == []


def test_models_of_corrected_data_are_not_compared_with_those_of_the_data_before(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    assert cli.main(arguments(root, bars, "--models", "ewma")) == 0
    champion = Store(root).champion("MINE")
    frame = pd.read_csv(bars)
    frame["high"] = frame["high"].where(frame.index != 550, frame["high"] * 1.002)
    frame.to_csv(bars, index=False)
    assert cli.main(arguments(root, bars, *LINEAR)) == 1
    assert "The champion stays" in capsys.readouterr().out
    store = Store(root)
    assert (store.current("MINE", "har"), store.current("MINE", "ewma")) == (2, 1)
    assert store.champion("MINE") == champion
    assert store.current("MINE", "log_har") == 2  # tried, though nobody asked for it
    assert cli.main(arguments(root, bars, "--models", "ewma", *BENCHMARKS)) == 0


def test_benchmarks_are_published_again_where_bars_have_grown_beyond_theirs(
    root: Path, tmp_path: Path
) -> None:
    bars = write_bars(tmp_path / "mine.csv", nobs=1000)
    frame = pd.read_csv(bars)
    published = []
    for nobs in (600, 700, 1000):  # of 700, the test part begins before the forecasts of 600 end
        frame[:nobs].to_csv(bars, index=False)
        assert cli.main(arguments(root, bars, "--models", "lhar")) == 0
        store = Store(root)
        assert store.champion("MINE") in store.models("MINE")
        published.append([len(store.versions("MINE", model)) for model in ("lhar", "log_har")])
    assert published == [[1, 1], [2, 1], [3, 2]]


def test_benchmarks_are_published_again_where_the_measure_is_another(
    root: Path, tmp_path: Path
) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    assert cli.main(arguments(root, bars, "--models", "lhar")) == 0
    Store(root).set_champion("MINE", "last_value")
    assert cli.main(arguments(root, bars, "--models", "lhar", "--measure", "parkinson")) == 0
    store = Store(root)
    assert store.champion("MINE") != "last_value"
    loaded = [store.load("MINE", model) for model in store.models("MINE")]
    assert {model.manifest.measure for model in loaded} == {"parkinson"}


def test_a_version_of_another_measure_is_not_judged_against_the_one_before(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = write_bars(tmp_path / "mine.csv")
    models = ["--models", *BENCHMARKS]
    assert cli.main(arguments(root, bars, *models)) == 0
    assert cli.main(arguments(root, bars, *models, "--measure", "parkinson")) == 0
    assert "the first version of parkinson" in capsys.readouterr().out
    assert Store(root).load("MINE", "har").manifest.measure == "parkinson"


def test_a_disk_that_fills_up_is_reported(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("models_store.atomic.os.fsync", full)
    assert cli.main(arguments(root, write_bars(tmp_path / "mine.csv"), *LINEAR)) == 2
    assert "No space left on device" in capsys.readouterr().err


def test_too_many_gaps_are_explained(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = write_bars(tmp_path / "mine.csv", nobs=1200)
    frame = pd.read_csv(bars)
    pd.concat([frame[:600], frame[600::2]]).to_csv(bars, index=False)
    assert cli.main(arguments(root, bars, *LINEAR)) == 2
    assert "in one part of them only 0" in re.sub(r"\s+", " ", capsys.readouterr().err)


@pytest.mark.parametrize("option", [["--jobs", "0"], ["--seed", str(2**63)], ["--seed", "one"]])
def test_a_number_that_cannot_be_used_is_refused_at_once(
    option: list[str], root: Path, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["retrain", "--asset", "SPX", "--store", str(root), *option])
    assert stopped.value.code == 2


def test_nothing_is_trained_if_one_of_the_assets_is_unknown(root: Path) -> None:
    assets = ["--asset", "ETH-USD", "--asset", "NOBODY"]
    assert cli.main(["retrain", *assets, "--store", str(root), "--jobs", "1", *LINEAR]) == 2
    assert Store(root).assets() == []


def test_all_histories_are_checked_before_any_is_fitted(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(data: TrainingSet) -> None:
        if data.target.asset == "ETH-USD":
            raise HistoryTooShort("ETH-USD is too short")

    monkeypatch.setattr("training.commands.preparation.check_history", check)
    assets = ["--asset", "SPX", "--asset", "ETH-USD"]
    assert cli.main(["retrain", *assets, "--store", str(root), "--jobs", "1", *LINEAR]) == 2
    assert "ETH-USD is too short" in capsys.readouterr().err
    assert Store(root).assets() == []


def test_a_source_other_than_the_configured_one(root: Path, tmp_path: Path) -> None:
    bars = write_bars(tmp_path / "mine.csv", nobs=620)
    assert cli.main(arguments(root, bars, "--source", "BTC-USD", "--models", "transfer")) == 0
    manifest = Store(root).load("MINE", "transfer").manifest
    assert [source.asset for source in manifest.sources] == ["BTC-USD"]


def test_brackets_in_a_file_s_name_are_printed_as_they_are(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments(root, write_bars(tmp_path / "[red]mine.csv"), *LINEAR)) == 0
    assert "from [red]mine.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--asset", "NOBODY"], "NOBODY"),
        (["--asset", "SPX", "--models", "oracle"], "there is no model 'oracle'"),
        (["--asset", "SPX", "--asset", "ETH-USD", "--bars", "x.csv"], "exactly one --asset"),
        (["--asset", "SPX", "--calendar", "XNYS"], "go with --bars"),
        (["--asset", "SPX", "--outside-sessions", "drop"], "go with --bars"),
        (["--target", "SPX", "--source", "SPX"], "SPX is both source and target"),
        (["--target", "SPX", "--source", "NOBODY"], "NOBODY"),
        (["--target", "SPX", "--source", "ETH-USD", *LINEAR], "none of ['har'] is"),
        (["--asset", "SPX", "--config", "absent.toml"], "absent.toml cannot be read"),
        (["--asset", "MINE", "--bars", "absent.csv"], "absent.csv cannot be read"),
        (["--asset", "../mine", "--bars", "absent.csv"], "asset name '../mine' must be"),
    ],
)
def test_wrong_arguments_are_explained(
    options: list[str], message: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["retrain", "--store", str(root), *options]) == 2
    assert message in re.sub(r"\s+", " ", capsys.readouterr().err)


def test_too_short_a_history_is_explained(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = write_bars(tmp_path / "mine.csv", nobs=300)
    assert cli.main(arguments(root, bars, *LINEAR)) == 2
    assert "MINE has 300 sessions; a retrain or an evaluation needs 500" in re.sub(
        r"\s+", " ", capsys.readouterr().err
    )


def test_results_are_written_between_the_markers(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(arguments(root, write_bars(tmp_path / "mine.csv"), *LINEAR))
    page = tmp_path / "results.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    command = ["results", "--store", str(root), "--page", str(page)]
    assert cli.main(command) == 0
    text = page.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert text.count("| `log_har` |") == 2
    assert "\nold\n" not in text
    assert text.index("| model | MINE (n = ") < text.index("Significantly worse: ")
    assert cli.main(command) == 0
    assert page.read_text() == text
    assert cli.main(["results", "--store", str(tmp_path / "typo"), "--page", str(page)]) == 2
    assert page.read_text() == text
    page.write_text("no markers")
    assert cli.main(command) == 2
    assert page.read_text() == "no markers"


def test_a_retrain_killed_at_any_moment_leaves_the_previous_versions(
    root: Path, tmp_path: Path
) -> None:
    bars = write_bars(tmp_path / "mine.csv", nobs=640)
    frame = pd.read_csv(bars)

    def start(nobs: int) -> subprocess.Popen[bytes]:
        frame[:nobs].to_csv(bars, index=False)  # other data make other artifacts
        command = [sys.executable, "-m", "training", *arguments(root, bars, *LINEAR)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    began = time.monotonic()
    assert start(600).wait() == 0
    duration = time.monotonic() - began
    rng = random.Random(0)
    history = RealizedSeries(rv=np.full(30, 1e-4), measure="garman_klass")
    interrupted = 0
    for attempt in range(1, 7):
        served = versions_in_service(root)
        process = start(600 + attempt)
        if attempt % 2:
            time.sleep(rng.uniform(0, duration))
        else:
            wait_for_a_publication(root, process)
            time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        interrupted += process.wait() == -signal.SIGKILL
        shelf = verified(Store(root))
        assert shelf.refused == ()
        for model, version in served.items():
            loaded = opened(shelf, "MINE", model)
            assert loaded.version >= version
            assert loaded.forecast(history).rv > 0
        assert shelf.champions["MINE"] in shelf.models("MINE")
    assert interrupted >= 3
    assert start(640).wait() in (0, 1)
    assert not list(root.rglob(".unfinished-*"))


def versions_in_service(root: Path) -> dict[str, int]:
    return {card.model: card.version for card in verified(Store(root)).cards()}


def wait_for_a_publication(root: Path, process: "subprocess.Popen[bytes]") -> None:
    def entries() -> int:
        return len(list((root / "MINE").glob("*/*")))

    before = entries()
    while entries() == before and process.poll() is None:
        time.sleep(0.001)
