"""The held history in memory.

Reading needs no database and no lock: what is :class:`Held` of an asset stays as it is, and a merge
puts another in its place once the database has it.
"""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated

import numpy as np

from models_store import Calibration, LoadedModel
from service.assets.database import HeldAsset, HeldBars, HistoryStore, Merge
from service.http.state import from_state
from service.models.catalogue import AUTO, Catalogue
from volatility import datasets
from volatility.arrays import DateArray
from volatility.bars import Bars
from volatility.calendars import Calendar, get_calendar
from volatility.companions import Companion, accompanied
from volatility.errors import InvalidInput, NoHistory, OutsideCalendar, UnknownAsset
from volatility.measures.session_returns import session_returns
from volatility.scale_free import usual_kind
from volatility.series import DatedSeries, daily_series


class Held:
    """Bars of one asset at one revision, and the daily series made from them, each made once.

    Parameters
    ----------
    asset : what is known of it besides its bars.
    bars : all of them.
    revision : grows by one with every change of the bars.
    """

    def __init__(self, asset: HeldAsset, bars: Bars, revision: int) -> None:
        self.asset = asset
        self.bars = bars
        self.revision = revision
        self._series: dict[tuple[str, tuple[str, ...]], DatedSeries] = {}
        # By model, and by model and horizon, with the revisions of the companions beside.
        self._accompanied: dict[str, tuple[tuple[int, ...], DatedSeries]] = {}
        self._calibrations: dict[tuple[str, int], tuple[tuple[int, ...], Calibration]] = {}

    @cached_property
    def calendar(self) -> Calendar:
        """Sessions of the asset."""
        return get_calendar(self.asset.calendar)

    def series(self, measure: str | None = None, columns: tuple[str, ...] = ()) -> DatedSeries:
        """Daily series of a measure, by default the asset's own, with columns beside rv.

        Raises
        ------
        ConstantPrices : no session has a realized measure above zero.
        """
        name = measure or self.asset.measure
        known = self._series.get((name, columns))
        if known is None:
            known, _ = daily_series(self.bars, name, self.calendar, columns)
            self._series[name, columns] = known
        return known

    def accompanied(
        self, model: LoadedModel, companions: Iterable[Companion], revisions: tuple[int, ...]
    ) -> DatedSeries:
        """Daily series in a model's measure, with the columns of its companions.

        Only that beside the latest companions is kept.

        Parameters
        ----------
        model : that looks at them.
        companions : held ones.
        revisions : theirs.

        Raises
        ------
        ConstantPrices : no session has a realized measure above zero.
        OutsideCalendar : a date that one of the calendars does not cover.
        """
        known = self._accompanied.get(model.identity)
        if known is None or known[0] != revisions:
            own = self.series(model.manifest.measure, model.manifest.own_columns)
            known = revisions, accompanied(own, model.calendar, companions)
            self._accompanied[model.identity] = known
        return known[1]

    def calibration(
        self,
        model: LoadedModel,
        horizon: int,
        series: DatedSeries | None = None,
        revisions: tuple[int, ...] = (),
    ) -> Calibration:
        """The past errors of a model at the end of what is held.

        Only those beside the latest companions are kept.

        Parameters
        ----------
        model : any.
        horizon : sessions ahead.
        series : :meth:`accompanied`, of a model with companions.
        revisions : of these companions.

        Raises
        ------
        ConstantPrices : no session has a realized measure above zero.
        UnsupportedHorizon : the model does not forecast so many sessions ahead.
        """
        known = self._calibrations.get((model.identity, horizon))
        if known is None or known[0] != revisions:
            if series is None:
                series = self.series(model.manifest.measure, model.manifest.columns)
            known = revisions, model.calibrate(series, horizon=horizon)
            self._calibrations[model.identity, horizon] = known
        return known[1]

    def is_calibrated(
        self, model: LoadedModel, horizon: int, revisions: tuple[int, ...] = ()
    ) -> bool:
        """Whether :meth:`calibration` answers at once."""
        known = self._calibrations.get((model.identity, horizon))
        return known is not None and known[0] == revisions

    def sessions(self) -> DateArray:
        """Sessions of the asset's own series; none while the bars do not make one up."""
        try:
            return self.series().dates
        except InvalidInput:
            return np.empty(0, "datetime64[D]")

    @cached_property
    def session_nobs(self) -> int:
        """Returns of the median session that is measured, of bars shorter than a day."""
        return session_returns(self.bars, self.calendar)[0].median_nobs

    def stale_sessions(self, now: datetime) -> int | None:
        """Sessions that have closed since the last one held; None where the clock lies too far."""
        sessions = self.sessions()
        if not len(sessions):
            return None
        try:
            return self.calendar.stale_sessions(sessions[-1], now)
        except OutsideCalendar:
            return None

    def doubt_of_clock(self, now: datetime) -> str | None:
        """Why the time cannot be right, or the sessions held cannot, if one of them cannot."""
        sessions = self.sessions()
        try:
            closed = self.calendar.last_closed_session(now)
        except OutsideCalendar as error:
            return f"the clock of the service may be wrong: {error}"
        if not len(sessions) or sessions[-1] <= closed:
            return None
        return (
            f"the history of {self.asset.asset} ends on {sessions[-1]}, which has not closed by "
            f"the clock of the service; the last session that has is {closed}: one of the two is "
            "wrong"
        )


class Holdings:
    """Every held asset.

    Parameters
    ----------
    store : the database behind it.
    """

    def __init__(self, store: HistoryStore) -> None:
        self.store = store
        self._putting = threading.Lock()
        self._held: dict[str, Held] = {}

    def load(self) -> None:
        """Read every asset from the database, and make the series of its own measure.

        Series of other measures, or with columns, are made when a model first needs them.
        """
        for asset in self.store.assets():
            self._held[asset] = _made(self.store.read(asset))

    def refresh(self, revisions: Mapping[str, int]) -> list[str]:
        """Read again what the database has at another revision than memory.

        Parameters
        ----------
        revisions : those of the database, by asset.

        Returns
        -------
        Names of the assets that were read.
        """
        changed = [asset for asset, it in revisions.items() if self._revision(asset) != it]
        for asset in changed:
            known = self._held.get(asset)
            held = _made(self.store.read(asset))
            with self._putting:
                if self._held.get(asset) is known:  # else a merge has put newer bars there
                    self._held[asset] = held
        return changed

    def __len__(self) -> int:
        return len(self._held)

    def assets(self) -> list[str]:
        """Names of the assets held, sorted."""
        return sorted(self._held)

    def find(self, asset: str) -> Held | None:
        """What is held of an asset, if anything."""
        return self._held.get(asset)

    def get(self, asset: str) -> Held:
        """What is held of an asset.

        Raises
        ------
        NoHistory : nothing.
        """
        held = self._held.get(asset)
        if held is None or not len(held.bars):
            raise NoHistory(
                f"no history is held for {asset}; send it with the request, or add bars with "
                f"PUT /assets/{asset}/bars",
                field="history",
                found=None,
                needed="history in the request, or held bars",
            )
        return held

    def merge(self, asset: HeldAsset, bars: Bars, replace: bool) -> tuple[Merge, Held]:
        """Add bars to what is held, in the database and then in memory.

        Returns
        -------
        What the merge did, and what is held after it.

        Raises
        ------
        BarsConflict : a bar contradicts a held one, and ``replace`` is false.
        DatabaseUnavailable : the database does not answer, or not in time. Should it have the bars
            all the same, they are found when revisions are next compared.
        """
        merge = self.store.merge(asset, bars, replace)
        held = _made(merge.held)
        with self._putting:
            known = self._held.get(asset.asset)
            if known is None or known.revision < held.revision:
                self._held[asset.asset] = held
        return merge, held

    def _revision(self, asset: str) -> int | None:
        held = self._held.get(asset)
        return None if held is None else held.revision


def _made(read: HeldBars) -> Held:
    """What is held, with the series of its own measure: not to be made on the event loop."""
    held = Held(read.asset, read.bars, read.revision)
    held.sessions()
    return held


HoldingsDep = Annotated[Holdings, from_state("holdings")]


def known_asset(name: str, holdings: Holdings, catalogue: Catalogue) -> HeldAsset:
    """What is known of an asset: from the held history, or from the models that serve it.

    Raises
    ------
    UnknownAsset : it is in neither.
    ArtifactRefused : none of its models serves, and nothing is held.
    """
    known = find_asset(name, holdings, catalogue)
    if known is not None:
        return known
    names = ", ".join(sorted({*holdings.assets(), *catalogue.assets()})) or "none"
    raise UnknownAsset(
        f"there is no asset {name!r}; there are {names}. A new one is made by its first bars: "
        f"PUT /assets/{name}/bars",
        field="asset",
        found=name,
        needed=f"one of {names}",
    )


def find_asset(name: str, holdings: Holdings, catalogue: Catalogue) -> HeldAsset | None:
    """What is known of an asset, if anything is.

    Raises
    ------
    ArtifactRefused : none of its models serves, and nothing is held.
    """
    held = holdings.find(name)
    if held is not None:
        return held.asset
    model = catalogue.find(name, AUTO)
    if model is None:
        catalogue.check_not_refused(name)
        return None
    manifest = model.manifest
    return HeldAsset(
        asset=name,
        calendar=manifest.calendar,
        measure=manifest.measure,
        bar_interval=manifest.bar_interval,
        source="sent over HTTP",
        kind=catalogue.kind(name) or usual_kind(manifest.calendar),
    )


def shipped() -> Iterable[tuple[HeldAsset, Bars]]:
    """The bars that come with the package, to fill an empty database."""
    for name in datasets.NAMES:
        dataset = datasets.load(name)
        asset = HeldAsset(
            asset=dataset.name,
            calendar=dataset.calendar,
            measure=dataset.measure,
            bar_interval=dataset.bars.interval,
            source=dataset.source,
            kind=dataset.kind,
        )
        yield asset, dataset.bars
