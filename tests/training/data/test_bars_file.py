import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.simulated import write_bars
from tests.volatility.session_bars import session_bars
from training.data.bars_file import (
    DAY,
    BarsFile,
    CalendarNeeded,
    UnreadableFile,
    _usual_calendar,
    load_asset,
)
from volatility import datasets
from volatility.bars import PRICES, Bars
from volatility.errors import InvalidBars, UnknownAsset
from volatility.frames import to_frame
from volatility.measures.columns import available

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asset", "nobs", "measure", "missing"),
    [
        ("SPX", 5105, "parkinson", 0),
        ("BTC-USD", 2513, "garman_klass", 13),
        ("BTC-USD-1H", 837, "realized_variance", 0),
        ("ETH-USD", 1317, "garman_klass", 14),
    ],
)
def test_shipped_assets_and_their_missing_or_motionless_sessions(
    asset: str, nobs: int, measure: str, missing: int
) -> None:
    data, _ = load_asset(asset, None, NOW)
    assert (len(data.series), data.series.measure) == (nobs, measure)
    assert len(data.calendar.missing_sessions(data.series.dates)) == missing


@pytest.mark.parametrize("asset", datasets.NAMES)
def test_every_column_that_the_bars_give_is_loaded_and_finite(asset: str) -> None:
    data, _ = load_asset(asset, None, NOW)
    known = available(data.bar_interval == DAY, always_open=data.calendar_name == "24/7")
    assert tuple(data.series.columns) == known
    for values in data.series.columns.values():
        assert np.isfinite(values).all()
    assert data.series.columns["return"].std() == pytest.approx(
        np.sqrt(data.series.rv.mean()), rel=0.5
    )


def test_a_day_with_an_extreme_range_is_not_fitted_on_and_is_told_of() -> None:
    data, notes = load_asset("ETH-USD", None, NOW)
    assert np.datetime64("2017-06-21") not in data.series.dates  # low 0.10, high 352
    assert data.series.rv.max() < 0.3
    assert any(note.code == "extreme_range" for note in notes)


def test_minutes_of_an_exchange_are_measured_within_its_sessions(tmp_path: Path) -> None:
    bars = session_bars("2019-06-24", "2019-07-12")
    path = tmp_path / "minutes.parquet"
    to_frame(bars).to_parquet(path)
    data, notes = load_asset("MINE", BarsFile(path, calendar="XNYS"), NOW)
    assert (data.series.measure, data.bar_interval) == ("realized_variance", 300)
    assert len(data.series) == 14  # the 4th of July is a holiday, the 3rd a half day
    assert "overnight_return" in data.series.columns
    assert notes == ()


def test_times_of_the_exchange_s_own_clock_are_read_by_their_offset(tmp_path: Path) -> None:
    bars = session_bars("2019-03-06", "2019-03-13")  # clocks change on the 10th
    utc = to_frame(bars)
    local = utc.assign(timestamp=utc.timestamp.dt.tz_convert("America/New_York").astype(str))
    assert {text[-6:] for text in local.timestamp} == {"-05:00", "-04:00"}
    digests = []
    for name, frame in (("utc.csv", utc), ("local.csv", local)):
        frame.to_csv(tmp_path / name, index=False)
        data, _ = load_asset("MINE", BarsFile(tmp_path / name, calendar="XNYS"), NOW)
        digests.append(data.series.sha256)
    assert digests[0] == digests[1]


def with_evening(bars: Bars) -> Bars:
    """Bars of an exchange, and one of each evening at 21:00 UTC."""
    closing = np.append(np.diff(bars.timestamps).astype(int) > 300, True)
    evening = bars.where(closing)
    later = evening.timestamps.astype("datetime64[D]") + np.timedelta64(21, "h")
    stamps = np.concatenate([bars.timestamps, later])
    order = np.argsort(stamps)
    prices = {
        name: np.concatenate([getattr(it, name) for it in (bars, evening)])[order]
        for name in PRICES
    }
    return Bars(timestamps=stamps[order], interval=300, **prices)


def test_bars_outside_of_sessions_are_refused_or_dropped_and_counted(tmp_path: Path) -> None:
    bars = session_bars("2019-06-24", "2019-07-12")
    path = tmp_path / "minutes.parquet"
    to_frame(with_evening(bars)).to_parquet(path)
    with pytest.raises(InvalidBars, match="a bar outside of all sessions") as refused:
        load_asset("MINE", BarsFile(path, calendar="XNYS"), NOW)
    assert (refused.value.code, refused.value.findings[0].count) == ("outside_session", 14)
    data, notes = load_asset("MINE", BarsFile(path, calendar="XNYS", drop_outside=True), NOW)
    assert [(note.code, note.count) for note in notes] == [("outside_session", 14)]
    to_frame(bars).to_parquet(path)
    clean, none = load_asset("MINE", BarsFile(path, calendar="XNYS", drop_outside=True), NOW)
    assert data.series.sha256 == clean.series.sha256
    assert none == ()


def test_daily_bars_of_days_without_a_session_are_dropped_on_request(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "bars.csv")
    with pytest.raises(InvalidBars, match="a day without a session"):
        load_asset("MINE", BarsFile(path, calendar="XNYS"), NOW)
    data, notes = load_asset("MINE", BarsFile(path, calendar="XNYS", drop_outside=True), NOW)
    assert len(data.series) + notes[0].count == 600
    assert notes[0].code == "outside_session"


def test_a_split_that_nobody_adjusted_for_is_told_of(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "bars.csv")
    frame = pd.read_csv(path)
    frame.loc[300:, ["open", "high", "low", "close"]] /= 10
    frame.to_csv(path, index=False)
    _, notes = load_asset("MINE", BarsFile(path), NOW)
    assert [note.index for note in notes if note.code == "split_like_jump"] == [300]


def test_an_asset_that_is_not_shipped_needs_a_file() -> None:
    with pytest.raises(UnknownAsset, match="MINE"):
        load_asset("MINE", None, NOW)


def test_csv_and_parquet_give_the_same_series(tmp_path: Path) -> None:
    csv = write_bars(tmp_path / "bars.csv")
    parquet = tmp_path / "bars.parquet"
    pd.read_csv(csv).to_parquet(parquet)
    first, _ = load_asset("MINE", BarsFile(csv), NOW)
    second, _ = load_asset("MINE", BarsFile(parquet), NOW)
    assert first.series.sha256 == second.series.sha256
    assert (first.calendar_name, first.series.measure) == ("24/7", "garman_klass")
    assert first.source == "bars.csv"


def test_an_overlapping_measure_is_warned_of(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "bars.csv")
    _, notes = load_asset("MINE", BarsFile(path, measure="rolling_std"), NOW)
    *_, note = notes
    assert (note.code, note.severity, note.field) == ("overlapping_measure", "warning", "measure")
    assert note.found == "rolling_std, in which successive days share all returns but one"
    assert note.needed.startswith("a measure of one day at a time: ")
    _, notes = load_asset("MINE", BarsFile(path), NOW)
    assert "overlapping_measure" not in {note.code for note in notes}


def test_bars_without_weekends_need_a_calendar(tmp_path: Path) -> None:
    path = write_bars(tmp_path / "bars.csv")
    frame = pd.read_csv(path)
    frame[pd.to_datetime(frame.date).dt.day_of_week < 5].to_csv(path, index=False)
    with pytest.raises(CalendarNeeded, match="--calendar XNYS"):
        load_asset("MINE", BarsFile(path), NOW)


@pytest.mark.parametrize("weekday", range(7))
def test_one_day_of_a_weekend_tells_of_a_market_that_never_closes(weekday: int) -> None:
    dates = np.datetime64("2024-01-01", "s") + np.timedelta64(7, "D") * np.arange(3)  # Mondays
    prices = dict.fromkeys(PRICES, np.ones(3))
    bars = Bars(timestamps=dates + np.timedelta64(weekday, "D"), interval=DAY, **prices)
    if weekday in (5, 6):
        assert _usual_calendar(bars) == "24/7"
    else:
        with pytest.raises(CalendarNeeded):
            _usual_calendar(bars)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"absent\.csv"):
        load_asset("MINE", BarsFile(tmp_path / "absent.csv"), NOW)


def test_a_file_that_is_not_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "bars.parquet"
    path.write_text("date,open\n")
    with pytest.raises(UnreadableFile, match=r"bars\.parquet"):
        load_asset("MINE", BarsFile(path), NOW)


@pytest.mark.parametrize(
    "name", ["short.csv.gz", "garbled.csv.gz", "wrong.csv.xz", "wrong.csv.zst", "folder.parquet"]
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = gzip.compress(write_bars(tmp_path / "bars.csv").read_bytes())
    if name.startswith("short"):
        path.write_bytes(content[: len(content) // 2])
    elif name.startswith("garbled"):
        path.write_bytes(content[:200] + bytes(200) + content[400:])
    elif name.startswith("folder"):
        path.mkdir()
    else:
        path.write_bytes(b"not compressed")
    with pytest.raises(UnreadableFile, match=re.escape(name)) as refused:
        load_asset("MINE", BarsFile(path), NOW)
    assert ("it is a folder" in str(refused.value)) == path.is_dir()


def test_a_compressed_file_and_a_suffix_in_capitals_are_read(tmp_path: Path) -> None:
    csv = write_bars(tmp_path / "bars.csv")
    packed, capitals = tmp_path / "bars.csv.gz", tmp_path / "BARS.PARQUET"
    packed.write_bytes(gzip.compress(csv.read_bytes()))
    pd.read_csv(csv).to_parquet(capitals)
    digests = {
        load_asset("MINE", BarsFile(path), NOW)[0].series.sha256 for path in (csv, packed, capitals)
    }
    assert len(digests) == 1


def test_invalid_bars_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidBars, match=r"low: -1\.0 at bar 0"):
        load_asset("MINE", BarsFile(write_bars(tmp_path / "bars.csv", low=-1.0)), NOW)
