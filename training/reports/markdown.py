"""Reports as Markdown, from templates."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

Row = TypeVar("Row")

# An underscore inside of a word is none of Markdown's.
_SPECIAL = re.compile(r"([\\`*\[\]<>&|]|(?<!\w)_|_(?!\w)|^[#+-])")


def markdown_table(
    rows: Sequence[Row],
    columns: Mapping[str, Callable[[Row], str]],
    words: Collection[str] = ("model",),
) -> list[str]:
    """Lines of a Markdown table.

    Parameters
    ----------
    rows : what there is a line of.
    columns : by heading, what a cell says of a row.
    words : headings of columns that stand to the left; ``in set`` is centred, numbers stand to
        the right.
    """
    rules = [
        ":-:" if heading == "in set" else "---" if heading in words else "---:"
        for heading in columns
    ]
    lines = [list(columns), *([cell(row) for cell in columns.values()] for row in rows)]
    head, *body = [f"| {' | '.join(cells)} |" for cells in lines]
    return [head, f"|{'|'.join(rules)}|", *body]


def escaped(text: object) -> str:
    """Text that Markdown shows as it is: names and paths of others."""
    return _SPECIAL.sub(r"\\\1", str(text))


def anchor(heading: str) -> str:
    """What a heading is linked by: its letters and digits, and hyphens for spaces."""
    kept = re.sub(r"[^\w\s-]", "", heading.lower())
    return re.sub(r"\s", "-", kept.strip())


def write(template: str, **content: object) -> str:
    """Fill one of ``templates/``; what is written into HTML is escaped.

    Parameters
    ----------
    template : its file's name.
    content : what the template names; all of it has to be there.
    """
    return TEMPLATES.get_template(template).render(content)


def _table(
    rows: Sequence[Row],
    columns: Mapping[str, Callable[[Row], str]],
    words: Collection[str] = ("model",),
) -> str:
    return "\n".join(markdown_table(rows, columns, words))


TEMPLATES = Environment(
    loader=PackageLoader("training.reports"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
TEMPLATES.filters.update(table=_table, escaped=escaped, anchor=anchor)
