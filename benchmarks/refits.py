"""All refits of a linear walk-forward, regressors and forecasts included, in CPU time."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
from arch.univariate import HARX
from statsmodels.regression.rolling import RollingOLS
from statsmodels.tools import add_constant

from benchmarks.timing import Result, cpu_seconds, faster_than, within
from training.config import read_config
from training.data.assets import TrainingSet
from training.data.bars_file import load_asset
from training.evaluation.study import Study
from training.evaluation.walk_forward import forecast_studies
from training.evaluation.workers import worker_pool
from training.models.recipe import Recipe
from training.models.registry import make_recipe
from volatility.filters import trailing_means, windows

A_REFIT = 1e-5  # seconds of one core: a hundred thousand a second
MODELS = ("log_har", "calendar_log_har", "lhar", "hexp", "ridge", "mem")


def run() -> Iterator[Result]:
    data = TrainingSet(load_asset("SPX", None, datetime.now(UTC))[0], {}, 0)
    log_rv = data.target.series.log_rv
    refits = len(log_rv) - len(log_rv) // 2  # one a session of the second half
    peers = {
        "arch HARX, one by one": _harx(log_rv),
        "statsmodels, expanding": _rolling(log_rv) / refits,
    }
    for name in MODELS:
        recipe = _refitted_every_session(name)
        ours = cpu_seconds(partial(_walk, data, recipe), 5) / refits
        yield within(f"{name}: one of {refits:,} refits ({1 / ours:,.0f}/s)", ours, A_REFIT)
        for peer, seconds in peers.items() if name == "log_har" else ():
            yield faster_than(f"{name}: the same, against {peer}", ours, seconds, at_least=5)


def _refitted_every_session(name: str) -> Recipe:
    config = read_config()
    often = replace(config.walk_forward, linear_refit_every=1)
    return make_recipe(name, replace(config, walk_forward=often))


def _walk(data: TrainingSet, recipe: Recipe) -> None:
    new = replace(data.target, series=replace(data.target.series))  # nothing is known of it yet
    data = replace(data, target=new)
    forecast_studies([Study(data, (recipe,))], worker_pool(1), lambda _: None)


def _harx(log_rv: np.ndarray) -> float:
    model = HARX(log_rv, lags=[1, 5, 22], rescale=False)
    return cpu_seconds(lambda: model.fit(disp="off"), 20)


def _rolling(log_rv: np.ndarray) -> float:
    """Regressors and every fit of an expanding sample."""

    def fit() -> None:
        design = add_constant(trailing_means(windows(log_rv[:-1], 22), (1, 5, 22)))
        RollingOLS(log_rv[22:], design, min_nobs=len(log_rv) // 2, expanding=True).fit()

    return cpu_seconds(fit, 5)
