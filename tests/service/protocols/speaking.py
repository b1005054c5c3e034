"""What clients of the Open Inference Protocol send and read, without any of them."""

import json
import struct
from typing import Any

import httpx
import numpy as np

from tests.service.client import TestClient

LENGTH = "Inference-Header-Content-Length"


def path_of(name: str, version: int | None = None) -> str:
    return f"/v2/models/{name}" + (f"/versions/{version}" if version else "") + "/infer"


def numbers(name: str, values: Any) -> dict[str, Any]:
    array = np.array(values)
    return {
        "name": name,
        "shape": list(array.shape),
        "datatype": "FP64",
        "data": array.ravel().tolist(),
    }


def texts(name: str, values: Any) -> dict[str, Any]:
    array = np.array(values, dtype=object)
    return {
        "name": name,
        "shape": list(array.shape),
        "datatype": "BYTES",
        "data": array.ravel().tolist(),
    }


def bars(records: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Tensors of rows of bars."""
    days = [[it["date"] for it in row] for row in records]
    prices = ("open", "high", "low", "close")
    return [
        texts("date", days),
        *(numbers(p, [[it[p] for it in row] for row in records]) for p in prices),
    ]


def infer(
    client: TestClient, name: str, *inputs: Any, version: int | None = None, **more: Any
) -> Any:
    """The outputs by name, as nested lists."""
    answer = client.post(path_of(name, version), json={"inputs": inputs, **more})
    assert answer.status_code == 200, answer.text
    return outputs_of(answer)


def outputs_of(answer: httpx.Response) -> dict[str, Any]:
    """The outputs by name, as nested lists, however they are sent."""
    length = answer.headers.get(LENGTH)
    end = len(answer.content) if length is None else int(length)
    binary, found = answer.content[end:], {}
    for it in json.loads(answer.content[:end])["outputs"]:
        size = it.get("parameters", {}).get("binary_data_size")
        values = it.get("data")
        if size is not None:
            part, binary = binary[:size], binary[size:]
            values = np.frombuffer(part).tolist() if it["datatype"] == "FP64" else unpacked(part)
        found[it["name"]] = np.array(values, dtype=object).reshape(it["shape"]).tolist()
    assert binary == b""
    return found


def in_binary(inputs: list[dict[str, Any]], **more: Any) -> tuple[bytes, int]:
    """A body with its tensors behind the JSON, and the length of that."""
    described, binary = [], b""
    for it in inputs:
        part = np.array(it["data"]).tobytes() if it["datatype"] == "FP64" else packed(it["data"])
        described.append(
            {name: it[name] for name in ("name", "shape", "datatype")}
            | {"parameters": {"binary_data_size": len(part)}}
        )
        binary += part
    head = json.dumps({"inputs": described, **more}).encode()
    return head + binary, len(head)


def packed(values: list[str]) -> bytes:
    return b"".join(struct.pack("<I", len(it.encode())) + it.encode() for it in values)


def unpacked(part: bytes) -> list[str]:
    found = []
    while part:
        [size] = struct.unpack("<I", part[:4])
        found.append(part[4 : 4 + size].decode())
        part = part[4 + size :]
    return found
