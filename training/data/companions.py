"""Companions of the assets that are trained: series beside theirs, from files or shipped."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from models_store.names import check_asset_name
from training.data.assets import AssetData
from training.data.bars_file import DAY, load_asset, make_asset, read_bars
from volatility.bars import Bars
from volatility.companions import (
    INDEX,
    INDICES,
    accompanied,
    as_measured,
    usual_calendar,
    usual_measure,
)
from volatility.errors import InvalidInput
from volatility.scale_free import usual_kind

_FORM = "NAME, NAME=FILE or NAME=FILE@CALENDAR"


@dataclass(frozen=True)
class CompanionFile:
    """Where a companion's bars are.

    Attributes
    ----------
    name : of the companion.
    path : of its bars; None for an asset that is shipped.
    calendar : of its sessions; None for the usual one.
    """

    name: str
    path: Path | None = None
    calendar: str | None = None

    @classmethod
    def of(cls, text: str) -> "CompanionFile":
        """Read ``NAME``, ``NAME=FILE`` or ``NAME=FILE@CALENDAR``.

        Raises
        ------
        InvalidInput : it has no name or no file; the name is not one that an asset can have.
        """
        name, equals, file = text.partition("=")
        path, at, calendar = file.partition("@")
        if not name or (equals and not path) or (at and not calendar):
            raise InvalidInput(
                f"the companion {text!r} is not of the form {_FORM}",
                field="companion",
                found=text,
                needed=_FORM,
            )
        return cls(check_asset_name(name), Path(path) if path else None, calendar or None)

    def __str__(self) -> str:
        """As it was given."""
        file = f"={self.path}" if self.path else ""
        return f"{self.name}{file}" + (f"@{self.calendar}" if self.calendar else "")


def load_companions(files: Sequence[CompanionFile], now: datetime) -> tuple[AssetData, ...]:
    """The series of every companion, in the order given.

    Of an index of implied volatility the closes alone are taken. Bars outside of sessions are left
    out: indices are published on some holidays.

    Raises
    ------
    InvalidInput : a companion is given twice, its file cannot be read, or its bars are invalid.
    UnknownAsset : one without a file that is not shipped.
    """
    names = [file.name for file in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(
            f"the companion {twice[0]} is given twice", field="companion", found=twice[0]
        )
    return tuple(_load(file, now) for file in files)


def with_companions(asset: AssetData, companions: Sequence[AssetData]) -> AssetData:
    """An asset with what was known of its companions at each of its sessions.

    Raises
    ------
    InvalidInput : it is one of them.
    """
    if asset.asset in {it.asset for it in companions}:
        raise InvalidInput(
            f"{asset.asset} cannot be its own companion",
            field="companion",
            found=asset.asset,
            needed="another asset",
        )
    series = accompanied(asset.series, asset.calendar, [it.as_companion for it in companions])
    return replace(asset, series=series, companions=tuple(companions))


def _load(file: CompanionFile, now: datetime) -> AssetData:
    if file.path is None:
        return load_asset(file.name, None, now)[0]
    return companion_of(file.name, read_bars(file.path), file.path.name, now, file.calendar)


def companion_of(
    name: str, bars: Bars, source: str, now: datetime, calendar: str | None = None
) -> AssetData:
    """The series of a companion, of its bars.

    Raises
    ------
    InvalidInput : they are invalid.
    """
    calendar = calendar or usual_calendar(name, bars.dates)
    measure = usual_measure(name) if bars.interval == DAY else "realized_variance"
    return make_asset(
        name,
        as_measured(bars, measure),
        calendar_name=calendar,
        measure=measure,
        source=source,
        now=now,
        kind=INDEX if name in INDICES else usual_kind(calendar),
        drop_outside=True,
    )[0]
