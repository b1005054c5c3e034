"""The held history in memory.

Reading needs no database and no lock: what is :class:`.held.Held` of an asset stays as it is, and a
merge puts another in its place once the database has it.
"""

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Annotated

import structlog

from service.assets.database import HeldAsset, HeldBars, HistoryStore
from service.assets.deleting import Deleted
from service.assets.held import Held
from service.assets.merging import Merge
from service.http.state import from_state
from service.models.catalogue import AUTO, MOST_NAMED, Catalogue
from volatility import datasets
from volatility.bars import Bars
from volatility.errors import NoHistory, UnknownAsset
from volatility.formats.reading import listed
from volatility.scale_free import usual_kind

log = structlog.get_logger("service")


class Holdings:
    """Every held asset.

    Parameters
    ----------
    store : the database behind it.

    Attributes
    ----------
    doubt : why what is held may lack bars, for whoever gets a forecast from it; None while it
        follows the database.
    """

    def __init__(self, store: HistoryStore) -> None:
        self.store = store
        self.doubt: str | None = None
        self._putting = threading.Lock()
        self._held: dict[str, Held] = {}
        self._deleted: dict[str, int] = {}  # revisions up to which an asset is held no longer

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
        Names of the assets that were read, or are held no longer.
        """
        changed = [asset for asset, it in revisions.items() if self._revision(asset) != it]
        for asset in changed:
            known = self._held.get(asset)
            with suppress(NoHistory):  # deleted meanwhile
                held = _made(self.store.read(asset))
                with self._putting:
                    # Else a merge has put newer bars there, or it has been deleted.
                    if self._held.get(asset) is known and not self._is_deleted(held):
                        self._held[asset] = held
        return [*changed, *self._forget(revisions)]

    def __len__(self) -> int:
        return len(self._held)

    def assets(self) -> list[str]:
        """Names of the assets held, sorted."""
        return sorted(self._held)

    def find(self, asset: str) -> Held | None:
        """What is held of an asset, if anything."""
        return self._held.get(asset)

    def held_as(self, asset: str) -> tuple[int, str] | None:
        """Seconds that a bar of a held asset spans, and its measure; None of one that is not."""
        held = self._held.get(asset)
        return None if held is None else (held.asset.bar_interval, held.asset.measure)

    def get(self, asset: str) -> Held:
        """What is held of an asset.

        Raises
        ------
        NoHistory : nothing.
        HistoryDamaged : what the database has of it is not what was put there.
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
        held.check()
        return held

    def merge(
        self, asset: HeldAsset, bars: Bars, replace: bool, put_by: str = ""
    ) -> tuple[Merge, Held]:
        """Add bars to what is held, in the database and then in memory.

        Parameters
        ----------
        asset, bars, replace, put_by : as in :meth:`HistoryStore.merge`.

        Returns
        -------
        What the merge did, and what is held after it.

        Raises
        ------
        BarsConflict : a bar contradicts a held one, and ``replace`` is false.
        DatabaseUnavailable : the database does not answer, or not in time. Should it have the bars
            all the same, they are found when revisions are next compared.
        """
        merge = self.store.merge(asset, bars, replace, put_by)
        held = self._after(merge, asset)
        self._put(held)
        return merge, held

    def register(self, asset: HeldAsset) -> bool:
        """Hold an asset without bars, in the database and then in memory; whether it is new.

        Raises
        ------
        BarsConflict : it has been held meanwhile as something else.
        DatabaseUnavailable : as in :meth:`merge`.
        """
        is_new = self.store.register(asset)
        held = _made(self.store.read(asset.asset))
        self._put(held)
        return is_new

    def delete(self, asset: str, by: str = "") -> Deleted:
        """Hold an asset no longer, in the database and then in memory.

        Parameters
        ----------
        asset, by : as in :meth:`HistoryStore.delete`.

        Raises
        ------
        NoHistory : it is not held.
        DatabaseUnavailable : as in :meth:`merge`.
        """
        deleted = self.store.delete(asset, by)
        with self._putting:
            # A merge that was committed before may not have put its bars into memory yet.
            self._deleted[asset] = deleted.revision
            known = self._held.get(asset)
            if known is not None and self._is_deleted(known):  # else it is held anew
                del self._held[asset]
        return deleted

    def _is_deleted(self, held: Held) -> bool:
        return held.revision <= self._deleted.get(held.asset.asset, -1)

    def _put(self, held: Held) -> None:
        """Put something in its place in memory, unless what is there is newer."""
        with self._putting:
            known = self._held.get(held.asset.asset)
            is_newest = known is None or known.revision < held.revision
            if is_newest and not self._is_deleted(held):
                self._held[held.asset.asset] = held

    def _forget(self, revisions: Mapping[str, int]) -> list[str]:
        """Let go of what the database no longer has; their names."""
        absent = {it: self._held[it] for it in self.assets() if it not in revisions}
        # An asset that was made after revisions were read is not gone.
        gone = set(absent) - set(self.store.assets()) if absent else set()
        with self._putting:
            gone = {it for it in gone if self._held.get(it) is absent[it]}
            for asset in gone:
                del self._held[asset]
        return sorted(gone)

    def _after(self, merge: Merge, asset: HeldAsset) -> Held:
        """What is held after a merge: read anew only where memory does not have what was before."""
        known = self._held.get(asset.asset)
        if known is not None and known.revision == merge.revision:
            return known
        if known is not None and known.revision == merge.before:
            return known.updated(merge.written, merge.revision, merge.known_at)
        if known is None and merge.before == 0:  # the first bars of a new asset
            return _made(HeldBars(asset, merge.written, merge.revision, merge.known_at))
        return _made(self.store.read(asset.asset))

    def _revision(self, asset: str) -> int | None:
        held = self._held.get(asset)
        return None if held is None else held.revision


def _made(read: HeldBars) -> Held:
    """What is held, with the series of its own measure: not to be made on the event loop."""
    held = Held.of(read)
    if held.damage is not None:
        log.error("bars damaged", asset=read.asset.asset, reason=held.damage)
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
    names = listed(sorted({*holdings.assets(), *catalogue.assets()}), MOST_NAMED) or "none"
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


def shipped() -> Iterable[HeldBars]:
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
        yield HeldBars(asset, dataset.bars, revision=1)
