"""What the documentation's site is made of, without making it: `make docs` does."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.building.markup import rewritten
from training.cli import make_parser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])
MADE = {"index.md", "contributing.md", "changelog.md", "security.md", "reference"}


def entries(nav: Any) -> Iterator[str]:
    """Paths in a navigation, whatever they are under."""
    if isinstance(nav, str):
        yield nav
    for part in nav if isinstance(nav, list) else nav.values() if isinstance(nav, dict) else ():
        yield from entries(part)


def test_the_navigation_leads_to_pages_and_names_each_once() -> None:
    paths = list(entries(yaml.safe_load((DOCS / ".nav.yml").read_text())["nav"]))
    assert len(paths) == len(set(paths))
    for path in paths:
        script = DOCS / Path(path).with_suffix(".py")
        assert path in MADE or "*" in path or (DOCS / path).exists() or script.exists(), path
    tutorials = {it.relative_to(DOCS).as_posix() for it in (DOCS / "tutorials").glob("*.md")}
    assert tutorials <= set(paths)


def test_nothing_of_the_site_comes_from_elsewhere() -> None:
    settings = (ROOT / "mkdocs.yml").read_text()
    assert "  font: false" in settings
    assert "strict: true" in settings
    assert not re.search(r"https?://|analytics|extra_javascript", settings)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\((?!\w+:)([^)#\s]+)", prose):
        target = page.parent / link
        notebook = target.parent.name == "notebooks" and target.with_suffix(".py").exists()
        assert target.exists() or notebook, link


def training_commands(page: Path) -> Iterator[list[str]]:
    """Arguments of every command of training in a page's blocks, by whatever name it is called."""
    text = re.sub(r" *\\\n *", " ", page.read_text())
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for command in re.findall(r"(?:^|\s)python -m training (.+)$", block, re.MULTILINE):
            yield shlex.split(command, comments=True)
        named = r"^make (retrain|evaluate|reproduce)(?: PAPER=\w+)? ARGS=\"(.+?)\""
        for target, options in re.findall(named, block, re.MULTILINE):
            yield [target, *shlex.split(options)]


def test_every_command_of_training_in_the_documentation_can_be_read() -> None:
    commands = [words for page in PAGES for words in training_commands(page)]
    assert len(commands) > 25
    for words in commands:
        assert make_parser().parse_args(words).command == words[0]


def test_a_docstring_becomes_markdown() -> None:
    given = """Variance of a day.

Parameters
----------
returns : (n,) decimal, as :func:`~volatility.bars.validate`
    has them.
mean : of them.

Returns
-------
(days,) variance,
not annualized.

Raises
------
TooFewObservations : fewer than two.

Notes
-----
.. math:: a =
    b

In :data:`~volatility.bars.PRICES` and :class:`Nearby`.
"""
    assert (
        rewritten(given)
        == """Variance of a day.

Parameters
----------
returns
    (n,) decimal, as <autoref identifier="volatility.bars.validate"><code>validate</code></autoref>
    has them.
mean
    of them.

Returns
-------
:
    (days,) variance,
    not annualized.

Raises
------
TooFewObservations
    fewer than two.

Notes
-----
\\[a = b\\]

In `PRICES` and [`Nearby`][Nearby].
"""
    )
