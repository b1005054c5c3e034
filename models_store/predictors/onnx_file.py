"""Constants of a network, read out of the content of its ``model.onnx``.

onnxruntime runs a graph and shows no constant of it, and the package onnx is not needed to serve.
An ONNX file is a protocol buffer: fields one after another, each a key (number and wire type) and a
value. Read here are the float32 initializers of the main graph, by the field numbers of
`onnx.proto <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>`_, and nothing else.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_GRAPH = 7  # of ModelProto
_INITIALIZER = 5  # of GraphProto
_DIMS, _DATA_TYPE, _FLOAT_DATA, _NAME, _RAW_DATA = 1, 2, 4, 8, 9  # of TensorProto
_FLOAT = 1  # of TensorProto.DataType
_VARINT, _FIXED_64, _DELIMITED, _FIXED_32 = 0, 1, 2, 5  # wire types
_WIDTH = {_FIXED_64: 8, _FIXED_32: 4}


class _Field(NamedTuple):
    number: int
    wire: int
    value: int  # of a varint
    content: memoryview  # of any other


def float_constants(content: bytes) -> dict[str, NDArray[np.float32]]:
    """The float32 initializers of a model's main graph, by name.

    Raises
    ------
    ValueError : the content is no ONNX file.
    """
    found = {}
    try:
        for graph in _of(_fields(memoryview(content)), _GRAPH):
            for tensor in _of(_fields(graph.content), _INITIALIZER):
                read = _tensor(tensor.content)
                if read is not None:
                    found[read[0]] = read[1]
    except (IndexError, KeyError, UnicodeDecodeError) as error:
        raise ValueError(f"this is no ONNX file: {error}") from error
    return found


def _tensor(content: memoryview) -> tuple[str, NDArray[np.float32]] | None:
    """Name and values of a tensor; None where it is not of float32."""
    fields = list(_fields(content))
    if [it.value for it in _of(fields, _DATA_TYPE)] != [_FLOAT]:
        return None
    # A list of numbers may come packed, as one field, or as a field each.
    shape = [size for it in _of(fields, _DIMS) for size in _numbers(it)]
    values = b"".join(
        bytes(it.content) for number in (_RAW_DATA, _FLOAT_DATA) for it in _of(fields, number)
    )
    name = b"".join(bytes(it.content) for it in _of(fields, _NAME)).decode()
    return name, np.frombuffer(values, "<f4").reshape(shape)


def _numbers(field: _Field) -> Iterator[int]:
    if field.wire == _VARINT:
        yield field.value
        return
    at = 0
    while at < len(field.content):
        number, at = _varint(field.content, at)
        yield number


def _of(fields: Iterator[_Field] | list[_Field], number: int) -> Iterator[_Field]:
    return (it for it in fields if it.number == number)


def _fields(content: memoryview) -> Iterator[_Field]:
    at, nothing = 0, content[:0]
    while at < len(content):
        key, at = _varint(content, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(content, at)
            yield _Field(number, wire, value, nothing)
            continue
        if wire == _DELIMITED:
            length, at = _varint(content, at)
        else:
            length = _WIDTH[wire]
        if at + length > len(content):
            raise IndexError("a field is cut short")
        yield _Field(number, wire, 0, content[at : at + length])
        at += length


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
