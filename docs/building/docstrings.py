"""Docstrings of this project as mkdocstrings reads them.

They are numpydoc with what a thing is on the line of its name, `rv : (n,) decimal² per day`, where
the reader of the site's generator expects a type; types stand in the signatures.
"""

import re
from typing import Any

import griffe

LISTED = re.compile(r"^(Parameters|Attributes|Raises)\n-+\n((?:.+\n|\n(?=[ \w*`]))*)", re.MULTILINE)
RETURNED = re.compile(r"^(?:Returns|Yields)\n-+\n", re.MULTILINE)
ITEM = re.compile(r"^(\S[^:\n]*?) : +(?=\S)", re.MULTILINE)
MATHEMATICS = re.compile(
    r"^( *)\.\. math::[ \n]*((?:\S.*|\1 +.*)(?:\n\1 +.*|\n(?=\n\1 +))*)", re.MULTILINE
)
ROLE = re.compile(r":(func|class|mod|data|meth|attr):`([~!.]*)([\w.]+)`")
LINKED = {"func", "class", "mod"}  # what has a place of its own on the page of its module
ROOMS = {"roughcast", "volatility", "models_store", "training"}


class Docstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **_others: Any) -> None:
        """Rewrite the docstring of a module, a class, a function or an attribute."""
        if obj.docstring is not None:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(docstring: str) -> str:
    """A docstring with descriptions on lines of their own, and roles and formulas as Markdown."""
    text = LISTED.sub(lambda found: ITEM.sub(r"\1\n    ", found.group()), docstring)
    text = RETURNED.sub("**Returns:** ", text)
    text = MATHEMATICS.sub(_formula, text)
    text = re.sub(r":math:`([^`]+)`", r"\\(\1\\)", text)
    return ROLE.sub(_reference, text)


def _formula(found: re.Match[str]) -> str:
    lines = (line.strip() for line in found.group(2).splitlines())
    return "\\[" + " ".join(it for it in lines if it) + "\\]"


def _reference(found: re.Match[str]) -> str:
    role, marks, target = found.groups()
    shown = target.rpartition(".")[2] if marks else target
    if role not in LINKED:
        return f"`{shown}`"
    if target.partition(".")[0] in ROOMS:  # and not an attribute of that name
        return f'<autoref identifier="{target}"><code>{shown}</code></autoref>'
    return f"[`{shown}`][{target}]"
