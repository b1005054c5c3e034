"""What reports are made of."""

from collections.abc import Callable

import pytest
from jinja2 import UndefinedError
from markdown_it import MarkdownIt

from training.reports.markdown import anchor, escaped, markdown_table, write


def test_a_markdown_table() -> None:
    columns: dict[str, Callable[[int], str]] = {
        "model": str,
        "square": lambda n: str(n**2),
        "in set": repr,
    }
    assert markdown_table([1, 22], columns) == [
        "| model | square | in set |",
        "|---|---:|:-:|",
        "| 1 | 1 | 1 |",
        "| 22 | 484 | 22 |",
    ]
    assert markdown_table([1], columns, ("square",))[1] == "|---:|---|:-:|"


@pytest.mark.parametrize(
    "text",
    [
        "*a* _b_ `c` [d](e) <f> &amp; g|h \\i",
        "/tmp/_a_/b_c.csv",
        "- no list",
        "# no heading",
        "log_rv of a_b",
    ],
)
def test_text_of_others_is_shown_as_it_is(text: str) -> None:
    (_, inline, _) = MarkdownIt("commonmark").parse(escaped(text))
    assert "".join(child.content for child in inline.children or []) == text


def test_an_underscore_inside_of_a_word_stays() -> None:
    assert escaped("log_rv") == "log_rv"


def test_anchors_are_those_of_the_usual_viewers() -> None:
    assert anchor("BTC-USD, mean of 5 sessions ahead") == "btc-usd-mean-of-5-sessions-ahead"


def test_a_name_that_a_template_lacks_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="is undefined"):
        write("evaluation.md")
