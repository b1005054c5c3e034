"""A CSV file that bars are added to."""

import heapq
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import NoReturn

import numpy as np
import pandas as pd

from models_store.atomic import flush_folder, locked, unfinished
from training.data.feeds.targets import Put, UnusableTarget
from volatility.bars import DAILY, Bars
from volatility.frames import from_frame
from volatility.rows import csv_header, csv_lines, empty_bars, times_of

SUFFIX = ".csv"
_TAIL = 1_024  # bytes at the end of a file in which its last line is: none has more than 150


@dataclass(frozen=True)
class FileTarget:
    """Bars of one asset in a file that ``retrain --bars`` reads, oldest first.

    A last line without an end, which a process that was killed leaves behind, does not count.

    Parameters
    ----------
    path : the file, or where it is to be.
    interval : seconds that a bar spans.

    Raises
    ------
    UnusableTarget : it is a file of another kind.
    """

    path: Path
    interval: int

    def __post_init__(self) -> None:
        if self.path.suffix.lower() != SUFFIX:
            self._refuse(f"it is called {self.path.name}", f"a name that ends in {SUFFIX}")
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            found = file.readline(_TAIL).decode(errors="replace")
        if not (found == self._header or (self._end() == 0 and self._header.startswith(found))):
            self._refuse(f"its first line is {found.strip()!r}", repr(self._header.strip()))

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def newest(self) -> Bars:
        """See :meth:`training.data.feeds.targets.Target.newest`."""
        end = self._end()
        if not end:
            return empty_bars(self.interval)
        with self.path.open("rb") as file:
            file.seek(max(0, end - _TAIL))
            *_, last = file.read(min(end, _TAIL)).decode().splitlines(keepends=True)
        return empty_bars(self.interval) if last == self._header else self._read(last)

    def first_from(self, start: np.datetime64) -> Bars:
        """See :meth:`training.data.feeds.targets.Target.first_from`."""
        if self.interval == DAILY:
            whole = start + np.timedelta64(DAILY - 1, "s")  # a later time of a day is the next's
            wanted = str(whole.astype("datetime64[D]"))
        else:
            wanted = f"{start.astype('datetime64[s]')}Z"
        found = next((line for line in self._lines() if _time(line) >= wanted), None)
        return empty_bars(self.interval) if found is None else self._read(found)

    def put(self, beside: Bars, bars: Bars, replace: bool) -> Put:
        """See :meth:`training.data.feeds.targets.Target.put`.

        Raises
        ------
        UnusableTarget : another process has added bars of these times meanwhile.
        """
        with locked(self.path.parent):
            newest = self.newest()
            if not len(newest) or newest.timestamps[0] < bars.timestamps[0]:
                self._append(csv_lines(bars))
                return Put(added=len(bars), replaced=0)
            if not replace:
                after = f"after {beside.timestamps[0]}" if len(beside) else "in it"
                self._refuse(f"its last bar is now of {newest.timestamps[0]}", f"no bar {after}")
            return self._merge(csv_lines(bars))

    @property
    def _header(self) -> str:
        return csv_header(self.interval == DAILY)

    def _end(self) -> int:
        """Where the last whole line ends; 0 where there is none."""
        if not self.path.exists():
            return 0
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            begin = max(0, size - _TAIL)
            file.seek(begin)
            place = file.read().rfind(b"\n")
        if place < 0 and begin:
            self._refuse("its last line is too long for a bar", "a file of bars")
        return begin + place + 1

    def _lines(self) -> Iterator[str]:
        """Its lines, one at a time, without the header."""
        with self.path.open(encoding="utf-8", newline="\n") as file:
            next(file)
            yield from (line for line in file if line.endswith("\n"))

    def _append(self, lines: list[str]) -> None:
        end = self._end()
        text = "".join(lines) if end else self._header + "".join(lines)
        with self.path.open("r+b" if self.path.exists() else "xb") as file:
            file.truncate(end)
            file.seek(end)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        flush_folder(self.path.parent)

    def _merge(self, lines: list[str]) -> Put:
        """Put lines in the place of those of their times; the file is whole at any moment."""
        times = {_time(line) for line in lines}
        held = {_time(line): line for line in self._lines() if _time(line) in times}
        with unfinished(self.path.parent) as new:
            with new.open("w", encoding="utf-8", newline="\n") as file:
                file.write(self._header)
                file.writelines(_first_of_each_time(lines, self._lines()))
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
        flush_folder(self.path.parent)
        return Put(
            added=len(lines) - len(held),
            replaced=sum(held.get(_time(line), line) != line for line in lines),
        )

    def _read(self, line: str) -> Bars:
        bars = from_frame(pd.read_csv(io.StringIO(self._header + line)), self.interval)
        if times_of(bars) != [_time(line)]:
            self._refuse(f"a time in it is {_time(line)!r}", f"times such as {times_of(bars)[0]!r}")
        return bars

    def _refuse(self, why: str, needed: str) -> NoReturn:
        raise UnusableTarget(
            f"{self.path} is no file that these bars can be added to: {why}; needed: {needed}",
            field="to_file",
            found=why,
            needed=needed,
        )


def _time(line: str) -> str:
    """When the bar of a line opens; times of one file are in order where their texts are."""
    return line.partition(",")[0]


def _first_of_each_time(first: Iterable[str], second: Iterable[str]) -> Iterator[str]:
    """Lines of both in the order of their times; of two of one time, that of the first."""
    for _, same in groupby(heapq.merge(first, second, key=_time), key=_time):
        yield next(same)
