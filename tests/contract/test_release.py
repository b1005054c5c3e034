"""What is installed: the packages' files, and nothing that needs a checkout."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmarks.release import faults_of_source, faults_of_wheel, packages, tracked
from volatility.extras import PACKAGES

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
INFO = [f"roughcast-1.dist-info/{name}" for name in ("METADATA", "licenses/LICENSE")]

# What a build would copy, without the seventy megabytes of copying.
PLANNED = """
import json
from pathlib import Path
from setuptools import Distribution

distribution = Distribution({"script_name": "setup.py"})
distribution.parse_config_files()
build = distribution.get_command_obj("build_py")
build.ensure_finalized()
modules = [path for _package, _module, path in build.find_all_modules()]
data = [Path(folder, name) for _package, folder, _to, names in build.data_files for name in names]
print(json.dumps(sorted(Path(it).as_posix() for it in (*modules, *data))))
"""


@pytest.fixture(scope="module")
def planned() -> list[str]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLANNED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_a_wheel_holds_the_files_of_the_packages_and_no_other(planned: list[str]) -> None:
    assert faults_of_wheel([*planned, *INFO]) == []
    assert sum(it.startswith("models_store/artifacts/") for it in planned) > 500
    assert not any(it.startswith(("tests/", "benchmarks/", "var/")) for it in planned)


def test_what_a_wheel_lacks_or_has_too_much_is_named(planned: list[str]) -> None:
    current = "models_store/artifacts/SPX/champion"
    names = [*(set(planned) - {current}), "tests/conftest.py", *INFO[:1]]
    assert faults_of_wheel(names) == [
        f"the wheel lacks {current}",
        "the wheel holds tests/conftest.py, which is no file of the packages",
        "the wheel lacks its licence",
    ]


def test_what_a_source_archive_lacks_or_has_too_much_is_named() -> None:
    complete = [*tracked(), "pyproject.toml", "README.md", "LICENSE", "setup.cfg"]
    assert faults_of_source(f"roughcast-1/{it}" for it in complete) == []
    names = [*complete[:-2], "var/store/SPX/champion"]
    assert faults_of_source(f"roughcast-1/{it}" for it in names) == [
        "the source archive lacks LICENSE",
        "the source archive holds var/store/SPX/champion",
    ]


def test_the_packages_are_those_that_the_project_names() -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(packages()) == rooms - {"benchmarks", "tests"}


def test_an_extra_that_is_asked_for_brings_what_is_looked_for() -> None:
    for extra, found in PACKAGES.items():
        declared = {re.split(r"[\[<>=]", it)[0] for it in EXTRAS[extra]}
        assert declared >= set(found), extra


def test_each_version_of_python_that_is_promised_is_tried() -> None:
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    [matrix] = re.findall(r"python: (\[.*\])", workflow)
    assert promised == json.loads(matrix)
    assert PROJECT["requires-python"] == f">={promised[0]}"


def test_the_page_of_the_installation_tells_the_extras_apart() -> None:
    page = (ROOT / "docs" / "installation.md").read_text()
    told = re.findall(r"^\| `(\w+)` \|", page, re.M)
    assert sorted(told) == sorted(set(EXTRAS) - {"dev"})
