"""Panels of assets from files."""

import numpy as np
import pandas as pd
import pytest

from tests.simulated_panel import NOW, simulated_bars
from training.data.panel import InvalidPanel, read_panel
from volatility.errors import InvalidInput
from volatility.frames import to_frame

CALENDARS = {"AAA": "XNYS", "COIN": "24/7"}
TABLE = "asset,kind,calendar,note\nAAA,stock,XNYS,x\nCOIN,crypto,24/7,y\n"


def frame(asset, seed):
    return to_frame(simulated_bars(60, CALENDARS[asset], seed)).rename(
        columns={"timestamp": "date"}
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "assets.csv").write_text(TABLE)
    for seed, asset in enumerate(CALENDARS):
        frame(asset, seed).to_csv(tmp_path / f"{asset}.csv", index=False)
    (tmp_path / "vix.csv").write_text("date,open\n2020-01-01,1\n")  # what no row names
    (tmp_path / "README.md").write_text("not a table")
    return tmp_path


def test_a_folder_of_files(folder):
    one, two = read_panel(folder, NOW)
    assert (one.asset, one.kind, one.calendar_name) == ("AAA", "stock", "XNYS")
    assert (two.asset, two.kind, two.series.measure) == ("COIN", "crypto", "garman_klass")
    assert len(one.series) == len(two.series) == 60


def test_one_file_with_a_column(folder, tmp_path_factory):
    together = tmp_path_factory.mktemp("panel")
    (together / "assets.csv").write_text(TABLE)
    parts = [frame(asset, seed).assign(asset=asset) for seed, asset in enumerate(CALENDARS)]
    pd.concat(parts).to_csv(together / "bars.csv.gz", index=False)
    for path in (together, together / "bars.csv.gz"):
        if path.is_file():  # others beside it are not read
            frame("AAA", 7).to_csv(together / "AAA.csv", index=False)
        for found, expected in zip(read_panel(path, NOW), read_panel(folder, NOW), strict=True):
            assert found.asset == expected.asset
            np.testing.assert_array_equal(found.series.rv, expected.series.rv)
    with pytest.raises(InvalidPanel, match="two files of AAA"):
        read_panel(together, NOW)


def test_bars_on_days_without_a_session_are_left_out(folder):
    holiday = frame("AAA", 0)
    day = pd.Timestamp("2018-01-15", tz="UTC")  # Martin Luther King's day
    both = pd.concat([holiday, holiday.iloc[[0]].assign(date=day)]).sort_values("date")
    both.to_csv(folder / "AAA.csv", index=False)
    assert len(read_panel(folder, NOW)[0].series) == 60


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("asset,kind\nAAA,stock\n", "lacks the columns calendar"),
        ("asset,kind,calendar\nAAA,share,XNYS\n", "of the kind 'share'"),
        ("asset,kind,calendar\nAAA,stock,XNYS\nAAA,stock,XNYS\n", "names AAA twice"),
        ("asset,kind,calendar\nBBB,stock,XNYS\n", "no bars of BBB"),
        ("asset,kind,calendar\n", "names no asset"),
        ("asset,kind,calendar\n../x,stock,XNYS\n", "asset"),
        ("asset,kind,calendar,measure\nAAA,stock,XNYS,nothing\n", "AAA"),
        ("asset,kind,calendar\nAAA,stock,NOWHERE\n", "AAA"),
    ],
)
def test_a_table_that_does_not_tell(folder, table, message):
    (folder / "assets.csv").write_text(table)
    with pytest.raises(InvalidInput, match=message):
        read_panel(folder, NOW)


def test_a_panel_without_a_table(tmp_path):
    with pytest.raises(InvalidInput, match=r"assets\.csv"):
        read_panel(tmp_path, NOW)


def test_bars_that_cannot_be_used_name_their_asset(folder):
    broken = frame("COIN", 1)
    broken.loc[3, "low"] = -1.0
    broken.to_csv(folder / "COIN.csv", index=False)
    with pytest.raises(InvalidPanel, match="COIN: "):
        read_panel(folder, NOW)
