import pytest

from tests.training.reports.pages import Page, check
from tests.training.reproduction.stand_in import stand_in_results
from training.reports.drawings import Drawing
from training.reports.page import page
from training.reproduction.answers import answers_of
from training.reproduction.figures import figures_of
from training.reproduction.forecasts import ScoringProtocol
from training.reproduction.paper_report import TITLE, report_of
from training.reproduction.tables import tables_of


@pytest.fixture(scope="module")
def figures() -> list[Drawing]:
    return figures_of(stand_in_results())


@pytest.fixture(scope="module")
def report(figures: list[Drawing]) -> str:
    results = stand_in_results()
    return report_of(results, tables_of(results), figures, answers_of(results), quick=True)


@pytest.fixture(scope="module")
def html(report: str, figures: list[Drawing]) -> Page:
    return Page.of(page(report, figures))


def test_the_report_begins_with_the_answers_and_has_every_table_and_figure(html: Page) -> None:
    check(html)
    headings = [text for _, _, text in html.headings]
    assert headings[:5] == [
        TITLE,
        "Answers",
        "Does transfer learning from the S&P 500 help to forecast Bitcoin?",
        "Does any network beat HAR?",
        "Is volatility rough?",
    ]
    for number in range(1, 9):
        assert any(text.startswith(f"Table {number}. ") for text in headings)
    for number in range(1, 5):
        assert any(text.startswith(f"Figure {number}. ") for text in headings)
    assert len(html.drawings) == 4
    assert headings[-1] == "Data"


def test_the_page_has_the_numbers_of_the_tables(html: Page) -> None:
    for table in tables_of(stand_in_results()):
        for row in table.rows:
            cells = [row.label, row.quantity.label, row.printed or "–"]
            cells += [row.text(protocol) for protocol in ScoringProtocol]
            assert cells in html.rows


def test_the_report_says_what_its_columns_mean_and_that_it_is_quick(report: str) -> None:
    for column in ("printed", "same protocol", "aligned", "proper measure"):
        assert f"- {column}: " in report
    assert "This is a quick run" in report
    results = stand_in_results()
    whole = report_of(results, tables_of(results), [], [], quick=False)
    assert "quick run" not in whole


def test_the_same_results_make_the_same_report(report: str, figures: list[Drawing]) -> None:
    results = stand_in_results()
    again = figures_of(results)
    assert again == figures
    assert report == report_of(results, tables_of(results), again, answers_of(results), quick=True)


def test_figures_say_what_they_show(figures: list[Drawing]) -> None:
    wavelets, training, forecasts, hybrid = figures
    assert all(figure.svg.startswith(b"<?xml") for figure in (wavelets, training))
    assert "printed: -2.073" in wavelets.caption
    assert "one line for each of 2 seeds" in training.caption
    assert "two hours" in forecasts.caption
    assert "printed: 0.886" in hybrid.caption
    assert hybrid.file == "figures/figure_4_hybrid.svg"
