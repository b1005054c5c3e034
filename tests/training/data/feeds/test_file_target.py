"""A file that bars are added to: whole lines only, whoever was killed before."""

import random
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from tests.training.data.feeds.memory import same
from tests.training.data.feeds.server import walk
from training.data.bars_file import BarsFile, load_asset, read_bars
from training.data.feeds.file_target import FileTarget
from training.data.feeds.targets import EARLIEST, Put, UnusableTarget
from volatility.bars import Bars
from volatility.rows import csv_header, csv_lines, empty_bars, joined

DAYS = walk("2026-10-01", 40, 86_400)
HOURS = walk("2026-10-01", 40, 3_600)
BOTH = pytest.mark.parametrize("bars", [DAYS, HOURS], ids=["days", "hours"])


def text_of(bars: Bars) -> str:
    return csv_header(bars.is_daily) + "".join(csv_lines(bars))


def written(path: Path, bars: Bars) -> FileTarget:
    path.write_text(text_of(bars))
    return FileTarget(path, bars.interval)


def part(bars: Bars, first: int, end: int) -> Bars:
    return bars.where(slice(first, end))


@BOTH
def test_bars_are_added_part_by_part_and_read_back(bars: Bars, tmp_path: Path) -> None:
    path = tmp_path / "new" / "mine.csv"
    target = FileTarget(path, bars.interval)
    assert target.name == str(path)
    same(target.newest(), empty_bars(bars.interval))
    beside = empty_bars(bars.interval)
    for first in range(0, 40, 10):
        new = part(bars, first, first + 10)
        assert target.put(beside, new, replace=False) == Put(added=10, replaced=0)
        same(target.newest(), part(bars, first + 9, first + 10))
        beside = target.newest()
    assert path.read_text() == text_of(bars)
    same(read_bars(path), bars)
    again = FileTarget(path, bars.interval)
    same(again.newest(), part(bars, 39, 40))
    same(again.first_from(EARLIEST), part(bars, 0, 1))


@BOTH
@pytest.mark.parametrize("at", [0, 1, 7, 39])
def test_the_first_bar_from_a_time_on(bars: Bars, at: int, tmp_path: Path) -> None:
    target = written(tmp_path / "mine.csv", bars)
    step = np.timedelta64(bars.interval, "s")
    same(target.first_from(bars.timestamps[at]), part(bars, at, at + 1))
    same(target.first_from(bars.timestamps[at] - step + 1), part(bars, at, at + 1))
    same(target.first_from(bars.timestamps[39] + step), empty_bars(bars.interval))


def test_a_line_that_was_cut_off_anywhere_is_written_again(tmp_path: Path) -> None:
    """As by SIGKILL or a full disk: what was added before is there, and nothing twice."""
    whole, before = text_of(DAYS).encode(), text_of(part(DAYS, 0, 30)).encode()
    path = tmp_path / "mine.csv"
    for cut in {*range(len(before), len(before) + 60), *range(3), len(before) - 1}:
        path.write_bytes(whole[:cut])
        target = FileTarget(path, 86_400)
        held = target.newest()
        first = 0
        if len(held):
            first = int(np.flatnonzero(DAYS.timestamps == held.timestamps[0])[0]) + 1
            same(held, part(DAYS, first - 1, first))
        assert first == max(0, whole[:cut].count(b"\n") - 1)
        target.put(held, part(DAYS, first, 40), replace=False)
        assert path.read_bytes() == whole


@BOTH
def test_a_header_alone_is_no_bar(bars: Bars, tmp_path: Path) -> None:
    target = written(tmp_path / "mine.csv", part(bars, 0, 0))
    same(target.newest(), empty_bars(bars.interval))
    same(target.first_from(EARLIEST), empty_bars(bars.interval))
    target.put(target.newest(), bars, replace=False)
    assert target.path.read_text() == text_of(bars)


def test_a_file_longer_than_its_tail_has_its_newest_bar(tmp_path: Path) -> None:
    many = walk("2026-01-01", 3_000, 3_600)
    target = written(tmp_path / "mine.csv", many)
    same(target.newest(), part(many, 2_999, 3_000))
    target.path.write_text(text_of(many) + csv_lines(many)[0][:-1])
    same(target.newest(), part(many, 2_999, 3_000))


@BOTH
def test_bars_take_the_place_of_others(bars: Bars, tmp_path: Path) -> None:
    target = written(tmp_path / "mine.csv", part(bars, 0, 30))
    corrected = replace(bars, high=bars.high + np.where(np.arange(40) == 22, 5.0, 0.0))
    put = target.put(empty_bars(bars.interval), part(corrected, 20, 40), replace=True)
    assert put == Put(added=10, replaced=1)
    assert target.path.read_text() == text_of(corrected)
    assert [it.name for it in tmp_path.iterdir() if it.name != ".lock"] == ["mine.csv"]


def test_bars_that_the_others_lack_stay_in_order(tmp_path: Path) -> None:
    odd = DAYS.where(np.arange(40) % 2 == 1)
    target = written(tmp_path / "mine.csv", odd)
    even = part(DAYS, 4, 20).where(np.arange(16) % 2 == 0)
    assert target.put(empty_bars(86_400), even, replace=True) == Put(added=8, replaced=0)
    kept = (np.arange(40) % 2 == 1) | ((np.arange(40) >= 4) & (np.arange(40) < 20))
    assert target.path.read_text() == text_of(DAYS.where(kept))


def test_later_bars_are_added_where_others_are_replaced_too(tmp_path: Path) -> None:
    target = written(tmp_path / "mine.csv", part(DAYS, 0, 30))
    assert target.put(part(DAYS, 29, 30), part(DAYS, 30, 40), replace=True) == Put(10, 0)
    assert target.path.read_text() == text_of(DAYS)


def test_what_another_process_added_is_not_added_again(tmp_path: Path) -> None:
    target = written(tmp_path / "mine.csv", part(DAYS, 0, 30))
    beside = target.newest()
    written(tmp_path / "mine.csv", part(DAYS, 0, 31))
    told = r"its last bar is now of 2026-10-31.*; needed: no bar after 2026-10-30"
    with pytest.raises(UnusableTarget, match=told) as refused:
        target.put(beside, part(DAYS, 30, 40), replace=False)
    assert (refused.value.code, refused.value.field) == ("unusable_target", "to_file")
    assert target.path.read_text() == text_of(part(DAYS, 0, 31))
    with pytest.raises(UnusableTarget, match="needed: no bar in it"):
        target.put(empty_bars(86_400), part(DAYS, 30, 40), replace=False)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("timestamp,open,high,low,close\n", r"its first line is 'timestamp,open,high,low,close'"),
        (
            "date,open,high,low,close,volume\n2026-10-01,1,1,1,1,1\n",
            "its first line is 'date,open,",
        ),
        ("Date,Open,High,Low,Close\n", "its first line is 'Date,Open,High,Low,Close'"),
        ("hello", "its first line is 'hello'"),
        ("\n", "its first line is ''"),
        ("x" * 2_000, "its last line is too long for a bar"),
    ],
)
def test_a_file_of_another_kind_is_left_alone(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(UnusableTarget, match=why) as refused:
        FileTarget(path, 86_400)
    assert str(path) in str(refused.value)
    assert re.match(why, str(refused.value.found))
    assert refused.value.needed in {"'date,open,high,low,close'", "a file of bars"}
    assert path.read_text() == text


def test_times_in_another_form_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("timestamp,open,high,low,close\n2026-10-01 00:00:00+00:00,1,1,1,1\n")
    with pytest.raises(UnusableTarget, match=r"needed: times such as '2026-10-01T00:00:00Z'"):
        FileTarget(path, 3_600).newest()


@pytest.mark.parametrize("name", ["mine.csv.gz", "mine.parquet", "mine"])
def test_only_a_csv_file_is_written(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableTarget, match=rf"it is called {name}; needed: .* in \.csv"):
        FileTarget(tmp_path / name, 86_400)


def test_a_process_that_is_killed_while_it_replaces_leaves_the_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each of the calls by which it comes into its place."""
    target = written(tmp_path / "mine.csv", DAYS)
    new = replace(DAYS, close=DAYS.open)

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    for call in ("os.fsync", "pathlib.Path.replace"):
        with monkeypatch.context() as patched:
            patched.setattr(call, die)
            with pytest.raises(Killed):
                target.put(empty_bars(86_400), new, replace=True)
        assert target.path.read_text() == text_of(DAYS)
    target.put(empty_bars(86_400), new, replace=True)
    assert target.path.read_text() == text_of(new)


def test_what_was_added_is_what_a_retrain_reads(tmp_path: Path) -> None:
    rng = random.Random(3)
    bars, at = walk("2024-01-01", 600, 86_400), 0
    target = FileTarget(tmp_path / "mine.csv", 86_400)
    while at < 600:
        end = min(600, at + rng.randint(1, 90))
        target.put(target.newest(), part(bars, at, end), replace=False)
        at = end
    now = datetime(2026, 11, 1, tzinfo=UTC)
    data, _ = load_asset("MINE", BarsFile(target.path), now)
    assert len(data.series) == 600
    same(joined(read_bars(target.path)), bars)
