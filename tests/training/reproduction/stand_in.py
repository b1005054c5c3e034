"""Simulated files of the paper's shape, for where the paper's own are absent, and results of both.

The prices are those of a random walk whose volatility wanders; everything else in the files is
computed from them as the paper's author computed it.
"""

import gzip
import hashlib
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.training.simulated import small_config
from training.reproduction import data, download
from training.reproduction.data import PaperData, load_paper
from training.reproduction.forecasts import Results
from training.reproduction.samples import samples_of
from training.reproduction.units import units_of
from volatility.arrays import FloatArray
from volatility.calendars import get_calendar
from volatility.measures.daily import rolling_std

PAPER = Path(__file__).parents[4] / "shared" / "paper"
SEEDS = (7, 8)
HOURS, SESSIONS = 24 * 260, 420
STEPS = 12  # price changes inside a bar


def write_stand_in(folder: Path) -> dict[str, str]:
    """Write all files, half of them compressed; returns the sha256 of each content."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = _contents()
    for name, content in contents.items():
        if name.startswith("btc"):
            (folder / f"{name}.gz").write_bytes(gzip.compress(content, compresslevel=1))
        else:
            (folder / name).write_bytes(content)
    return {name: hashlib.sha256(contents[name]).hexdigest() for name in data.SHA256}


@cache
def _contents() -> dict[str, bytes]:
    """By name of the file."""
    hours = pd.date_range("2024-01-01", periods=HOURS, freq="h", tz="UTC", name="Datetime")
    bitcoin = _bars(hours, seed=1, deviation=0.005, window=24, periods_per_year=8760)
    sessions = get_calendar("XNYS").sessions(
        np.datetime64("2019-01-02"), np.datetime64("2022-01-01")
    )
    days = pd.DatetimeIndex(sessions[:SESSIONS].astype("datetime64[ns]"), name="Date")
    spx = _bars(days, seed=2, deviation=0.01, window=22, periods_per_year=252)
    parts = {"btc": (bitcoin, bitcoin[int(len(bitcoin) * 0.7) :]), "spx": (spx, spx)}
    contents = {}
    for asset, (whole, used) in parts.items():
        first, second = (0.5, 0.75) if asset == "btc" else (0.7, 0.85)
        ends = [0, int(len(used) * first), int(len(used) * second), len(used)]
        cut = zip(("train", "val", "test"), ends[:-1], ends[1:], strict=True)
        frames = {"data": whole} | {part: used[start:end] for part, start, end in cut}
        for part, frame in frames.items():
            contents[f"{asset}_{part}.csv"] = frame.to_csv().encode()
    return contents


def expect(sums: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stand-in pass for the paper's files."""
    for module in (data, download):
        monkeypatch.setattr(module, "SHA256", sums)


@cache
def stand_in_data() -> PaperData:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as monkeypatch:
        expect(write_stand_in(Path(folder)), monkeypatch)
        return load_paper(Path(folder))


@cache
def paper_data() -> PaperData:
    return load_paper(PAPER)


@cache
def stand_in_results() -> Results:
    """All models on the stand-in, networks as small as can be, with two seeds."""
    return results_of(stand_in_data(), SEEDS)


@cache
def paper_results() -> Results:
    """The same on the paper's files, with one seed: HAR and the like are as they should be."""
    return results_of(paper_data(), SEEDS[:1])


def results_of(paper: PaperData, seeds: tuple[int, ...]) -> Results:
    small = small_config()
    config = replace(small, network=replace(small.network, lookback=20))  # as the paper's
    units = units_of(samples_of(paper).values(), config, seeds)
    return Results.of(paper, config, seeds, [(unit, unit.run()) for unit in units])


def _bars(
    times: pd.DatetimeIndex, *, seed: int, deviation: float, window: int, periods_per_year: float
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    volatility = deviation * np.exp(_wandering(len(times), rng))
    steps = rng.standard_normal((len(times), STEPS)) * (volatility / np.sqrt(STEPS))[:, None]
    within = np.cumsum(steps, axis=1)
    opens = 4 + np.concatenate([[0.0], np.cumsum(within[:-1, -1])])
    frame = pd.DataFrame(
        {
            "Close": np.exp(opens + within[:, -1]),
            "High": np.exp(opens + np.maximum(within.max(axis=1), 0)),
            "Low": np.exp(opens + np.minimum(within.min(axis=1), 0)),
            "Open": np.exp(opens),
        },
        index=times,
    )
    frame["log_return"] = np.log(frame["Close"]).diff()
    frame = frame.iloc[1:]
    rolling = rolling_std(frame["log_return"].to_numpy(copy=True), window, periods_per_year)
    frame = frame.iloc[window - 1 :].copy()
    frame["log_rv"] = np.log(rolling)
    return frame


def _wandering(nobs: int, rng: np.random.Generator) -> FloatArray:
    values = np.zeros(nobs)
    for place in range(1, nobs):
        values[place] = 0.98 * values[place - 1] + 0.1 * rng.standard_normal()
    return values
