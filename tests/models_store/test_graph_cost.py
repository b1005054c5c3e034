"""What a graph is said to make is what onnxruntime makes, whatever its integers are."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
import pytest
from onnx import TensorProto, helper, numpy_helper

from models_store.graph_cost import OPERATORS, UnknownCost, cost_of
from models_store.predictors.onnx_file import read_model

NUMBERS = (-7, -3, -2, -1, 0, 1, 2, 3, 5, 64)
ALIKE = 200  # graphs that both take, of each seed
_REFUSED = tuple(
    getattr(ort.capi.onnxruntime_pybind11_state, name)
    for name in ("Fail", "InvalidArgument", "InvalidGraph", "RuntimeException")
)


def graph(chance: random.Random) -> bytes:
    """A few nodes that compute with integers, of which the last is the output."""
    names = ["a", "b", "c"]
    constants = [
        numpy_helper.from_array(
            np.array([chance.choice(NUMBERS) for _ in range(chance.choice((1, 1, 2, 3)))]), name
        )
        for name in names
    ]
    nodes = []
    for at in range(chance.randint(1, 4)):
        operator = chance.choice(("Add", "Sub", "Mul", "Div", "Gather", "Slice", "Concat"))
        given = [chance.choice(names) for _ in range(3 if operator == "Slice" else 2)]
        axis: dict[str, Any] = {"axis": 0} if operator in ("Gather", "Concat") else {}
        nodes.append(helper.make_node(operator, given, [f"made_{at}"], **axis))
        names.append(f"made_{at}")
    # As many numbers as the integers say in the end, within what is soon made.
    nodes.append(helper.make_node("Expand", ["one", names[-1]], ["y"]))
    constants.append(numpy_helper.from_array(np.ones(1, np.float32), "one"))
    described = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 22])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
        + [helper.make_tensor_value_info(it, TensorProto.INT64, None) for it in names[3:]],
        constants,
    )
    opsets = [helper.make_opsetid("", 20)]
    return bytes(
        helper.make_model(described, opset_imports=opsets, ir_version=10).SerializeToString()
    )


def made_by_onnxruntime(content: bytes) -> int | None:
    """How many numbers it makes; None of a graph that it refuses."""
    options: Any = ort.SessionOptions()
    options.log_severity_level = 4
    try:
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        found = session.run(None, {"x": np.zeros((64, 22), np.float32)})
    except _REFUSED:
        return None
    return sum(it.size for it in found)


@pytest.mark.parametrize("seed", range(3))
def test_integers_are_followed_as_onnxruntime_computes_them(seed: int) -> None:
    chance = random.Random(seed)
    compared = 0
    while compared < ALIKE:
        content = graph(chance)
        try:
            told = cost_of(read_model(content).graph).values
        except ValueError:
            continue
        made = made_by_onnxruntime(content) if told < 1_000_000 else None
        assert made in (None, told)
        compared += made is not None


ROWS, COLUMNS = 64, 22  # of x
WEIGHTS = np.ones((COLUMNS, 3), np.float32)
GATES, HIDDEN = 8, 2  # of an LSTM

# Nodes of each operator: what they take besides x, attributes, how many outputs and products.
NODES: dict[str, tuple[list[Any], dict[str, Any], int, int]] = {
    "Add": ([np.float32(1)], {}, 1, 0),
    "Clip": ([np.float32(0), np.float32(1)], {}, 1, 0),
    "Concat": ([], {"axis": 1}, 1, 0),
    "Concat of rows": ([], {"axis": 0}, 1, 0),
    "Div": ([np.float32(2)], {}, 1, 0),
    "Expand": ([np.array([2, 1, COLUMNS])], {}, 1, 0),
    "Gather": ([np.array([0, 1, 2])], {"axis": 1}, 1, 0),
    "Gather from the end": ([np.array([0, 1, 2])], {"axis": -1}, 1, 0),
    "Gather of rows": ([np.array([[0, 0, 0], [0, 0, 0]])], {}, 1, 0),
    "Gather of one column": ([np.array(3)], {"axis": 1}, 1, 0),
    "Gemm": ([WEIGHTS], {}, 1, ROWS * COLUMNS * 3),
    "Gemm of the other turned": ([WEIGHTS.T.copy()], {"transB": 1}, 1, ROWS * COLUMNS * 3),
    "LSTM": (
        [np.ones((1, GATES, COLUMNS), np.float32), np.ones((1, GATES, HIDDEN), np.float32)],
        {"hidden_size": HIDDEN},
        3,
        ROWS * GATES * (COLUMNS + HIDDEN),
    ),
    "LSTM both ways": (
        [np.ones((2, GATES, COLUMNS), np.float32), np.ones((2, GATES, HIDDEN), np.float32)],
        {"hidden_size": HIDDEN, "direction": "bidirectional"},
        3,
        2 * ROWS * GATES * (COLUMNS + HIDDEN),
    ),
    "LayerNormalization": ([np.ones(COLUMNS, np.float32)], {}, 1, 0),
    "MatMul": ([WEIGHTS], {}, 1, ROWS * COLUMNS * 3),
    "MatMul of a vector": ([WEIGHTS[:, 0].copy()], {}, 1, ROWS * COLUMNS),
    "MatMul of two": ([np.stack([WEIGHTS, WEIGHTS])], {}, 1, 2 * ROWS * COLUMNS * 3),
    "Mul": ([np.float32(2)], {}, 1, 0),
    "ReduceMean": ([np.array([1])], {"keepdims": 0}, 1, 0),
    "ReduceMean from the end": ([np.array([-1])], {}, 1, 0),
    "ReduceMean of all": ([], {}, 1, 0),
    "ReduceSum": ([np.array([1])], {"keepdims": 1}, 1, 0),
    "ReduceSum of all": ([], {"keepdims": 0}, 1, 0),
    "ReduceSum of none": ([], {"noop_with_empty_axes": 1}, 1, 0),
    "Relu": ([], {}, 1, 0),
    "Reshape": ([np.array([-1, 11])], {}, 1, 0),
    "Reshape that keeps the first": ([np.array([0, 2, -1])], {}, 1, 0),
    "Shape": ([], {}, 1, 0),
    "Shape from the second": ([], {"start": 1}, 1, 0),
    "Shape up to the second": ([], {"end": 1}, 1, 0),
    "Sigmoid": ([], {}, 1, 0),
    "Slice": ([np.array([1]), np.array([9]), np.array([1])], {}, 1, 0),
    "Slice of columns": (
        [np.array([1]), np.array([-2]), np.array([1]), np.array([3])],
        {},
        1,
        0,
    ),
    "Slice of rows and columns": (
        [np.array([0, 2]), np.array([1, 9]), np.array([0, 1]), np.array([1, 2])],
        {},
        1,
        0,
    ),
    "Slice of the first axis": ([np.array([0]), np.array([1])], {}, 1, 0),
    "Slice of the first axes": ([np.array([0, 5]), np.array([1, 9])], {}, 1, 0),
    "Softmax": ([], {"axis": 1}, 1, 0),
    "Split": ([np.array([20, 2])], {"axis": 1}, 2, 0),
    "Split in two": ([], {"axis": 1, "num_outputs": 2}, 2, 0),
    "Split in three": ([], {"axis": 1, "num_outputs": 3}, 3, 0),
    "Split in one": ([], {"num_outputs": 1}, 1, 0),
    "Squeeze": ([np.array([0])], {}, 1, 0),
    "Sub": ([np.float32(1)], {}, 1, 0),
    "Transpose": ([], {"perm": [1, 0]}, 1, 0),
    "Transpose of all": ([], {}, 1, 0),
    "Unsqueeze": ([np.array([1])], {}, 1, 0),
    "Unsqueeze of two": ([np.array([0, -1])], {}, 1, 0),
}
DEEPER = ("LSTM", "Squeeze")  # take x with a first axis of one


def content_of(
    operator: str, more: Sequence[Any], attributes: Mapping[str, Any], outputs: int = 1
) -> bytes:
    """A model of one node, all of whose outputs are shown."""
    constants = [numpy_helper.from_array(np.asarray(it), f"c{at}") for at, it in enumerate(more)]
    before = []
    given = "x"
    if operator in DEEPER:
        constants.append(numpy_helper.from_array(np.array([0]), "first"))
        before = [helper.make_node("Unsqueeze", ["x", "first"], ["deeper"])]
        given = "deeper"
    made = [f"made_{at}" for at in range(outputs)]
    twice = [given] if operator == "Concat" else []
    names = [given, *twice, *(f"c{at}" for at in range(len(more)))]
    node = helper.make_node(operator, names, made, **attributes)
    kind = TensorProto.INT64 if operator == "Shape" else TensorProto.FLOAT
    shown = [it.output[0] for it in before]
    described = helper.make_graph(
        [*before, node],
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", COLUMNS])],
        [helper.make_tensor_value_info(it, TensorProto.FLOAT, None) for it in shown]
        + [helper.make_tensor_value_info(it, kind, None) for it in made],
        constants,
    )
    opsets = [helper.make_opsetid("", 20)]
    model = helper.make_model(described, opset_imports=opsets, ir_version=10)
    return bytes(model.SerializeToString())


@pytest.mark.parametrize("case", NODES)
def test_each_operator_makes_what_onnxruntime_makes(case: str) -> None:
    more, attributes, outputs, products = NODES[case]
    content = content_of(case.split(maxsplit=1)[0], more, attributes, outputs)
    found = cost_of(read_model(content).graph)
    assert found == (made_by_onnxruntime(content), products)


@pytest.mark.parametrize(
    ("operator", "more", "attributes", "why"),
    [
        ("MatMul", [WEIGHTS[1:]], {}, "[64, 22] times [21, 3]"),
        ("MatMul", [WEIGHTS[:1]], {}, "[64, 22] times [1, 3]"),
        (
            "LSTM",
            [np.ones((1, GATES, COLUMNS), np.float32), np.ones((1, GATES, HIDDEN), np.float32)],
            {"hidden_size": HIDDEN, "layout": 1},
            "a layout other than 0",
        ),
        (
            "Slice",
            [np.array([1]), np.array([9]), np.array([1]), np.array([0])],
            {},
            "a step backwards",
        ),
        ("Reshape", [np.array([-1, 21])], {}, "[64, 22] as [67, 21]"),
        ("Reshape", [np.array([0, 22])], {"allowzero": 1}, "[64, 22] as [0, 22]"),
        ("Reshape", [np.array([0, -1])], {"allowzero": 1}, "[64, 22] as [0, 0]"),
        (
            "Gather",
            [np.ones(3, np.float32)],
            {"axis": 1},
            "what is needed as integers is none",
        ),
        ("Add", [np.array([1])], {}, "integers are computed with in a way that is not followed"),
    ],
)
def test_what_does_not_fit_is_told_with_its_node(
    operator: str, more: list[Any], attributes: dict[str, Any], why: str
) -> None:
    graph = read_model(content_of(operator, more, attributes)).graph
    with pytest.raises(UnknownCost) as refused:
        cost_of(graph)
    assert str(refused.value) == f"at its node {operator} shapes do not fit: {why}"


@pytest.mark.parametrize(
    ("numbers", "too_many"), [((32, 32), False), ((25, 41), True)], ids=["1024", "1025"]
)
def test_a_thousand_integers_are_the_most(numbers: tuple[int, int], too_many: bool) -> None:
    graph = read_model(content_of("Gather", [np.zeros(numbers, np.int64)], {"axis": 1})).graph
    if too_many:
        with pytest.raises(UnknownCost, match="its constant c0 of 1025 integers is no shape"):
            cost_of(graph)
    else:
        assert cost_of(graph).values == ROWS * 1_024


def test_every_operator_that_is_known_is_tried() -> None:
    assert {it.split(maxsplit=1)[0] for it in NODES} == OPERATORS
