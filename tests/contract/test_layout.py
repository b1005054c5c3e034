"""The rooms: what docs/architecture.md says of them is there, and none becomes a drawer."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PACKAGES = ("volatility", "models_store", "training", "service", "roughcast")
ROLE = re.compile(rf":(?:func|class|mod|data|meth|attr):`[~!]?((?:{'|'.join(PACKAGES)})[\w.]*)`")
SOURCES = sorted(
    path for package in (*PACKAGES, "benchmarks") for path in (ROOT / package).rglob("*.py")
)
MOST_MODULES = 5  # directly in service/ or training/
LONGEST_MODULE = 400  # lines
LONGEST_FUNCTION = 40  # lines, without the docstring
LONGEST_PATH = 11  # steps of a forecast, or of a retrain, on the page


def section(heading: str) -> str:
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def folders() -> set[str]:
    """Folders of the packages, and others at the top that are not hidden."""
    inside = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package, *(ROOT / package).rglob("*"))
        if path.is_dir() and path.name != "__pycache__"
    }
    artifacts = {folder for folder in inside if folder.startswith("models_store/artifacts/")}
    return inside - artifacts | {"benchmarks", "deploy", "docs", "requirements", "tests"}


def test_the_map_has_a_line_for_each_folder_and_no_other() -> None:
    mapped = re.findall(r"^\| `([\w/]+)/` \| \S", section("The map"), re.M)
    assert len(mapped) == len(set(mapped))
    assert set(mapped) == folders()


@pytest.mark.parametrize("path", ["The path of a forecast", "The path of a retrain"])
def test_each_step_of_a_path_exists(path: str) -> None:
    steps = re.findall(r"^\d+\. `([\w.]+):([\w.]+)`", section(path), re.M)
    assert 5 <= len(steps) <= LONGEST_PATH
    for module, function in steps:
        assert function in set(defined(ROOT / (module.replace(".", "/") + ".py"))), (
            module,
            function,
        )


def defined(path: Path) -> Iterator[str]:
    """Names of a module's functions and classes, and of methods as ``Class.method``."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{it.name}" for it in node.body if hasattr(it, "name"))


def test_what_docstrings_refer_to_exists() -> None:
    """Targets of roles such as :func:`volatility.bars.validate`, by module."""
    missing = [
        (path.relative_to(ROOT).as_posix(), target)
        for path in SOURCES
        for target in ROLE.findall(path.read_text())
        if not is_there(target)
    ]
    assert missing == []


def is_there(target: str) -> bool:
    """Whether a dotted name is a module, or is said in the module that its first parts name."""
    parts = target.split(".")
    for count in range(len(parts), 0, -1):
        base = ROOT.joinpath(*parts[:count])
        module = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
        if module.is_file():
            return count == len(parts) or parts[count] in module.read_text()
    return False


@pytest.mark.parametrize("room", ["service", "training"])
def test_a_room_is_no_drawer(room: str) -> None:
    modules = {path.name for path in (ROOT / room).glob("*.py")} - {"__init__.py"}
    assert len(modules) <= MOST_MODULES, modules


def test_no_module_is_too_long() -> None:
    lengths = {path: len(path.read_text().splitlines()) for path in SOURCES}
    assert {path for path, length in lengths.items() if length > LONGEST_MODULE} == set()


def test_no_function_is_too_long() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{function.name}"
        for path in SOURCES
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and lines_of_code(function) > LONGEST_FUNCTION
    ]
    assert found == []


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from ``def`` on, without the docstring."""
    assert function.end_lineno is not None
    first, lines = function.body[0], function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        assert first.end_lineno is not None
        lines -= first.end_lineno - first.lineno + 1
    return lines


def test_lines_of_code_leave_out_the_docstring() -> None:
    code = 'def f(x):\n    """One.\n\n    Two.\n    """\n    y = x\n    return y\n'
    (function,) = ast.parse(code).body
    assert isinstance(function, ast.FunctionDef)
    assert lines_of_code(function) == 3
