"""The paper's files from the public repository, checked before they are kept."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from training.files import write_atomically
from training.reproduction.data import COMMIT, SHA256, sha256_of, unusable
from volatility.errors import RoughcastError

BASE_URL = f"https://raw.githubusercontent.com/ronitdhansoia/vltlty/{COMMIT}/data/"
TIMEOUT = 60.0  # seconds without an answer
LARGEST = 64 * 2**20  # bytes; the largest file has 3 MiB


class DownloadFailed(RoughcastError):
    """A file of the paper could not be fetched, or is not the one that is expected."""

    code = "download_failed"


def download(folder: Path, report: Callable[[str, int, int], None]) -> list[str]:
    """Fetch the files that ``folder`` lacks or that are damaged there.

    Parameters
    ----------
    folder : made if it does not exist; files that are good already are left alone.
    report : called with a file's name, how many are done and how many there are, before each.

    Returns
    -------
    The names of the files that were written.

    Raises
    ------
    DownloadFailed : no answer, or content with another sha256; nothing of that file is kept.
    OSError : the folder cannot be written.
    """
    names = sorted(unusable(folder))
    folder.mkdir(parents=True, exist_ok=True)
    for done, name in enumerate(names):
        report(name, done, len(names))
        write_atomically(folder / name, _fetch(name))
    return names


def _fetch(name: str) -> bytes:
    url = BASE_URL + name
    try:
        # The scheme is not the user's to choose.
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:  # noqa: S310
            content: bytes = answer.read(LARGEST)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        raise DownloadFailed(
            f"{url} cannot be fetched: {error}. Fetch the files on another machine and name their "
            "folder with --data",
            field="download",
        ) from error
    if (found := sha256_of(content)) != SHA256[name]:
        raise DownloadFailed(
            f"{url} has content with sha256 {found}, not {SHA256[name]}; it is not kept",
            field="download",
            found=found,
            needed=SHA256[name],
        )
    return content
