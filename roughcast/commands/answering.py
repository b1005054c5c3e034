"""What ``forecast``, ``hurst`` and ``compare`` do: read bars, call this package, print."""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
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
_OVER_HTTP = {"horizons": "term_structure", "scores": "rows", "left_out": "excluded"}


class Said(NamedTuple):
    """The bars that are asked about, and what is said of them.

    Attributes
    ----------
    source : path of a file, or a shipped asset's name.
    written : how the file is written, as :func:`roughcast.read_bars` takes it; ``columns`` as on
        the command line.
    calendar, kind, measure : of the asset.
    """

    source: str
    written: Mapping[str, Any]
    calendar: str | None
    kind: str | None
    measure: str | None

    @property
    def configuration(self) -> dict[str, Any]:
        """All that was said, and nothing else."""
        told = {**self._asdict(), **self.written}
        return {name: it for name, it in told.items() if it and name != "written"}


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

    name, bars = read(said)
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
    _print(found, output, {**said.configuration, **bars.attrs, **told}, above)


def hurst(said: Said, output: Output) -> None:
    """Print how rough the volatility of some bars is.

    Raises
    ------
    RoughcastError : they cannot be read or measured, or are too few.
    """
    from roughcast.measuring import measure
    from roughcast.roughness import hurst as ask

    _, bars = read(said)
    rv = measure(bars, said.measure, calendar=said.calendar)
    _print(ask(rv), output, {**said.configuration, **bars.attrs, **rv.attrs})


def compare(said: Said, models: Sequence[str], horizon: int, output: Output) -> None:
    """Print how models do on some bars.

    Raises
    ------
    RoughcastError : they cannot be read, or a model not be fitted.
    """
    from roughcast.comparing import compare as ask

    _, bars = read(said)
    found = ask(
        bars,
        models,
        horizon=horizon,
        calendar=said.calendar,
        kind=said.kind,
        measure=said.measure,
    )
    _print(found, output, {**said.configuration, **bars.attrs})


def read(said: Said) -> tuple[str | None, pd.DataFrame]:
    """The name, if it is a shipped asset's, and the bars.

    Raises
    ------
    InvalidInput : there is no such file or asset, or the file cannot be read.
    """
    from roughcast.datasets import dataset
    from roughcast.reading import read_bars
    from volatility.formats.reading import columns_from

    source, path = said.source, Path(said.source)
    if path.exists():
        columns = columns_from(said.written.get("columns") or ())
        return None, read_bars(path, **{**said.written, "columns": columns})
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
    configuration: Mapping[Any, Any],
    above: Sequence[str] = (),
) -> None:
    if output.as_json:
        sys.stdout.write(json.dumps(_as_answered(found), default=_told, indent=2) + "\n")
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


def _as_answered(found: Forecast | HurstReport | Comparison) -> dict[str, Any]:
    """The fields of a result by the names that they have over HTTP."""
    content = {it.name: getattr(found, it.name) for it in fields(found) if it.name not in ELSEWHERE}
    if isinstance(found, Comparison):
        left_out = found.left_out.items()
        content["left_out"] = [{"model": name, "reason": reason} for name, reason in left_out]
    return {_OVER_HTTP.get(name, name): it for name, it in content.items()}


def _told(value: Any) -> Any:
    """A date as text, and what has fields as an object."""
    if isinstance(value, date):
        return value.isoformat()
    return {it.name: getattr(value, it.name) for it in fields(value)}
