"""Fitting HAR, against arch.univariate.HARX on the same rv."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
from arch.univariate import HARX

from benchmarks.timing import Result, faster_than, median_seconds
from training.config import read_config
from training.data.assets import TrainingSet
from training.data.bars_file import load_asset
from training.models.linear.har import har


def run() -> Iterator[Result]:
    data, _ = load_asset("SPX", None, datetime.now(UTC))
    rv = data.series.rv
    model = har(read_config())

    def ours() -> np.ndarray:
        again = replace(data, series=replace(data.series))  # nothing is known of it yet
        return model.estimate(TrainingSet(again, {}, 0)).coefficients

    def peer() -> np.ndarray:
        return np.asarray(HARX(rv, lags=[1, 5, 22], rescale=False).fit(disp="off").params)

    np.testing.assert_allclose(ours(), peer()[1:4], rtol=0, atol=1e-10)
    name = f"HAR fit, {len(rv):,} sessions, against arch.univariate.HARX"
    yield faster_than(name, median_seconds(ours, 50), median_seconds(peer, 20), at_least=10)
