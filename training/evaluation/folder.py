"""Results land in a folder all at once: the old ones or the new ones, never half of each."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from volatility.errors import InvalidInput

RESULTS_CSV = "results.csv"
RESULTS_JSON = "results.json"
FORECASTS = "forecasts.csv.gz"
REPORT = "report.md"
PAGE = "report.html"
FIGURES = "figures"
ENTRIES = frozenset({RESULTS_CSV, RESULTS_JSON, FORECASTS, REPORT, PAGE, FIGURES})


def check_replaceable(folder: Path) -> None:
    """Refuse a place whose content an evaluation did not write.

    Raises
    ------
    InvalidInput : it is a file, or a folder that holds something else.
    """
    if not folder.exists():
        return
    found = [entry.name for entry in folder.iterdir()] if folder.is_dir() else [folder.name]
    odd = sorted(set(found) - ENTRIES)
    if odd:
        raise InvalidInput(
            f"{folder} holds {odd[0]}, which no evaluation wrote, and would be replaced as a whole",
            field="out",
            found=odd[0],
            needed="a folder that is new, empty, or holds the results of an evaluation",
        )


def replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write ``files`` beside ``folder``, and put them in its place when all are written.

    Parameters
    ----------
    folder : where results go; what an evaluation wrote there before is replaced.
    files : content by path below the folder.

    Raises
    ------
    InvalidInput : the folder holds something that no evaluation wrote.
    OSError : it cannot be written; what was there stays.
    """
    folder = folder.resolve()
    check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.unfinished-{os.getpid()}")
    try:
        _write(unfinished, files)
        _swap(unfinished, folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _swap(new: Path, folder: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    previous = folder.with_name(f".{folder.name}.previous-{os.getpid()}")
    folder.rename(previous)
    try:
        new.rename(folder)
    except BaseException:  # an interrupt too: what was there stays
        previous.rename(folder)
        raise
    shutil.rmtree(previous)


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
