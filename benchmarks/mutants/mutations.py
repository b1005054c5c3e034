"""What can be changed in a source file: each place, by the operators of mutmut."""

import difflib
import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_string

_NAMED_FOR_TYPES = ("NewType", "ParamSpec", "TypeVar")  # calls whose arguments nothing reads
_TYPES = ("Callable", "Mapping", "NDArray", "Sequence")  # of which an alias stands in annotations


class Mutant(NamedTuple):
    """One change in one file."""

    path: str  # of the file, from the project's root
    first: int  # lines of what is changed, from 1
    last: int
    code: str  # of the whole file, changed
    diff: str  # the lines that changed, each after - or +

    @property
    def before(self) -> str:
        """Lines that the change takes away, without indentation."""
        return _said(self.diff, "-")

    @property
    def after(self) -> str:
        """Lines that the change puts in their place, without indentation."""
        return _said(self.diff, "+")


class _Change(NamedTuple):
    first: int
    last: int
    node: cst.CSTNode
    changed: cst.CSTNode


class _Changes(cst.CSTVisitor):
    """Collects changes; not of imports, annotations, texts for people and lists of exports."""

    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Change] = []
        self._annotations = 0  # around the node that is visited
        self._calls = 0  # around it, within an annotation

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Import | cst.ImportFrom) or _says_nothing(node):
            return False
        self._annotations += isinstance(node, cst.Annotation)
        if self._annotations:
            # Field(ge=1) is no annotation for readers alone.
            self._calls += isinstance(node, cst.Call)
        if not self._annotations or self._calls:
            place = self.get_metadata(PositionProvider, node, None)
            for changed in _changes_of(node) if place else ():
                self.found.append(_Change(place.start.line, place.end.line, node, changed))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._annotations:
            self._calls -= isinstance(original_node, cst.Call)
        self._annotations -= isinstance(original_node, cst.Annotation)


def lines_of(path: Path) -> list[int]:
    """Lines of a file on which something that can be changed begins, ascending."""
    return sorted({change.first for change in _all_changes(path)[1]})


def draw(root: Path, path: Path, line: int, chance: random.Random) -> Mutant:
    """One of the changes that begin on a line of a file, each as likely.

    Parameters
    ----------
    root : of the project.
    path : of the file, below ``root``.
    line : one of :func:`lines_of`.
    chance : draws.
    """
    module, changes = _all_changes(path)
    change = chance.choice([it for it in changes if it.first == line])
    changed = module.deep_replace(change.node, change.changed)
    assert isinstance(changed, cst.Module)
    diff = _diff(module.code, changed.code)
    return Mutant(
        path.relative_to(root).as_posix(), change.first, change.last, changed.code, "\n".join(diff)
    )


def _all_changes(path: Path) -> tuple[cst.Module, list[_Change]]:
    return _changes_in(path.read_text())


@lru_cache(maxsize=64)  # of a megabyte each
def _changes_in(code: str) -> tuple[cst.Module, list[_Change]]:
    wrapper = MetadataWrapper(cst.parse_module(code), unsafe_skip_copy=True)
    visitor = _Changes()
    wrapper.visit(visitor)
    return wrapper.module, visitor.found


def _changes_of(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for kind, operator in mutation_operators:
        found = list(operator(node)) if isinstance(node, kind) else []
        if operator is operator_string:
            # What holds a space is for people to read. In another case is no other change.
            prose = isinstance(node, cst.SimpleString) and " " in node.value
            found = [] if prose else found[:1]
        yield from (it for it in found if _left_alone(it) == _left_alone(node))


def _left_alone(node: cst.CSTNode) -> list[cst.CSTNode]:
    """Arguments of a call of which nothing that runs depends."""
    return (
        [it.value for it in node.args if _is_left_alone(it)] if isinstance(node, cst.Call) else []
    )


def _is_left_alone(node: cst.CSTNode) -> bool:
    """Whether a node is an argument for people to read, or the slots of a frozen dataclass."""
    if not isinstance(node, cst.Arg) or node.keyword is None:
        return False
    return node.keyword.value in ("description", "help", "metavar", "slots")


def _says_nothing(node: cst.CSTNode) -> bool:
    """Whether no change of a node could be noticed: a list of exports, or a name of a type."""
    if isinstance(node, cst.Call):
        return isinstance(node.func, cst.Name) and node.func.value in _NAMED_FOR_TYPES
    if isinstance(node, cst.Subscript):
        return isinstance(node.value, cst.Name) and node.value.value in _TYPES
    if isinstance(node, cst.Assign):
        if _says_nothing(node.value):
            return True
        target = node.targets[0].target
        return isinstance(target, cst.Name) and target.value == "__all__"
    return _is_left_alone(node)


def _diff(before: str, after: str) -> Sequence[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


def _said(diff: str, sign: str) -> str:
    lines = (line for line in diff.splitlines() if line.startswith(sign))
    return "\n".join(line[1:].strip() for line in lines)
