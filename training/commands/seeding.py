"""``training retrain --to-service URL``: the bars of a file go where its models are to serve."""

import time
from dataclasses import dataclass, replace
from typing import Self

from rich.console import Console

from training.data.assets import AssetData
from training.data.bars_file import BarsFile, read_bars
from training.data.feeds.service_target import IngestingService, ServiceTarget
from training.data.feeds.targets import UnusableTarget
from volatility.bars import Bars, within_sessions
from volatility.errors import InvalidInput
from volatility.rows import empty_bars

_AT_ONCE = 50_000  # bars of one request: four megabytes
_KNOWN_WITHIN = 30.0  # seconds, in which a service follows what was published into its store


@dataclass(frozen=True)
class Seeding:
    """Bars that are to be put to a service.

    Daily ones are put before anything is fitted: where the service does not take them, nothing is
    in vain. An asset with bars within a day is known to it by its models alone, and comes after.

    Parameters
    ----------
    service : that is to hold the bars.
    data : of the asset.
    bars : its own.
    kind : of asset, if that is said.
    """

    service: IngestingService
    data: AssetData
    bars: Bars
    kind: str | None

    @classmethod
    def of(cls, url: str, file: BarsFile | None, data: AssetData) -> Self:
        """What of a file goes to a service that answers by now.

        Raises
        ------
        InvalidInput : there is no file.
        UnusableService : it is no address of a service, or the service refuses.
        UnusableTarget : it has bars of another length.
        Unavailable : it does not answer.
        """
        if file is None:
            raise InvalidInput(
                "--to-service puts the bars of a file where its models serve; there is none",
                field="to_service",
                needed="--bars FILE",
            )
        service = IngestingService.at(url)
        bars = read_bars(file.path, file.written)
        if file.drop_outside:
            bars, _ = within_sessions(bars, data.calendar)
        seeding = cls(service, data, bars, file.kind)
        target = seeding._at_present()
        if seeding.is_first or target.listed is not None:
            _ = target.known  # of another length they are refused before anything is fitted
        return seeding

    @property
    def is_first(self) -> bool:
        """Whether they are put before models are fitted."""
        return self.bars.is_daily

    def put(self, console: Console) -> None:
        """Put all bars that the service does not hold; those that it holds have to be the same.

        Raises
        ------
        UnusableService : it refuses, as it does where it holds other bars of their times.
        UnusableTarget : it holds, or would hold, bars of another length.
        Unavailable : it does not answer.
        """
        target, nothing = self._target(), empty_bars(self.bars.interval)
        added, told = 0, dict[str, None]()
        for start in range(0, len(self.bars), _AT_ONCE):
            part = self.bars.where(slice(start, start + _AT_ONCE))
            put = target.put(nothing, part, replace=False)
            added += put.added
            told |= dict.fromkeys(put.warnings)
        held = len(self.bars) - added
        lines = [f"{added} bars of {self.data.asset} added at {target.name}, {held} held there"]
        for line in (*lines, *(f"  note: {it}" for it in told)):
            console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _target(self) -> ServiceTarget:
        until = time.monotonic() + _KNOWN_WITHIN
        while True:
            target = self._at_present()
            try:
                is_new = target.known is None
            except UnusableTarget as error:
                if self.is_first or target.listed is not None:
                    raise
                if time.monotonic() > until:
                    raise self._unseen(error) from error
                time.sleep(1)
            else:
                measure = self.data.series.measure if is_new else None  # else it has one
                return replace(target, described={**target.described, "measure": measure})

    def _at_present(self) -> ServiceTarget:
        """The asset there, of which the service is asked anew."""
        described = {"calendar": self.data.calendar_name, "kind": self.kind}
        return ServiceTarget(self.service, self.data.asset, self.bars.interval, described)

    def _unseen(self, error: UnusableTarget) -> UnusableTarget:
        """Why bars within a day are not taken: most likely the models are not seen there."""
        return UnusableTarget(
            f"{error}; its models are published, and the service does not see them: the same "
            "command puts the bars once it serves from the store that they are in",
            field="to_service",
            found=error.found,
            needed="a service of the same store",
        )
