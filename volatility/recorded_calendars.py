"""Exchange calendars that are asked for at every start, as ``exchange_calendars`` builds them.

To build one takes pandas, which takes half a second and 80 MB. Those of the shipped assets and of
assets whose calendar is inferred are kept in ``calendars.npz``; where another version of
``exchange_calendars`` is installed, or the record ends too early, they are built all the same.
"""

from collections.abc import Mapping
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from volatility.arrays import DateArray
from volatility.npz import encode_arrays, read_arrays

NAMES = ("XNYS", "24/5")
LAST_YEAR = 2035
_FILE = "calendars.npz"
_VERSION = "exchange_calendars"
_MOMENTS = {"session_dates": "D", "opens": "s", "closes": "s", "breaks": "s", "early_closes": "D"}


def read(name: str, last_year: int) -> Mapping[str, DateArray] | None:
    """Arrays of a calendar up to the end of a year, by name; None where it has to be built.

    ``covered`` holds the first and the last date; the others are those of
    :class:`volatility.calendars.Calendar`.
    """
    if name not in NAMES or last_year > LAST_YEAR:
        return None
    record, end = _record(), np.datetime64(f"{last_year}-12-31", "D")
    if bytes(record["version"]).decode() != version(_VERSION):
        return None
    found = {it: record[f"{name}/{it}"].view(f"M8[{unit}]") for it, unit in _MOMENTS.items()}
    first = record[f"{name}/first"].view("M8[D]")[0]
    count = int(np.searchsorted(found["session_dates"], end, side="right"))
    early = found.pop("early_closes")
    return {
        **{it: values[:count] for it, values in found.items()},
        "early_closes": early[early <= end],
        "covered": np.array([first, end]),
    }


def is_known(name: str) -> bool:
    """Whether ``exchange_calendars`` has a calendar of the name."""
    if name in NAMES:
        return True
    # Loaded on first use: with pandas it takes half a second.
    import exchange_calendars  # type: ignore[import-untyped]

    return name in exchange_calendars.get_calendar_names()


def _record() -> Mapping[str, np.ndarray]:
    with as_file(files("volatility") / _FILE) as path:
        return read_arrays(path.read_bytes())


def write(calendars: Mapping[str, Mapping[str, DateArray]], path: Path) -> None:
    """Record calendars, by name, as :func:`read` gives them for :data:`LAST_YEAR`."""
    arrays = {"version": np.frombuffer(version(_VERSION).encode(), np.uint8)}
    for name, fields in calendars.items():
        for it, unit in _MOMENTS.items():
            arrays[f"{name}/{it}"] = fields[it].astype(f"M8[{unit}]").view(np.int64)
        arrays[f"{name}/first"] = fields["covered"][:1].astype("M8[D]").view(np.int64)
    path.write_bytes(encode_arrays(arrays))
