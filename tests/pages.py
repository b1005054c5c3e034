"""What the documentation prints to be typed in, as tests read it that type it in."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "docs" / "tutorials").glob("*.md"),
        *(ROOT / "deploy").rglob("*.md"),
    )
)
# Commands that no test of pytest runs, by the reason. What a change has to pass needs none.
EXCUSED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "needs a container engine, which cannot start containers where tests run": (
            "docker compose build",
            (
                "docker compose run --rm service "
                "python -m service keys make desk --scopes forecast ingest"
            ),
            "docker compose up --wait",
            "docker compose --profile training run --rm training",
        ),
        "installs from a registry; the environment of the tests is what comes of it": (
            "source .venv/bin/activate",
            "pip install --editable '.[training]'",
        ),
        "installs a built wheel from a registry, as `make release` does, which then asks it": (
            "python3 -m venv roughcast",
            "roughcast/bin/pip install dist/roughcast-0.1.0-py3-none-any.whl",
            "roughcast/bin/python -m service",
        ),
        "has an environment of its own, with npm: `make clients` runs the same generators": (
            "openapi-python-client generate --url http://localhost:8000/openapi.json",
            (
                "npx openapi-typescript http://localhost:8000/openapi.json "
                "--default-non-nullable=false --output schema.d.ts"
            ),
        ),
        "writes docs/results.md; test_cli has it write another page": (
            "python -m training results",
        ),
    }
)
# Targets of make that prose names, and that no test and no change runs.
EXCUSED_TARGETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "measures for minutes or hours, and writes tables into a page": (
            *("abuse", "artifacts", "bench", "coverage-tables", "evaluation-tables"),
            *("hurst-tables", "kills", "motion", "mutants", "replicas"),
        ),
        "runs the tests again, with a measurement or for a minute in place of seconds": (
            "coverage",
            "observe",
        ),
        "installs from a registry, or needs a browser": ("release", "sbom", "screenshots"),
        "writes or fits anew what tests compare with": ("openapi", "rebuild"),
    }
)
_BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SCHEDULE = re.compile(r"^[\d*]+ [\d*]+ \* \* [\d*-]+ +")
_COMMENT = re.compile(r"(?<=\S)\s+# .*$|^# .*$", re.MULTILINE)


def blocks(page: str, *languages: str, heading: str | None = None) -> list[str]:
    """Blocks of code of a page, or of what stands below one of its headings.

    Parameters
    ----------
    page : its path, such as ``docs/api.md``.
    languages : of which they are.
    heading : its text; None for the whole page.
    """
    found = _BLOCK.findall(section(page, heading))
    return [block for language, block in found if language in languages]


def section(page: str, heading: str | None = None) -> str:
    """The text of a page, or what stands below one of its headings."""
    text = (ROOT / page).read_text()
    if heading is None:
        return text
    return re.split(r"^##+ ", text.split(f"# {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def commands(page: str, heading: str | None = None) -> list[str]:
    """Commands of a page or a part of it, but for those that are excused.

    A test that calls this is taken to run each of them (``tests/contract/test_commands.py``).
    """
    left_out = set(excused())
    return [it for it in printed(page, heading) if it not in left_out]


def code(page: str) -> list[str]:
    """Blocks of Python of a page; a test that calls this is taken to run each of them."""
    return blocks(page, "python")


def mentions(page: str, heading: str | None = None) -> list[str]:
    """Commands of ``service`` and ``training`` in a page's prose and tables, in whole.

    A test that calls this is taken to run each of them.
    """
    prose = _BLOCK.sub("", section(page, heading))
    found = re.findall(r"`(python -m (?:service|training) [^`…]+)`", prose)
    left_out = set(excused())
    return [it for it in dict.fromkeys(found) if it not in left_out]


def printed(page: str, heading: str | None = None) -> list[str]:
    """All commands of a page or a part of it."""
    shown = blocks(page, "sh", "crontab", heading=heading)
    return [command for block in shown for command in split(block)]


def excused() -> Iterator[str]:
    """Commands that no test runs."""
    for of_one_reason in EXCUSED.values():
        yield from of_one_reason


def split(block: str) -> Iterator[str]:
    """Each command of a block, without the times of cron and without comments."""
    lines: list[str] = []
    for line in block.splitlines():
        if not lines and not line.strip():
            continue
        lines.append(line)
        command = "\n".join(lines)
        if _is_whole(command):
            command = _SCHEDULE.sub("", command)
            if len(lines) == 1:
                command = _COMMENT.sub("", command)
            if command:
                yield command
            lines = []
    assert not lines, f"no whole command: {lines}"


def training_words(command: str) -> list[str]:
    """Arguments that a command gives to ``python -m training``, itself or by a target of make."""
    if command.startswith("make "):
        # What is installed is not looked at, and nothing is run; it may be made within `make test`.
        flags = {"MAKEFLAGS": "n --no-print-directory NETWORKS="}
        environment = {k: it for k, it in os.environ.items() if k != "MAKELEVEL"} | flags
        command = subprocess.run(
            ["bash", "-c", command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    before, _, words = command.replace("\\\n", " ").partition("python -m training ")
    assert words, f"no command of training: {before}"
    return shlex.split(words, comments=True)


def _is_whole(command: str) -> bool:
    here = re.search(r"<<'(\w+)'", command)
    if here is not None:
        return command.endswith(f"\n{here[1]}")
    try:
        shlex.split(command, comments=True)
    except ValueError:  # a quote is open
        return False
    return not command.endswith(("\\", "|"))
