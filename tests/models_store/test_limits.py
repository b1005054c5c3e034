"""What an artifact may be: what is more is refused, quickly, and the version before serves."""

import io
import json
import os
import socket
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import AttributeProto, TensorProto, helper

from models_store import Store, artifact, limits
from models_store.files import DamagedArtifact, read_file
from models_store.graph_cost import UnknownCost, cost_of
from models_store.limits import BeyondLimits, check_content
from models_store.predictors import linear
from models_store.predictors.network import OnnxPredictorSpec
from models_store.predictors.onnx_file import read_model
from models_store.shipped import shipped_artifacts
from models_store.signatures import SUMS
from tests.models_store.artifacts import make_files, make_network, make_network_files, verified
from volatility.npz import encode_arrays, read_arrays

MANIFEST, MODEL = artifact.MANIFEST, linear.KIND.file
Harm = Callable[[dict[str, bytes]], None]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path)
    store.publish(make_files(), promote=True)
    return store


def let_serve(store: Store, files: Mapping[str, bytes]) -> Path:
    """Put files with their right sums where a pointer names them, past all checks; their folder."""
    version = store.publish(make_files(intercept=2e-5), promote=True)
    folder = store.root / "TEST" / "har" / str(version)
    for path in folder.iterdir():
        path.unlink()
    summed = artifact.with_sums({name: it for name, it in files.items() if name != SUMS})
    for name, content in summed.items():
        (folder / name).write_bytes(content)
    pointer = folder.parent / "current"
    said = json.loads(pointer.read_text())
    said["sha256"] = artifact.hashlib.sha256(summed[SUMS]).hexdigest()  # type: ignore[attr-defined]
    pointer.write_text(json.dumps(said))
    return folder


def why_refused(store: Store) -> str:
    """Why the newest version does not serve; the one before does."""
    shelf = verified(store)
    (refusal,) = shelf.refused
    assert (refusal.version, refusal.served_version) == (2, 1)
    return refusal.reason


def replaced(name: str, content: bytes) -> Harm:
    def harm(files: dict[str, bytes]) -> None:
        files[name] = content

    return harm


def saying(**said: object) -> Harm:
    def harm(files: dict[str, bytes]) -> None:
        files[MANIFEST] = json.dumps(json.loads(files[MANIFEST]) | said).encode()

    return harm


def archive(members: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", how) as file:
        for name, member in members.items():
            file.writestr(name, member)
    return content.getvalue()


def of_one_name() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        file.writestr("rv.npy", b"")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("rv.npy", b"")
    return content.getvalue()


def lying_header() -> bytes:
    """An array of eight bytes whose header says that they are a thousand million numbers."""
    true = encode_arrays({"rv": np.zeros(1)})
    with zipfile.ZipFile(io.BytesIO(true)) as file:
        said = file.read("rv.npy").replace(b"(1,), }         ", b"(1000000000,), }", 1)
    return archive({"rv.npy": said})


def lying_directory() -> bytes:
    """An archive of 64 MB whose directory says that they are 100 bytes."""
    content = archive({"rv.npy": bytes(64 * limits.MB)})
    true, said = ((size).to_bytes(4, "little") for size in (64 * limits.MB, 100))
    return content.replace(true, said)


def deep(name: str) -> Harm:
    return replaced(name, b"[" * 33 + b"]" * 33)


def more_windows(files: dict[str, bytes]) -> None:
    reference = read_arrays(files[artifact.REFERENCE])
    files[artifact.REFERENCE] = encode_arrays(
        {name: np.tile(it, (129, *[1] * (it.ndim - 1))) for name, it in reference.items()}
    )


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (replaced(artifact.REFERENCE, bytes(4 * limits.MB + 1)), "reference.npz has 4194305 bytes"),
        (replaced(MODEL, b" " * (256 * limits.KB + 1)), "coefficients.json has 262145 bytes"),
        (replaced("more.npz", bytes(16 * limits.MB + 1)), "more.npz has 16777217 bytes"),
        (replaced("model.onnx", b""), "model.onnx is no file of such a model"),
        (lambda files: files.update({f"{it}.json": b"1" for it in range(4)}), "it has 9 files"),
        (deep(MANIFEST), "manifest.json is beyond limits: it has 33 levels"),
        (deep(MODEL), "coefficients.json is beyond limits: it has 33 levels"),
        (replaced(MANIFEST, b"[" + b"0," * 250_000 + b"0]"), "it has 250001 values"),
        (
            replaced(artifact.EVALUATION, archive({"rv.npy": bytes(32 * limits.MB + 1)})),
            "evaluation.npz is beyond limits: it has 33554433 bytes unpacked",
        ),
        (replaced(artifact.REFERENCE, lying_header()), "an array of [1000000000] numbers has 8"),
        (
            replaced(artifact.REFERENCE, lying_directory()),
            "cannot be replayed: Bad CRC-32 for file 'rv.npy'",
        ),
        (
            replaced(artifact.EVALUATION, archive({str(it): b"" for it in range(4_097)})),
            "it has 4097 members",
        ),
        (replaced(artifact.EVALUATION, of_one_name()), "two members have one name"),
        (
            replaced(artifact.EVALUATION, archive({"rv.npy": b""}, zipfile.ZIP_LZMA)),
            "rv.npy is compressed in a way that is not allowed",
        ),
        (more_windows, "it has 1032 windows to be replayed; at most 1024 are allowed"),
        (saying(measure="squared_range"), "there is no measure 'squared_range'; needed: one of"),
        (saying(calendar="XMOON"), "there is no calendar 'XMOON'; needed: 24/7, or a code"),
        (saying(horizons=[251]), "there is no horizon of 251 sessions; needed: 1 to 250"),
        (saying(lookback=10_001), "10001 sessions are too many; needed: at most 10000"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_and_the_version_before_serves(
    store: Store, harm: Harm, said: str
) -> None:
    files = make_files(intercept=2e-5)
    harm(files)
    let_serve(store, files)
    limits.check_calendar("XLON")  # loads what lists calendars, once
    tracemalloc.start()
    try:
        assert said in why_refused(store)
        assert tracemalloc.get_traced_memory()[1] < 24 * limits.MB
    finally:
        tracemalloc.stop()


def test_what_is_within_limits_serves(store: Store) -> None:
    files = make_files(intercept=2e-5)
    files[MODEL] += b" " * (256 * limits.KB - len(files[MODEL]))
    let_serve(store, files)
    assert verified(store).refused == ()
    check_content("a.json", b"[" * 32 + b"]" * 32)
    check_content("a.json", b"[" + b"0," * 249_999 + b"0]")
    check_content("a.json", b'"' + b'[{,\\"' * 99_999 + b'"')  # in a text they mean nothing
    check_content("a.npz", archive({str(it): b"" for it in range(4_096)}))
    limits.check_reference(1_024)


def test_what_is_shipped_has_room_for_five_times_as_much() -> None:
    sizes: dict[str, int] = {}
    for file in filter(Path.is_file, shipped_artifacts().rglob("*.*")):
        sizes[file.name] = max(sizes.get(file.name, 0), file.stat().st_size)
    assert len(sizes) == 7
    for name, largest in sizes.items():
        assert 5 * largest <= limits.max_bytes(name), name


def link_to_file(folder: Path) -> None:
    (folder / MODEL).rename(folder.parent / "elsewhere")
    (folder / MODEL).symlink_to(folder.parent / "elsewhere")


def link_to_folder(folder: Path) -> None:
    elsewhere = folder.parent / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def pipe(folder: Path) -> None:
    (folder / MODEL).unlink()
    os.mkfifo(folder / MODEL)


def listening(folder: Path) -> None:
    (folder / MODEL).unlink()
    before = Path.cwd()
    os.chdir(folder)  # since a socket's path may be no longer than 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(MODEL)
    finally:
        os.chdir(before)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (link_to_file, "coefficients.json is no regular file"),
        (link_to_folder, "its folder is a link, or none"),
        (pipe, "coefficients.json is no regular file"),
        (listening, "coefficients.json is no regular file"),
    ],
)
def test_what_is_no_regular_file_is_not_read(
    store: Store, harm: Callable[[Path], None], said: str
) -> None:
    harm(let_serve(store, make_files(intercept=2e-5)))
    assert said in why_refused(store)


def test_a_file_is_judged_by_what_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "current", tmp_path / "other"
    path.write_bytes(b"1" * 10)
    other.write_bytes(b"2" * 11)
    opens = os.open

    def swap(named: Any, *given: Any) -> int:
        descriptor = opens(named, *given)
        path.unlink()
        path.symlink_to(other)  # too late: another file has the name now
        return descriptor

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", swap)
        assert read_file(path, 10) == b"1" * 10
    with pytest.raises(DamagedArtifact, match="current is no regular file"):
        read_file(path, 10)
    with pytest.raises(DamagedArtifact, match="other has 11 bytes; at most 10 are read"):
        read_file(other, 10)


def test_a_pointer_has_a_size_too(store: Store) -> None:
    (store.root / "TEST" / "champion").write_bytes(b" " * (limits.MAX_POINTER_BYTES + 1))
    (refusal,) = verified(store).refused
    assert "champion has 65537 bytes" in refusal.reason


def graph(
    nodes: list[Any],
    constants: Mapping[str, np.ndarray] | None = None,
    width: int | str = 22,
    **more: Any,
) -> bytes:
    """A network from (batch, 22) ``x`` to ``y``."""
    made = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [
            helper.make_tensor(
                name,
                TensorProto.INT64 if values.dtype == np.int64 else TensorProto.FLOAT,
                values.shape,
                values.tobytes(),
                raw=True,
            )
            for name, values in (constants or {}).items()
        ],
    )
    opsets = [helper.make_opsetid(it, 18) for it in more.pop("domains", [""])]
    model = helper.make_model(made, opset_imports=opsets, ir_version=9, **more)
    return bytes(model.SerializeToString())


def node(operator: str, *given: str, **attributes: Any) -> Any:
    return helper.make_node(operator, given, ["y"], **attributes)


def loop() -> bytes:
    body = helper.make_graph([], "body", [], [])
    return graph([node("Loop", "", "", body=body)])


def branch() -> bytes:
    """A graph inside of one, hidden in an operator that has none."""
    relu = node("Relu", "x")
    inner = helper.make_graph([], "inner", [], [])
    relu.attribute.append(helper.make_attribute("then", inner))
    return graph([relu])


def tensor_inside() -> bytes:
    relu = node("Relu", "x")
    attribute = AttributeProto(name="value", type=AttributeProto.TENSORS)
    attribute.tensors.append(helper.make_tensor("huge", TensorProto.FLOAT, [1], [1.0]))
    relu.attribute.append(attribute)
    return graph([relu])


def changed_constant(change: Callable[[Any], None]) -> bytes:
    from onnx import load_from_string

    model = load_from_string(graph([node("Add", "x", "one")], {"one": np.ones(22, np.float32)}))
    change(model.graph.initializer[0])
    return bytes(model.SerializeToString())


def cut(tensor: Any) -> None:
    tensor.raw_data = tensor.raw_data[8:]


def external(tensor: Any) -> None:
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def doubling() -> bytes:
    """64 kB of nodes, each of which has twice as many values as the one before."""
    names = ["x", *(f"twice_{it}" for it in range(40))]
    nodes = [
        helper.make_node("Concat", [one, one], [other], axis=1) for one, other in pairwise(names)
    ]
    return graph([*nodes, node("Relu", names[-1])])


def products() -> bytes:
    """Few values and many multiplications: 64 · 22 · 22 for each of 70 thousand columns …"""
    squares = [helper.make_node("MatMul", ["square", "square"], [f"s{it}"]) for it in range(20)]
    return graph([*squares, node("Relu", "x")], {"square": np.ones((1_100, 1_100), np.float32)})


WHOLE = np.array([100_000, 1, 22], np.int64)
FEW, MANY = np.ones(1, np.int64), np.array([200_000_000], np.int64)


def expanded(count: list[Any], **constants: np.ndarray) -> bytes:
    """As many numbers as nodes make of integers, the last of them called ``count``."""
    one = {"one": np.ones(1, np.float32)}
    return graph([*count, node("Expand", "one", "count")], one | constants)


def of_rows(*computed: Any, **constants: np.ndarray) -> bytes:
    """As many numbers as nodes make of how many ``rows`` there are."""
    rows = helper.make_node("Shape", ["x"], ["rows"], start=0, end=1)
    return expanded([rows, *computed], **constants)


def count(operator: str, *given: str, **attributes: Any) -> Any:
    return helper.make_node(operator, given, ["count"], **attributes)


def changed_graph(change: Callable[[Any], None], **constants: np.ndarray) -> bytes:
    from onnx import load_from_string

    model = load_from_string(graph([node("Relu", "x")], constants))
    change(model)
    return bytes(model.SerializeToString())


INNER = ("t", "g", "sparse_tensor", "tensors", "graphs", "sparse_tensors")


@pytest.mark.parametrize("field", INNER)
def test_a_node_holds_no_graph_and_no_tensor_of_any_kind(field: str) -> None:
    def hide(model: Any) -> None:
        attribute = model.graph.node[0].attribute.add()
        attribute.name = "odd"
        held = getattr(attribute, field)
        if field.endswith("s"):
            held.add()
        else:
            held.SetInParent()

    with pytest.raises(BeyondLimits, match="one of its nodes holds a graph or a tensor"):
        check_content("model.onnx", changed_graph(hide))


@pytest.mark.parametrize(
    "add",
    [
        lambda it: it.functions.add(),
        lambda it: it.training_info.add(),
        lambda it: it.graph.sparse_initializer.add(),
    ],
)
def test_a_network_is_one_graph_of_dense_constants(add: Callable[[Any], object]) -> None:
    with pytest.raises(BeyondLimits, match="it has functions, training or sparse constants"):
        check_content("model.onnx", changed_graph(lambda it: (add(it), None)[1]))


@pytest.mark.parametrize(
    "kind", ["sequence_type", "map_type", "sparse_tensor_type", "optional_type"]
)
def test_an_input_is_a_tensor_and_nothing_else_besides(kind: str) -> None:
    """Of both, whoever reads a file takes what stands last."""
    model = read_model(graph([node("Relu", "x")]))
    cost_of(model.graph)
    setattr(model.graph.input[0].type, kind, b"")
    with pytest.raises(UnknownCost, match="its input x is no tensor of float32"):
        cost_of(model.graph)


def of_two_widths() -> bytes:
    """An input that is one wide for who reads its number, and of any width by its name."""

    def field(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2, len(content)]) + content

    batch, width = field(1, field(2, b"batch")), field(1, b"\x08\x01" + field(2, b"any"))
    of_tensor = field(1, b"\x08\x01" + field(2, batch + width))
    given = field(11, field(1, b"x") + field(2, of_tensor))
    without = changed_graph(lambda it: it.graph.ClearField("input"))
    assert len(given) < 128
    return without + field(7, given)  # a graph that is there twice is one, of both


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (loop(), r"it has Loop; networks are made of Add, Clip, .*, Unsqueeze"),
        (branch(), "one of its nodes holds a graph or a tensor"),
        (tensor_inside(), "one of its nodes holds a graph or a tensor"),
        (graph([node("Relu", "x", domain="com.example")]), "it has com.example; networks"),
        (graph([node("Relu", "x")], domains=["", "com.example"]), "it has com.example; networks"),
        (
            graph(
                [node("Relu", "x")],
                functions=[
                    helper.make_function(
                        "", "Relu", ["a"], ["b"], [], [helper.make_opsetid("", 18)]
                    )
                ],
            ),
            "it has functions, training or sparse constants",
        ),
        (
            changed_graph(lambda it: it.opset_import.append(helper.make_opsetid("", 20))),
            "it has 2 sets of operators; at most 1 are allowed",
        ),
        (
            changed_graph(lambda it: setattr(it.opset_import[0], "version", 17)),
            "its operators are older than of version 18",
        ),
        (
            expanded(
                [
                    helper.make_node("Div", ["less", "two"], ["half"]),
                    helper.make_node("Add", ["half", "few"], ["added"]),
                    count("Mul", "added", "many"),
                ],
                less=-FEW,
                two=2 * FEW,
                few=FEW,
                many=MANY,
            ),
            "it has 200000003 values in what it makes of 64 rows",
        ),
        (changed_constant(external), "its constant one is in another file"),
        (
            changed_constant(lambda it: it.dims.append(1_000_000_000)),
            r"its constant one has the shape \[22, 1000000000\], and 88 bytes of values",
        ),
        (
            changed_constant(lambda it: setattr(it, "data_type", TensorProto.DOUBLE)),
            "its constant one is not of float32 or int64",
        ),
        (
            graph([node("Expand", "x", "shape")], {"shape": WHOLE}),
            "it has 140800000 values in what it makes of 64 rows; at most 100000000 are allowed",
        ),
        (doubling(), "it has 4644337115723008 values in what it makes of 64 rows"),
        (products(), "it has 26620000000 multiplications for 64 rows; at most 20000000000"),
        (graph([node("Relu", "x")] * 21_846), "it has 65538 nodes, inputs, outputs and constants"),
    ],
)
def test_a_graph_that_could_do_harm_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(BeyondLimits, match=said):
        check_content("model.onnx", content)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not a network", "this is no ONNX file"),
        (graph([node("Relu", "x")], width="any"), "its input x may have any width"),
        (graph([node("Relu", "z")]), "at its node Relu shapes do not fit: b'z'"),
        (
            graph([node("Reshape", "x", "shape")], {"shape": WHOLE}),
            r"at its node Reshape shapes do not fit: \[64, 22\] as \[100000, 1, 22\]",
        ),
        (
            graph([node("Div", "zero", "zero")], {"zero": np.zeros(1, np.int64)}),
            "at its node Div shapes do not fit: divide by zero",
        ),
        (
            graph([node("Expand", "four", "shape")], {"four": WHOLE[:1], "shape": WHOLE[:1]}),
            "at its node Expand shapes do not fit: 100000 integers are no shape",
        ),
        *(
            (expanded([made], few=FEW, many=MANY, table=MANY[None]), f"at its node {named} shapes")
            for made, named in (
                (count("Clip", "few", "many"), "Clip"),
                (count("ReduceSum", "table", "few"), "ReduceSum"),
                (count("MatMul", "table", "few"), "MatMul"),
                (count("Relu", "many"), "Relu"),
                (count("Add", "many", "one"), "Add"),
                (count("Concat", "one", "many", axis=0), "Concat"),
            )
        ),
        *(
            (of_rows(*made, few=FEW, many=MANY, table=np.tile(FEW, 4)), said)
            for made, said in (
                ([count("Sub", "rows", "few")], r"node Sub .*: \[1\] of one row, \[1\] of 64"),
                ([count("Mul", "rows", "rows")], "node Mul"),
                ([count("Slice", "table", "rows", "many")], r"\[3\] of one row, \[0\]"),
                ([count("Gather", "table", "rows")], "Gather .*: index 64 is out of bounds"),
            )
        ),
        (
            of_rows(count("Gather", "table", "rows"), table=np.tile(FEW, 65)),
            "node Gather .*: places depend on how many rows there are",
        ),
        (
            expanded(
                [count("Slice", "few", "back", "back", "zero", "less")],
                few=FEW,
                back=-3 * FEW,
                zero=0 * FEW,
                less=-FEW,
            ),
            "Slice .*: a step backwards",
        ),
        (graph([node("Expand", "x", "x")]), "Expand .*: what is needed as integers is none"),
        (
            graph([node("Concat", *["many"] * 3, axis=0)], {"many": np.tile(FEW, 400)}),
            "Concat .*: 1200 integers are no shape",
        ),
        (
            graph([node("Relu", "x")], {"many": np.tile(FEW, 1_025)}),
            "its constant many of 1025 integers is no shape",
        ),
        (graph([node("Relu", "x")], {"x": np.ones((1, 22), np.float32)}), "have one name"),
        (graph([node("Relu", "x"), node("Relu", "x")]), "have one name"),
        (of_two_widths(), "its input x may have any width"),
        (
            changed_graph(lambda it: setattr(it.graph.input[0].type.tensor_type, "elem_type", 7)),
            "its input x is no tensor of float32",
        ),
        (
            changed_graph(lambda it: it.graph.input[0].type.sequence_type.SetInParent()),
            "its input x is no tensor of float32",
        ),
    ],
)
def test_a_graph_whose_cost_cannot_be_told_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_content("model.onnx", content)


def test_a_network_is_judged_before_onnxruntime_sees_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.publish(make_network_files(model="har"), promote=True)
    files = dict(make_network_files(model="har")) | {"model.onnx": loop()}
    folder = store.root / "TEST" / "har" / "2"
    for name, content in artifact.with_sums({k: v for k, v in files.items() if k != SUMS}).items():
        (folder / name).write_bytes(content)
    monkeypatch.setattr("onnxruntime.InferenceSession", None)
    with pytest.raises(Exception, match=r"model\.onnx is beyond limits: it has Loop"):
        store.load("TEST", "har", 2)


def test_members_of_a_combination_have_their_limits() -> None:
    network = make_network(OnnxPredictorSpec(diagnostics=("weights",)))
    check_content("members.zip", archive({"one/model.onnx": network, "two/more.json": b"{}"}))
    with pytest.raises(BeyondLimits, match="it has Loop"):
        check_content("members.zip", archive({"one/model.onnx": loop()}))
    with pytest.raises(BeyondLimits, match="33 levels"):
        check_content("members.zip", archive({"two/coefficients.json": b"[" * 33}))
    most = 256 * limits.KB
    with pytest.raises(BeyondLimits, match=r"262145 bytes in two/coefficients\.json"):
        check_content("members.zip", archive({"two/coefficients.json": b" " * (most + 1)}))


def test_what_takes_too_long_to_open_is_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_serve(store, make_files(intercept=2e-5))
    with monkeypatch.context() as patched:
        patched.setattr(limits, "MAX_OPENING_SECONDS", 0.0)
        with pytest.raises(Exception, match="that takes more than 0 s of the processor's time"):
            store.load("TEST", "har", 2)
    assert store.load("TEST", "har", 2).version == 2


def test_a_structure_that_has_passed_is_not_followed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_passed", set())
    monkeypatch.setattr(limits, "_REMEMBERED", 2)
    followed: list[str] = []

    def following(graph: Any) -> Any:
        followed.append(graph.node[0].name.decode())
        return cost_of(graph)

    monkeypatch.setattr(limits, "cost_of", following)

    def added(name: str, *values: float, place: int = 0) -> bytes:
        constants = {"c": np.array(values, np.float32), "at": np.array([place])}
        looked_up = helper.make_node("Gather", ["c", "at"], ["one"], name=name)
        return graph([looked_up, node("Add", "x", "one")], constants)

    for content in (added("a", 1.0), added("a", 2.0), added("b", 1.0), added("a", 3.0)):
        check_content("model.onnx", content)
    assert followed == ["a", "b"]
    # Of another shape, of other integers, and once more where too many have come since.
    for content in (added("a", 1.0, 2.0), added("a", 1.0, 2.0, place=1), added("a", 1.0)):
        check_content("model.onnx", content)
    assert followed == ["a", "b", "a", "a", "a"]
    for _ in range(2):
        with pytest.raises(BeyondLimits):
            check_content("model.onnx", loop())
    check_content("model.onnx", changed_constant(lambda _: None))
    with pytest.raises(BeyondLimits, match="80 bytes of values"):  # of a structure that has passed
        check_content("model.onnx", changed_constant(cut))
