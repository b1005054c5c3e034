"""From what is held to what is said of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np

from models_store.names import UNIVERSAL
from service.assets.database import HeldAsset
from service.assets.held import Held
from service.assets.holdings import Holdings, known_asset
from service.assets.ingest import Ingested
from service.assets.schemas import AssetAnswer, HistoryAnswer, InferredAnswer, MergeAnswer
from service.http.cutting import cut
from service.http.json import to_date
from service.models.catalogue import Catalogue
from volatility.arrays import DateArray
from volatility.calendars import get_calendar
from volatility.formats.reading import Inferred
from volatility.series import DatedSeries


def sessions_of(history: HistoryAnswer) -> Iterator[dict[str, object]]:
    """The rows of a history, of a session each."""
    names = ("date", "rv", "volatility_annualized")
    columns = (history["dates"], history["rv"], history["volatility_annualized"])
    return (dict(zip(names, it, strict=True)) for it in zip(*columns, strict=True))


def merge_answer(ingested: Ingested) -> MergeAnswer:
    """What became of bars that were sent."""
    merge, held = ingested.merge, ingested.held
    sessions = held.sessions()
    return MergeAnswer(
        asset=held.asset.asset,
        added=merge.added,
        unchanged=merge.unchanged,
        replaced=merge.replaced,
        dropped=ingested.dropped,
        bars=len(held.bars),
        last_session=to_date(sessions[-1]) if len(sessions) else None,
        inferred=_inferred(ingested.inferred),
        warnings=list(ingested.warnings),
    )


def _inferred(said: Inferred) -> InferredAnswer:
    return InferredAnswer(
        layout=said.layout,
        content=said.content,
        packed=said.packed,
        delimiter=said.delimiter,
        decimal=said.decimal,
        dates=said.dates,
        order=said.order,
        interval=said.interval,
        dropped=list(map(cut, said.dropped)),
        sorted_rows=said.sorted_rows,
        mended_rows=said.mended_rows,
        notes=list(map(cut, said.notes)),
    )


def asset_answer(name: str, holdings: Holdings, catalogue: Catalogue, now: datetime) -> AssetAnswer:
    """An asset: what is held of it, and which models serve it.

    Raises
    ------
    UnknownAsset : it is neither held nor has models.
    ArtifactRefused : none of its models serves, and nothing is held.
    """
    known = known_asset(name, holdings, catalogue)
    held = holdings.find(name)
    sessions: DateArray = held.sessions() if held else np.empty(0, "datetime64[D]")
    return AssetAnswer(
        asset=name,
        calendar=known.calendar,
        periods_per_year=get_calendar(known.calendar).periods_per_year,
        kind=known.kind,
        measure=known.measure,
        bar_interval=known.bar_interval,
        bars=len(held.bars) if held else 0,
        sessions=len(sessions),
        first_session=to_date(sessions[0]) if len(sessions) else None,
        last_session=to_date(sessions[-1]) if len(sessions) else None,
        stale_sessions=held.stale_sessions(now) if held else None,
        source=known.source,
        models=catalogue.models(name),
        champion=_champion(known, catalogue),
    )


def _champion(known: HeldAsset, catalogue: Catalogue) -> str | None:
    """The model that ``auto`` means."""
    if catalogue.models(known.asset):
        return catalogue.champion(known.asset)
    is_for_every = catalogue.universal.knows(known.bar_interval, known.measure)
    return UNIVERSAL if is_for_every else None


def history_answer(held: Held, series: DatedSeries, doubt: str | None) -> HistoryAnswer:
    """Sessions of a held asset.

    Parameters
    ----------
    held, series : it, and its sessions.
    doubt : why bars may be missing from it, if so.
    """
    annualized = np.sqrt(series.rv * held.calendar.periods_per_year)
    return HistoryAnswer(
        asset=held.asset.asset,
        measure=series.measure,
        nobs=len(series),
        dates=series.dates.tolist(),
        rv=series.rv.tolist(),
        volatility_annualized=annualized.tolist(),
        last_bar=held.bars.timestamps[-1].item().replace(tzinfo=UTC),
        warnings=[doubt] if doubt else [],
    )
