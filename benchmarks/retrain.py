"""Evaluating, fitting and publishing many assets' own models, by CPU time of a few.

A process takes an asset from beginning to end (``training retrain --panel DIR --models …``), so
that a thousand assets on two cores take five hundred times what one takes on one. Wall time adds
what the disk takes to flush.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

from benchmarks.timing import Result, cpu_seconds, within
from models_store.store import Store
from training.config import read_config
from training.data.assets import AssetData, TrainingSet
from training.data.bars_file import load_asset
from training.evaluation.study import applicable
from training.models.registry import LINEAR, recipes
from training.publishing.retrain import publish, train

OPTIMIZED = ("garch", "gjr", "mem")  # in LINEAR, but not fitted by linear algebra
MEASURED, ASSETS, CORES = 5, 1_000, 2
SECONDS = 120.0


def run() -> Iterator[Result]:
    asset, _ = load_asset("BTC-USD", None, datetime.now(UTC))
    family = [name for name in LINEAR if name not in OPTIMIZED]
    unseen = count()
    for names, horizons in ((family, (1,)), (family, (1, 5, 10, 22)), (list(LINEAR), (1,))):
        with tempfile.TemporaryDirectory() as folder:
            retrain = partial(_retrain, asset, names, horizons, Store(Path(folder)), unseen)
            seconds = cpu_seconds(retrain, MEASURED) * ASSETS / CORES
        models = len(applicable(recipes(names, read_config()), asset))
        what = f"1,000 assets, {models} models, {len(horizons)} horizons, 2 cores (of {MEASURED})"
        yield within(what, seconds, SECONDS)


def _retrain(
    asset: AssetData,
    names: Sequence[str],
    horizons: Sequence[int],
    store: Store,
    unseen: Iterator[int],
) -> None:
    """As an asset that nobody has seen: from another session on, or estimates would be remembered.

    Those of GARCH and of Hurst exponents are kept by the content of a series.
    """
    config, first = read_config(), next(unseen)
    new = replace(asset, asset=f"A{first}", series=asset.series.part(slice(first, None)))
    data = TrainingSet(new, {}, config.seed, horizons[0])
    trained = train(applicable(recipes(names, config), new), data, 1, further=horizons[1:])
    publish(trained, store, names)
