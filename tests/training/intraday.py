"""Simulated assets whose bars are intraday, with every column that such bars give."""

from collections.abc import Mapping

import numpy as np

from tests.training.simulated import asset_of
from training.data.assets import AssetData
from volatility.arrays import FloatArray
from volatility.measures.columns import INTRADAY_COLUMNS
from volatility.measures.intraday import realized_variance
from volatility.series import DatedSeries


def asset_of_returns(returns: FloatArray) -> AssetData:
    """An asset of (days, intraday) log returns."""
    return asset_of("X", series_of(realized_variance(returns), columns_of(returns)))


def columns_of(returns: FloatArray) -> dict[str, FloatArray]:
    return {name: function(returns) for name, function in INTRADAY_COLUMNS.items()}


def series_of(rv: FloatArray, columns: Mapping[str, FloatArray]) -> DatedSeries:
    days = np.datetime64("1900-01-01") + np.arange(len(rv))
    return DatedSeries(rv, "realized_variance", days, columns=columns)
