"""What is in the content of a ``model.onnx``, without running it.

onnxruntime runs a graph and shows neither its operators nor its constants, and the package onnx is
not needed to serve. An ONNX file is a protocol buffer; read here are those of its fields that
matter, by the numbers of `onnx.proto <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>`_,
with the library that onnxruntime needs for its own ones. It reads a megabyte in a millisecond, and
nothing deeper than a hundred messages.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64 = 1, 7  # of TensorProto.DataType
_WIDTH = {FLOAT: 4, INT64: 8}  # bytes of a value

_Field = tuple[str, int, str]  # name, number, kind: that of a value, or the name of a message
_MESSAGES: dict[str, tuple[_Field, ...]] = {
    "Model": (
        ("opset_import", 8, "Opset*"),
        ("graph", 7, "Graph"),
        ("training_info", 20, "bytes*"),
        ("functions", 25, "bytes*"),
    ),
    "Opset": (("domain", 1, "bytes"), ("version", 2, "int64")),
    "Graph": (
        ("node", 1, "Node*"),
        ("initializer", 5, "Tensor*"),
        ("input", 11, "Input*"),
        ("sparse_initializer", 15, "bytes*"),
    ),
    "Input": (("name", 1, "bytes"), ("type", 2, "Type")),
    "Type": (
        ("tensor_type", 1, "TensorType"),
        ("sequence_type", 4, "bytes"),
        ("map_type", 5, "bytes"),
        ("sparse_tensor_type", 8, "bytes"),
        ("optional_type", 9, "bytes"),
    ),
    "TensorType": (("elem_type", 1, "int32"), ("shape", 2, "Shape")),
    "Shape": (("dim", 1, "Dimension*"),),
    "Dimension": (("dim_value", 1, "int64"), ("dim_param", 2, "bytes")),
    "Node": (
        ("input", 1, "bytes*"),
        ("output", 2, "bytes*"),
        ("name", 3, "bytes"),
        ("op_type", 4, "bytes"),
        ("attribute", 5, "Attribute*"),
        ("domain", 7, "bytes"),
    ),
    "Attribute": (
        ("name", 1, "bytes"),
        ("i", 3, "int64"),
        ("ints", 8, "int64*"),
        ("t", 5, "bytes"),
        ("g", 6, "bytes"),
        ("tensors", 10, "bytes*"),
        ("graphs", 11, "bytes*"),
        ("sparse_tensor", 22, "bytes"),
        ("sparse_tensors", 23, "bytes*"),
    ),
    "Tensor": (
        ("dims", 1, "int64*"),
        ("data_type", 2, "int32"),
        ("float_data", 4, "float*"),
        ("int64_data", 7, "int64*"),
        ("name", 8, "bytes"),
        ("raw_data", 9, "bytes"),
        ("external_data", 13, "bytes*"),
        ("data_location", 14, "int32"),
    ),
}


def read_model(content: bytes) -> Any:
    """The message of a whole file, with the fields above.

    Raises
    ------
    ValueError : the content is no ONNX file.
    """
    from google.protobuf.message import DecodeError

    try:
        model = _model_class().FromString(content)
    except DecodeError as error:
        raise ValueError(f"this is no ONNX file: {error}") from error
    if not model.HasField("graph"):
        raise ValueError("this is no ONNX file: it has no graph")
    return model


def held_bytes(tensor: Any) -> int:
    """How large the values are that a tensor holds, whatever it says of its shape."""
    listed = len(tensor.float_data) * 4 + len(tensor.int64_data) * 8
    return len(tensor.raw_data) + listed


def said_bytes(tensor: Any) -> int | None:
    """How large its values are by its shape; None of a kind of number that is not known here."""
    width, size = _WIDTH.get(tensor.data_type), 1
    for length in tensor.dims:
        size *= length
    return None if width is None else size * width


def structure_of(model: Any) -> bytes:
    """Digest of all that is read of a model but the values of its float32 constants.

    Parameters
    ----------
    model : whose constants hold as many values as their shapes say; it loses the float32 ones.
    """
    model.DiscardUnknownFields()
    for tensor in model.graph.initializer:
        if tensor.data_type == FLOAT:
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
    return hashlib.sha256(model.SerializeToString(deterministic=True)).digest()


def float_constants(content: bytes) -> dict[str, NDArray[np.float32]]:
    """The float32 initializers of a model's main graph, by name.

    Raises
    ------
    ValueError : the content is no ONNX file, or a tensor does not hold what its shape says.
    """
    return dict(_floats(read_model(content)))


def _floats(model: Any) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for tensor in model.graph.initializer:
        if tensor.data_type == FLOAT:
            # A list of numbers stands as bytes, or one by one.
            raw = tensor.raw_data or np.array(tensor.float_data, "<f4").tobytes()
            yield tensor.name.decode(), np.frombuffer(raw, "<f4").reshape(list(tensor.dims))


@cache
def _model_class() -> Any:
    """The class of the messages; loading what makes it takes some hundredths of a second."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    fields = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="roughcast/onnx.proto", package="roughcast", syntax="proto2"
    )
    for name, described in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind in described:
            one = kind.removesuffix("*")
            label = fields.LABEL_OPTIONAL if one == kind else fields.LABEL_REPEATED
            added = message.field.add(name=field, number=number, label=label)
            if one in _MESSAGES:
                added.type, added.type_name = fields.TYPE_MESSAGE, f".roughcast.{one}"
            else:
                added.type = getattr(fields, f"TYPE_{one.upper()}")
    pool = descriptor_pool.DescriptorPool()  # of its own: onnx registers its messages as well
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("roughcast.Model"))
