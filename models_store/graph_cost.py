"""How much a run of a network computes and holds, told from its graph without running it.

A graph of a few hundred bytes can ask for a tensor of any size, and onnxruntime makes what does not
depend on its inputs as soon as the file is opened. So the shape of every tensor is followed from
node to node, as the `operators <https://onnx.ai/onnx/operators/>`_ have it. Shapes are computed in
the graph as well, of integers; these are the only numbers that are computed here. Of other tensors
there is only a shape, whatever they hold; where one is needed as numbers, the graph is refused.

A run may have any number of rows up to :data:`ROWS`, and a graph can be made that takes little of
one and of all of them, and anything of some in between. So it is followed at both ends: a length is
the same at both, or grows as rows do.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from models_store.predictors.onnx_file import FLOAT, INT64

ROWS = 64  # that a run is given at most
_MAX_NUMBERS = 1_024  # of a tensor of integers

_NO_TENSOR = ("sequence_type", "map_type", "sparse_tensor_type", "optional_type")
_Tensor = np.ndarray  # of int64 as it is; any other one has no content: a zero, broadcast
_Shape = Sequence[int]
_NOTHING = np.zeros(1, np.float32)


class GraphCost(NamedTuple):
    """What a run of :data:`ROWS` rows takes.

    Attributes
    ----------
    values : numbers in all tensors that it makes.
    multiplications : in all products of matrices.
    """

    values: int
    multiplications: int


class UnknownCost(ValueError):
    """What a graph takes cannot be told from it."""


def cost_of(graph: Any) -> GraphCost:
    """What a run of a graph takes.

    Parameters
    ----------
    graph : as :func:`models_store.predictors.onnx_file.read_model` reads it, of operators that are
        known here.

    Raises
    ------
    UnknownCost : an input has an open dimension beside its first, or shapes do not fit.
    """
    _check_names(graph)
    alone, together = _known(graph)
    values = multiplications = 0
    with np.errstate(all="raise"):
        for node in graph.node:
            try:
                made, products = _follow(node, alone, together)
            except (ArithmeticError, LookupError, TypeError, ValueError) as error:
                named = (node.name or node.op_type).decode(errors="replace")
                raise UnknownCost(f"at its node {named} shapes do not fit: {error}") from error
            values += sum(it.size for it in made)
            multiplications += products
    return GraphCost(values, multiplications)


_Made = tuple[Sequence[_Tensor], int]  # outputs, and how many products they take
_Operator = Callable[[Sequence[_Tensor], Mapping[str, Any], int], _Made]


def _check_names(graph: Any) -> None:
    """Refuse a graph in which one name stands for two tensors."""
    tensors = (*graph.input, *graph.initializer)
    names = [it.name for it in tensors] + [name for it in graph.node for name in it.output if name]
    if len(set(names)) < len(names):
        raise UnknownCost("two of its inputs, constants and outputs of nodes have one name")


_Known = dict[bytes, _Tensor]  # by name


def _known(graph: Any) -> tuple[_Known, _Known]:
    """What there is before the first node, of one row and of :data:`ROWS`."""
    constants = {b"": _of(())} | {it.name: _constant(it) for it in graph.initializer}
    alone, together = (
        {it.name: _input(it, rows) for it in graph.input} | constants for rows in (1, ROWS)
    )
    return alone, together


def _follow(node: Any, alone: _Known, together: _Known) -> _Made:
    """What a node makes of :data:`ROWS` rows; takes up that, and what it makes of one."""
    attributes = {it.name.decode(): list(it.ints) or it.i for it in node.attribute}
    given = [together[name] for name in node.input]
    made, products = _made(node, attributes, given)
    given_alone = [alone[name] for name in node.input]
    least = made
    # What is the very same does not depend on rows, and most of a graph rearranges constants.
    if any(one is not other for one, other in zip(given_alone, given, strict=True)):
        least, _ = _made(node, attributes, given_alone)
        _check_growth(least, made)
        _check_places(node, given_alone, given)
    alone.update(zip(node.output, least, strict=False))
    together.update(zip(node.output, made, strict=False))
    return made, products


def _check_growth(alone: Iterable[_Tensor], together: Iterable[_Tensor]) -> None:
    """Refuse tensors that may have more of some rows than of one or of all."""
    for one, other in zip(alone, together, strict=True):
        pairs = list(zip(one.shape, other.shape, strict=True))
        if one.dtype == np.int64 and one.shape == other.shape:
            pairs += zip(one.flat, other.flat, strict=True)
        if any(most not in (least, ROWS * least) for least, most in pairs):
            raise ValueError(f"{list(one.shape)} of one row, {list(other.shape)} of {ROWS}")


def _check_places(node: Any, alone: Sequence[_Tensor], together: Sequence[_Tensor]) -> None:
    """Refuse a table in which something is looked up by the number of rows."""
    if node.op_type == b"Gather" and not np.array_equal(alone[1], together[1]):
        raise ValueError("places depend on how many rows there are")


def _made(node: Any, attributes: Mapping[str, Any], given: Sequence[_Tensor]) -> _Made:
    made, products = _OPERATORS[node.op_type.decode()](given, attributes, len(node.output))
    for tensor in made:
        if tensor.dtype == np.int64:
            _check_size(tensor.size)
    return made, products


def _check_size(count: int) -> None:
    if count > _MAX_NUMBERS:
        raise ValueError(f"{count} integers are no shape")


def _of(shape: _Shape) -> _Tensor:
    """A tensor of which only the shape is known; it takes no memory."""
    return np.ndarray(tuple(shape), np.float32, _NOTHING, 0, (0,) * len(shape))


def _input(said: Any, rows: int) -> _Tensor:
    named = f"its input {said.name.decode(errors='replace')}"
    if any(map(said.type.HasField, _NO_TENSOR)) or said.type.tensor_type.elem_type != FLOAT:
        raise UnknownCost(f"{named} is no tensor of float32")
    _rows, *others = said.type.tensor_type.shape.dim
    if not all(it.dim_value and not it.HasField("dim_param") for it in others):
        raise UnknownCost(f"{named} may have any width")
    return _of([rows, *(it.dim_value for it in others)])


def _constant(tensor: Any) -> _Tensor:
    if tensor.data_type != INT64:
        return _of(tensor.dims)
    if math.prod(tensor.dims) > _MAX_NUMBERS:
        named = tensor.name.decode(errors="replace")
        raise UnknownCost(f"its constant {named} of {math.prod(tensor.dims)} integers is no shape")
    numbers = np.frombuffer(tensor.raw_data, "<i8") if tensor.raw_data else tensor.int64_data
    return np.array(numbers, np.int64).reshape(list(tensor.dims))


def _numbers(tensor: _Tensor) -> list[int]:
    """What a list of integers holds."""
    if tensor.dtype != np.int64:
        raise ValueError("what is needed as integers is none")
    found: list[int] = tensor.tolist()
    return found


def _shapes(given: Iterable[_Tensor]) -> list[_Shape]:
    """Shapes of tensors that have only these."""
    tensors = list(given)
    if any(it.dtype == np.int64 for it in tensors):
        raise ValueError("integers are computed with in a way that is not followed")
    return [it.shape for it in tensors]


def _quotient(one: _Tensor, other: _Tensor) -> _Tensor:
    """Rounded to zero, as onnxruntime does, and not down."""
    return np.asarray((one - np.fmod(one, other)) // other)


def _same(given: Sequence[_Tensor], _: Mapping[str, Any], outputs: int) -> _Made:
    return [_of(_shapes(given)[0])] * outputs, 0


def _arithmetic(compute: Callable[[_Tensor, _Tensor], _Tensor]) -> _Operator:
    def made(given: Sequence[_Tensor], _: Mapping[str, Any], __: int) -> _Made:
        one, other = given
        if one.dtype == other.dtype == np.int64:
            return [compute(one, other)], 0
        return [_of(np.broadcast_shapes(*_shapes(given)))], 0

    return made


def _shape(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    span = slice(attributes.get("start", 0), attributes.get("end"))
    return [np.array(given[0].shape[span], np.int64)], 0


def _concat(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    axis = attributes["axis"]
    if all(it.dtype == np.int64 for it in given):
        _check_size(sum(it.size for it in given))
        return [np.concatenate(given, axis)], 0
    shapes = _shapes(given)
    shape = list(shapes[0])
    shape[axis] = sum(it[axis] for it in shapes)
    return [_of(shape)], 0


def _expand(given: Sequence[_Tensor], _: Mapping[str, Any], __: int) -> _Made:
    tensor, shape = given
    whole = np.broadcast_shapes(tensor.shape, tuple(_numbers(shape)))
    return [np.broadcast_to(tensor, whole) if tensor.dtype == np.int64 else _of(whole)], 0


def _gather(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    tensor, places = given
    _numbers(places)
    axis = attributes.get("axis", 0) % tensor.ndim
    if tensor.dtype == np.int64:
        return [np.asarray(np.take(tensor, places, axis))], 0
    return [_of((*tensor.shape[:axis], *places.shape, *tensor.shape[axis + 1 :]))], 0


def _slice(given: Sequence[_Tensor], _: Mapping[str, Any], __: int) -> _Made:
    tensor, starts, ends, *more = given
    axes = more[0] if more and more[0].ndim else np.arange(len(starts))
    steps = more[1] if len(more) > 1 else np.ones(len(starts), np.int64)
    spans = [slice(None)] * tensor.ndim
    for axis, *span in zip(*map(_numbers, (axes, starts, ends, steps)), strict=True):
        if span[2] < 1:  # of which onnxruntime moves what lies before the beginning to it
            raise ValueError("a step backwards")
        spans[axis] = slice(*span)
    return [tensor[tuple(spans)]], 0


def _reshape(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    tensor, asked = given
    shape = _numbers(asked)
    if not attributes.get("allowzero"):
        shape = [it or tensor.shape[place] for place, it in enumerate(shape)]
    if -1 in shape:
        others = math.prod(it for it in shape if it != -1)
        shape[shape.index(-1)] = tensor.size // others if others else 0
    if math.prod(shape) != tensor.size:
        raise ValueError(f"{list(tensor.shape)} as {shape}")
    return [tensor.reshape(shape) if tensor.dtype == np.int64 else _of(shape)], 0


def _transpose(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    return [given[0].transpose(attributes.get("perm"))], 0


def _axes(given: Sequence[_Tensor], attributes: Mapping[str, Any]) -> tuple[int, ...]:
    """Given as another input or, in older graphs, as an attribute; none for all."""
    asked = _numbers(given[1]) if len(given) > 1 else attributes.get("axes", [])
    return tuple(asked)


def _squeeze(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    return [given[0].squeeze(_axes(given, attributes) or None)], 0


def _unsqueeze(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    return [np.expand_dims(given[0], _axes(given, attributes))], 0


def _reduce(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    tensor, axes = given[0], _axes(given, attributes)
    _shapes([tensor])
    if not axes and attributes.get("noop_with_empty_axes"):
        return [tensor], 0
    reduced = {it % tensor.ndim for it in axes or range(tensor.ndim)}
    kept = [1 if place in reduced else it for place, it in enumerate(tensor.shape)]
    if not attributes.get("keepdims", 1):
        kept = [it for place, it in enumerate(tensor.shape) if place not in reduced]
    return [_of(kept)], 0


def _split(given: Sequence[_Tensor], attributes: Mapping[str, Any], outputs: int) -> _Made:
    tensor, axis = given[0], attributes.get("axis", 0)
    length = tensor.shape[axis]
    part = -(-length // outputs)
    sizes = _numbers(given[1]) if len(given) > 1 else [part] * (outputs - 1)
    return np.split(tensor, np.cumsum(sizes)[: outputs - 1], axis), 0


def _matmul(given: Sequence[_Tensor], _: Mapping[str, Any], __: int) -> _Made:
    one, other = given
    _shapes(given)
    rows = (1, *one.shape) if one.ndim == 1 else one.shape
    columns = (*other.shape, 1) if other.ndim == 1 else other.shape
    if rows[-1] != columns[-2]:
        raise ValueError(f"{list(one.shape)} times {list(other.shape)}")
    batch = np.broadcast_shapes(rows[:-2], columns[:-2])
    sides = (*rows[-2:-1], *columns[-1:])
    kept = [it for it, tensor in zip(sides, given, strict=True) if tensor.ndim > 1]
    return [_of((*batch, *kept))], math.prod((*batch, *sides, rows[-1]))


def _gemm(given: Sequence[_Tensor], attributes: Mapping[str, Any], outputs: int) -> _Made:
    one, other = given[:2]
    one = one.T if attributes.get("transA") else one
    other = other.T if attributes.get("transB") else other
    return _matmul([one, other], attributes, outputs)


def _lstm(given: Sequence[_Tensor], attributes: Mapping[str, Any], _: int) -> _Made:
    if attributes.get("layout"):
        raise ValueError("a layout other than 0")
    (sessions, rows, inputs), (directions, gates, *_more) = _shapes(given)[:2]
    hidden = gates // 4
    last = _of((directions, rows, hidden))
    products = sessions * rows * directions * gates * (inputs + hidden)
    return [_of((sessions, directions, rows, hidden)), last, last], products


_OPERATORS: Mapping[str, _Operator] = MappingProxyType(
    {
        **dict.fromkeys(("Clip", "LayerNormalization", "Relu", "Sigmoid", "Softmax"), _same),
        **dict.fromkeys(("ReduceMean", "ReduceSum"), _reduce),
        "Add": _arithmetic(np.add),
        "Concat": _concat,
        "Div": _arithmetic(_quotient),
        "Expand": _expand,
        "Gather": _gather,
        "Gemm": _gemm,
        "LSTM": _lstm,
        "MatMul": _matmul,
        "Mul": _arithmetic(np.multiply),
        "Reshape": _reshape,
        "Shape": _shape,
        "Slice": _slice,
        "Split": _split,
        "Squeeze": _squeeze,
        "Sub": _arithmetic(np.subtract),
        "Transpose": _transpose,
        "Unsqueeze": _unsqueeze,
    }
)
OPERATORS = frozenset(_OPERATORS)
