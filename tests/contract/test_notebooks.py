"""The notebooks run as scripts, and show what their text says."""

import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"


@pytest.fixture(autouse=True)
def figures() -> Iterator[None]:
    mpl.use("Agg")
    yield
    plt.close("all")


def run(name: str) -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / f"{name}.py"))


def test_rough_volatility_in_ten_minutes(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run("rough_volatility")
    report = shown["report"]
    plain, corrected = report.estimates[:5], report.estimates[5]
    assert [it.hurst for it in plain] == pytest.approx([0.07] * 5, abs=0.01)
    assert 1.8 < corrected.hurst / np.mean([it.hurst for it in plain]) < 2.2
    assert report.verdict == "several_scales"
    rough, har = shown["simulated"].values()
    assert (rough.verdict, har.verdict) == ("rough", "several_scales")
    assert abs(rough.hurst - har.hurst) < 0.02
    assert len(plt.get_fignums()) == 3
    assert capsys.readouterr().out.count("verdict") == 2


def test_transfer_that_works(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run("transfer")
    assert "3.000 times" in capsys.readouterr().out
    table = shown["table"]
    assert table.loc["universal", "p"] < 0.01
    assert table.loc["universal", "vs log-HAR"].startswith("-")
    assert table.loc[["lstm", *shown["strategies"]], "p"].min() > 0.05
    last = shown["differences"].iloc[-1]
    assert last["universal"] == pytest.approx(-48, abs=1)
    assert [last["lstm"], last["transfer_full"]] == pytest.approx([-6, 4], abs=0.6)


def test_the_papers_tables(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run("paper_tables")
    assert all((report.to_frame()["hurst"] < 0.25).all() for report in shown["reports"].values())
    assert (shown["table_4"] > 0).all()
    assert shown["table_5"]["in the confidence set"].all()
    assert shown["table_6"]["p"].min() > 0.05
    log_har = shown["rows"]["log_har"].qlike_loss
    assert abs(log_har / shown["rows"]["lstm"].qlike_loss - 1) < 0.03


def test_every_notebook_is_among_them() -> None:
    tested = {"rough_volatility", "transfer", "paper_tables"}
    assert {path.stem for path in FOLDER.glob("*.py")} == tested
