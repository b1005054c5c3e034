"""What the README and the pages on Python and the command line say is what happens."""

import os
import re
import shlex
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import roughcast
from roughcast.commands import application
from roughcast.results.comparison import Comparison
from roughcast.results.forecast import Forecast
from tests.pages import blocks, code, commands
from tests.roughcast.transport import Awaited
from tests.service.client import TestClient

ROOT = Path(__file__).parents[2]
PYTHON = (ROOT / "docs" / "python.md").read_text()
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text()


def test_the_readme_s_lines_load_measure_fit_forecast_compare_and_plot(
    capsys: pytest.CaptureFixture[str],
) -> None:
    [block] = code("README.md")
    lines = [it for it in block.splitlines() if it]
    assert len(lines) <= 8
    for call in ("measure", "fit", "forecast(horizons=[1, 5, 22])", "compare", ".plot()"):
        assert call in block
    exec(block, {})
    printed = capsys.readouterr().out
    assert "volatility per year by log_har, from 2021-10-27" in printed
    assert "calendar_log_har" in printed


def test_every_block_of_the_page_runs(
    service: TestClient, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    transport = service._transport
    monkeypatch.setattr(
        "roughcast.client.Client", partial(roughcast.Client, transport=transport), raising=True
    )
    monkeypatch.setattr(
        "roughcast.client.AsyncClient",
        partial(roughcast.AsyncClient, transport=Awaited(transport)),
    )
    shipped = roughcast.dataset("BTC-USD").loc[:"2021-02-03"]  # as far as the service's clock is
    monkeypatch.setattr("roughcast.datasets.dataset", lambda _name: shipped)
    names: dict[str, Any] = {}
    for block in code("docs/python.md"):
        exec(block, names)
    assert isinstance(names["found"], Forecast)
    assert isinstance(names["compared"], Comparison)
    assert names["forecast"].asset == "MY-COIN"
    assert names["health"].status == "ok"
    assert names["report"].hurst is not None
    assert capsys.readouterr().out.startswith("volatility per year by universal 9")


def test_what_the_page_says_of_methods_is_there() -> None:
    told = set(re.findall(r"^\| `(?:roughcast\.)?(\w+)\(", PYTHON, flags=re.M))
    for name in told:
        assert hasattr(roughcast, name) or hasattr(roughcast.Client, name), name
    public = {it for it in dir(roughcast.Client) if not it.startswith("_")} - {"close"}
    assert public <= set(re.findall(r"`(\w+)\(", PYTHON))


def test_every_command_of_the_page_answers(
    bars: pd.DataFrame,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bars.tail(600).to_csv(tmp_path / "mine.csv")
    monkeypatch.chdir(tmp_path)
    shown = commands("docs/command-line.md")
    assert len(shown) == 5
    for command in shown:
        program, *words = shlex.split(command)
        assert program == "roughcast"
        assert application.run(words) == 0, capsys.readouterr().err
        assert capsys.readouterr().out


def test_the_page_s_example_is_what_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    [promised] = blocks("docs/command-line.md", "text")
    monkeypatch.setitem(os.environ, "COLUMNS", "80")
    application.run(["forecast", "SPX"])
    printed = capsys.readouterr().out.splitlines()
    assert printed[: len(promised.splitlines())] == promised.splitlines()


def test_the_page_names_every_command() -> None:
    names = {
        it.name or getattr(it.callback, "__name__", "")
        for it in application.application.registered_commands
    }
    for name in names:
        assert f"`roughcast {name}" in COMMAND_LINE or f"`{name}" in COMMAND_LINE, name
