import re

import pytest

from tests.training.reproduction.stand_in import stand_in_results
from training.reproduction.answers import answers_of
from training.reproduction.document import (
    Block,
    Bullets,
    Grid,
    Heading,
    Paragraph,
    Picture,
    Verbatim,
    to_html,
    to_markdown,
)
from training.reproduction.figures import figures_of
from training.reproduction.paper_report import report_of
from training.reproduction.tables import tables_of

BLOCKS: list[Block] = [
    Heading(1, "A < B"),
    Paragraph("x & y"),
    Bullets(["one", "two"]),
    Grid(("model", "RMSE"), [("a|b", "< 0.001")], labels=1),
    Picture("figures/1.svg", b"<svg/>", "Figure 1", "What it shows."),
    Verbatim("seed = 1"),
]


def test_markdown() -> None:
    assert to_markdown(BLOCKS) == (
        "# A < B\n\nx & y\n\n- one\n- two\n\n"
        "| model | RMSE |\n|---|---:|\n| a\\|b | < 0.001 |\n\n"
        "![Figure 1](figures/1.svg)\n\n*Figure 1.* What it shows.\n\n```\nseed = 1\n```\n"
    )


def test_html_escapes_words_and_holds_pictures() -> None:
    page = to_html("A < B", BLOCKS)
    assert "<title>A &lt; B</title>" in page
    assert "<p>x &amp; y</p>" in page
    assert '<td>a|b</td><td class="number">&lt; 0.001</td>' in page
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in page
    assert "<pre>seed = 1</pre>" in page


@pytest.fixture(scope="module")
def blocks() -> list:
    results = stand_in_results()
    return report_of(
        results, tables_of(results), figures_of(results), answers_of(results), quick=True
    )


def test_the_report_has_every_table_and_figure_and_ends_with_the_answers(blocks: list) -> None:
    text = to_markdown(blocks)
    for number in range(1, 9):
        assert f"## Table {number}. " in text
    for number in range(1, 5):
        assert f"![Figure {number}](figures/figure_{number}_" in text
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[-4:] == [
        "## Answers",
        "### Does transfer learning from the S&P 500 help to forecast Bitcoin?",
        "### Does any network beat HAR?",
        "### Is volatility rough?",
    ]


def test_the_report_says_what_its_columns_mean_and_that_it_is_quick(blocks: list) -> None:
    text = to_markdown(blocks)
    for column in ("printed", "same protocol", "aligned", "proper measure"):
        assert f"- {column}: " in text
    assert "This is a quick run" in text
    results = stand_in_results()
    whole = report_of(results, tables_of(results), [], [], quick=False)
    assert "quick run" not in to_markdown(whole)


def test_the_page_needs_nothing_from_elsewhere(blocks: list) -> None:
    page = to_html("Report", blocks)
    assert "<script" not in page
    sources = re.findall(r'(?:src|href)="([^"]{0,40})', page)
    assert len(sources) == 4
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)


def test_the_same_results_make_the_same_report(blocks: list) -> None:
    results = stand_in_results()
    again = report_of(
        results, tables_of(results), figures_of(results), answers_of(results), quick=True
    )
    assert to_html("Report", again) == to_html("Report", blocks)


def test_figures_say_what_they_show() -> None:
    wavelets, training, forecasts, hybrid = figures_of(stand_in_results())
    assert all(figure.svg.startswith(b"<?xml") for figure in (wavelets, training))
    assert "printed: -2.073" in wavelets.caption
    assert "one line for each of 2 seeds" in training.caption
    assert "two hours" in forecasts.caption
    assert "printed: 0.886" in hybrid.caption
    assert hybrid.file == "figures/figure_4_hybrid.svg"
