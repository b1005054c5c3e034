"""docs/evaluation.md shows what its command gives, and names every column and option."""

import argparse
import re
from argparse import HelpFormatter
from functools import partial
from pathlib import Path

import pytest

from benchmarks.evaluation_tables import __main__ as evaluation_tables
from tests.pages import code, commands, training_words
from tests.training.evaluation.studies import results
from training import cli
from training.commands.arguments import add_evaluate
from training.evaluation.tables import tidy_rows
from volatility.evaluation.compare import BENCHMARKS

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()


def test_the_example_is_what_the_command_gives(tmp_path: Path) -> None:
    section = PAGE.split("## Reading one")[1]
    (command,) = commands("docs/evaluation.md", "Reading one")
    (shown,) = re.findall(
        r"<!-- example: .* -->\n(.*)\n<!-- end of example -->", section, flags=re.DOTALL
    )
    assert cli.main([*training_words(command), "--out", str(tmp_path / "out"), "--jobs", "1"]) == 0
    assert shown in (tmp_path / "out" / "report.md").read_text()


def test_the_simulated_tables_are_made_by_their_command(tmp_path: Path) -> None:
    copy = tmp_path / "evaluation.md"
    copy.write_text(PAGE)
    assert evaluation_tables.main(["--scale", "0.003", "--page", str(copy)]) == 0
    made = copy.read_text()
    section = PAGE.split("## What the tests are worth")[1]
    names = re.findall(r"<!-- /(.*) -->", section)
    assert names == ["rejections", "many models", "timing", "false alarms"]
    for name in names:
        (old, new) = (
            re.findall(f"<!-- {name} -->\n(.*)<!-- /{name} -->", text, flags=re.DOTALL)[0]
            for text in (PAGE, made)
        )
        assert old != new  # other draws
        for of_page, of_command in zip(old.splitlines(), new.splitlines(), strict=True):
            assert of_page.count("|") == of_command.count("|")
            assert of_page.split("|")[1:2] == of_command.split("|")[1:2]


def test_the_code_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = code("docs/evaluation.md")
    exec(compile(shown, "evaluation", "exec"), {"__name__": "evaluation"})  # the page's own code
    model, qlike, in_set = capsys.readouterr().out.split()
    assert model in {*BENCHMARKS, "ewma"}
    assert 0 < float(qlike) < 1
    assert in_set == "True"


def test_every_option_is_explained() -> None:
    parser = argparse.ArgumentParser(formatter_class=partial(HelpFormatter, width=1_000))
    add_evaluate(parser)
    option = re.compile(r"--[a-z]+(?:-[a-z]+)*")
    options = set(option.findall(parser.format_help())) - {"--help"}
    assert options == set(option.findall(PAGE.split("## The protocol")[0]))


def test_every_column_is_explained() -> None:
    explained = PAGE.split("## The numbers")[1].split("## Reading one")[0]
    for column in tidy_rows(results())[0]:
        stem = re.sub(r"_(0\.8|0\.95|last_value|har|log_har|calendar_log_har)$", "", column)
        assert f"`{stem}" in explained, column
