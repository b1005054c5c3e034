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
    """What is to be put where, once models are published.

    Parameters
    ----------
    service : that is to hold the bars.
    file : of the bars.
    """

    service: IngestingService
    file: BarsFile

    @classmethod
    def at(cls, url: str, file: BarsFile | None) -> Self:
        """Of a service that answers by now, so that nothing is fitted in vain.

        Raises
        ------
        InvalidInput : there is no file.
        UnusableService : it is no address of a service, or the service refuses.
        Unavailable : it does not answer.
        """
        if file is None:
            raise InvalidInput(
                "--to-service puts the bars of a file where its models serve; there is none",
                field="to_service",
                needed="--bars FILE",
            )
        service = IngestingService.at(url)
        service.ask("/assets")
        return cls(service, file)

    def put(self, data: AssetData, console: Console) -> None:
        """Put all bars that the service does not hold; those that it holds have to be the same.

        Raises
        ------
        UnusableService : it refuses, as it does where it holds other bars of their times.
        UnusableTarget : it holds, or would hold, bars of another length.
        Unavailable : it does not answer.
        """
        bars = read_bars(self.file.path, self.file.written)
        if self.file.drop_outside:
            bars, _ = within_sessions(bars, data.calendar)
        target = self._target(data, bars)
        added, nothing = 0, empty_bars(bars.interval)
        for start in range(0, len(bars), _AT_ONCE):
            part = bars.where(slice(start, start + _AT_ONCE))
            added += target.put(nothing, part, replace=False).added
        told = (
            f"{added} bars of {data.asset} added at {target.name}, {len(bars) - added} held there"
        )
        console.print(told, markup=False, highlight=False, soft_wrap=True)

    def _target(self, data: AssetData, bars: Bars) -> ServiceTarget:
        """The asset there; one with bars within a day is known by its models, after a moment."""
        described = {"calendar": data.calendar_name, "kind": self.file.kind}
        until = time.monotonic() + _KNOWN_WITHIN
        while True:
            target = ServiceTarget(self.service, data.asset, bars.interval, described)
            try:
                is_new = target.known is None
            except UnusableTarget:
                if bars.is_daily or time.monotonic() > until:
                    raise
                time.sleep(1)
            else:
                measure = data.series.measure if is_new else None  # else it has one
                return replace(target, described={**described, "measure": measure})
