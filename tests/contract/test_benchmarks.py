"""`make bench` finds its benchmarks. What they measure is not asserted on here."""

import importlib
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as benchmarks


@pytest.mark.parametrize("arguments", [[], ["har"], ["hurst", "service"]])
def test_the_benchmarks_asked_for_are_run(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pretend(name: str) -> SimpleNamespace:
        return SimpleNamespace(run=lambda: [f"ran {name}"])

    monkeypatch.setattr("benchmarks.__main__.importlib.import_module", pretend)
    benchmarks.main(arguments)
    ran = [line for line in capsys.readouterr().out.splitlines() if line.startswith("ran")]
    assert ran == [f"ran benchmarks.{name}" for name in arguments or benchmarks.NAMES]


@pytest.mark.parametrize("name", benchmarks.NAMES)
def test_every_benchmark_can_be_loaded(name: str) -> None:
    assert callable(importlib.import_module(f"benchmarks.{name}").run)


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmarks.main(["speed"])
    assert "there is no benchmark speed" in capsys.readouterr().err
