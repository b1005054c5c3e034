"""The tutorials do what they say: each command is run, and gives what is shown."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.pages import commands, excused, split
from tests.service.processes import Serving, listening
from tests.service.test_api_guide import assert_same

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "tutorials"
BLOCK = re.compile(
    r'^```(\w+)(?: title="(.+?)")?\n(.*?)^```$(?:\n^```(json|text)\n(.*?)^```$)?', re.M | re.S
)
SERVE = "make serve"
PRINTED = {
    "first-forecast.md": commands("docs/tutorials/first-forecast.md"),
    "daily-bot.md": commands("docs/tutorials/daily-bot.md"),
    "your-own-asset.md": commands("docs/tutorials/your-own-asset.md"),
    "reading-an-evaluation.md": commands("docs/tutorials/reading-an-evaluation.md"),
}
# What make would install is installed, and its Python is that of the tests.
MADE = {"MAKEFLAGS": f"SERVICE= BIN={Path(sys.executable).parent}", "PORT": "0"}


class Step(NamedTuple):
    """A block, and the output that is shown beneath it."""

    language: str
    title: str
    text: str
    kind: str
    output: str


def steps(page: str) -> list[Step]:
    return [Step(*found) for found in BLOCK.findall((FOLDER / page).read_text())]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, Path]]:
    """The service that ``make serve`` starts, in a folder of its own."""
    folder = tmp_path_factory.mktemp("tutorials")
    (folder / "Makefile").symlink_to(ROOT / "Makefile")
    assert SERVE in PRINTED["first-forecast.md"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {"PYTHONPATH": path, "ROUGHCAST_FOLLOW_SECONDS": "0.2", **MADE}
    with listening(["bash", "-c", SERVE], folder, **environment) as running:
        yield running, folder


def output_of(step: Step, served: tuple[Serving, Path]) -> str:
    running, folder = served
    text = step.text.replace("127.0.0.1:8000", f"127.0.0.1:{running.port}")
    if step.title:
        (folder / step.title).write_text(text)
        return ""
    text = text.replace("/srv/bot", str(folder)).replace(" venv/bin/python", " python")
    text = re.sub(r"^roughcast ", "python -m roughcast ", text, flags=re.MULTILINE)
    left_out = {SERVE, *excused()}
    lines = [it for it in split(text) if it not in left_out]
    command = ["bash", "-euc", "\n".join(lines)]
    if step.language == "python":
        command = [sys.executable, "-c", text]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{text}{done.stdout}{done.stderr}"
    return done.stdout


def follow(page: str, served: tuple[Serving, Path]) -> list[str]:
    said: list[str] = []
    typed: list[str] = []
    for step in steps(page):
        if step.language not in {"sh", "crontab", "python"}:
            continue
        typed += split(step.text) if step.language != "python" else []
        said.append(output_of(step, served))
        if step.kind == "json":
            shown, found = json.loads(step.output), json.loads(said[-1])
            assert_same(shown, {name: found[name] for name in shown})  # fewer fields than there are
        if step.kind == "text":
            assert said[-1].rstrip("\n") == step.output.rstrip("\n")
    assert [it for it in typed if it not in set(excused())] == PRINTED[page]
    return said


@pytest.mark.skipif(shutil.which("curl") is None, reason="the tutorials ask by curl")
@pytest.mark.parametrize("page", [it for it in PRINTED if it != "reading-an-evaluation.md"])
def test_a_tutorial_can_be_followed(page: str, served: tuple[Serving, Path]) -> None:
    said = follow(page, served)
    assert len(said) >= 3
    assert not [it for it in said if '"code"' in it]


def test_the_evaluation_gives_the_table_that_is_read(served: tuple[Serving, Path]) -> None:
    page = "reading-an-evaluation.md"
    [printed] = follow(page, served)
    shown = re.findall(
        r"^\| (\w+) \| (\d\.\d{4}) \| (\S+) \| (\S+) \|", (FOLDER / page).read_text(), re.M
    )
    assert len(shown) == 5
    for row in shown:
        line = next(it for it in printed.splitlines() if re.match(rf"│ {row[0]} ", it))
        assert list(row) == [cell.strip() for cell in line.split("│")[1:5]]


def test_every_tutorial_is_among_them() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == set(PRINTED)
