"""`make bench` finds its benchmarks. What they measure is not asserted on here."""

import importlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.hurst_table import replace_between_markers
from benchmarks.timing import faster_than, within

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("arguments", [[], ["har"], ["hurst", "service"]])
def test_the_benchmarks_asked_for_are_run(
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def pretend(name: str) -> SimpleNamespace:
        limit = 2e-3 if name == "benchmarks.service" else 2.0
        return SimpleNamespace(run=lambda: [within(f"ran {name}", 1.0, limit)])

    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    monkeypatch.setattr("benchmarks.__main__.importlib.import_module", pretend)
    benchmarks.main([*arguments, "--page", str(page)])
    ran = [line for line in capsys.readouterr().out.splitlines() if line.startswith("ran")]
    assert [it.split()[1] for it in ran] == [
        f"benchmarks.{name}" for name in arguments or benchmarks.NAMES
    ]
    assert ("old" in page.read_text()) is bool(arguments)  # which a run of some leaves alone


def test_the_page_says_by_how_much_each_budget_is_met_or_missed(tmp_path: Path) -> None:
    found = [faster_than("HAR", 1e-3, 5e-3, 3), within("a batch", 2.0, 1.0)]
    page = tmp_path / "page.md"
    page.write_text((ROOT / benchmarks.PAGE).read_text())
    replace_between_markers(page, "bench", benchmarks.written(found, 0.25))
    told = page.read_text().split("<!-- bench -->")[1].split("<!-- /bench -->")[0]
    assert "0.2 of them busy with other work before: 1 of 2 budgets are met" in told
    assert "Missed: a batch." in told
    assert told.splitlines()[-3:-1] == [
        "| HAR | 1 ms | 5 ms | 5.00 | >= 3 | met |",
        "| a batch | 2 s | 1 s | 2.00 | <= 1 | **missed** |",
    ]
    assert "None is missed." in "".join(benchmarks.written(found[:1], 0.0))


@pytest.mark.parametrize("name", benchmarks.NAMES)
def test_every_benchmark_can_be_loaded(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmarks.main(["speed"])
    assert "there is no benchmark speed" in capsys.readouterr().err
