"""What ``forecast``, ``hurst`` and ``compare`` do: read bars, call this package, print."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from roughcast.commands.sparkline import sparkline
from roughcast.results.comparison import Comparison
from roughcast.results.forecast import Forecast
from roughcast.results.hurst import HurstReport
from roughcast.results.tables import aligned
from volatility.datasets import NAMES
from volatility.errors import InvalidInput
from volatility.names import did_you_mean

NOTES = 3  # that are printed without -v
SHOWN = 44  # newest sessions, two months
WIDEST = 88  # columns of notes
ELSEWHERE = ("losses", "history")  # tables that have no place in a line of JSON


class Said(NamedTuple):
    """The bars that are asked about, and what is said of them."""

    source: str
    calendar: str | None
    kind: str | None
    measure: str | None


class Output(NamedTuple):
    """How an answer is printed."""

    as_json: bool
    quiet: bool
    verbose: bool


def forecast(
    said: Said,
    horizons: Sequence[int],
    levels: Sequence[float],
    quantiles: Sequence[float],
    output: Output,
) -> None:
    """Print the forecast of some bars, below their newest sessions.

    Raises
    ------
    RoughcastError : they cannot be read, or not be forecast.
    """
    from roughcast.forecasting import forecast as ask

    name, bars = read(said.source)
    found = ask(
        bars,
        horizons,
        calendar=said.calendar,
        kind=said.kind,
        levels=levels,
        quantiles=quantiles,
        asset=name,
    )
    above = []
    if found.history is not None and found.periods_per_year is not None:
        rv = found.history.to_numpy(np.float64)[-SHOWN:]
        past = np.sqrt(rv * found.periods_per_year)
        span = f"{past.min():.0%} to {past.max():.0%}, last {past[-1]:.1%}"
        above = [sparkline(past), f"the last {len(past)} sessions: {span}", ""]
    told = {"model_sha256": found.model_sha256, "measure": found.measure}
    _print(found, output, {**said._asdict(), **told}, above)


def hurst(said: Said, output: Output) -> None:
    """Print how rough the volatility of some bars is.

    Raises
    ------
    RoughcastError : they cannot be read or measured, or are too few.
    """
    from roughcast.measuring import measure
    from roughcast.roughness import hurst as ask

    _, bars = read(said.source)
    rv = measure(bars, said.measure, calendar=said.calendar)
    _print(ask(rv), output, said._asdict() | {str(name): it for name, it in rv.attrs.items()})


def compare(said: Said, models: Sequence[str], horizon: int, output: Output) -> None:
    """Print how models do on some bars.

    Raises
    ------
    RoughcastError : they cannot be read, or a model not be fitted.
    """
    from roughcast.comparing import compare as ask

    _, bars = read(said.source)
    found = ask(
        bars,
        models,
        horizon=horizon,
        calendar=said.calendar,
        kind=said.kind,
        measure=said.measure,
    )
    _print(found, output, said._asdict())


def read(source: str) -> tuple[str | None, pd.DataFrame]:
    """The name, if it is a shipped asset's, and the bars.

    Raises
    ------
    InvalidInput : there is no such file or asset, or the file cannot be read.
    """
    from roughcast.datasets import dataset
    from training.data.bars_file import read_table

    path = Path(source)
    if path.exists():
        return None, read_table(path)
    if source in NAMES:
        return source, dataset(source)
    beside = [it.name for it in path.parent.iterdir()] if path.parent.is_dir() else []
    hint = did_you_mean(path.name, [*beside, *NAMES])
    needed = f"a file of bars, or one of {', '.join(NAMES)}"
    raise InvalidInput(
        f"there is no file {source}{hint}; needed: {needed}",
        code="unknown_source",
        field="file",
        found=source,
        needed=needed,
    )


def _print(
    found: Forecast | HurstReport | Comparison,
    output: Output,
    configuration: dict[str, Any],
    above: Sequence[str] = (),
) -> None:
    if output.as_json:
        content = {it.name: getattr(found, it.name) for it in fields(found)}
        kept = {name: it for name, it in content.items() if name not in ELSEWHERE}
        sys.stdout.write(json.dumps(kept, default=_told, indent=2) + "\n")
        return
    if output.quiet:
        sys.stdout.write(aligned(found.lines()) + "\n")
        return
    if output.verbose:
        lines = [f"{name} = {it}" for name, it in configuration.items()]
        sys.stdout.write("\n".join([*lines, "", ""]))
    width = min(shutil.get_terminal_size().columns, WIDEST)
    most = None if output.verbose else NOTES
    sys.stdout.write("\n".join([*above, found.text(width, most), ""]))


def _told(value: Any) -> Any:
    """A date as text, and what has fields as an object."""
    if isinstance(value, date):
        return value.isoformat()
    return {it.name: getattr(value, it.name) for it in fields(value)}
