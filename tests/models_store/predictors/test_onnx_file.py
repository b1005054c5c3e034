from typing import Any

import numpy as np
import onnx
import pytest
from google.protobuf.descriptor import FieldDescriptor
from onnx import TensorProto, helper, numpy_helper

from models_store.predictors.onnx_file import _MESSAGES, float_constants
from models_store.shipped import shipped_artifacts

NAMES: dict[str, Any] = {
    "Model": onnx.ModelProto,
    "Opset": onnx.OperatorSetIdProto,
    "Graph": onnx.GraphProto,
    "Input": onnx.ValueInfoProto,
    "Type": onnx.TypeProto,
    "TensorType": onnx.TypeProto.Tensor,
    "Shape": onnx.TensorShapeProto,
    "Dimension": onnx.TensorShapeProto.Dimension,
    "Node": onnx.NodeProto,
    "Attribute": onnx.AttributeProto,
    "Tensor": onnx.TensorProto,
}


def test_fields_have_the_numbers_that_onnx_gives_them() -> None:
    """What is not looked into is read as bytes, and so are texts and kinds by their numbers."""
    assert NAMES.keys() == _MESSAGES.keys()
    for name, message in NAMES.items():
        theirs = message.DESCRIPTOR.fields_by_name
        for field, number, kind in _MESSAGES[name]:
            known = theirs[field]
            assert (number, kind.endswith("*")) == (known.number, known.is_repeated), field
            one = kind.removesuffix("*")
            if one in NAMES:
                assert known.message_type == NAMES[one].DESCRIPTOR, field
            else:
                assert one in READ_AS[known.type], field


_KINDS = FieldDescriptor
READ_AS = {
    _KINDS.TYPE_MESSAGE: ("bytes",),
    _KINDS.TYPE_BYTES: ("bytes",),
    _KINDS.TYPE_STRING: ("bytes",),
    _KINDS.TYPE_ENUM: ("int32",),
    _KINDS.TYPE_INT32: ("int32",),
    _KINDS.TYPE_INT64: ("int64",),
    _KINDS.TYPE_FLOAT: ("float",),
}


def model_of(tensors: list[TensorProto]) -> bytes:
    graph = helper.make_graph([], "constants", [], [], tensors)
    content: bytes = helper.make_model(graph, doc_string="x" * 300).SerializeToString()
    return content


def test_constants_are_read_however_they_are_written() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
    tensors = [
        helper.make_tensor("listed", TensorProto.FLOAT, (2, 3), values.ravel().tolist()),
        numpy_helper.from_array(values, "raw"),
        numpy_helper.from_array(np.array(0.5, np.float32), "number"),
        numpy_helper.from_array(np.arange(3), "whole"),  # int64
        numpy_helper.from_array(np.arange(3.0), "double"),
    ]
    found = float_constants(model_of(tensors))
    assert set(found) == {"listed", "raw", "number"}
    np.testing.assert_array_equal(found["listed"], values)
    np.testing.assert_array_equal(found["raw"], values)
    assert found["number"] == np.float32(0.5)


def test_a_shape_may_be_packed_into_one_field() -> None:
    """As other writers do; of 300 the number takes two bytes."""
    values = np.arange(600, dtype=np.float32).reshape(2, 300)
    tensor = numpy_helper.from_array(values, "packed")
    del tensor.dims[:]
    packed = b"\x0a\x03\x02\xac\x02" + tensor.SerializeToString()
    graph = b"\x2a" + varint(len(packed)) + packed
    found = float_constants(b"\x3a" + varint(len(graph)) + graph)
    np.testing.assert_array_equal(found["packed"], values)


def varint(number: int) -> bytes:
    groups = [number >> shift & 0x7F for shift in range(0, number.bit_length(), 7)]
    return bytes([*(it | 0x80 for it in groups[:-1]), groups[-1]])


def test_those_of_a_shipped_network_are_the_ones_that_onnx_reads() -> None:
    path = sorted((shipped_artifacts() / "universal").glob("*/model.onnx"))[-1]
    expected = {
        it.name: numpy_helper.to_array(it)
        for it in onnx.load(path).graph.initializer
        if it.data_type == TensorProto.FLOAT
    }
    found = float_constants(path.read_bytes())
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("content", [b"\xff", b"\x3a\x05\x2a\x7f", b"\x0b\x0c", b"not a network"])
def test_what_is_no_network_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="no ONNX file"):
        float_constants(content)
