"""Table 2: moments of log realized volatility."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from training.reproduction import paper
from training.reproduction.forecasts import Results, ScoringProtocol
from training.reproduction.samples import bitcoin_daily, spx_daily
from training.reproduction.table import Cell, Quantity, Row, Table, fixed
from volatility.arrays import FloatArray

HOW = {
    ScoringProtocol.SAME: "log_rv of all rows of spx_data and btc_data, a rolling standard "
    "deviation of 22 daily or 24 hourly returns, annualized",
    ScoringProtocol.PROPER: "log of annualized volatility, by a daily measure without overlap: "
    "Garman-Klass for the S&P 500, the variance of 24 hourly returns for Bitcoin",
}

_MOMENTS: Mapping[str, tuple[str, Callable[[FloatArray], float]]] = {
    "mean": ("mean", lambda values: float(values.mean())),
    "deviation": ("standard deviation", lambda values: float(values.std(ddof=1))),
    "skewness": ("skewness", lambda values: _standardized_moment(values, 3)),
    "kurtosis": ("kurtosis (a normal has 3)", lambda values: _standardized_moment(values, 4)),
    "excess_kurtosis": ("excess kurtosis", lambda values: _standardized_moment(values, 4) - 3),
    "minimum": ("minimum", lambda values: float(values.min())),
    "maximum": ("maximum", lambda values: float(values.max())),
}


def table(results: Results) -> Table:
    """Moments of both series, as published and measured properly."""
    data = results.data
    series = {
        paper.SPX: (data.spx.whole.log_rv, spx_daily(data).log_volatility.values),
        paper.BITCOIN: (
            data.bitcoin.whole.log_rv,
            bitcoin_daily(data).log_volatility.values,
        ),
    }
    return Table(
        number=2,
        slug="moments",
        title="Descriptive statistics of log realized volatility",
        item_heading="asset",
        how=HOW,
        rows=[
            row for asset, (same, proper) in series.items() for row in _rows(asset, same, proper)
        ],
        notes=["Nothing is forecast here, so there is nothing to align."],
    )


def _rows(asset: str, same: FloatArray, proper: FloatArray) -> Iterator[Row]:
    for name, (label, moment) in _MOMENTS.items():
        yield Row(
            asset,
            asset,
            Quantity(name, label, fixed(2)),
            paper.MOMENTS[asset].get(name),
            {
                ScoringProtocol.SAME: Cell((moment(same),), len(same)),
                ScoringProtocol.PROPER: Cell((moment(proper),), len(proper)),
            },
        )


def _standardized_moment(values: FloatArray, order: int) -> float:
    return float(np.mean(((values - values.mean()) / values.std()) ** order))
