"""Bars that a running service holds, so that models are fitted on what it forecasts from."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import pandas as pd

from training.data.assets import AssetData
from training.data.bars_file import make_asset
from training.data.running_service import CSV, RunningService
from volatility.bars import Bars
from volatility.errors import Finding
from volatility.frames import from_frame

if TYPE_CHECKING:
    import httpx

PAGE = 50_000  # bars of one request: two megabytes
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class BarsService(RunningService):
    """A running service that bars are had from, as it is at one moment.

    Everything is read as it was known at :attr:`known_at`: a correction that arrives between two
    requests mixes nothing, and the same bars can be asked for again later.
    """

    option: ClassVar[str] = "from_service"
    vain: ClassVar[str] = "no bars can be had from"
    scopes: ClassVar[str] = "the scope forecast"

    def sessions(self) -> Mapping[str, int]:
        """Every asset that it holds bars of, in order, with its number of sessions.

        Raises
        ------
        UnusableService : it does not answer, or refuses, or is something else.
        """
        held = {name: it["sessions"] for name, it in sorted(self._assets.items()) if it["bars"]}
        if not held:
            self.refuse("it holds no bars of any asset", "bars, by PUT /assets/{asset}/bars")
        return held

    def load(self, asset: str, now: datetime) -> tuple[AssetData, tuple[Finding, ...]]:
        """One asset's daily rv and every column that its bars give.

        Returns
        -------
        As :func:`training.data.bars_file.load_asset`.

        Raises
        ------
        UnusableService : as in :meth:`sessions`, or it holds no such asset.
        InvalidBars : bars that it should not have taken.
        """
        held = self._assets.get(asset)
        if held is None or not held["bars"]:
            self.refuse(
                f"it holds no bars of {asset}", f"one of {list(self.sessions())}", "asset", asset
            )
        return make_asset(
            asset,
            self._bars(asset, held["bar_interval"], held["bars"]),
            calendar_name=held["calendar"],
            measure=held["measure"],
            source=f"bars held by a service, as known at {self.known_at:%Y-%m-%dT%H:%M:%SZ}",
            now=now,
            kind=held["kind"],
        )

    @cached_property
    def known_at(self) -> datetime:
        """The moment, by the clock of the service: all that it had accepted before is known."""
        listing = self._listing
        try:
            given = parsedate_to_datetime(listing.headers["date"]).astimezone(UTC)
        except (KeyError, ValueError) as error:
            self.not_ours(error)
        # The header tells whole seconds, and may be made once a second.
        time.sleep(2)
        return given + 2 * _SECOND

    @cached_property
    def _listing(self) -> "httpx.Response":
        return self.ask("/assets")

    @cached_property
    def _assets(self) -> Mapping[str, Any]:
        """What it says of each asset, by name."""
        listing = self._listing
        try:
            listed = listing.json()["assets"]
            wanted = ("bars", "sessions", "calendar", "measure", "kind", "bar_interval")
            return {it["asset"]: {name: it[name] for name in wanted} for it in listed}
        except (ValueError, KeyError, TypeError) as error:
            self.not_ours(error)

    def _bars(self, asset: str, interval: int, listed: int) -> Bars:
        """All bars of an asset, read from the newest page back."""
        path, pages = f"/assets/{quote(asset)}/bars", []
        following: str | None = f"?limit={PAGE}&known_at={self.known_at:%Y-%m-%dT%H:%M:%SZ}"
        while following is not None:
            response = self.ask(path + following, CSV)
            try:
                pages.append(pd.read_csv(BytesIO(response.content)))
                following = _next(response)
            except ValueError as error:
                self.not_ours(error)
        table = pd.concat(pages[::-1], ignore_index=True)
        if len(table) < listed:  # a proxy, say, whose clock is behind
            self.refuse(
                f"of {listed} bars of {asset} only {len(table)} were known by the time that it "
                f"tells, {self.known_at:%Y-%m-%dT%H:%M:%SZ}",
                "the header date of the service's own clock",
            )
        return from_frame(table, interval)


def _next(response: "httpx.Response") -> str | None:
    """The query of the page that follows.

    Raises
    ------
    ValueError : it leads elsewhere, where the key must not go.
    """
    following = response.links.get("next", {}).get("url")
    if following is not None and not following.startswith("?"):
        raise ValueError(f"the next page is at {following}")
    return following
