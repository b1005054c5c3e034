"""What was held, as it was known at a time."""

from collections.abc import Mapping
from datetime import UTC, datetime

from service.assets.held import Held
from service.assets.holdings import Holdings
from service.http.errors import NotYetKnown
from volatility.errors import NoHistory


class PastHoldings:
    """Held assets in states of the past, each read from the database once.

    Parameters
    ----------
    holdings : what is held now.
    known_at : by asset, the `known_at` of the state.

    Attributes
    ----------
    known_at : the one time at which all was known, with a time zone; None where each asset has its
        own.
    """

    def __init__(self, holdings: Holdings, known_at: Mapping[str, int]) -> None:
        self.known_at: datetime | None = None
        self._holdings = holdings
        self._of_each = known_at
        self._read: dict[str, Held] = {}

    def find(self, asset: str) -> Held | None:
        """What was known of an asset, which may be no bars; None where it is not held.

        Raises
        ------
        DatabaseUnavailable : the database does not answer, or not in time.
        """
        if asset not in self._read:
            moment = self._moment(asset)
            if moment is None or self._holdings.find(asset) is None:
                return None
            try:
                self._read[asset] = Held.of(self._holdings.store.read(asset, moment))
            except NoHistory:  # deleted meanwhile
                return None
        return self._read[asset]

    def get(self, asset: str) -> Held:
        """What was known of an asset.

        Raises
        ------
        NoHistory : nothing.
        HistoryDamaged : what the database has of it is not what was put there.
        DatabaseUnavailable : the database does not answer, or not in time.
        """
        held = self.find(asset)
        if held is None or not len(held.bars):
            raise self._nothing_of(asset)
        held.check()
        return held

    def _moment(self, asset: str) -> datetime | int | None:
        return self._of_each.get(asset)

    def _nothing_of(self, asset: str) -> NoHistory:
        return NoHistory(
            f"the bars of {asset} that were known are held no longer",
            field="asset",
            found=asset,
            needed="an asset that has not been deleted since",
        )


class KnownHoldings(PastHoldings):
    """Held assets as they were known at a time.

    Parameters
    ----------
    holdings : what is held now.
    known_at : the time, in UTC where it has no time zone.
    now : the present.

    Attributes
    ----------
    at : the time, with a time zone.

    Raises
    ------
    NotYetKnown : the time has not come.
    """

    def __init__(self, holdings: Holdings, known_at: datetime, now: datetime) -> None:
        super().__init__(holdings, {})
        aware = known_at if known_at.tzinfo else known_at.replace(tzinfo=UTC)
        if aware > now:
            raise NotYetKnown(
                f"known_at: {aware.isoformat()} has not come",
                field="known_at",
                found=aware.isoformat(),
                needed=f"a time up to {now.isoformat()}",
            )
        self.at = self.known_at = aware

    def _moment(self, _asset: str) -> datetime:
        return self.at

    def _nothing_of(self, asset: str) -> NoHistory:
        return NoHistory(
            f"nothing was known of {asset} at {self.at.isoformat()}",
            field="known_at",
            found=self.at.isoformat(),
            needed="a time at which bars were held",
        )
