"""What a table of the reproduction is, before it is written anywhere."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from training.reproduction.forecasts import ScoringProtocol

NOTHING = "–"


@dataclass(frozen=True)
class Quantity:
    """What a row measures, and how its numbers are written.

    Attributes
    ----------
    name : in CSV and JSON.
    label : for people.
    write : one number as text.
    spread : whether several seeds are written as mean and deviation; else as median and range.
    """

    name: str
    label: str
    write: Callable[[float], str]
    spread: bool = True

    def text(self, values: Sequence[float]) -> str:
        """All seeds in a few characters; nothing where one of them has no number."""
        if any(math.isnan(value) for value in values):
            return NOTHING
        if len(values) == 1:
            return self.write(values[0])
        if self.spread:
            return f"{self.write(statistics.fmean(values))} ± {_unsigned(self.write, values)}"
        low, middle, high = min(values), statistics.median(values), max(values)
        return f"{self.write(middle)} [{self.write(low)}, {self.write(high)}]"


@dataclass(frozen=True)
class Cell:
    """A number, or one for each seed.

    Attributes
    ----------
    values : one for each seed; one alone where nothing is random. NaN where there is no number,
        such as the correlation of a forecast that never changes.
    nobs : how many forecasts or observations it is about.
    """

    values: tuple[float, ...]
    nobs: int | None = None

    @property
    def mean(self) -> float:
        """Over seeds; NaN where one of them has no number."""
        return statistics.fmean(self.values)

    @property
    def deviation(self) -> float:
        """Over seeds; NaN for one alone."""
        if len(self.values) < 2 or math.isnan(self.mean):
            return math.nan
        return statistics.stdev(self.values)

    @property
    def range(self) -> tuple[float, float]:
        """The lowest and the highest; NaN where one of them has no number."""
        if math.isnan(self.mean):
            return math.nan, math.nan
        return min(self.values), max(self.values)


@dataclass(frozen=True)
class Row:
    """One quantity of one model or asset.

    Attributes
    ----------
    item : model or asset, as a name.
    label : the same for people.
    quantity : what is measured.
    printed : the characters in the paper; None where it prints nothing.
    cells : by protocol; those that have nothing to say are left out.
    """

    item: str
    label: str
    quantity: Quantity
    printed: str | None = None
    cells: Mapping[ScoringProtocol, Cell] = field(default_factory=dict)

    def text(self, protocol: ScoringProtocol) -> str:
        """A protocol's cell in the format of the quantity; :data:`NOTHING` without one."""
        cell = self.cells.get(protocol)
        return self.quantity.text(cell.values) if cell else NOTHING


@dataclass(frozen=True)
class Table:
    """A table of the paper, with a column for each protocol.

    Attributes
    ----------
    number : in the paper.
    slug : for a file's name.
    title : the paper's.
    item_heading : what the rows are about.
    how : by protocol, how its column was made.
    rows : in order.
    notes : what a reader should know, in sentences.
    """

    number: int
    slug: str
    title: str
    item_heading: str
    how: Mapping[ScoringProtocol, str]
    rows: Sequence[Row]
    notes: Sequence[str] = ()

    def row(self, item: str, quantity: str) -> Row:
        """One row by names."""
        return next(row for row in self.rows if (row.item, row.quantity.name) == (item, quantity))


def fixed(decimals: int) -> Callable[[float], str]:
    """Write with a fixed number of decimals."""
    return lambda value: NOTHING if math.isnan(value) else f"{value:.{decimals}f}"


def signed(decimals: int) -> Callable[[float], str]:
    """Write with a fixed number of decimals and always a sign."""
    return lambda value: NOTHING if math.isnan(value) else f"{value:+.{decimals}f}"


def count(value: float) -> str:
    """A whole number, thousands apart."""
    return f"{round(value):,}"


def probability(value: float) -> str:
    """A p-value as the paper writes it."""
    if math.isnan(value):
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _unsigned(write: Callable[[float], str], values: Sequence[float]) -> str:
    return write(statistics.stdev(values)).lstrip("+")
