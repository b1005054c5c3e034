"""Arrays there and back: the same bytes of the same arrays, and numbers alone."""

import io
import zipfile

import numpy as np
import pytest

from volatility.npz import encode_arrays, read_arrays

ARRAYS = {
    "floats": np.arange(6.0).reshape(2, 3) / 7,
    "by_columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "whole": np.arange(-3, 3),
    "bytes": np.frombuffer(b"4.13", np.uint8),
    "flags": np.array([True, False]),
    "single": np.array([0.1], np.float32),
    "nothing": np.empty((0, 4)),
    "number": np.array(0.5),
    "deep": np.zeros((1, 2, 3, 4), np.int16),
}


def test_arrays_are_read_as_they_were_to_the_last_bit() -> None:
    content = encode_arrays(ARRAYS)
    found = read_arrays(content)
    assert list(found) == list(ARRAYS)
    with np.load(io.BytesIO(content)) as expected:  # numpy reads the same
        for name, values in ARRAYS.items():
            for read in (found[name], expected[name]):
                assert (read.dtype, read.shape) == (values.dtype, values.shape)
                np.testing.assert_array_equal(read, values)
    assert found["by_columns"].flags.f_contiguous
    assert found["floats"].flags.writeable


def test_the_same_arrays_are_the_same_bytes_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode_arrays(ARRAYS)
    monkeypatch.setattr("time.time", lambda: 1e9)
    assert encode_arrays(ARRAYS) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [f"{name}.npy" for name in ARRAYS]
        assert {it.date_time for it in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {it.compress_type for it in archive.infolist()} == {zipfile.ZIP_DEFLATED}


@pytest.mark.parametrize(
    "values",
    [np.array(["text"]), np.array(["2020-01-01"], "M8[D]"), np.zeros(2, [("a", "f8")])],
    ids=["texts", "dates", "records"],
)
def test_what_holds_anything_but_numbers_is_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="no array of numbers has the header"):
        read_arrays(encode_arrays({"odd": values}))


def test_objects_are_not_written() -> None:
    with pytest.raises(ValueError, match="Object arrays"):
        encode_arrays({"odd": np.array([{}])})


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY\x02\x00" + bytes(80), b"{'descr': '<f8'}"])
def test_what_is_no_array_is_refused(content: bytes) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("odd.npy", content)
    with pytest.raises(ValueError, match="no array of numbers has the header"):
        read_arrays(buffer.getvalue())
