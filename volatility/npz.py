"""Arrays of numbers in ``.npz`` files: always the same bytes of the same arrays."""

import io
import math
import re
import zipfile
from collections.abc import Mapping
from typing import Literal

import numpy as np

from volatility.archives import read_member

_MAGIC = b"\x93NUMPY\x01\x00"  # of the format's first version, with two bytes of length
_HEADER = re.compile(
    rb"\{'descr': '([<|][biuf][1248])', 'fortran_order': (False|True), "
    rb"'shape': \(([\d, ]*)\), \} *\n"
)


def encode_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Arrays by name, as the content of an ``.npz`` file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        for name, values in arrays.items():
            encoded = io.BytesIO()
            np.lib.format.write_array(encoded, np.asarray(values), allow_pickle=False)
            # As np.savez_compressed, at a level that makes as little of such numbers as its own in
            # two fifths of the time. Without a date, so that the same arrays are the same bytes.
            entry = zipfile.ZipInfo(f"{name}.npy")
            content.writestr(entry, encoded.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=1)
    return buffer.getvalue()


def read_arrays(content: bytes) -> Mapping[str, np.ndarray]:
    """Arrays of numbers in the content of an ``.npz`` file, by name.

    Raises
    ------
    ValueError : it is none, or holds something else.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {
            name.removesuffix(".npy"): _array(read_member(file, name)) for name in file.namelist()
        }


def _array(content: bytes) -> np.ndarray:
    """The array in the content of an ``.npy`` file.

    numpy reads a header by Python's parser, whose recursion depth Python 3.11 counts for all
    threads together: while another thread formats an exception, it now and then refuses a sound
    file.
    """
    start = len(_MAGIC) + 2
    end = start + int.from_bytes(content[start - 2 : start], "little")
    header = _HEADER.fullmatch(content[start:end])
    if not content.startswith(_MAGIC) or header is None:
        raise ValueError(f"no array of numbers has the header {content[:end]!r:.100}")
    kind, by_columns, sizes = header.groups()
    shape = tuple(int(size) for size in sizes.split(b",") if size.strip())
    # Before any array is made: a header may say of a few bytes that they are a million numbers.
    held, said = len(content) - end, math.prod(shape) * int(kind[-1:])
    if held != said:
        raise ValueError(f"an array of {list(shape)} numbers has {held} bytes; needed: {said}")
    values = np.frombuffer(content, kind.decode(), offset=end)
    order: Literal["F", "C"] = "F" if by_columns == b"True" else "C"
    return values.reshape(shape, order=order).copy(order="K")
