"""The Hurst report, and detrended fluctuation analysis against nolds on the same path."""

import importlib.util
import types
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.timing import Result, faster_than, median_seconds, within
from volatility.hurst import dfa, report
from volatility.simulation.fractional import fractional_brownian_motion

NOBS = 2_500


def run() -> Iterator[Result]:
    """Time each on a rough path seen through 78 returns a day."""
    rng = np.random.default_rng(1)
    path = 0.3 * fractional_brownian_motion(0.1, NOBS, rng)[0]
    path = path + 0.5 * np.log(rng.chisquare(78, NOBS) / 78)
    increments = np.diff(path)
    nolds = nolds_measures()
    with warnings.catch_warnings():
        # nolds falls back from a missing RANSAC to least squares with a warning on every call.
        warnings.simplefilter("ignore")
        yield within(
            f"Hurst report, {NOBS:,} sessions",
            median_seconds(lambda: report(path, measure="realized_variance", intraday_nobs=78), 50),
            limit=25e-3,
        )
        yield faster_than(
            f"DFA, {NOBS:,} sessions, against nolds.dfa",
            median_seconds(lambda: dfa(path), 50),
            median_seconds(lambda: nolds.dfa(increments, fit_exp="poly"), 5),
            at_least=50,
        )


def nolds_measures() -> types.ModuleType:
    """The module of nolds that holds its estimators.

    Loaded by itself: the package's ``__init__`` reads data sets in a way that fails before
    Python 3.12.
    """
    package = importlib.util.find_spec("nolds")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("nolds is part of the dev extra")
    path = Path(package.origin).with_name("measures.py")
    spec = importlib.util.spec_from_file_location("nolds_measures", path)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"{path} is not a module")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
