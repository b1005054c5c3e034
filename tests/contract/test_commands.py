"""Every command that the documentation prints is run by a test, or excused with a reason.

A command counts as run where a test asks for it by ``commands(page, heading)`` or, of prose, by
``mentions(page, heading)`` of :mod:`tests.pages`, or where it is one that every change has to pass.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tests import pages
from tests.pages import PAGES, ROOT, commands, mentions, printed

TESTS = ROOT / "tests"
# A block in another language than that of commands holds none.
PROGRAMS = re.compile(
    r"^(?:[\d*]+ [\d*]+ \* \* \S+ +)?(?:\w+=\S+ )*(?:\S*/)?(?:python3?|make|curl"
    r"|roughcast(?= \w)|docker|pip|psql|pg_\w+|openssl|npx|npm|git|cp|rm|export|source|bash) ",
    re.MULTILINE,
)
TARGET = re.compile(r"(?<!keys )\bmake ([a-z][a-z-]*)\b")


def asked_for(function: str) -> Iterator[tuple[str, str | None]]:
    """Page and heading of every call of a function of :mod:`tests.pages` in the tests."""
    for path in sorted(TESTS.rglob("test_*.py")):
        if path == Path(__file__) or f"{function}(" not in path.read_text():
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == function:
                words = [it.value for it in node.args if isinstance(it, ast.Constant)]
                if words and words[0] in PAGES:
                    yield str(words[0]), str(words[1]) if len(words) > 1 else None


@cache
def run_by_tests() -> frozenset[str]:
    """The commands that tests ask for."""
    of_blocks = {it for place in asked_for("commands") for it in commands(*place)}
    return frozenset(of_blocks.union(*(mentions(*place) for place in asked_for("mentions"))))


@cache
def run_by_the_workflow() -> frozenset[str]:
    """What has to pass on every change: ``.ci/run``, and the jobs beside it."""
    script = (ROOT / ".ci" / "run").read_text()
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    found = set(re.findall(r"^make [a-z]+(?= |$)", script, re.MULTILINE))
    for job in workflow["jobs"].values():
        targets = job.get("strategy", {}).get("matrix", {}).get("target", [""])
        for step in job["steps"]:
            run = step.get("run", "")
            found |= {run.replace("${{ matrix.target }}", it) for it in targets}
    return frozenset(found - {""})


@pytest.mark.parametrize("page", PAGES)
def test_every_command_is_run_or_excused(page: str) -> None:
    run_or_excused = run_by_tests() | run_by_the_workflow() | set(pages.excused())
    told = [*printed(page), *mentions(page)]
    assert [it for it in told if it not in run_or_excused] == []


BLOCK = """\
make serve    # and don't stop
curl -d '{
  "a": 1}' \\
  localhost

printf '1' |
  cat
5 0 * * *    python -m service models prune --keep 7
python - <<'PY'
x = "it's"
PY
"""


def test_commands_are_told_apart() -> None:
    assert list(pages.split(BLOCK)) == [
        "make serve",
        "curl -d '{\n  \"a\": 1}' \\\n  localhost",
        "printf '1' |\n  cat",
        "python -m service models prune --keep 7",
        "python - <<'PY'\nx = \"it's\"\nPY",
    ]


def test_what_a_change_has_to_pass_is_found() -> None:
    assert {"make test", "make check", "make docs", "make clients", "bash .ci/run"} <= (
        run_by_the_workflow()
    )


def test_what_is_excused_is_printed_and_run_by_nothing() -> None:
    shown = {it for page in PAGES for it in printed(page)}
    shown |= {it for page in PAGES for it in re.findall(r"`(python [^`]+)`", pages.section(page))}
    assert [it for it in pages.excused() if it not in shown or it in run_by_the_workflow()] == []
    assert len(set(pages.excused())) == len(list(pages.excused()))


@pytest.mark.parametrize("page", PAGES)
def test_commands_stand_in_blocks_of_their_own(page: str) -> None:
    languages = set(re.findall(r"^```(\w*)", (ROOT / page).read_text(), re.MULTILINE))
    assert languages <= {"", "sh", "crontab", "json", "python", "diff", "text"}
    for block in pages.blocks(page, "", "json", "text"):
        assert not PROGRAMS.search(block), f"a command in a block that is not of `sh`: {block}"


def test_every_block_of_python_is_on_a_page_whose_code_is_run() -> None:
    with_code = {it for it in PAGES if pages.blocks(it, "python")}
    run = {page for page, _ in asked_for("code")}
    assert {it for it in with_code - run if not it.startswith("docs/tutorials/")} == set()


def targets(page: str) -> set[str]:
    """Targets of make in a page's blocks and prose."""
    prose = re.findall(r"`([^`\n]+)`", pages.section(page))
    return {it for text in (*prose, *pages.blocks(page, "sh")) for it in TARGET.findall(text)}


@pytest.mark.parametrize("page", PAGES)
def test_every_target_of_make_that_is_named_is_run_or_excused(page: str) -> None:
    run = {it for text in run_by_tests() | run_by_the_workflow() for it in TARGET.findall(text)}
    assert targets(page) - run <= {it for of in pages.EXCUSED_TARGETS.values() for it in of}


def test_targets_that_are_named_or_excused_exist_and_so_do_their_modules() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set().union(*map(targets, PAGES))
    assert {it for of in pages.EXCUSED_TARGETS.values() for it in of} <= named
    for target in named:
        rule = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        assert rule, target
        ours = r"python -m ((?:service|training|benchmarks|tests)\b[a-z_.]*)"
        for module in re.findall(ours, rule[1]):
            assert find_spec(module), module
