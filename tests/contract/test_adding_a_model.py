"""The model that docs/adding-a-model.md adds works as the page says."""

import re
from pathlib import Path

import numpy as np
import pytest

from models_store.store import Store
from tests.training.simulated import make_training_set, small_config
from training.models import registry
from training.publishing.retrain import publish, train
from volatility.series import RealizedSeries

PAGE = (Path(__file__).parents[2] / "docs" / "adding-a-model.md").read_text()


def test_the_example_is_evaluated_published_and_forecasts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, object] = {"__name__": "two_speeds"}
    exec(compile(code, "two_speeds.py", "exec"), names)  # the page's own code
    models = {**registry.MODELS, "two_speeds": lambda c: names["TwoSpeeds"](22)}
    monkeypatch.setattr(registry, "MODELS", models)

    data = make_training_set()
    chosen = registry.recipes(["two_speeds"], small_config())
    result = publish(train(chosen, data, jobs=1), Store(tmp_path))

    rows = {row.model: row for row in result.comparison.rows}
    assert set(rows) == {"last_value", "har", "log_har", "two_speeds"}
    assert rows["two_speeds"].information_lag == 1
    assert rows["two_speeds"].qlike_loss < rows["last_value"].qlike_loss
    model = Store(tmp_path).load("TARGET", "two_speeds")
    history = RealizedSeries(rv=np.full(10, 1e-4), measure=data.target.series.measure)
    assert model.forecast(history).rv > 0
    assert set(model.manifest.predictor.regressors) == {"mean_1", "mean_10"}
