from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from benchmarks.retrain import _retrain
from models_store.store import Store
from training.data.bars_file import load_asset
from training.models.linear import garch


def test_every_retrain_that_is_timed_estimates_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = load_asset("BTC-USD", None, datetime.now(UTC))
    asset = replace(whole, series=whole.series.part(slice(-700, None)))
    estimated, real = [], garch._model

    def counting(returns, asymmetric):
        estimated.append(len(returns))
        return real(returns, asymmetric)

    monkeypatch.setattr(garch, "_model", counting)
    garch._estimate.cache_clear()
    unseen, each = count(), []
    for _ in range(2):
        before = len(estimated)
        _retrain(asset, ["garch"], (1,), Store(tmp_path), unseen)
        each.append(len(estimated) - before)
    first, second = each
    assert first > 10
    assert second >= first - 1
