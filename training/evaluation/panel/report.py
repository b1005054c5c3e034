"""What a panel's evaluation writes: a table by kind of asset, one of every asset, and forecasts."""

import csv
import dataclasses
import gzip
import io
from collections.abc import Callable, Mapping, Sequence

from training.evaluation.panel.interval_table import PanelIntervals, interval_table
from training.evaluation.panel.scores import ALL, AssetScore, KindScore, by_kind
from training.evaluation.panel.walk_forward import PanelWalkForward, TrackKey
from training.reports.markdown import markdown_table
from volatility.evaluation.tracks import ForecastTrack


def scores_csv(scores: Sequence[AssetScore]) -> bytes:
    """Every asset's scores."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in dataclasses.fields(AssetScore)])
    writer.writerows(dataclasses.astuple(score) for score in scores)
    return text.getvalue().encode()


def panel_forecasts(tracks: Mapping[TrackKey, ForecastTrack]) -> bytes:
    """Every forecast, as CSV, compressed; the same bytes for the same forecasts."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*TrackKey._fields, "as_of", "target_date", "forecast", "rv"])
    for key, track in sorted(tracks.items()):
        columns = (track.as_of, track.target_dates, track.forecast, track.rv)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        writer.writerows(
            (*key, day, target, f"{forecast:.10g}", f"{rv:.10g}")
            for day, target, forecast, rv in rows
        )
    return gzip.compress(text.getvalue().encode(), mtime=0)


def panel_report(
    scores: Sequence[AssetScore],
    intervals: Sequence[PanelIntervals],
    plan: PanelWalkForward,
    command: str,
    left_out: Sequence[str],
) -> bytes:
    """Tables by kind of asset and of intervals at every horizon, in Markdown.

    Parameters
    ----------
    scores, intervals : of all models.
    plan, command : how they were made.
    left_out : what was not forecast, and why, a sentence each.
    """
    summary = by_kind(scores)
    lines = [
        "# A panel of assets",
        "",
        f"`{command}`",
        "",
        _protocol(plan),
    ]
    for horizon in sorted({it.horizon for it in summary}):
        own = [it for it in summary if it.horizon == horizon]
        sessions = "one session" if horizon == 1 else f"{horizon} sessions"
        lines += ["", f"## {sessions.capitalize()} ahead", "", *kind_table(own)]
        held = [it for it in intervals if it.horizon == horizon]
        lines += ["", _INTERVALS, "", *interval_table(held)]
    if left_out:
        lines += ["", "## Left out", "", *(f"- {it}" for it in left_out)]
    return ("\n".join(lines) + "\n").encode()


_INTERVALS = (
    "Intervals made at each date of the newest 500 errors known by then, in units of their size, "
    "from the 101st on; means over assets. Thirds of the forecasts, the lowest and highest year, "
    "and the 60 sessions from the five largest breaks on are of intervals at 80 %. Scores and CRPS "
    "are of log rv."
)


def _protocol(plan: PanelWalkForward) -> str:
    return (
        "QLIKE of each model against the asset's own bias-corrected log-HAR on the same dates of "
        "its last half, mean over the assets of a kind. `universal` was fitted for each asset on "
        f"the assets of the other {plan.folds - 1} of {plan.folds} folds, every {plan.months} "
        "months on what was known by then; `universal_N` sees the N newest sessions of an asset "
        "and nothing else. Models whose names end in `_companions`, if there are any, see others "
        "too: the regressions what was given, `universal_companions` that and the other assets of "
        "a kind."
    )


def kind_table(scores: Sequence[KindScore]) -> list[str]:
    """A row a model, a column a kind, in Markdown; the lowest on average first."""
    kinds = [*sorted({it.kind for it in scores} - {ALL}), ALL]
    cells = {(it.model, it.kind): it for it in scores}
    models = sorted({it.model for it in scores}, key=lambda model: cells[model, ALL].change)
    columns: dict[str, Callable[[str], str]] = {"model": lambda model: f"`{model}`"}
    for kind in kinds:
        count = max(it.assets for it in scores if it.kind == kind)
        columns[f"{kind} ({count})"] = _change_of(cells, kind)
    columns["better on"] = lambda model: f"{cells[model, ALL].better} of {cells[model, ALL].assets}"
    columns["worst"] = lambda model: f"{cells[model, ALL].worst:+.1%}"
    return markdown_table(models, columns)


def _change_of(cells: Mapping[tuple[str, str], KindScore], kind: str) -> Callable[[str], str]:
    return lambda model: f"{cells[model, kind].change:+.1%}" if (model, kind) in cells else "–"
