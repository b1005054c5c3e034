"""Realized volatility in a notebook or a program: measure, fit, forecast, compare, plot.

>>> import roughcast
>>> bars = roughcast.dataset("BTC-USD")
>>> rv = roughcast.measure(bars)
>>> roughcast.forecast(bars).at(1).volatility_annualized
0.66...

What a name needs is loaded when it is first used: importing this package loads nothing else.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from roughcast.client import (
        AsyncClient,
        Client,
        NotUnderstood,
        Problem,
        Question,
        ServiceError,
        Unreachable,
    )
    from roughcast.comparing import compare
    from roughcast.datasets import dataset
    from roughcast.fitting import FittedModel, fit
    from roughcast.forecasting import forecast
    from roughcast.measuring import measure
    from roughcast.reading import read_bars
    from roughcast.results.comparison import Comparison
    from roughcast.results.forecast import Forecast
    from roughcast.results.hurst import HurstReport
    from roughcast.results.summary import Summary
    from roughcast.roughness import hurst
    from volatility.errors import RoughcastError

_WHERE = {
    "AsyncClient": "roughcast.client",
    "Client": "roughcast.client",
    "Comparison": "roughcast.results.comparison",
    "FittedModel": "roughcast.fitting",
    "Forecast": "roughcast.results.forecast",
    "HurstReport": "roughcast.results.hurst",
    "NotUnderstood": "roughcast.client",
    "Problem": "roughcast.client",
    "Question": "roughcast.client",
    "RoughcastError": "volatility.errors",
    "ServiceError": "roughcast.client",
    "Summary": "roughcast.results.summary",
    "Unreachable": "roughcast.client",
    "compare": "roughcast.comparing",
    "dataset": "roughcast.datasets",
    "fit": "roughcast.fitting",
    "forecast": "roughcast.forecasting",
    "hurst": "roughcast.roughness",
    "measure": "roughcast.measuring",
    "read_bars": "roughcast.reading",
}

__all__ = [
    "AsyncClient",
    "Client",
    "Comparison",
    "FittedModel",
    "Forecast",
    "HurstReport",
    "NotUnderstood",
    "Problem",
    "Question",
    "RoughcastError",
    "ServiceError",
    "Summary",
    "Unreachable",
    "compare",
    "dataset",
    "fit",
    "forecast",
    "hurst",
    "measure",
    "read_bars",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("roughcast")
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
