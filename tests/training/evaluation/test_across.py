from dataclasses import replace

import pytest

from tests.training.evaluation.studies import results
from training.evaluation.across import across_assets
from training.evaluation.run import Evaluated
from volatility.evaluation.diebold_mariano import DieboldMariano


def changed(result: Evaluated, **rows: dict[str, object]) -> Evaluated:
    """The same with fields of some models' rows replaced, in the order of the keywords."""
    comparison = result.comparisons["test"]
    by_model = {row.model: row for row in comparison.rows}
    new = tuple(replace(by_model[model], **fields) for model, fields in rows.items())  # type: ignore[arg-type]
    return replace(result, comparisons={"test": replace(comparison, rows=new)})


def outcome(difference: float, pvalue: float) -> dict[str, DieboldMariano]:
    return {"har": DieboldMariano(2.0, pvalue, 0.5, difference, 100, 0.05, 13)}


def test_a_model_is_summarized_over_the_assets_that_have_it() -> None:
    first, _, second, _ = results()
    one = changed(
        first,
        log_har={
            "qlike_ratio": 0.8,
            "in_confidence_set": True,
            "diebold_mariano": outcome(-0.1, 0.01),
        },
        har={"qlike_ratio": 1.0, "in_confidence_set": False},
        moving_average={"qlike_ratio": 1.3, "diebold_mariano": outcome(0.1, 0.04)},
    )
    other = changed(
        second,
        har={"qlike_ratio": 1.0, "in_confidence_set": True},
        log_har={
            "qlike_ratio": 1.2,
            "in_confidence_set": True,
            "diebold_mariano": outcome(0.1, 0.06),
        },
    )
    rows = {row.model: row for row in across_assets([one, other], 1, "test")}
    assert list(rows)[-1] == "moving_average"
    log_har = rows["log_har"]
    assert (log_har.assets, log_har.in_confidence_set) == (2, 2)
    assert log_har.mean_qlike_ratio == pytest.approx(1.0)  # (0.8 + 1.2) / 2
    assert log_har.mean_rank == 1.5  # first and second
    assert (log_har.better_than_har, log_har.worse_than_har) == (1, 0)  # p = 0.06 does not count
    average = rows["moving_average"]
    assert (average.assets, average.mean_rank, average.worse_than_har) == (1, 3.0, 1)
    assert rows["har"].in_confidence_set == 1


def test_the_median_is_not_moved_by_one_asset() -> None:
    first, _, second, _ = results()
    ratios = (0.9, 1.0, 5.0)
    sources = (first, second, first)
    many = [
        changed(source, log_har={"qlike_ratio": ratio}, har={})
        for source, ratio in zip(sources, ratios, strict=True)
    ]
    row = next(row for row in across_assets(many, 1, "test") if row.model == "log_har")
    assert row.median_qlike_ratio == 1.0
    assert row.mean_qlike_ratio == pytest.approx(2.3)


def test_horizons_and_parts_are_kept_apart() -> None:
    rows = across_assets(results(), 5, "selection")
    assert {(row.horizon, row.part) for row in rows} == {(5, "selection")}
    assert {row.model: row.assets for row in rows} == {
        "har": 2,
        "log_har": 2,
        "calendar_log_har": 2,
        "last_value": 2,
        "moving_average": 1,
    }
    order = [(-row.assets, row.mean_qlike_ratio) for row in rows]
    assert order == sorted(order)
    assert rows[-1].model == "moving_average"  # better than last value, but on one asset alone
    assert rows[-1].mean_qlike_ratio < rows[-2].mean_qlike_ratio
