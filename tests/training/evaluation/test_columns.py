"""What stands below each heading of each table."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.training.evaluation.rows import make_comparison, make_row, outcome
from training.evaluation import headings, report
from training.evaluation.across import AcrossRow
from training.evaluation.panel import report as panel_report
from training.evaluation.panel.interval_table import PanelIntervals, interval_table
from training.evaluation.panel.scores import ALL, AssetScore, KindScore, by_kind
from training.evaluation.panel.transfer import EVERYTHING, TransferPlan
from training.evaluation.panel.transfer_report import (
    change_table,
    chosen_table,
    difference_table,
    transfer_csv,
    transfer_report,
)
from training.evaluation.panel.transfer_scores import Difference, TransferScore, TransferSummary
from training.evaluation.panel.walk_forward import PanelWalkForward, TrackKey
from training.evaluation.sentences import better, superiority, worse
from training.models.pooled.transfer import Setting
from training.publishing import store_results
from volatility.evaluation.influence import Influence
from volatility.evaluation.tracks import ForecastTrack

ROW = make_row()
BARE = make_row(
    coverage={},
    coverage_by_tercile={},
    coverage_after_breaks={},
    interval_loss_log={},
    crps_log=None,
    diebold_mariano={},
    influence={},
    in_confidence_set=False,
)
TABLES: dict[str, tuple[Mapping[str, Callable[[Any], str]], dict[str, str]]] = {
    "on the terminal": (
        headings.HEADLINE,
        {
            "model": "mine",
            "QLIKE": "0.2100",
            "vs HAR": "-7.0%",
            "p: HAR": "0.200",
            "p: calendar": "0.400",
            "set": "yes",
        },
    ),
    "further ones": (
        headings.FURTHER,
        {
            "RMSE of volatility": "0.00310",
            "R² of log": "0.512",
            "80 % / 95 %": "79.4% / 94.7%",
        },
    ),
    "accuracy": (
        report.ACCURACY,
        {
            "model": "`mine`",
            "QLIKE": "0.2100",
            "vs HAR": "-7.0%",
            "p: last value": "0.100",
            "p: HAR": "0.200",
            "p: log-HAR": "0.300",
            "p: calendar": "0.400",
            "in set": "yes",
            "RMSE": "0.00310",
            "MAE": "0.00240",
            "R² of log": "0.512",
            "correlation of log": "0.723",
        },
    ),
    "intervals": (
        report.INTERVALS,
        {
            "model": "`mine`",
            "80 %": "79.4%",
            "80 %: low / middle / high": "70.1% / 80.2% / 90.3%",
            "80 %: after breaks": "61.4%",
            "score of 80 %": "1.801",
            "95 %": "94.7%",
            "95 %: low / middle / high": "91.1% / 92.2% / 93.3%",
            "score of 95 %": "2.952",
            "CRPS": "0.406",
        },
    ),
    "one day": (
        report.ONE_DAY,
        {
            "model": "`mine`",
            "one day of: last value": "2020-03-01: 10%, +1.0%",
            "one day of: HAR": "2020-03-02: 20%, +2.0%",
            "one day of: log-HAR": "2020-03-03: 30%, +3.0%",
            "one day of: calendar": "2020-03-04: 40%, +4.0%",
        },
    ),
    "results": (
        store_results.COLUMNS,
        {
            "model": "`mine`",
            "QLIKE": "0.2100",
            "vs HAR": "-7.0%",
            "p: HAR": "0.200",
            "p: calendar": "0.400",
            "one day of: calendar": "2020-03-04: 40%, +4.0%",
            "in set": "yes",
            "RMSE of volatility": "0.00310",
            "R² of log": "0.512",
            "80 % / 95 %": "79.4% / 94.7%",
        },
    ),
}


def cells(columns: Mapping[str, Callable[[Any], str]], row: object) -> dict[str, str]:
    return {heading: cell(row) for heading, cell in columns.items()}


@pytest.mark.parametrize("table", TABLES)
def test_a_model_s_row(table: str) -> None:
    columns, expected = TABLES[table]
    assert list(cells(columns, ROW).items()) == list(expected.items())


def test_what_a_model_does_not_have_is_a_dash() -> None:
    assert cells(report.INTERVALS, BARE) == {
        "model": "`mine`",
        "80 %": "–",
        "80 %: low / middle / high": "– / – / –",
        "80 %: after breaks": "–",
        "score of 80 %": "–",
        "95 %": "–",
        "95 %: low / middle / high": "– / – / –",
        "score of 95 %": "–",
        "CRPS": "–",
    }
    assert set(cells(report.ONE_DAY, BARE).values()) == {"`mine`", "–"}
    headline = cells(headings.HEADLINE, BARE)
    assert [headline[it] for it in ("vs HAR", "p: HAR", "p: calendar")] == ["–"] * 3
    assert headline["set"] == report.ACCURACY["in set"](BARE) == "no"
    same = make_row(influence={"har": Influence(0.0, None, 1.0)})
    assert headings.most_influential_day("har", same) == "–"


def test_a_row_over_all_assets() -> None:
    row = AcrossRow(
        horizon=1,
        part="test",
        model="mine",
        assets=9,
        mean_qlike_ratio=0.91,
        median_qlike_ratio=0.92,
        mean_rank=2.25,
        in_confidence_set=8,
        better_than_har=7,
        worse_than_har=1,
        better_than_log_har=6,
        worse_than_log_har=2,
        better_than_calendar_log_har=5,
        worse_than_calendar_log_har=3,
    )
    assert list(cells(report.ACROSS, row).items()) == [
        ("model", "`mine`"),
        ("assets", "9"),
        ("mean vs HAR", "-9.0%"),
        ("median vs HAR", "-8.0%"),
        ("mean rank", "2.2"),
        ("times in set", "8"),
        ("better / worse than HAR", "7 / 1"),
        ("better / worse than log-HAR", "6 / 2"),
        ("better / worse than calendar", "5 / 3"),
    ]


def test_coverage_in_words() -> None:
    def told(*rows: Any) -> list[str]:
        return report._coverage_in_words(make_comparison(*rows))

    even = {0.8: (0.701, 0.8, 0.899)}  # not ten percent off
    low = make_row("low", coverage={0.8: 0.71}, coverage_by_tercile=even)
    high = make_row("high", coverage={0.8: 0.84}, coverage_by_tercile=even)
    bounds = "Of intervals at 80 %, between 71.0% (`low`) and 84.0% (`high`) held the outcome."
    assert told(low, high) == told(high, low) == [bounds]
    uneven = make_row("uneven", coverage={0.8: 0.8}, coverage_by_tercile={0.8: (0.69, 0.8, 0.8)})
    assert told(low, uneven, high) == [
        f"{bounds} In some third of its forecasts coverage is more than 10 % off for `uneven`."
    ]
    assert told(BARE) == []


def row_of(table: list[str], place: int = 2) -> list[str]:
    return [cell.strip() for cell in table[place].strip("|").split("|")]


def intervals(model: str, crps: float, **changes: Any) -> PanelIntervals:
    own: dict[str, Any] = {"years_80": (0.701, 0.852), "breaks_80": 0.613} | changes
    return PanelIntervals(model, 1, 7, 0.794, 0.947, 0.755, 0.836, own["years_80"],
                          own["breaks_80"], 1.801, 2.952, crps)  # fmt: skip


def test_intervals_of_a_panel() -> None:
    bare = intervals("bare", 0.5, years_80=None, breaks_80=None)
    table = interval_table([bare, intervals("mine", 0.4061)])
    assert row_of(table, 0) == [
        *("model", "assets", "80 %", "lowest third", "highest third", "worst years"),
        *("after breaks", "95 %", "score of 80 %", "score of 95 %", "CRPS"),
    ]
    assert row_of(table) == [
        *("`mine`", "7", "79.4%", "75.5%", "83.6%", "70.1% to 85.2%", "61.3%", "94.7%"),
        *("1.801", "2.952", "0.4061"),
    ]
    assert row_of(table, 3)[5:7] == ["–", "–"]


def score(asset: str, kind: str, model: str, change: float) -> AssetScore:
    return AssetScore(asset, kind, model, 1, 100, 0.2, change, 0.5)


SCORES = [
    score("A", "stock", "good", -0.1),
    score("B", "stock", "good", 0.02),
    score("C", "fx", "good", -0.3),
    score("A", "stock", "bad", 0.0),
    score("B", "stock", "bad", 0.4),
]


def test_a_panel_by_kind() -> None:
    found = by_kind(SCORES)
    assert [(it.model, it.kind) for it in found] == [
        *(("bad", "stock"), ("bad", ALL)),
        *(("good", "fx"), ("good", "stock"), ("good", ALL)),
    ]
    assert found[0] == KindScore("stock", "bad", 1, 2, 0.2, 0, 0.4)
    everything = found[-1]
    assert (everything.assets, everything.better, everything.worst) == (3, 2, 0.02)
    assert everything.change == pytest.approx(-0.38 / 3)
    table = panel_report.kind_table(found)
    assert row_of(table, 0) == ["model", "fx (1)", "stock (2)", "all (3)", "better on", "worst"]
    assert row_of(table) == ["`good`", "-30.0%", "-4.0%", "-12.7%", "2 of 3", "+2.0%"]
    assert row_of(table, 3) == ["`bad`", "–", "+20.0%", "+20.0%", "0 of 2", "+40.0%"]


def test_the_page_of_a_panel() -> None:
    other = [replace(score("A", "stock", "good", -0.5), horizon=5)]
    held = [
        intervals("good", 0.4),
        PanelIntervals(**{**vars(intervals("good", 0.9)), "horizon": 5}),
    ]
    plan = PanelWalkForward(4, 18, (22,))
    page = panel_report.panel_report([*SCORES, *other], held, plan, "the command", ["A: why"])
    lines = page.decode().splitlines()
    assert lines[:3] == ["# A panel of assets", "", "`the command`"]
    assert "other 3 of 4 folds, every 18 months" in lines[4]
    titles = [line for line in lines if line.startswith("## ")]
    assert titles == ["## One session ahead", "## 5 sessions ahead", "## Left out"]
    first, second = lines.index(titles[0]), lines.index(titles[1])
    assert any(line.startswith("| `bad`") for line in lines[first:second])
    assert not any(line.startswith("| `bad`") for line in lines[second:])
    assert sum("0.4000" in line for line in lines[first:second]) == 1
    assert sum("0.9000" in line for line in lines[second:]) == 1
    assert lines[-1] == "- A: why"
    assert "## Left out" not in panel_report.panel_report(SCORES, held, plan, "", ()).decode()


def test_scores_and_forecasts_of_a_panel_are_in_files() -> None:
    scores = [SCORES[0], replace(SCORES[2], pvalue=None)]
    assert panel_report.scores_csv(scores).decode() == (
        "asset,kind,model,horizon,nobs,qlike_loss,change,pvalue\n"
        "A,stock,good,1,100,0.2,-0.1,0.5\n"
        "C,fx,good,1,100,0.2,-0.3,\n"
    )
    days = np.array(["2020-01-01", "2020-01-02", "2020-01-03"], "datetime64[D]")
    of = ForecastTrack("m", days[:2], days[1:], np.array([1e-4, 1 / 3]), np.array([2e-4, 0.5]), 5)
    tracks = {TrackKey("B", "m", 5): of, TrackKey("A", "m", 5): of}
    written = panel_report.panel_forecasts(tracks)
    assert gzip.decompress(written).decode() == (
        "asset,model,horizon,as_of,target_date,forecast,rv\n"
        "A,m,5,2020-01-01,2020-01-02,0.0001,0.0002\n"
        "A,m,5,2020-01-02,2020-01-03,0.3333333333,0.5\n"
        "B,m,5,2020-01-01,2020-01-02,0.0001,0.0002\n"
        "B,m,5,2020-01-02,2020-01-03,0.3333333333,0.5\n"
    )
    assert written[4:8] == bytes(4)  # no time of writing: the same bytes tomorrow


def test_scores_of_a_transfer_are_in_a_file() -> None:
    score = TransferScore("A", "fx", "tuned", 60, 4, 0.1, "2020-01-02", "2020-03-31", 60, 0.2, -0.1)
    assert transfer_csv([score]).decode() == (
        "asset,kind,model,sessions,epochs,ridge,first,last,nobs,qlike_loss,change\n"
        "A,fx,tuned,60,4,0.1,2020-01-02,2020-03-31,60,0.2,-0.1\n"
    )


def transferred(model: str, sessions: int, change: float, **against: Difference) -> TransferSummary:
    return TransferSummary(model, sessions, 8, 4_000, change, 5, against)


def test_transfer_tells_what_differs_from_the_model_for_every_asset() -> None:
    rows = [
        transferred("scratch", 1_000, 0.3, universal=Difference(0.31, 1, 0.0499)),
        transferred("scratch", EVERYTHING, 0.2, universal=Difference(0.1, 2, 0.05)),
        transferred("tuned", 60, -0.2, universal=Difference(-0.0123, 6, 0.01)),
        transferred("universal", 60, -0.1, scratch=Difference(-0.5, 7, 0.001)),
        transferred("universal_unscaled", 60, 0.05),
        transferred("log_har", EVERYTHING, 0.0),
    ]
    table = change_table(rows)
    assert row_of(table, 0) == ["model", "60", "1,000", "all"]
    assert [row_of(table, place) for place in range(2, len(table))] == [
        ["`universal_unscaled`", "+5.0%", "–", "–"],
        ["`universal`", "-10.0%", "–", "–"],
        ["`tuned`", "-20.0% ▼", "–", "–"],
        ["`scratch`", "–", "+30.0% ▲", "+20.0%"],
        ["`log_har`", "–", "–", "+0.0%"],
    ]
    against = difference_table(rows, "universal")
    assert row_of(against, 0) == ["model", "60", "1,000", "all"]
    assert row_of(against) == ["`tuned`", "-1.23 (p = 0.010, 6 of 8)", "–", "–"]
    assert row_of(difference_table(rows, "scratch"))[1] == "-50.00 (p = 0.001, 7 of 8)"


def test_the_page_of_a_transfer() -> None:
    rows = [
        transferred("tuned", 60, -0.2, universal=Difference(-0.1, 6, 0.01)),
        transferred("universal", 60, -0.1, scratch=Difference(-0.5, 7, 0.001)),
        transferred("log_har", EVERYTHING, 0.0),
    ]
    before = [replace(it, assets=5, nobs=2_500) for it in rows]
    chosen = {("tuned", 60): (Setting(4),)}
    plan = TransferPlan(4, 18)

    def page(*more: Any) -> list[str]:
        return transfer_report(rows, *more).decode().splitlines()

    lines = page(before, chosen, plan, "the command", ["A: why"])
    assert lines[:3] == ["# Transfer from a panel", "", "`the command`"]
    assert lines[4].startswith("8 assets, 4,000 forecasts: the first ")
    assert "the other 3 of 4 folds, at most 18 months before" in lines[4]
    titles = [line for line in lines if line.startswith("## ")]
    assert titles == ["## The quarter before", "## What was chosen", "## Left out"]
    quarter, told, left = map(lines.index, titles)
    assert lines[quarter + 2].startswith("Third quarters of the 5 assets that choose, 2,500 ")
    for part, own in ((lines[:quarter], rows), (lines[quarter:told], before)):
        against = [place for place, line in enumerate(part) if line.startswith("Against ")]
        assert [part[place].partition(":")[0] for place in against] == [
            "Against the universal model",
            "Against the network from scratch",
        ]
        for place, other in zip(against, ("universal", "scratch"), strict=True):
            table = difference_table(own, other)
            assert part[place + 2 : place + 2 + len(table)] == table
    assert lines[told + 4 : left - 1] == chosen_table(chosen)
    assert lines[left + 2 :] == ["- A: why"]
    alone = page((), chosen, plan, "the command", ())
    assert [line for line in alone if line.startswith("## ")] == ["## What was chosen"]


def test_transfer_tells_what_was_chosen() -> None:
    table = chosen_table(
        {
            ("tuned", 60): [Setting(4)],
            ("scratch", 60): [Setting(10, 100.0)],
            ("scratch", EVERYTHING): [Setting(1, 0.1)],
        }
    )
    assert row_of(table, 0) == ["model", "60", "all"]
    assert row_of(table) == ["`tuned`", "4", "–"]
    assert row_of(table, 3) == ["`scratch`", "10, 100", "1, 0.1"]


def test_five_percent_is_not_less_than_five_percent() -> None:
    row = make_row(diebold_mariano={"har": outcome(0.05)})
    assert not better(row, "har")
    assert better(make_row(diebold_mariano={"har": outcome(0.0499)}), "har")
    assert not worse(make_row(diebold_mariano={"har": outcome(0.0499, 0.0)}), "har")
    certain = make_comparison(make_row("a"), make_row("har"), spa_pvalue={"har": 0.05})
    assert superiority(certain, "har") == (
        "As the best of 1, the best does not beat HAR by more than luck explains "
        "(superior predictive ability, p = 0.050)."
    )
    assert (
        superiority(make_comparison(make_row("har")), "har") == "None has a lower QLIKE than HAR."
    )
