"""What keeps the processor for too long is ended, and counted is the time of its own thread."""

import threading
import time

import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]
import pytest
from onnx import TensorProto, helper

from models_store.predictors import time_limit
from models_store.predictors.time_limit import TimeIsOver, check_time, in_time, run_options


def slow_network() -> ort.InferenceSession:
    """One whose run takes some seconds, in nodes of a hundredth of one."""
    names = ["x", *(f"x{it}" for it in range(2_000))]
    nodes = [
        helper.make_node("MatMul", [before, "x"], [after])
        for before, after in zip(names[:-1], names[1:], strict=True)  # noqa: RUF007
    ]
    side = helper.make_tensor_value_info("x", TensorProto.FLOAT, [512, 512])
    said = helper.make_tensor_value_info(names[-1], TensorProto.FLOAT, [512, 512])
    graph = helper.make_graph(nodes, "slow", [side], [said])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return ort.InferenceSession(model.SerializeToString(), options)


def test_a_run_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "_LOOKS", 0.02)
    session = slow_network()
    said = r"to open it takes more than 0\.1 s of the processor's time"
    with pytest.raises(TimeIsOver, match=said), in_time("to open it", 0.1):
        session.run(None, {"x": np.zeros((512, 512), np.float32)}, run_options())
    assert run_options() is None  # which ends no run after it


def busy(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def test_only_the_time_of_the_own_thread_counts() -> None:
    with in_time("to wait", 0.1):
        other = threading.Thread(target=busy, args=(0.15,))
        other.start()
        other.join()
        check_time()
        busy(0.11)
        with pytest.raises(TimeIsOver, match=r"to wait takes more than 0\.1 s"):
            check_time()


def test_an_error_that_comes_in_time_is_told_as_it_is() -> None:
    def fail() -> None:
        raise KeyError("other")

    with pytest.raises(KeyError, match="other"), in_time("to fail", 10):
        fail()
    check_time()
