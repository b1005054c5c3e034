"""What the site holds beside the pages of ``docs/``, and what becomes of links and formulas.

Made at each build: a page a module from its docstrings, the notebooks, which are run, and the pages
at the top of the repository.
"""

import html
import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from docs.building.markup import ROOMS
from docs.building.notebooks import run

ROOT = Path(__file__).parents[2]
AT_THE_TOP = {  # pages of the repository, by what they are called here
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
LINK = re.compile(r"(!?)\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_pre_build(config: MkDocsConfig) -> None:
    """Write the description of the routes without their refusals, which are alike for all."""
    described = json.loads((ROOT / "tests/service/http/openapi.json").read_text(encoding="utf-8"))
    for operations in described["paths"].values():
        for operation in operations.values():
            answers = operation["responses"]
            operation["responses"] = {it: answers[it] for it in answers if it.startswith("2")}
    folder = Path(config.site_dir).parent
    folder.mkdir(exist_ok=True)
    (folder / "routes.json").write_text(json.dumps(described), encoding="utf-8")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for source, content in _made():
        files.append(File.generated(config, source, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_others: Any) -> str:
    """Lead links that leave the documentation to where their target stands in it, if it does."""
    folder = (ROOT / "docs" / page.file.src_uri).parent
    if page.file.src_uri in AT_THE_TOP.values():
        folder = ROOT

    def led(found: re.Match[str]) -> str:
        picture, text, target, anchor = found.groups()
        if re.match(r"\w+:", target):
            return found.group()
        path = (folder / target).resolve().relative_to(ROOT).as_posix()
        inside = AT_THE_TOP.get(path, path.removeprefix("docs/") if path[:5] == "docs/" else None)
        if inside is None or not inside.endswith((".md", ".png", ".svg", ".html")):
            return text
        up = "../" * page.file.src_uri.count("/")
        return f"{picture}[{text}]({up}{inside}{anchor or ''})"

    return _outside_of_code(markdown, lambda text: LINK.sub(led, text))


def on_page_content(content: str, **_others: Any) -> str:
    """Write formulas as MathML, which browsers show by themselves."""

    def formula(found: re.Match[str]) -> str:
        kind = "block" if found.group(1) == "div" else "inline"
        return convert(html.unescape(found.group(2)), display=kind)

    return FORMULA.sub(formula, content)


def _made() -> Iterator[tuple[str, str | bytes]]:
    for name, page in AT_THE_TOP.items():
        yield page, (ROOT / name).read_text(encoding="utf-8")
    for room in sorted(ROOMS):
        for path in sorted((ROOT / room).rglob("*.py")):
            module = path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
            module = module.removesuffix(".__init__")
            if not module.rpartition(".")[2].startswith("_"):
                yield (
                    f"reference/{room}/{module}.md",
                    f"---\ntitle: {module}\n---\n\n::: {module}\n",
                )
    with tempfile.TemporaryDirectory() as folder:
        for script in sorted((ROOT / "docs" / "notebooks").glob("*.py")):
            page, figures = run(script, Path(folder))
            yield f"notebooks/{script.stem}.md", page
            for name, content in figures.items():
                yield f"notebooks/{name}", content


def _outside_of_code(markdown: str, change: Any) -> str:
    """A page with everything changed but its fenced blocks."""
    parts = re.split(r"(^```.*?^```[^\n]*$)", markdown, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.startswith("```") else change(part) for part in parts)
