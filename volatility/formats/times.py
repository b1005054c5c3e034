"""Times as they are written: dates in many orders, names of months, seconds since 1970."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from volatility.arrays import BoolArray, DateArray, FloatArray
from volatility.bars import DAILY
from volatility.errors import Finding, InvalidBars
from volatility.formats.numbers import TEXT, in_parts, refuse_long, refuse_unreadable
from volatility.formats.reading import AS_TIMES, ISO, Options, ambiguous, shown

if TYPE_CHECKING:
    import pandas as pd

NEEDED = "ISO 8601 dates, such as 2021-10-26"
_EXAMPLES = f"{NEEDED}, or 26.10.2021, Oct 26, 2021, 20211026, Unix seconds or milliseconds"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NUMBERS = "numbers"
_CLOCK = r"(?:[T,\s]+(?P<clock>\d.*?))?"
_WEEKDAY, _NAME = r"(?:[a-z]{3}\w*,?\s+)?", r"(?P<name>[a-z]{3})[a-z]*\.?"
# Forms that are turned into ISO 8601, by name; the first that fits the first cell is that of all.
_FORMS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        name: re.compile(rf"^\s*(?:{form})\s*$", re.IGNORECASE | re.DOTALL)
        for name, form in {
            ISO: r"(?P<y>\d{4})-?(?P<m>\d{2})-?(?P<d>\d{2})(?P<clock>(?:[T\s].*)?)",
            "year/month/day": r"(?P<y>\d{4})([/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})" + _CLOCK,
            _NUMBERS: r"(?P<a>\d{1,2})([/.-])(?P<b>\d{1,2})\2(?P<y>\d{4})" + _CLOCK,
            "month day, year": rf"{_WEEKDAY}{_NAME}\s+(?P<d>\d{{1,2}}),?\s+(?P<y>\d{{4}}){_CLOCK}",
            "day month year": rf"{_WEEKDAY}(?P<d>\d{{1,2}})\.?[\s-]{_NAME}"
            rf",?[\s-](?P<y>\d{{4}}){_CLOCK}",
        }.items()
    }
)
_TWELVE = re.compile(r"(\d{1,2})((?::\d{2}){0,2}(?:\.\d+)?)[\s-]*([AP])\.?M\.?", re.IGNORECASE)
# A number is in the unit in which it is between 1980 and 2100: no two of these ranges meet.
_FIRST, _LAST = 315_532_800, 4_102_444_800  # seconds
_UNITS: Mapping[str, int] = MappingProxyType(
    {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
)
_DIGITS = MappingProxyType({8: (), 12: (2, 2), 14: (2, 2, 2)})  # 20211026, and a time behind it
_ALONE = re.compile(r"\s*[\d/.-]+\s*")  # a date without a time, however it is written


_SHAPE = "9999-99-99T99:99:99Z"
_WIDTHS = (10, 19, 20)  # of a date, a time, and one that says that it is in UTC
_ALLOWED = {
    kind: np.isin(np.arange(128), [ord(it) for it in characters])
    for kind, characters in {"9": "0123456789", "-": "-", "T": "T ", ":": ":", "Z": "Z"}.items()
}


class Times(NamedTuple):
    """When bars open.

    Parameters
    ----------
    utc : (n,) datetime64[s], UTC; as they stand where they have no time zone.
    wall : (n,) datetime64[s], as the content's own clock shows them.
    form : how they were written.
    alone : (n,) whether each is a date, without a time of day.
    """

    utc: DateArray
    wall: DateArray
    form: str
    alone: BoolArray


def times_of(column: "pd.Series", options: Options) -> Times:
    """Times of a column of text, numbers or times.

    Raises
    ------
    InvalidBars : ``unparsable_dates``; ``ambiguous_dates``, where no day is above 12 and
        ``dayfirst`` does not tell.
    """
    import pandas as pd

    if isinstance(column.dtype, pd.DatetimeTZDtype):
        utc, wall = column.dt.tz_convert("UTC"), column.dt.tz_localize(None)
        return Times(_seconds(utc), _seconds(wall), AS_TIMES, np.zeros(len(column), np.bool_))
    if column.dtype.kind == "M":
        return Times(
            _seconds(column), _seconds(column), AS_TIMES, np.zeros(len(column), dtype=np.bool_)
        )
    if not pd.api.types.is_numeric_dtype(column):
        for first, part in in_parts(column):
            refuse_long(part, "time", first)
    numbers = _as_numbers(column)
    if numbers is not None:
        return _of_numbers(column, numbers)
    return _of_text(column, options)


def with_clock(dates: "pd.Series", clock: "pd.Series") -> "pd.Series":
    """Dates and times of day as one text each: ``20240102`` and ``93000`` or ``09:30``.

    Raises
    ------
    InvalidBars : ``ambiguous_column``, the second is no time of day.
    """
    for column in (clock, dates):
        refuse_long(column, "time")
    text = clock.astype(TEXT).str.strip().str.replace(r"\.0$", "", regex=True)
    with_colons = text.str.fullmatch(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?").fillna(False)
    digits = text.str.fullmatch(r"\d{3,6}|0").fillna(False)
    if not (with_colons | digits).all():
        found = "columns date and time, of which the second is no time of day"
        needed = "one column of times, or the option columns to say which"
        raise ambiguous("ambiguous_column", "date and time", found, needed)
    minutes = digits & (text.str.len() <= 4)  # 930 is half past nine, and 93000 too
    text = text.where(~minutes, text + "00")
    in_pairs = text.str.zfill(6).str.replace(r"^(\d\d)(\d\d)", r"\1:\2:", regex=True)
    text = text.where(with_colons, in_pairs).str.replace(r"^(\d:)", r"0\1", regex=True)
    days: pd.Series[Any] = dates.astype(TEXT).str.strip().str.replace(r"\.0$", "", regex=True)
    return days + " " + text


def refuse_dates_alone(column: "pd.Series", alone: BoolArray) -> None:
    """Refuse dates of bars shorter than a day: they say nothing of when within it a bar opens.

    Raises
    ------
    InvalidBars : ``unclear_time``.
    """
    if alone.any():
        index, count = int(np.argmax(alone)), int(np.count_nonzero(alone))
        found = f"the date {shown(column.iloc[index])} at bar {index}"
        needed = "a timestamp, since the bars are shorter than a day"
        raise InvalidBars([Finding("unclear_time", "error", "time", found, needed, index, count)])


def interval_of(stamps: DateArray) -> int:
    """Seconds that bars span: the most frequent distance between them, at most a day.

    Raises
    ------
    InvalidBars : ``unknown_interval``, there is but one time.
    """
    gaps = np.abs(np.diff(stamps).astype(np.int64))  # newest first as well
    gaps = gaps[gaps > 0]
    if not len(gaps):
        found = "one bar" if len(stamps) == 1 else f"{len(stamps)} bars at one time"
        needed = "bars at two different times, or the interval: the seconds that each spans"
        raise InvalidBars([Finding("unknown_interval", "error", "interval", found, needed)])
    values, counts = np.unique(gaps, return_counts=True)
    return min(int(values[np.argmax(counts)]), DAILY)


def _seconds(times: "pd.Series") -> DateArray:
    naive = times.dt.tz_localize(None) if times.dt.tz is not None else times
    return naive.to_numpy().astype("datetime64[s]")


def _as_numbers(column: "pd.Series") -> "FloatArray | None":
    """The column as numbers, if all of its cells are; digits in text are numbers too."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(column):
        first = str(column.iloc[0]).strip()
        if not re.fullmatch(r"\d{8,19}(\.\d+)?", first):
            return None
    numbers = pd.to_numeric(column, errors="coerce")
    refuse_unreadable(column, numbers.isna().to_numpy(), "time", _EXAMPLES)
    return numbers.to_numpy()


def _of_numbers(column: "pd.Series", numbers: "NDArray[Any]") -> Times:
    """Times of numbers: dates by their digits, or since 1970 in the unit that is plausible."""
    import pandas as pd

    for digits, clock in _DIGITS.items():
        whole = (numbers >= 19 * 10 ** (digits - 2)) & (numbers < 21 * 10 ** (digits - 2))
        if whole.all():
            shape = "%Y%m%d" + "%H%M%S"[: 2 * len(clock)]
            text = pd.Series(numbers.astype(np.int64)).astype(str)
            read = pd.to_datetime(text, format=shape, errors="coerce")
            refuse_unreadable(column, read.isna().to_numpy(), "time", NEEDED)
            alone = np.full(len(column), not clock)
            return Times(_seconds(read), _seconds(read), "digits", alone)
    seconds = np.full(len(numbers), -1, dtype=np.int64)
    units = []
    for unit, per_second in _UNITS.items():
        within = (numbers >= _FIRST * per_second) & (numbers < _LAST * per_second)
        if within.any():
            seconds[within] = (numbers[within] // per_second).astype(np.int64)
            units.append(unit)
    refuse_unreadable(column, seconds < 0, "time", _EXAMPLES)
    stamps = seconds.astype("datetime64[s]")
    return Times(stamps, stamps, f"Unix {' and '.join(units)}", np.zeros(len(stamps), np.bool_))


def _of_text(column: "pd.Series", options: Options) -> Times:
    """Times of text, all in the form of the first."""
    first = str(column.iloc[0])
    form = next((name for name, pattern in _FORMS.items() if pattern.fullmatch(first)), None)
    if form is None:
        _refuse_all(column)
    if form == _NUMBERS:
        is_dayfirst = _is_dayfirst(column, options)
        name = "day/month/year" if is_dayfirst else "month/day/year"
        order = {"a": "d", "b": "m"} if is_dayfirst else {"a": "m", "b": "d"}
    else:
        name, order = form, {}
    utc, wall, alone = [], [], []
    for at, part in in_parts(column):
        usual = _of_usual(part) if form == ISO else None
        if usual is not None:
            utc.append(usual[0])
            wall.append(usual[0])
            alone.append(usual[1])
            continue
        text = part.astype(TEXT)
        if form == ISO and _TWELVE.search(first):
            text = text.str.replace(_TWELVE, _of_24, regex=True)
        elif form != ISO:
            text = _as_iso(text, _FORMS[form], order, at)
        read = _of_iso(text, part, at)
        utc.append(read[0])
        wall.append(read[1])
        alone.append(text.str.fullmatch(_ALONE.pattern).to_numpy(np.bool_, na_value=False))
    return Times(np.concatenate(utc), np.concatenate(wall), name, np.concatenate(alone))


def _of_usual(cells: "pd.Series") -> tuple[DateArray, BoolArray] | None:
    """Dates, or times in UTC, all written ``2024-01-02T09:30:00Z`` or shorter; None of others.

    The same as :func:`_of_iso` makes of them, without a pattern for each, in a third of the time.
    """
    text = cells.to_numpy(dtype=str)
    width = text.dtype.itemsize // 4  # of UCS-4
    if width not in _WIDTHS:
        return None
    codes = np.ascontiguousarray(text).view(np.uint32).reshape(len(text), width)
    for at, allowed in enumerate(_SHAPE[:width]):
        if not (_ALLOWED[allowed][np.minimum(codes[:, at], 127)]).all():
            return None
    try:
        stamps = text.astype("U19").astype("datetime64[s]")
    except ValueError:  # a thirteenth month, say, which the other tells of
        return None
    return stamps, np.full(len(text), width == len("2024-01-02"))


def _of_iso(text: "pd.Series", cells: "pd.Series", first: int) -> tuple[DateArray, DateArray]:
    """Times of ISO 8601, in UTC and as they stand."""
    import pandas as pd

    utc = pd.to_datetime(text, utc=True, errors="coerce", format="ISO8601")
    # One column may hold two offsets, of summer and winter, which pandas reads as UTC only.
    without_offset = text.str.replace(r"(Z|[+-]\d{2}:?\d{2})$", "", regex=True)
    wall = pd.to_datetime(without_offset, errors="coerce", format="ISO8601")
    # Of a year and a month alone, pandas would make the first day of the month.
    whole = text.str.contains(r"^\s*\d{4}-?\d{2}-?\d{2}").fillna(False)
    unreadable = (utc.isna() | wall.isna() | ~whole.astype(bool)).to_numpy()
    refuse_unreadable(cells, unreadable, "time", NEEDED, first)
    return _seconds(utc), _seconds(wall)


def _is_dayfirst(column: "pd.Series", options: Options) -> bool:
    """Whether the day stands before the month: as a number above 12 tells, or the caller."""
    first_is_day = second_is_day = False
    for at, part in in_parts(column):
        found = part.astype(TEXT).str.extract(_FORMS[_NUMBERS].pattern)[["a", "b"]]
        unreadable = found.isna().any(axis=1).to_numpy()
        refuse_unreadable(part, unreadable, "time", "dates in the form of the first", at)
        a, b = (found[name].astype(np.int64) for name in ("a", "b"))
        first_is_day, second_is_day = (
            first_is_day or bool((a > 12).any()),
            second_is_day or bool((b > 12).any()),
        )
    if options.dayfirst is not None:
        return options.dayfirst
    if first_is_day == second_is_day:
        why = "both orders within one column" if first_is_day else "no day above 12"
        raise ambiguous(
            "ambiguous_dates",
            "time",
            f"dates such as {str(column.iloc[0]).strip()}, with {why}: day or month first",
            "the option dayfirst: true for day/month/year, false for month/day/year",
            0,
        )
    return first_is_day


def _as_iso(
    text: "pd.Series", pattern: re.Pattern[str], order: Mapping[str, str], first: int
) -> "pd.Series":
    """Text of another form as ISO 8601."""
    found = text.str.extract(pattern).rename(columns=order)
    refuse_unreadable(
        text, found["y"].isna().to_numpy(), "time", "dates in the form of the first", first
    )
    if "name" in found:
        months = {name: f"{at:02}" for at, name in enumerate(_MONTHS, 1)}
        found["m"] = found["name"].str.lower().map(months)
        refuse_unreadable(text, found["m"].isna().to_numpy(), "time", _EXAMPLES, first)
    days = found["y"] + "-" + found["m"].str.zfill(2) + "-" + found["d"].str.zfill(2)
    clock = found["clock"].fillna("").str.strip()
    if clock.eq("").all():
        return days
    clock = clock.str.replace(_TWELVE, _of_24, regex=True)
    clock = clock.str.replace(r"^(\d)(?=:|$)", r"0\1", regex=True)
    return (days + "T" + clock).str.removesuffix("T")


def _of_24(match: re.Match[str]) -> str:
    """A time of twelve hours, such as 4:05 PM, in twenty-four."""
    hour, rest, half = match.groups()
    return f"{int(hour) % 12 + 12 * (half.upper() == 'P'):02}{rest}"


def _refuse_all(column: "pd.Series") -> NoReturn:
    """Refuse a column of which no cell has a form that is known."""
    refuse_unreadable(column, np.ones(len(column), dtype=np.bool_), "time", _EXAMPLES)
    raise AssertionError("unreachable: an empty table was refused before")
