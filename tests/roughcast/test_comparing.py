from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import roughcast
from roughcast.frames import Described
from roughcast.results.comparison import Comparison
from roughcast.training_data import asset_of
from tests.service.worlds import NOW
from training.config import read_config
from training.data.assets import TrainingSet
from training.evaluation.run import TEST, evaluate
from training.evaluation.study import Study
from training.models.registry import recipes
from volatility.errors import HistoryTooShort, InvalidInput, UnknownModel


@pytest.fixture(scope="module")
def compared(rv: pd.Series) -> Comparison:
    return roughcast.compare(rv.tail(700), ["har", "ewma"], horizon=5)


def test_it_takes_one_process_unless_more_are_asked_for(
    rv: pd.Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counting(studies: Any, jobs: int) -> Any:
        asked.append(jobs)
        return evaluate(studies, 1)

    monkeypatch.setattr("training.evaluation.run.evaluate", counting)
    roughcast.compare(rv.tail(520), ["har"])
    roughcast.compare(rv.tail(520), ["har"], jobs=-1)
    assert asked == [1, -1]


def test_it_is_what_an_evaluation_says(compared: Comparison, rv: pd.Series) -> None:
    config = read_config()
    asset, notes = asset_of(rv.tail(700), Described(), NOW)
    chosen = tuple(recipes(["har", "ewma"], config))
    [expected] = evaluate([Study(TrainingSet(asset, {}, config.seed, 5), chosen)], 1)
    rows = expected.comparisons[TEST].rows
    assert [it.model for it in compared.scores] == [it.model for it in rows]
    assert len(rows) == 5  # the benchmarks beside
    for score, row in zip(compared.scores, rows, strict=True):
        told = dict(vars(score))
        assert told.pop("pvalues") == {it: dm.pvalue for it, dm in row.diebold_mariano.items()}
        assert told == {name: getattr(row, name) for name in told}
    test, told = expected.comparisons[TEST], dict(vars(compared))
    assert (told.pop("asset"), told.pop("measure")) == (None, "garman_klass")
    assert told.pop("span") == tuple(it.item() for it in test.span)
    assert told.pop("remarks") == (*notes, *test.warnings.values())
    del told["scores"], told["losses"]
    assert told == {name: getattr(test, name) for name in told}
    assert compared.losses is not None
    assert compared.losses.mean().to_dict() == pytest.approx(
        {it.model: it.qlike_loss for it in rows}, rel=1e-12
    )


def test_its_table_has_all_that_is_scored(compared: Comparison) -> None:
    frame: Any = compared.to_frame()
    plain = ("qlike_loss", "qlike_ratio", "rmse_volatility", "mae_volatility", "r_squared_log")
    for score in compared.scores:
        row = frame.loc[score.model].dropna().to_dict()
        said = {name: getattr(score, name) for name in (*plain, "in_confidence_set")}
        said |= {f"pvalue_{name}": it for name, it in score.pvalues.items()}
        said |= {f"coverage_{100 * level:g}": it for level, it in score.coverage.items()}
        assert row == said


def test_it_shows_a_row_a_model(compared: Comparison) -> None:
    frame: Any = compared.to_frame()
    assert frame.loc["har", "qlike_ratio"] == 1
    assert np.isnan(frame.loc["har", "pvalue_har"])
    assert 0 < frame.loc["ewma", "coverage_80"] < 1
    told = repr(compared)
    assert told.startswith("garman_klass 5 sessions ahead, 2020-")
    assert f"{frame.loc['ewma', 'qlike_ratio'] - 1:+.1%}" in told
    assert "<td>ewma</td>" in compared._repr_html_()
    assert (
        compared.notes[1]
        == f"SPA, that none is better than har: p {compared.spa_pvalue['har']:.3f}"
    )
    assert len(replace(compared, spa_pvalue={}).notes) == len(compared.notes) - 1


def test_its_plot_cumulates_what_models_lose_against_the_baseline(compared: Comparison) -> None:
    axes: Any = compared.plot()
    lines = {it.get_label(): it for it in axes.get_lines()}
    assert set(lines) == set(compared.to_frame().index)
    ratio = compared.to_frame()["qlike_loss"]
    lost = (ratio["ewma"] - ratio["har"]) * compared.nobs
    assert lines["ewma"].get_ydata()[-1] == pytest.approx(lost)
    assert "cumulated" in axes.get_ylabel()


def test_a_model_that_cannot_be_compared_is_refused(rv: pd.Series) -> None:
    with pytest.raises(UnknownModel):
        roughcast.compare(rv, ["harr"])
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"models": "har"}, "wrong_type", "models"),
        ({"horizon": 0}, "invalid_value", "horizons"),
        ({"horizon": 1.5}, "invalid_value", "horizons"),
        ({"jobs": 0}, "invalid_value", "jobs"),
        ({"jobs": "2"}, "invalid_value", "jobs"),
        ({"measure": "foo"}, "unknown_measure", "measure"),
    ]
    for options, code, field in wrong:
        with pytest.raises(InvalidInput) as given:
            roughcast.compare(rv, **options)
        assert (given.value.code, given.value.field) == (code, field)
    with pytest.raises(HistoryTooShort):
        roughcast.compare(rv.tail(60), ["har"])
    with pytest.raises(InvalidInput) as refused:
        roughcast.compare(rv, ["hexp"])
    assert (refused.value.code, refused.value.field) == ("not_applicable", "model")
