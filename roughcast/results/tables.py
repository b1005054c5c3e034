"""What every result has: a table, in a terminal, in a notebook and as a frame."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from html import escape
from textwrap import fill
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MISSING = "–"
WIDTH = 88  # columns


class Tabular(ABC):
    """A result that is a table with a heading."""

    @property
    @abstractmethod
    def title(self) -> str:
        """What the table is of, in a line."""

    @abstractmethod
    def lines(self) -> Sequence[Sequence[str]]:
        """The table's cells as text, the headings first."""

    @abstractmethod
    def to_frame(self) -> "pd.DataFrame":
        """The numbers as a table."""

    @abstractmethod
    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw it, into axes that are given or new ones, which are returned."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is worth knowing beside the numbers."""
        return ()

    def __repr__(self) -> str:
        return self.text()

    def text(self, width: int = WIDTH, most: int | None = None) -> str:
        """Title, table and notes, these folded.

        Parameters
        ----------
        width : columns.
        most : notes; how many there are besides is said. All if left out.
        """
        shown, more = self.notes[:most], len(self.notes[most:]) if most is not None else 0
        notes = [fill(f"note: {it}", width, subsequent_indent="  ") for it in shown]
        further = [f"note: {more} more with -v"] if more else []
        return "\n".join([fill(self.title, width), "", aligned(self.lines()), *notes, *further])

    def _repr_html_(self) -> str:
        head, *body = self.lines()
        rows = ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in body]
        headings = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"<p><b>{escape(self.title)}</b></p><table><thead><tr>{headings}</tr></thead><tbody>"
            + "".join(f"<tr>{row}</tr>" for row in rows)
            + f"</tbody></table>{notes}"
        )


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Rows of text under each other: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    made = []
    for first, *others in lines:
        rest = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
        made.append("  ".join([first.ljust(widths[0]), *rest]).rstrip())
    return "\n".join(made)


def number(value: float | None, form: str) -> str:
    """A number in a format; a dash where there is none."""
    return MISSING if value is None or value != value else format(value, form)
