"""Companions of trained assets: what an option says, and which bars it reads."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.simulated_panel import simulated_asset, simulated_bars
from tests.training.simulated import make_asset, make_companion
from training.data.companions import CompanionFile, load_companions, with_companions
from volatility.errors import InvalidInput, UnknownAsset
from volatility.frames import to_frame

NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BTC-USD", CompanionFile("BTC-USD")),
        ("VIX=a/vix.csv.gz", CompanionFile("VIX", Path("a/vix.csv.gz"))),
        ("UKX=ukx.csv@XLON", CompanionFile("UKX", Path("ukx.csv"), "XLON")),
    ],
)
def test_an_option_is_read_and_written(text: str, expected: CompanionFile) -> None:
    assert CompanionFile.of(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize("text", ["", "=file.csv", "VIX=", "VIX=@XNYS", "VIX=a.csv@", "V:X=a.csv"])
def test_an_option_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"asset name|is not of the form") as refused:
        CompanionFile.of(text)
    assert refused.value.found in (text, text.partition("=")[0])
    if text != "V:X=a.csv":
        assert refused.value.needed == "NAME, NAME=FILE or NAME=FILE@CALENDAR"


def write(path: Path, calendar: str, **columns: np.ndarray) -> Path:
    frame = to_frame(simulated_bars(60, calendar, seed=0))
    frame = frame.rename(columns={"timestamp": "date"}).assign(**columns)
    frame["date"] = frame["date"].dt.date
    frame.to_csv(path, index=False)
    return path


def test_of_an_index_the_closes_are_read(tmp_path: Path) -> None:
    path = write(tmp_path / "vix.csv", "XNYS", open=np.full(60, 1e3), low=np.full(60, 1e3))
    holiday = pd.DataFrame([["2018-01-15", 10, 10, 10, 10]])  # on which New York is closed
    holiday.to_csv(path, mode="a", header=False, index=False)
    frame = pd.read_csv(path).sort_values("date")
    frame.to_csv(path, index=False)
    [vix] = load_companions([CompanionFile("VIX", path)], NOW)
    closes = frame[frame["date"] != "2018-01-15"]["close"].to_numpy()
    assert vix.series.rv == pytest.approx((closes / 100) ** 2 / 252)
    assert (vix.calendar_name, vix.kind, vix.series.measure) == (
        "XNYS",
        "index",
        "implied_variance",
    )
    with pytest.raises(InvalidInput, match="below low"):
        load_companions([CompanionFile("PRICE", path)], NOW)


def test_an_asset_is_measured_by_its_range_and_keeps_its_calendar(tmp_path: Path) -> None:
    path = write(tmp_path / "ukx.csv", "XLON")
    told, guessed = (
        load_companions([CompanionFile("UKX", path, calendar)], NOW)[0]
        for calendar in ("XLON", None)
    )
    assert (told.calendar_name, guessed.calendar_name) == ("XLON", "24/5")
    assert told.series.measure == "garman_klass"
    [shipped] = load_companions([CompanionFile("BTC-USD")], NOW)
    assert shipped.source == "shipped dataset"
    with pytest.raises(UnknownAsset, match="VIX"):
        load_companions([CompanionFile("VIX")], NOW)
    with pytest.raises(InvalidInput, match="given twice"):
        load_companions([CompanionFile("BTC-USD"), CompanionFile("BTC-USD")], NOW)


def test_an_asset_has_the_columns_of_its_companions() -> None:
    asset = simulated_asset("NEW", "stock", "XNYS", 100, seed=3)
    london = simulated_asset("UKX", "index", "XLON", 100, seed=4)
    found = with_companions(asset, [london])
    assert found.companions == (london,)
    assert np.isnan(found.series.columns["UKX:log_rv"]).sum() < 3
    cut = asset.series.dates[50]
    assert (
        found.until(cut).series.sha256
        == with_companions(asset.until(cut), [london.until(cut)]).series.sha256
    )
    with pytest.raises(InvalidInput, match="its own companion"):
        with_companions(make_asset("BESIDE"), [make_companion()])
