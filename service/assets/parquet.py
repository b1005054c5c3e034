"""Held bars as a Parquet file, where pyarrow is installed."""

import io
from importlib.util import find_spec

from service.assets.reading import PARQUET
from service.http.errors import NotAcceptable
from volatility.bars import PRICES, Bars


def check_parquet() -> None:
    """Refuse to write Parquet where that cannot be done.

    Raises
    ------
    NotAcceptable : pyarrow is not installed.
    """
    if find_spec("pyarrow") is None:
        raise NotAcceptable(
            "this service writes no Parquet: pyarrow, the extra parquet, is not installed",
            field="accept",
            found=PARQUET,
            needed="application/json or text/csv",
        )


def as_parquet(bars: Bars) -> list[bytes]:
    """Bars as `training retrain --bars` reads them: the time in UTC, and four prices.

    The time is ``date``, at midnight, of daily bars and ``timestamp`` of shorter ones.
    """
    import pandas as pd  # half a second to load, which a service that is asked for none spares

    times = pd.DatetimeIndex(bars.timestamps)
    columns = {"date": times} if bars.is_daily else {"timestamp": times.tz_localize("UTC")}
    table = pd.DataFrame(columns | {price: getattr(bars, price) for price in PRICES})
    written = io.BytesIO()
    table.to_parquet(written, engine="pyarrow", index=False)
    return [written.getvalue()]
