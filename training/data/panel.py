"""Many assets at once: a file of bars with an ``asset`` column, or a folder of files, and a table.

::

    DIR/assets.csv     asset,kind,calendar and, if not Garman-Klass, measure; further columns do not
                       matter
    DIR/bars.csv.gz    asset,date,open,high,low,close; or one file an asset, named after it

The table says what there is: what no row names is not read.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from models_store.names import check_asset_name
from training.data.assets import AssetData
from training.data.bars_file import make_asset, read_table
from volatility.errors import InvalidInput
from volatility.formats.reading import Options
from volatility.formats.tables import Table
from volatility.formats.tables import read_table as bars_of
from volatility.scale_free import KINDS

TABLE = "assets.csv"
ASSET = "asset"
_SUFFIXES = (".csv", ".csv.gz", ".parquet", ".pq")
_NEEDED = (ASSET, "kind", "calendar")


class InvalidPanel(InvalidInput):
    """A panel's table and bars do not tell what each asset is."""

    code = "invalid_panel"


@dataclass(frozen=True)
class _Row:
    """What the table says of an asset."""

    asset: str
    kind: str
    calendar: str
    measure: str


def read_panel(path: Path, now: datetime) -> tuple[AssetData, ...]:
    """Every asset of a panel, in the order of its table.

    Parameters
    ----------
    path : a folder, or a file with an ``asset`` column; the table lies in the folder, or beside the
        file.
    now : later bars are refused.

    Raises
    ------
    UnreadableFile : a file is not what its name says.
    InvalidPanel : the table lacks a column, names an asset twice, a kind that there is not, or an
        asset without bars; or there is no table.
    InvalidInput : an asset's bars cannot be used; the message names the asset.
    """
    folder = path if path.is_dir() else path.parent
    rows = _table(folder / TABLE)
    wanted = {row.asset for row in rows}
    files = _files(folder) if path.is_dir() else [path]
    tables: dict[str, Table] = {}
    for asset, table in _tables(files):
        if asset not in wanted:
            continue
        if asset in tables:
            raise InvalidPanel(f"{path} has two files of {asset}", field="panel", found=asset)
        tables[asset] = table
    absent = sorted(wanted - set(tables))
    if absent:
        raise InvalidPanel(
            f"{path} has no bars of {', '.join(absent)}, which {TABLE} names",
            field="panel",
            found=absent,
            needed=f"bars of every asset of {TABLE}",
        )
    return tuple(_read(row, tables[row.asset], now) for row in rows)


def _read(row: _Row, table: Table, now: datetime) -> AssetData:
    try:
        data, _ = make_asset(
            row.asset,
            bars_of(table, Options()).bars,
            calendar_name=row.calendar,
            measure=row.measure,
            source="panel",
            now=now,
            kind=row.kind,
            drop_outside=True,
        )
    except InvalidInput as error:
        raise InvalidPanel(
            f"{row.asset}: {error}", field="panel", found=row.asset, needed=error.needed
        ) from error
    return data


def _table(path: Path) -> Sequence[_Row]:
    frame = read_table(path).frame
    missing = [name for name in _NEEDED if name not in frame.columns]
    if missing:
        raise InvalidPanel(
            f"{path} lacks the columns {', '.join(missing)}",
            field="panel",
            found=list(frame.columns),
            needed=", ".join(_NEEDED),
        )
    records = frame.fillna("").astype(str).to_dict("records")
    rows = [_row(path, {str(name): text for name, text in it.items()}) for it in records]
    names = [row.asset for row in rows]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidPanel(f"{path} names {twice[0]} twice", field="panel", found=twice[0])
    if not rows:
        raise InvalidPanel(f"{path} names no asset", field="panel", needed="a row an asset")
    return rows


def _row(path: Path, fields: Mapping[str, str]) -> _Row:
    check_asset_name(fields[ASSET])
    if fields["kind"] not in KINDS:
        raise InvalidPanel(
            f"{path} says that {fields[ASSET]} is of the kind {fields['kind']!r}",
            field="panel",
            found=fields["kind"],
            needed=f"one of {', '.join(KINDS)}",
        )
    measure = fields.get("measure") or "garman_klass"
    return _Row(fields[ASSET], fields["kind"], fields["calendar"], measure)


def _files(folder: Path) -> Sequence[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.name != TABLE and path.name.lower().endswith(_SUFFIXES)
    )


def _tables(files: Sequence[Path]) -> Iterator[tuple[str, Table]]:
    """Each asset's bars: by the column ``asset``, or by the name of the file."""
    for path in files:
        table = read_table(path)
        if ASSET in table.frame.columns:
            for asset, part in table.frame.groupby(ASSET, sort=False):
                frame = part.drop(columns=ASSET).reset_index(drop=True)
                yield str(asset), replace(table, frame=frame)
        else:
            yield path.name.partition(".")[0], table
