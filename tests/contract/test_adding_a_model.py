"""The model that docs/adding-a-model.md adds works as the page says."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from models_store.store import Store
from tests.contract.test_models_page import ROW
from tests.pages import code
from tests.training.simulated import make_training_set, small_config
from training.models import registry
from training.publishing.retrain import publish, train
from volatility.evaluation.compare import BENCHMARKS
from volatility.regressors import LinearPredictor
from volatility.series import RealizedSeries

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "adding-a-model.md").read_text()


(CODE,) = code("docs/adding-a-model.md")


@pytest.fixture
def _added(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page's file and its line in the registry."""
    (line,) = re.findall(r'^"two_speeds": .*,$', PAGE, flags=re.MULTILINE)
    added = ast.literal_eval(f"{{{line}}}")
    module = ModuleType(added["two_speeds"].partition(":")[0])
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(CODE, "two_speeds.py", "exec"), module.__dict__)  # the page's own code
    monkeypatch.setattr(registry, "MODELS", {**registry.MODELS, **added})


@pytest.mark.parametrize("check", [["check"], ["format", "--check"]])
def test_the_example_passes_the_checks_of_style(check: list[str]) -> None:
    place = "training/models/linear/two_speeds.py"
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *check, "--no-cache", "--stdin-filename", place, "-"],
        cwd=ROOT,
        input=CODE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.usefixtures("_added")
def test_the_example_is_evaluated_published_and_forecasts(tmp_path: Path) -> None:
    data = make_training_set()
    chosen = registry.recipes(["two_speeds"], small_config())
    result = publish(train(chosen, data, jobs=1), Store(tmp_path), ["two_speeds"])

    rows = {row.model: row for row in result.comparison.rows}
    assert set(rows) == {*BENCHMARKS, "two_speeds"}
    assert rows["two_speeds"].information_lag == 1
    assert rows["two_speeds"].qlike_loss < rows["last_value"].qlike_loss
    model = Store(tmp_path).load("TARGET", "two_speeds")
    history = RealizedSeries(rv=np.full(10, 1e-4), measure=data.target.series.measure)
    assert model.forecast(history).rv > 0
    predictor = model.predictors[1]
    assert isinstance(predictor, LinearPredictor)
    assert {it.name for it in predictor.coefficients} == {"mean_1", "mean_10"}


@pytest.mark.usefixtures("_added")
def test_the_row_is_one_of_the_table_and_says_what_the_example_needs() -> None:
    ((name, scale, columns, sessions),) = ROW.findall(PAGE)
    recipe = registry.make_recipe(name, small_config())
    data = make_training_set()
    assert recipe.fit(data).predictor.scale == scale
    assert (recipe.lookback, recipe.columns) == (int(sessions), tuple(columns.split()))
