"""What an asset is known by, wherever its bars come from."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.simulated import make_asset, make_companion, make_seasonal_asset, write_bars
from training.data.assets import AssetData, TrainingSet
from training.data.bars_file import BarsFile, load_asset
from training.data.companions import CompanionFile
from training.data.panel import _files, read_panel

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def told(asset: AssetData) -> tuple[object, ...]:
    return asset.calendar_name, asset.kind, asset.source, asset.bar_interval, asset.series.measure


def test_bars_of_a_file_are_measured_as_is_usual_or_as_is_said(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "mine.csv", 40)
    usual, notes = load_asset("A", BarsFile(path), NOW)
    assert told(usual) == ("24/7", "crypto", "mine.csv", 86_400, "garman_klass")
    assert [it for it in notes if it.code == "overlapping_measure"] == []
    said, _ = load_asset("A", BarsFile(path, "24/7", "parkinson", kind="fx"), NOW)
    assert told(said) == ("24/7", "fx", "mine.csv", 86_400, "parkinson")


def test_shipped_bars_are_told_as_such() -> None:
    shipped, _ = load_asset("SPX", None, NOW)
    assert told(shipped) == ("XNYS", "index", "shipped dataset", 86_400, "parkinson")


def test_an_asset_of_a_panel_is_what_its_row_says(tmp_path: Path) -> None:
    write_bars(tmp_path / "A.csv", 40)
    write_bars(tmp_path / "B.csv.gz", 40)
    table = "asset,kind,calendar,measure,note\nB,crypto,24/7,parkinson,x\nA,fx,24/7,,\n"
    (tmp_path / "assets.csv").write_text(table)
    assert [(it.asset, *told(it)) for it in read_panel(tmp_path, NOW)] == [
        ("B", "24/7", "crypto", "panel", 86_400, "parkinson"),
        ("A", "24/7", "fx", "panel", 86_400, "garman_klass"),
    ]


def test_a_panel_may_be_one_file(tmp_path: Path) -> None:
    bars = pd.read_csv(write_bars(tmp_path / "other.csv", 40))
    every = pd.concat([bars.assign(asset=name) for name in ("A", "UNKNOWN", "B")])
    every.to_csv(tmp_path / "bars.csv", index=False)
    (tmp_path / "assets.csv").write_text("asset,kind,calendar\nA,fx,24/7\nB,crypto,24/7\n")
    found = read_panel(tmp_path / "bars.csv", NOW)
    assert [it.asset for it in found] == ["A", "B"]
    np.testing.assert_array_equal(found[0].series.rv, found[1].series.rv)


def test_bars_are_read_from_files_of_tables_alone(tmp_path: Path) -> None:
    names = ["a.csv", "b.CSV.GZ", "c.parquet", "d.pq"]
    for name in (*names, "assets.csv", "e.txt", "f.csv.md"):
        (tmp_path / name).touch()
    assert [it.name for it in _files(tmp_path)] == names


@pytest.mark.parametrize("text", ["VIX", "VIX=a/vix.csv", "VIX=a/vix.csv@XNYS"])
def test_a_companion_is_written_as_it_was_given(text: str) -> None:
    assert str(CompanionFile.of(text)) == text


def test_what_is_not_said_of_an_asset_is_usual() -> None:
    asset = make_asset(nobs=30)
    assert (asset.kind, asset.companions) == ("stock", ())
    assert TrainingSet(asset, {}, seed=0).horizon == 1
    assert CompanionFile("VIX") == CompanionFile("VIX", None, None)
    file = BarsFile(Path("a.csv"))
    assert (file.calendar, file.measure, file.drop_outside, file.kind) == (None, None, False, None)


def test_nothing_of_the_target_or_a_source_is_seen_beyond_a_cut() -> None:
    day = np.datetime64("2015-01-20")
    data = TrainingSet(make_asset(nobs=60), {"BESIDE": make_companion(nobs=90)}, seed=3, horizon=5)
    cut = data.until(day)
    assert (cut.seed, cut.horizon, set(cut.sources)) == (3, 5, {"BESIDE"})
    for asset in (cut.target, cut.sources["BESIDE"]):
        assert asset.series.dates[-1] == day
    assert len(data.target.series) == 60


@pytest.mark.parametrize(
    ("target", "source", "newest"),
    [
        # New York closes at 21:00 UTC, and is forecast half an hour later; a coin's day ends at 24.
        ("XNYS", "24/7", "2015-01-15"),
        ("24/7", "XNYS", "2015-01-16"),
        ("XNYS", "XLON", "2015-01-16"),
        ("XLON", "XNYS", "2015-01-15"),
        ("XNYS", "XNYS", "2015-01-16"),
    ],
)
def test_of_a_source_is_seen_what_had_closed_at_the_forecast(
    target: str, source: str, newest: str
) -> None:
    def on(calendar: str) -> AssetData:
        made = make_seasonal_asset({}, nobs=4_000, calendar=calendar)
        return replace(made, series=made.series.part(made.series.dates >= np.datetime64("2014")))

    data = TrainingSet(on(target), {"BESIDE": on(source)}, seed=0)
    cut = data.until(np.datetime64("2015-01-16"))  # a Friday
    assert cut.target.series.dates[-1] == np.datetime64("2015-01-16")
    assert cut.sources["BESIDE"].series.dates[-1] == np.datetime64(newest)


def test_windows_are_of_the_horizon_and_have_the_day() -> None:
    source = make_companion(nobs=90)
    data = TrainingSet(make_asset(nobs=60), {"BESIDE": source}, seed=0, horizon=5)
    assert len(data.pairs(10)) == 60 - 10 - 5 + 1
    own = data.source_pairs("BESIDE", 20, ("return",))
    assert len(own) == 90 - 20 - 5 + 1
    assert set(own.windows) == {"rv", "return", "day"}
    assert len(source.pairs(20)) == 90 - 20


def test_others_see_what_a_companion_is_by_its_returns_and_its_calendar() -> None:
    source = replace(make_companion(nobs=90), asset="VIX")
    seen = source.as_companion
    assert (seen.name, seen.calendar_name, list(seen.series.columns)) == ("VIX", "24/7", ["return"])
