import pytest
from rich.console import Console

from tests.training.evaluation.studies import results
from training.commands.comparison_tables import print_comparison


def test_the_printed_table_names_every_column_once() -> None:
    comparison = results()[0].comparisons["test"]
    console = Console(width=160, record=True, quiet=False, file=None)
    with console.capture() as captured:
        print_comparison("FIRST", comparison, console)
    printed = captured.get()
    assert "FIRST, test part" in printed
    (head,) = [line for line in printed.splitlines() if "QLIKE" in line and "vs HAR:" not in line]
    headings = [cell.strip() for cell in head.strip("┃").split("┃")]
    assert headings == [
        *("model", "QLIKE", "vs HAR", "p: HAR", "p: calendar", "set"),
        *("RMSE of volatility", "R² of log", "80 % / 95 %"),
    ]


@pytest.mark.parametrize(
    ("width", "kept"),
    [
        (60, ["model", "QLIKE", "vs HAR", "p: calendar", "set"]),
        (75, ["model", "QLIKE", "vs HAR", "p: HAR", "p: calendar", "set"]),
    ],
)
def test_a_narrow_table_goes_without_some_columns_and_says_so(width: int, kept: list[str]) -> None:
    comparison = results()[0].comparisons["test"]
    console = Console(width=width)
    with console.capture() as captured:
        print_comparison("FIRST", comparison, console)
    lines = captured.get().splitlines()
    (head,) = [line for line in lines if line.startswith("┃")]
    assert [cell.strip() for cell in head.strip("┃").split("┃")] == kept
    assert max(map(len, lines)) <= width
    assert "Left out of a narrow table" in " ".join(" ".join(lines).split())
