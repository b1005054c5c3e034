"""What an artifact may be: told of its bytes before anything of them is opened or allocated.

Digests and signatures tell that a file is what somebody has published, not that it is harmless. The
limits are many times what the shipped artifacts need; docs/operations.md has both.
"""

import io
import re
import zipfile
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from models_store.graph_cost import OPERATORS, cost_of
from models_store.predictors.onnx_file import held_bytes, read_model, said_bytes, structure_of
from volatility.archives import read_member
from volatility.calendars import ALWAYS_OPEN
from volatility.measures import MEASURES
from volatility.recorded_calendars import is_known
from volatility.series import MAX_HORIZON

KB, MB = 1024, 1024 * 1024
MAX_FILES = 8
MAX_ARTIFACT_BYTES = 48 * MB
MAX_POINTER_BYTES = 64 * KB
_ANY_FILE = 16 * MB
_FILES: Mapping[str, int] = MappingProxyType(
    {
        "SHA256SUMS": 4 * KB,
        "SHA256SUMS.sig": KB,
        "manifest.json": 4 * MB,
        "coefficients.json": 256 * KB,
        "model.onnx": 16 * MB,
        "members.zip": 32 * MB,
        "evaluation.npz": 8 * MB,
        "reference.npz": 4 * MB,
    }
)
MAX_UNPACKED_BYTES = 32 * MB  # of an archive
MAX_MEMBERS = 4_096  # of an archive
MAX_JSON_DEPTH = 32
MAX_JSON_VALUES = 250_000
MAX_REFERENCE_ROWS = 1_024
MAX_LOOKBACK = 10_000  # sessions, forty years
MAX_PARTS = 65_536  # of a graph: nodes, their inputs and outputs, constants
MAX_VALUES = 100_000_000  # in all tensors that a graph makes of 64 rows
MAX_MULTIPLICATIONS = 20_000_000_000  # in all products of matrices that it makes of them
MAX_OPENING_SECONDS = 10.0  # of the processor, for opening and replaying

_OLDEST_OPERATORS = 18  # those before do with attributes what graph_cost follows as inputs
_DOMAINS = {b"", b"ai.onnx"}
_INNER = ("t", "g", "sparse_tensor")
_SEVERAL_INNER = ("tensors", "graphs", "sparse_tensors")

_REMEMBERED = 4_096
_passed: set[bytes] = set()  # structures of graphs that are within limits

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_ENTRY = b"PK\x01\x02"  # begins each entry of an archive's directory


class BeyondLimits(ValueError):
    """An artifact is larger, or holds something else, than any that is opened."""


def max_bytes(name: str) -> int:
    """How large a file of an artifact may be, by its name."""
    return _FILES.get(name, _ANY_FILE)


def check_content(name: str, content: bytes) -> None:
    """Refuse a file by what it would become.

    Parameters
    ----------
    name : of the file; how it ends tells what it is.
    content : of the file, no larger than :func:`max_bytes`.

    Raises
    ------
    BeyondLimits : it is too large, too deep or of too many parts, or does what no model needs.
    ValueError : it is not what its name says.
    """
    check = _CHECKS.get(name.rpartition(".")[2])
    if check is not None:
        check(content)


def check_reference(rows: int) -> None:
    """Refuse a reference of more windows than are replayed."""
    _check(rows, MAX_REFERENCE_ROWS, "windows to be replayed")


def check_measure(name: str) -> str:
    """Return the name of a measure if there is such a one.

    Raises
    ------
    ValueError : there is none.
    """
    if name not in MEASURES:
        raise ValueError(f"there is no measure {name!r}; needed: one of {', '.join(MEASURES)}")
    return name


def check_calendar(name: str) -> str:
    """Return the name of a calendar if there is such a one.

    Raises
    ------
    ValueError : there is none.
    """
    if name != ALWAYS_OPEN and not is_known(name):
        raise ValueError(f"there is no calendar {name!r}; needed: 24/7, or a code such as XNYS")
    return name


def check_horizon(sessions: int) -> int:
    """Return a number of sessions ahead if models may be asked for it.

    Raises
    ------
    ValueError : it is too large.
    """
    if sessions > MAX_HORIZON:
        raise ValueError(f"there is no horizon of {sessions} sessions; needed: 1 to {MAX_HORIZON}")
    return sessions


def check_lookback(sessions: int) -> int:
    """Return a number of sessions of history if a model may look at as many.

    Raises
    ------
    ValueError : it is too large.
    """
    if sessions > MAX_LOOKBACK:
        raise ValueError(f"{sessions} sessions are too many; needed: at most {MAX_LOOKBACK}")
    return sessions


def _check(found: int, most: int, of: str) -> None:
    if found > most:
        raise BeyondLimits(f"it has {found} {of}; at most {most} are allowed")


def _check_json(content: bytes) -> None:
    """Refuse JSON that is too deep or of too many values, without parsing it."""
    marks = np.frombuffer(_STRING.sub(b"", content), np.uint8)
    opened = (marks == ord("{")) | (marks == ord("["))
    closed = (marks == ord("}")) | (marks == ord("]"))
    depth = np.cumsum(opened.astype(np.int32) - closed)
    _check(int(depth.max(initial=0)), MAX_JSON_DEPTH, "levels")
    _check(int(np.count_nonzero(opened | (marks == ord(",")))), MAX_JSON_VALUES, "values")


def _check_archive(content: bytes) -> None:
    """Refuse an archive that unpacks to too much, and what is in it by its own limits."""
    _check(content.count(_ENTRY), MAX_MEMBERS, "members")  # of which a list would be made
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        _check(sum(it.file_size for it in entries), MAX_UNPACKED_BYTES, "bytes unpacked")
        names = {it.filename for it in entries}
        if len(names) < len(entries):
            raise BeyondLimits("two members have one name")
        for entry in entries:
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise BeyondLimits(f"{entry.filename} is compressed in a way that is not allowed")
            name = entry.filename.rpartition("/")[2]
            _check(entry.file_size, max_bytes(name), f"bytes in {entry.filename}")
            if name.endswith((".json", ".onnx")):
                check_content(name, read_member(archive, entry.filename))


def _check_graph(content: bytes) -> None:
    """Refuse a graph that does more, or holds more, than a network of training.

    What it does is told by its structure, which networks of one kind share whatever they were
    fitted to, and so is followed once.
    """
    model = read_model(content)
    graph = model.graph
    parts = sum(1 + len(it.input) + len(it.output) for it in graph.node)
    _check(parts + len(graph.initializer), MAX_PARTS, "nodes, inputs, outputs and constants")
    for tensor in graph.initializer:
        _check_constant(tensor)
    structure = structure_of(model)
    if structure in _passed:
        return
    _check_structure(model)
    if len(_passed) >= _REMEMBERED:
        _passed.clear()
    _passed.add(structure)


def _check_structure(model: Any) -> None:
    graph = model.graph
    if model.functions or model.training_info or graph.sparse_initializer:
        raise BeyondLimits("it has functions, training or sparse constants, which no model needs")
    domains = {it.domain for it in (*model.opset_import, *graph.node)}
    operators = {it.op_type for it in graph.node}
    odd = (domains - _DOMAINS) | (operators - {it.encode() for it in OPERATORS})
    if odd:
        listed = ", ".join(sorted(it.decode(errors="replace") for it in odd))
        raise BeyondLimits(f"it has {listed}; networks are made of {', '.join(sorted(OPERATORS))}")
    _check(len(model.opset_import), 1, "sets of operators")
    if any(it.version < _OLDEST_OPERATORS for it in model.opset_import):
        raise BeyondLimits(f"its operators are older than of version {_OLDEST_OPERATORS}")
    for attribute in (it for node in graph.node for it in node.attribute):
        if any(map(attribute.HasField, _INNER)) or any(
            getattr(attribute, it) for it in _SEVERAL_INNER
        ):
            raise BeyondLimits("one of its nodes holds a graph or a tensor")
    cost = cost_of(graph)
    _check(cost.values, MAX_VALUES, "values in what it makes of 64 rows")
    _check(cost.multiplications, MAX_MULTIPLICATIONS, "multiplications for 64 rows")


def _check_constant(tensor: Any) -> None:
    named = f"its constant {tensor.name.decode(errors='replace')}"
    if tensor.data_location or tensor.external_data:
        raise BeyondLimits(f"{named} is in another file")
    said, held = said_bytes(tensor), held_bytes(tensor)
    if said is None:
        raise BeyondLimits(f"{named} is not of float32 or int64")
    if said != held:
        raise BeyondLimits(f"{named} has the shape {list(tensor.dims)}, and {held} bytes of values")


_CHECKS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {"json": _check_json, "npz": _check_archive, "zip": _check_archive, "onnx": _check_graph}
)
