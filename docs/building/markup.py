"""Docstrings of this project in the words that the site's generator reads.

They are numpydoc with what a thing is on the line of its name, `rv : (n,) decimal² per day`, where
that reader expects a type; types stand in the signatures.
"""

import re

ROOMS = {"roughcast", "volatility", "models_store", "training"}  # whose docstrings are shown

_SECTION = re.compile(
    r"^(Parameters|Attributes|Raises|Returns|Yields)\n-+\n(.*?)(?=\n\n\w+\n---|\Z)",
    re.MULTILINE | re.DOTALL,
)
_ITEM = re.compile(r"^(\S[^:\n]*?) : +(?=\S)", re.MULTILINE)
_FORMULA = re.compile(
    r"^( *)\.\. math::[ \n]*((?:\S.*|\1 +.*)(?:\n\1 +.*|\n(?=\n\1 +))*)", re.MULTILINE
)
_ROLE = re.compile(r":(func|class|mod|data|meth|attr):`([~!.]*)([\w.]+)`")
_LINKED = {"func", "class", "mod"}  # what has a place of its own on the page of its module


def rewritten(docstring: str) -> str:
    """A docstring with descriptions on lines of their own, and roles and formulas as Markdown."""
    text = _SECTION.sub(_section, docstring)
    text = _FORMULA.sub(_formula, text)
    text = re.sub(r":math:`([^`]+)`", r"\\(\1\\)", text)
    return _ROLE.sub(_reference, text)


def _section(found: re.Match[str]) -> str:
    title, content = found.groups()
    if title in {"Returns", "Yields"}:  # one thing, whose type stands in the signature
        content = ":\n" + re.sub(r"^(?=.)", "    ", content, flags=re.MULTILINE)
    else:
        content = _ITEM.sub(r"\1\n    ", content)
    return f"{title}\n{'-' * len(title)}\n{content}"


def _formula(found: re.Match[str]) -> str:
    lines = (line.strip() for line in found.group(2).splitlines())
    return "\\[" + " ".join(it for it in lines if it) + "\\]"


def _reference(found: re.Match[str]) -> str:
    role, marks, target = found.groups()
    shown = target.rpartition(".")[2] if marks else target
    if role not in _LINKED:
        return f"`{shown}`"
    if target.partition(".")[0] in ROOMS:  # and not an attribute of that name
        return f'<autoref identifier="{target}"><code>{shown}</code></autoref>'
    return f"[`{shown}`][{target}]"
