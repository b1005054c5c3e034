"""The bars that are shipped, as tables."""

import pandas as pd

from roughcast.frames import indexed
from volatility import datasets


def dataset(name: str) -> pd.DataFrame:
    """Bars that come with the package, to try things on.

    Parameters
    ----------
    name : ``SPX`` (daily, 2000-2020), ``BTC-USD`` (daily, 2014-2021), ``BTC-USD-1H`` (hourly,
        2017-2019) or ``ETH-USD`` (daily, 2016-2020).

    Returns
    -------
    Open, high, low and close by time in UTC. Its ``attrs`` name asset, calendar, kind and measure,
    which functions of this package take where they are given none.

    Raises
    ------
    UnknownAsset : there is none of the name.

    Examples
    --------
    >>> bars = dataset("SPX")
    >>> bars.columns.tolist(), bars.attrs["calendar"]
    (['open', 'high', 'low', 'close'], 'XNYS')
    """
    shipped = datasets.load(name)
    frame = indexed(shipped.bars)
    frame.attrs = {
        "asset": name,
        "calendar": shipped.calendar,
        "kind": shipped.kind,
        "measure": shipped.measure,
    }
    return frame
