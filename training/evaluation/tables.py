"""Results for programs: one row a model and part, and one row a forecast.

Numbers have ten significant digits: what lies beyond differs between machines.
"""

import csv
import gzip
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict

import numpy as np

from training.evaluation.across import AcrossRow
from training.evaluation.run import Evaluated
from volatility.evaluation.compare import BENCHMARKS, Comparison, ComparisonRow
from volatility.evaluation.interval_scores import COVERAGE_LEVELS

Value = str | int | float | bool | None
TERCILES = ("low", "middle", "high")
FORECAST_COLUMNS = ("asset", "horizon", "model", "as_of", "target_date", "rv", "forecast")


def tidy_rows(results: Sequence[Evaluated]) -> list[dict[str, Value]]:
    """One row an asset, horizon, part and model; columns as docs/evaluation.md explains them."""
    return [
        _of_study(result) | _of_part(part, comparison) | _of_model(row, comparison)
        for result in results
        for part, comparison in result.comparisons.items()
        for row in comparison.rows
    ]


def results_csv(results: Sequence[Evaluated]) -> bytes:
    """:func:`tidy_rows` as a CSV file; what does not exist is empty."""
    rows = tidy_rows(results)
    return _csv(tuple(rows[0]), ([_text(cell) for cell in row.values()] for row in rows))


def results_json(
    results: Sequence[Evaluated], across: Sequence[AcrossRow], settings: Mapping[str, Value]
) -> bytes:
    """Everything but the forecasts: settings, data, :func:`tidy_rows`, and the rows across assets.

    Parameters
    ----------
    results : of every study.
    across : rows across assets.
    settings : what decided the outcome apart from the data.
    """
    content = {
        "settings": dict(settings),
        "data": [_of_data(result) for result in results],
        "results": tidy_rows(results),
        "across_assets": [asdict(row) for row in across],
    }
    text = json.dumps(_plain(content), indent=1, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def forecasts_csv_gz(results: Sequence[Evaluated]) -> bytes:
    """Every model's forecasts of the last half, compressed; the same bytes for the same rows."""
    return gzip.compress(_csv(FORECAST_COLUMNS, _forecast_rows(results)), mtime=0)


def _forecast_rows(results: Sequence[Evaluated]) -> Iterator[Sequence[str]]:
    for result in results:
        asset, horizon = result.study.key
        for model, track in result.tracks.items():
            columns = zip(
                np.datetime_as_string(track.as_of),
                np.datetime_as_string(track.target_dates),
                track.rv,
                track.forecast,
                strict=True,
            )
            for as_of, target_date, rv, forecast in columns:
                yield asset, str(horizon), model, as_of, target_date, _text(rv), _text(forecast)


def _of_study(result: Evaluated) -> dict[str, Value]:
    target = result.study.data.target
    return {
        "asset": target.asset,
        "measure": target.series.measure,
        "horizon": result.study.key.horizon,
    }


def _of_part(part: str, comparison: Comparison) -> dict[str, Value]:
    first, last = comparison.span
    return {"part": part, "start": str(first), "end": str(last), "nobs": comparison.nobs}


def _of_model(row: ComparisonRow, comparison: Comparison) -> dict[str, Value]:
    fields: dict[str, Value] = {
        "model": row.model,
        "qlike_loss": row.qlike_loss,
        "qlike_ratio": row.qlike_ratio,
        "rmse_volatility": row.rmse_volatility,
        "mae_volatility": row.mae_volatility,
        "r_squared_log": row.r_squared_log,
        "correlation_log": row.correlation_log,
    }
    for level in COVERAGE_LEVELS:
        fields |= _of_intervals(row, level)
    fields["crps_log"] = row.crps_log
    fields["coverage_nobs"] = row.coverage_nobs
    for benchmark in BENCHMARKS:
        fields |= _of_test(row, benchmark)
        fields[f"spa_pvalue_{benchmark}"] = comparison.spa_pvalue.get(benchmark)
        fields |= _of_influence(row, benchmark)
    return fields | {
        "in_confidence_set": row.in_confidence_set,
        "confidence_set_pvalue": row.confidence_set_pvalue,
        "information_lag": row.information_lag,
        "seeds": len(row.qlike_loss_by_seed),
        "qlike_seed_mean": row.qlike_seed_mean,
        "qlike_seed_deviation": row.qlike_seed_deviation,
        "timing_warning": comparison.warnings.get(row.model),
    }


def _of_intervals(row: ComparisonRow, level: float) -> dict[str, Value]:
    terciles = row.coverage_by_tercile.get(level, (None,) * len(TERCILES))
    return {
        f"interval_loss_log_{level}": row.interval_loss_log.get(level),
        f"coverage_{level}": row.coverage.get(level),
        **{
            f"coverage_{tercile}_{level}": coverage
            for tercile, coverage in zip(TERCILES, terciles, strict=True)
        },
        f"coverage_after_breaks_{level}": row.coverage_after_breaks.get(level),
    }


def _of_test(row: ComparisonRow, benchmark: str) -> dict[str, Value]:
    test = row.diebold_mariano.get(benchmark)
    return {
        f"dm_statistic_{benchmark}": test.statistic if test else None,
        f"dm_pvalue_{benchmark}": test.pvalue if test else None,
    }


def _of_influence(row: ComparisonRow, benchmark: str) -> dict[str, Value]:
    day = row.influence.get(benchmark)
    return {
        f"one_day_share_{benchmark}": day.share if day else None,
        f"one_day_date_{benchmark}": str(day.date) if day and day.date is not None else None,
        f"qlike_ratio_without_{benchmark}": day.qlike_ratio_without if day else None,
    }


def _of_data(result: Evaluated) -> dict[str, Value]:
    target = result.study.data.target
    dates = target.series.dates
    return _of_study(result) | {
        "source": target.source,
        "calendar": target.calendar_name,
        "start": str(dates[0]),
        "end": str(dates[-1]),
        "sessions": len(dates),
        "sha256": target.series.sha256,
    }


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue().encode()


def _text(cell: Value) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"{cell:.10g}" if isinstance(cell, float) else str(cell)


def _plain(value: object) -> object:
    """As JSON knows it: ten digits, and null for what is not a number."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return float(f"{value:.10g}") if math.isfinite(value) else None
    return value
