"""Figures as SVG: the same bytes for the same results, in files and inside of a page.

Colours are those of Okabe & Ito (2008), which colour-blind people too can tell apart. In files they
stand on white; inside of a page they are variables of its style, which has others for the dark.
"""

import io
import re
from dataclasses import dataclass
from types import MappingProxyType

from markupsafe import Markup
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, PURPLE, RED, SKY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#D55E00",
    "#56B4E9",
)
GREY = "#999999"
INK = "#000000"
PAPER = "#ffffff"
GRID = "#e5e5e5"
STYLE = MappingProxyType(
    {
        "svg.hashsalt": "roughcast",  # else identifiers are random
        "svg.fonttype": "none",  # text that can be read, searched, and set in the page's font
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.grid.axis": "x",
        "grid.color": GRID,
        "legend.frameon": False,
        "font.size": 9,
    }
)
# Variables that templates/style.css gives a value for the light and one for the dark.
_VARIABLES = {
    color.lower(): variable
    for color, variable in {
        INK: "currentColor",
        PAPER: "var(--paper)",
        GRID: "var(--rule)",
        GREY: "var(--muted)",
        BLUE: "var(--blue)",
        ORANGE: "var(--orange)",
        GREEN: "var(--green)",
        PURPLE: "var(--purple)",
        RED: "var(--red)",
        SKY: "var(--sky)",
    }.items()
}
_COLOR = re.compile(r"#[0-9a-f]{6}\b")
_PREAMBLE = re.compile(r"\A.*?(?=<svg)|<metadata>.*?</metadata>", re.DOTALL)
_SIZE = re.compile(r'(?<=<svg ).*?(viewBox="0 0 (\S+) \S+").*?(?=>)', re.DOTALL)
_REFERENCE = re.compile(r'( id="|href="#|url\(#)')


@dataclass(frozen=True)
class Drawing:
    """A figure of a report.

    Attributes
    ----------
    file : path beside the report.
    title : what it is, in a few words.
    caption : how to read it, in sentences.
    alt : what it shows, for whoever does not see it.
    svg : the drawing.
    """

    file: str
    title: str
    caption: str
    alt: str
    svg: bytes

    def inside(self, number: int) -> Markup:
        """The drawing as a part of an HTML page, in the page's colours.

        Parameters
        ----------
        number : of the drawing on its page, which keeps identifiers of several apart.
        """
        text = _PREAMBLE.sub("", self.svg.decode()).strip()
        text = _REFERENCE.sub(rf"\1d{number}-", text)
        text = _COLOR.sub(lambda found: _VARIABLES.get(found[0], found[0]), text)
        label = Markup('role="img" aria-label="{}"').format(self.alt)
        # The width in points is what the text is sized for: a narrower screen scrolls.
        return Markup(_SIZE.sub(rf'{label} style="max-width: \2pt" \1', text, count=1))  # noqa: S704


def to_svg(figure: Figure) -> bytes:
    """Write a figure as the content of an SVG file, without date or creator."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
