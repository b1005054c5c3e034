"""Tensors of the Open Inference Protocol, as they come and as they are sent."""

import struct
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from pydantic_core import to_json

from service.http.errors import Fault, InvalidRequest
from service.http.json_lists import Content
from service.http.problems import presentable
from service.protocols.schemas import AnsweredTensor, Datatype, InferTensor
from volatility.arrays import FloatArray

_FLOAT = np.dtype("<f8")
_LENGTH = struct.Struct("<I")  # before each text
_TOGETHER = 4_096  # values that are looked at in one call, during which no other thread runs
_TYPES: dict[Datatype, frozenset[type]] = {
    "FP64": frozenset({float, int}),
    "BYTES": frozenset({str}),
}
_WORDS: dict[Datatype, str] = {"FP64": "numbers", "BYTES": "texts"}


class Tensor(NamedTuple):
    """An input: so many values in so many rows.

    Attributes
    ----------
    numbers : (rows, length), of FP64.
    texts : row by row, of BYTES.
    """

    rows: int
    length: int
    numbers: FloatArray | None = None
    texts: Sequence[str] = ()


def datatype_of(name: str, given: InferTensor, datatypes: dict[str, Datatype]) -> Datatype:
    """What a tensor must hold.

    Raises
    ------
    InvalidRequest : there is no tensor of this name, or it holds something else.
    """
    if name not in datatypes:
        needed = ", ".join(datatypes)
        raise _refused("unknown_field", name, "name", name, f"one of {needed}")
    if given.datatype != datatypes[name]:
        raise _refused("wrong_type", name, "datatype", given.datatype, datatypes[name])
    return datatypes[name]


def read_tensors(
    inputs: Sequence[InferTensor], datatypes: dict[str, Datatype], binary: Content | memoryview
) -> dict[str, Tensor]:
    """The inputs by name.

    Parameters
    ----------
    inputs : as the JSON has them.
    datatypes : of the tensors that there are.
    binary : what stands behind the JSON.

    Raises
    ------
    InvalidRequest : a tensor does not hold what it says, or what it should.
    """
    view, start, found = memoryview(binary), 0, {}
    for it in inputs:
        if it.name in found:
            raise _refused("duplicate_field", it.name, "name", it.name, "each tensor once")
        datatype, (rows, length) = datatype_of(it.name, it, datatypes), shape_of(it)
        size = it.parameters.binary_data_size if it.parameters else None
        if size is None:
            found[it.name] = _of_json(it, datatype, rows, length)
            continue
        if it.data is not None:
            raise _refused("invalid_value", it.name, "data", "data and binary data", "one of them")
        found[it.name] = _of_binary(it.name, datatype, rows, length, view[start : start + size])
        start += size
    if start != len(view):
        needed = f"the {start} bytes that the inputs have as binary_data_size"
        detail = f"body: found {len(view)} bytes behind the JSON; needed: {needed}"
        raise InvalidRequest([Fault("length_mismatch", detail, "body", len(view), needed)])
    return found


def shape_of(given: InferTensor) -> tuple[int, int]:
    """How many rows a tensor has, and how many values each.

    Raises
    ------
    InvalidRequest : its shape is of no rows.
    """
    if len(given.shape) != 2 or min(given.shape) < 1:
        needed = "[rows, sessions], each at least 1"
        raise _refused("invalid_value", given.name, "shape", given.shape, needed)
    rows, length = given.shape
    return rows, length


def _of_json(given: InferTensor, datatype: Datatype, rows: int, length: int) -> Tensor:
    if given.data is None:
        raise _refused("missing_field", given.name, "data", None, "data, or binary_data_size")
    values = _flat(given.data, given.name, rows, length)
    if len(values) != rows * length:
        needed = f"{rows * length} values, as its shape [{rows}, {length}] says"
        raise _refused("length_mismatch", given.name, "data", len(values), needed)
    for first, part in _parts(values):
        kinds = _TYPES[datatype]
        if not kinds.issuperset(map(type, part)):
            at, value = next((at, it) for at, it in enumerate(part) if type(it) not in kinds)
            raise _refused("wrong_type", given.name, f"data[{first + at}]", value, _WORDS[datatype])
    if datatype == "BYTES":
        return Tensor(rows, length, texts=values)
    return Tensor(rows, length, _numbers(given.name, values).reshape(rows, length))


def _numbers(name: str, values: Sequence[Any]) -> FloatArray:
    try:
        return np.concatenate([np.array(part, dtype=_FLOAT) for _, part in _parts(values)])
    except OverflowError:  # of a whole number without a point
        raise _refused(
            "invalid_value", name, "data", "a larger one", "numbers of 64 bits"
        ) from None


def _flat(data: list[Any], name: str, rows: int, length: int) -> list[Any]:
    """Values row by row, which may stand in a list for each row."""
    if not isinstance(data[0] if data else None, list):
        return data
    if len(data) != rows or not all(isinstance(it, list) and len(it) == length for it in data):
        needed = f"{rows} lists of {length} values each, as its shape says, or all values in one"
        raise _refused("length_mismatch", name, "data", f"{len(data)} lists or values", needed)
    values: list[Any] = []
    for it in data:
        values += it
    return values


def _of_binary(name: str, datatype: Datatype, rows: int, length: int, part: memoryview) -> Tensor:
    if datatype == "BYTES":
        texts = list(islice(_texts(name, part), rows * length + 1))
        if len(texts) != rows * length:
            found = "more" if len(texts) > rows * length else f"{len(texts)} texts"
            raise _mismatch(name, found, f"{rows * length} texts", rows, length)
        return Tensor(rows, length, texts=texts)
    if len(part) != rows * length * _FLOAT.itemsize:
        needed = f"{rows * length * _FLOAT.itemsize} bytes"
        raise _mismatch(name, f"{len(part)} bytes", needed, rows, length)
    return Tensor(rows, length, np.frombuffer(part, dtype=_FLOAT).reshape(rows, length))


def _texts(name: str, part: memoryview) -> Iterator[str]:
    start = 0
    while start < len(part):
        behind = start + _LENGTH.size
        if behind <= len(part):
            [size] = _LENGTH.unpack(part[start:behind])
            start = behind + size
        if behind > len(part) or start > len(part):
            needed = "texts, each behind its length in 4 bytes"
            raise _refused("invalid_value", name, "binary data", "half a text", needed)
        try:
            yield str(part[behind:start], "utf-8")
        except UnicodeDecodeError:
            raise _refused("invalid_value", name, "binary data", "other bytes", "UTF-8") from None


class Output(NamedTuple):
    """An output.

    Parameters
    ----------
    name, datatype, shape : of it.
    values : row by row.
    """

    name: str
    datatype: Datatype
    shape: tuple[int, ...]
    values: Sequence[float] | Sequence[str]

    @property
    def in_json(self) -> bytes:
        """As JSON, with its values."""
        return to_json({**self._described, "data": self.values}, inf_nan_mode="null")

    @property
    def in_binary(self) -> tuple[bytes, bytes]:
        """As JSON without its values, and these."""
        if self.datatype == "FP64":
            values = np.array(self.values, dtype=_FLOAT).tobytes()
        else:
            encoded = [str(it).encode() for it in self.values]
            values = b"".join([_LENGTH.pack(len(it)) + it for it in encoded])
        return to_json({**self._described, "parameters": {"binary_data_size": len(values)}}), values

    @property
    def _described(self) -> AnsweredTensor:
        return AnsweredTensor(name=self.name, shape=list(self.shape), datatype=self.datatype)


def _parts(values: Sequence[Any]) -> Iterator[tuple[int, Sequence[Any]]]:
    return ((at, values[at : at + _TOGETHER]) for at in range(0, len(values), _TOGETHER))


def _mismatch(name: str, found: str, needed: str, rows: int, length: int) -> InvalidRequest:
    needed = f"{needed}, as its shape [{rows}, {length}] says"
    return _refused("length_mismatch", name, "binary data", found, needed)


def _refused(code: str, tensor: str, part: str, found: object, needed: str) -> InvalidRequest:
    place = f"inputs.{tensor}.{part}"
    detail = f"{place}: found {presentable(found)}; needed: {needed}"
    return InvalidRequest([Fault(code, detail, place, found, needed)])
