"""A report as a list of blocks, written as Markdown or as one HTML file."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem;
       color: #1c1c1c; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.9rem; display: block;
        overflow-x: auto; }
th, td { padding: 0.25rem 0.75rem; border-bottom: 1px solid #ddd; text-align: left; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead th { border-bottom: 2px solid #888; }
figure { margin: 1.5rem 0; }
img { max-width: 100%; height: auto; }
pre { background: #f5f5f5; padding: 1rem; overflow-x: auto; }
"""


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Plain sentences."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list of plain sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes
    ----------
    headings : of the columns.
    rows : as many cells each.
    labels : how many columns on the left are words; the others are numbers.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    labels: int


@dataclass(frozen=True)
class Picture:
    """A drawing.

    Attributes
    ----------
    file : path beside the Markdown report.
    svg : its content, which the HTML report holds itself.
    title, caption : what it is, and what it shows.
    """

    file: str
    svg: bytes
    title: str
    caption: str


@dataclass(frozen=True)
class Verbatim:
    """Lines as they are."""

    text: str


Block: TypeAlias = Heading | Paragraph | Bullets | Grid | Picture | Verbatim


def to_markdown(blocks: Sequence[Block]) -> str:
    """The report as Markdown, with pictures as files beside it."""
    return "\n\n".join(_markdown(block) for block in blocks) + "\n"


def to_html(title: str, blocks: Sequence[Block]) -> str:
    """The report as one HTML file that loads nothing from elsewhere."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{body}\n"
        "</body>\n</html>\n"
    )


def _markdown(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"{'#' * level} {text}"
        case Paragraph(text):
            return text
        case Bullets(items):
            return "\n".join(f"- {item}" for item in items)
        case Grid():
            return _markdown_grid(block)
        case Picture(file, _, title, caption):
            return f"![{title}]({file})\n\n*{title}.* {caption}"
        case Verbatim(text):
            return f"```\n{text}\n```"


def _html(block: Block) -> str:
    match block:
        case Heading(level, text):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{html.escape(text)}</p>"
        case Bullets(items):
            listed = "".join(f"<li>{html.escape(item)}</li>" for item in items)
            return f"<ul>{listed}</ul>"
        case Grid():
            return _html_grid(block)
        case Picture(_, svg, title, caption):
            uri = f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
            return (
                f'<figure><img src="{uri}" alt="{html.escape(title)}">'
                f"<figcaption><em>{html.escape(title)}.</em> {html.escape(caption)}</figcaption>"
                "</figure>"
            )
        case Verbatim(text):
            return f"<pre>{html.escape(text)}</pre>"


def _markdown_grid(grid: Grid) -> str:
    numbers = len(grid.headings) - grid.labels
    rule = "|" + "---|" * grid.labels + "---:|" * numbers
    return "\n".join([_markdown_row(grid.headings), rule, *map(_markdown_row, grid.rows)])


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _html_grid(grid: Grid) -> str:
    head = _html_row("th", grid.headings, grid.labels)
    body = "\n".join(_html_row("td", row, grid.labels) for row in grid.rows)
    return f"<table>\n<thead>{head}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _html_row(tag: str, cells: Sequence[str], labels: int) -> str:
    attributes = [""] * labels + [' class="number"'] * (len(cells) - labels)
    written = [
        f"<{tag}{attribute}>{html.escape(cell)}</{tag}>"
        for attribute, cell in zip(attributes, cells, strict=True)
    ]
    return f"<tr>{''.join(written)}</tr>"
