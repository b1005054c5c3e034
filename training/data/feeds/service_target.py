"""A running service that bars are put to."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote, urlencode

import numpy as np
import pandas as pd

from training.data.feeds.retrying import PassingFailure, may_pass, patiently, told_delay
from training.data.feeds.targets import Put, UnusableTarget
from training.data.running_service import CSV, JSON, RunningService, detail
from volatility.bars import DAILY, PRICES, Bars
from volatility.frames import from_frame
from volatility.rows import empty_bars, joined, time_name, times_of

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True)
class IngestingService(RunningService):
    """A running service that bars are put to, asked again where it may answer later."""

    option: ClassVar[str] = "to_service"
    vain: ClassVar[str] = "bars cannot be put to"
    scopes: ClassVar[str] = "the scopes forecast and ingest"

    def ask(self, path: str, accept: str = JSON) -> "httpx.Response":
        """What it answers to a ``GET``.

        Raises
        ------
        UnusableService : it refuses.
        Unavailable : it does not answer.
        """
        return self._patiently("GET", path, {"accept": accept})

    def put(self, path: str, body: bytes) -> "httpx.Response":
        """What it answers to a ``PUT`` of JSON, which may come to it twice.

        Raises
        ------
        UnusableService : it refuses.
        Unavailable : it does not answer.
        """
        return self._patiently("PUT", path, {"content-type": JSON}, body)

    def _patiently(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> "httpx.Response":
        import httpx

        def once() -> httpx.Response:
            try:
                response = self.send(method, path, headers, body)
            except httpx.HTTPError as error:
                raise PassingFailure(str(error) or type(error).__name__) from error
            if may_pass(response.status_code):
                reason = f"it answers {response.status_code}: {detail(response)}"
                raise PassingFailure(reason, told_delay(response.headers.get("retry-after")))
            return response

        return self.accepted(patiently(once, self.url), path)


@dataclass(frozen=True)
class ServiceTarget:
    """The bars that a service holds of one asset.

    Parameters
    ----------
    service : it.
    asset : its name there.
    interval : seconds that a bar spans.
    described : its calendar and kind, None where that is not said; the service looks whether they
        are those that it knows.
    """

    service: IngestingService
    asset: str
    interval: int
    described: Mapping[str, str | None]

    @property
    def name(self) -> str:
        """Where it answers."""
        return self.service.url

    @cached_property
    def listed(self) -> Mapping[str, Any] | None:
        """What the service says of the asset, whatever its bars; None where it does not know it.

        Raises
        ------
        UnusableService : it does not answer as a service does.
        """
        try:
            listed = {it["asset"]: it for it in self.service.ask("/assets").json()["assets"]}
            return listed.get(self.asset)
        except (ValueError, KeyError, TypeError) as error:
            self.service.not_ours(error)

    @cached_property
    def known(self) -> Mapping[str, Any] | None:
        """The same of an asset with bars of this length.

        Raises
        ------
        UnusableService : it does not answer as a service does.
        UnusableTarget : it holds, or would hold, bars of another length.
        """
        found = self.listed
        try:
            length = found["bar_interval"] if found else DAILY
        except (KeyError, TypeError) as error:
            self.service.not_ours(error)
        if self.interval != length:
            what = f"has bars of {length} seconds" if found else "is new, and would hold daily bars"
            raise UnusableTarget(
                f"{self.asset} {what} at {self.name}; found bars of {self.interval} seconds",
                field="interval",
                found=self.interval,
                needed=f"bars of {length} seconds",
            )
        return found

    def newest(self) -> Bars:
        """See :meth:`training.data.feeds.targets.Target.newest`."""
        return self._held("limit=1")

    def first_from(self, start: np.datetime64) -> Bars:
        """See :meth:`training.data.feeds.targets.Target.first_from`."""
        return self._held(f"limit=1&start={start.astype('datetime64[s]')}Z")

    def put(self, beside: Bars, bars: Bars, replace: bool) -> Put:
        """See :meth:`training.data.feeds.targets.Target.put`.

        The bar beside goes with them: where the service holds another one by now, it refuses all.
        Not where bars are replaced, or this would undo what another process has replaced meanwhile.
        """
        wanted = {**self.described, "replace": "true" if replace else None}
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        path = f"/assets/{quote(self.asset)}/bars?{query}"
        answer = self.service.put(path, _as_json(bars if replace else joined(beside, bars)))
        try:
            told = answer.json()
            return Put(told["added"], told["replaced"], tuple(told["warnings"]))
        except (ValueError, KeyError, TypeError) as error:
            self.service.not_ours(error)

    def _held(self, query: str) -> Bars:
        if self.known is None or not self.known["bars"]:
            return empty_bars(self.interval)
        answer = self.service.ask(f"/assets/{quote(self.asset)}/bars?{query}", CSV)
        try:
            table = pd.read_csv(io.BytesIO(answer.content))
            return from_frame(table, self.interval) if len(table) else empty_bars(self.interval)
        except ValueError as error:
            self.service.not_ours(error)


def _as_json(bars: Bars) -> bytes:
    names = (time_name(bars.is_daily), *PRICES)
    columns = (getattr(bars, price).tolist() for price in PRICES)
    rows = zip(times_of(bars), *columns, strict=True)
    return json.dumps({"bars": [dict(zip(names, row, strict=True)) for row in rows]}).encode()
