"""Fitting HAR, against arch.univariate.HARX on the same rv."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
from arch.univariate import HARX

from benchmarks.timing import Result, faster_than, median_seconds
from training.models.har import fit_har
from training.source import load_asset


def run() -> Iterator[Result]:
    data, _ = load_asset("SPX", None, datetime.now(UTC))
    rv = data.series.rv

    def ours() -> np.ndarray:
        return fit_har(data.pairs(22), "levels")[1]

    def peer() -> np.ndarray:
        return np.asarray(HARX(rv, lags=[1, 5, 22], rescale=False).fit(disp="off").params)

    coefficients = list(fit_har(data.pairs(22), "levels")[0].coefficients.values())
    np.testing.assert_allclose(coefficients, peer()[1:4], rtol=0, atol=1e-10)
    name = f"HAR fit, {len(rv):,} sessions, against arch.univariate.HARX"
    yield faster_than(name, median_seconds(ours, 50), median_seconds(peer, 20), at_least=10)
