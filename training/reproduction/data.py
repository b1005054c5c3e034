"""The paper's files: which they are, where they come from, and what is in them."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from volatility.arrays import DateArray, FloatArray
from volatility.bars import DAILY, Bars
from volatility.errors import InvalidInput
from volatility.frames import from_frame

REPOSITORY = "https://github.com/ronitdhansoia/vltlty"
COMMIT = "b35d314645eb1d9202fb0f30e4501a32116813c4"  # the first; later ones replace the files
HOURLY = 3_600  # seconds

# sha256 of each file's content, decompressed.
SHA256: Mapping[str, str] = MappingProxyType(
    {
        "btc_data.csv": "2c5c95728391c5a58de9344bb62087e638823c6d13a17be792ce08172d8292f5",
        "btc_train.csv": "2cb93ddbdb38eecf277b94440acdbe8b1d799179c4dc5c2a56b099ac847f560c",
        "btc_val.csv": "eceaef1f2f793e9a038f44746353e9b3f4f5221a064bb44e3bf4282f28a6c793",
        "btc_test.csv": "fbc06de34448af567fa09a4572514b02a7d4f7eac490b705586a8bd32f9baec0",
        "spx_data.csv": "d61655f00f2fa0ad688dabf604960908d65fa74e3e3fce241c1a141ff6f3d801",
        "spx_train.csv": "b93e1e26a2d73cc60f87322ee773fb446192e1b6d6ae68692e0069419c24ac29",
        "spx_val.csv": "d3423e78b5b4faeb4687debc1c6745ea9abedac5a86eb55441d25d8e40d9a05f",
        "spx_test.csv": "82f0f3e9fc9bd148d5a04df07c96374bb1d105857959e2909e5f84050b899d4c",
    }
)


class PaperDataMissing(InvalidInput):
    """Some of the paper's files are not there, or are not what the paper was made from."""

    code = "paper_data_missing"


@dataclass(frozen=True)
class PublishedSeries:
    """The columns of one file that the paper uses.

    Attributes
    ----------
    times : (n,) datetime64[s], UTC; midnight for daily files.
    log_rv : (n,) log of a rolling standard deviation, annualized: 24 hourly or 22 daily returns.
    """

    times: DateArray
    log_rv: FloatArray

    def __len__(self) -> int:
        return len(self.log_rv)


@dataclass(frozen=True)
class PublishedAsset:
    """One asset's files.

    Attributes
    ----------
    whole : all rows, for Tables 1 and 2.
    training, validation, test : the rows that networks are trained and scored on.
    bars : prices of all rows.
    """

    whole: PublishedSeries
    training: PublishedSeries
    validation: PublishedSeries
    test: PublishedSeries
    bars: Bars


@dataclass(frozen=True)
class PaperData:
    """Everything that the tables are computed from."""

    spx: PublishedAsset
    bitcoin: PublishedAsset
    sha256: Mapping[str, str]


def unusable(folder: Path) -> dict[str, str]:
    """The files that have to be fetched, and why: absent, or with other content."""
    problems = {}
    for name, expected in SHA256.items():
        found = [_digest(path) for path in _candidates(folder, name)]
        if not found:
            problems[name] = "absent"
        elif expected not in found:
            problems[name] = _difference(found[0], expected)
    return problems


def load_paper(folder: Path) -> PaperData:
    """Read and check all files.

    Parameters
    ----------
    folder : holds ``btc_data.csv`` and the others, each plain or compressed as ``.csv.gz``.

    Raises
    ------
    PaperDataMissing : a file is absent or is not the one that the paper was made from.
    """
    problems = unusable(folder)
    if problems:
        listed = "".join(f"\n  {name}: {problem}" for name, problem in problems.items())
        raise PaperDataMissing(
            f"{folder} lacks {len(problems)} of the paper's {len(SHA256)} files:{listed}\n"
            f"They are in the folder data of {REPOSITORY} at its first commit, {COMMIT}, and may "
            "be compressed (.csv.gz). --download fetches them; --data names the folder",
            field="data",
            found=sorted(problems),
            needed="the paper's files",
        )
    frames = {name: _read_frame(folder, name) for name in SHA256}
    return PaperData(
        spx=_asset(frames, "spx", DAILY),
        bitcoin=_asset(frames, "btc", HOURLY),
        sha256=dict(SHA256),
    )


def _asset(frames: Mapping[str, pd.DataFrame], prefix: str, interval: int) -> PublishedAsset:
    whole = frames[f"{prefix}_data.csv"]
    return PublishedAsset(
        whole=_series(whole),
        training=_series(frames[f"{prefix}_train.csv"]),
        validation=_series(frames[f"{prefix}_val.csv"]),
        test=_series(frames[f"{prefix}_test.csv"]),
        bars=from_frame(whole, interval),
    )


def _series(frame: pd.DataFrame) -> PublishedSeries:
    times = pd.to_datetime(frame.iloc[:, 0], utc=True).dt.tz_localize(None)
    return PublishedSeries(
        times.to_numpy().astype("datetime64[s]"),
        frame["log_rv"].to_numpy(dtype=np.float64, copy=True),
    )


def _read_frame(folder: Path, name: str) -> pd.DataFrame:
    content = next(
        content
        for path in _candidates(folder, name)
        if (content := _content(path)) is not None and sha256_of(content) == SHA256[name]
    )
    return pd.read_csv(io.BytesIO(content))


def _candidates(folder: Path, name: str) -> Iterator[Path]:
    paths = (folder / name, folder / f"{name}.gz")
    return (path for path in paths if path.is_file())


def _content(path: Path) -> bytes | None:
    """The content, decompressed; None where that fails."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return None


def _digest(path: Path) -> str | None:
    content = _content(path)
    return None if content is None else sha256_of(content)


def _difference(found: str | None, expected: str) -> str:
    if found is None:
        return "it cannot be decompressed"
    return f"its content has sha256 {found}, not {expected}"


def sha256_of(content: bytes) -> str:
    """Hexadecimal digest of a file's content."""
    return hashlib.sha256(content).hexdigest()
