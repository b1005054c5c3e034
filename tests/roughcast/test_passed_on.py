"""What a command hands on to the package, and how it prints what comes back."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from roughcast.commands import answering, application
from roughcast.commands.answering import Output, Said
from roughcast.commands.application import Kind
from tests.roughcast.results.made_up import COMPARISON, FORECAST, REPORT

WRITTEN = {
    "format": "auto",
    "dayfirst": None,
    "decimal": None,
    "prices": None,
    "ticker": None,
    "columns": None,
}
PLAIN = Output(as_json=False, quiet=False, verbose=False)
OF_A_FILE = {
    "--format": "yfinance",
    "--dayfirst": "",
    "--decimal": ",",
    "--prices": "raw",
    "--ticker": "SPY",
    "--column": "close=Last",
    "--columns": "time=When",
    "--calendar": "XNYS",
    "--json": "",
    "-q": "",
    "-v": "",
}
SAID = {
    "format": "yfinance",
    "dayfirst": True,
    "decimal": ",",
    "prices": "raw",
    "ticker": "SPY",
    "columns": ["close=Last", "time=When"],
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the functions behind the commands are called with."""
    given: list[tuple[Any, ...]] = []
    for name in ("forecast", "hurst", "compare"):
        monkeypatch.setattr(answering, name, lambda *it, name=name: given.append((name, *it)))
    return given


def typed(command: str, options: Mapping[str, str]) -> None:
    words = [word for pair in options.items() for word in pair if word]
    assert application.run([command, "a.csv", *words]) == 0


@pytest.mark.parametrize(
    ("command", "passed"),
    [
        ("forecast", ([1, 5, 10, 22], [0.8, 0.95], [], PLAIN)),
        ("hurst", (PLAIN,)),
        ("compare", (["har", "log_har", "hexp"], 1, PLAIN)),
    ],
)
def test_without_options_it_does_what_is_usual(
    command: str, passed: tuple[Any, ...], told: list[tuple[Any, ...]]
) -> None:
    typed(command, {})
    assert told == [(command, Said("a.csv", WRITTEN, None, None, None), *passed)]


@pytest.mark.parametrize(
    ("command", "options", "kind", "measure", "passed"),
    [
        (
            "forecast",
            {"-h": "5", "--level": "0.9", "--quantile": "0.1", "--kind": "etf"},
            Kind.ETF,
            None,
            ([5], [0.9], [0.1]),
        ),
        ("hurst", {"--measure": "parkinson"}, None, "parkinson", ()),
        (
            "compare",
            {"-m": "ewma", "--model": "har", "--horizon": "5", "--measure": "parkinson"}
            | {"--kind": "index"},
            Kind.INDEX,
            "parkinson",
            (["ewma", "har"], 5),
        ),
    ],
)
def test_every_option_is_passed_on(
    command: str,
    options: dict[str, str],
    kind: Kind | None,
    measure: str | None,
    passed: tuple[Any, ...],
    told: list[tuple[Any, ...]],
) -> None:
    typed(command, {**OF_A_FILE, **options})
    output = Output(as_json=True, quiet=True, verbose=True)
    assert told == [(command, Said("a.csv", SAID, "XNYS", kind, measure), *passed, output)]


def test_long_options_are_the_short_ones(told: list[tuple[Any, ...]]) -> None:
    typed("forecast", {"--quiet": "", "--verbose": "", "--horizon": "5", "--no-dayfirst": ""})
    [(_, said, horizons, _, _, output)] = told
    assert (horizons, said.written["dayfirst"]) == ([5], False)
    assert output == Output(as_json=False, quiet=True, verbose=True)


@pytest.mark.parametrize("kind", ["stock", "etf", "index", "fx", "crypto"])
def test_kinds_are_those_of_the_package(kind: str, told: list[tuple[Any, ...]]) -> None:
    typed("forecast", {"--kind": kind})
    assert told[0][1].kind == kind
    assert application.run(["forecast", "a.csv", "--kind", "bond"]) == 2


ASKED = Said("a.csv", {"columns": ["open=O"]}, "XNYS", "etf", "parkinson")
BARS = pd.DataFrame({"open": [1.0]})
BARS.attrs = {"read_as": "CSV"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the package is asked; it answers with what is made up."""
    given: list[tuple[Any, ...]] = []

    def answers(name: str, found: object) -> Callable[..., object]:
        def answer(*words: Any, **more: Any) -> object:
            given.append((name, *words, more))
            return found

        return answer

    measured = pd.Series([1e-4])
    measured.attrs = {"measure": "parkinson"}
    monkeypatch.setattr(answering, "read", lambda _: ("SPX", BARS))
    monkeypatch.setenv("COLUMNS", "100")
    for place, name, found in (
        ("forecasting", "forecast", FORECAST),
        ("measuring", "measure", measured),
        ("roughness", "hurst", REPORT),
        ("comparing", "compare", COMPARISON),
    ):
        monkeypatch.setattr(f"roughcast.{place}.{name}", answers(name, found))
    return given


CONFIGURATION = "source = a.csv\ncalendar = XNYS\nkind = etf\nmeasure = parkinson\n"
COLUMNS = "columns = ['open=O']\nread_as = CSV\n"
PAST = "█▁\nthe last 2 sessions: 16% to 32%, last 16.0%\n\n"


def test_a_forecast_is_asked_for_and_printed(
    asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    answering.forecast(ASKED, [1], [0.8], [0.1], PLAIN)
    [(_, bars, horizons, more)] = asked
    assert bars is BARS
    assert (horizons, more) == (
        [1],
        {"calendar": "XNYS", "kind": "etf", "levels": [0.8], "quantiles": [0.1], "asset": "SPX"},
    )
    assert capsys.readouterr().out == f"{PAST}{FORECAST.text()}\n"
    answering.forecast(ASKED, [1], [0.8], [0.1], PLAIN._replace(verbose=True))
    configuration = f"{CONFIGURATION}{COLUMNS}model_sha256 = ff\n"
    assert capsys.readouterr().out == f"{configuration}\n{PAST}{FORECAST.text()}\n"
    answering.forecast(ASKED, [1], [0.8], [0.1], PLAIN._replace(quiet=True))
    table = FORECAST.text().splitlines()[2:5]
    assert capsys.readouterr().out.splitlines() == table


def test_a_history_of_which_nothing_is_known_is_not_drawn(
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for unknown in ({"history": None}, {"periods_per_year": None}):
        bare = type(FORECAST)(**{**vars(FORECAST), **unknown})
        monkeypatch.setattr("roughcast.forecasting.forecast", lambda *_, it=bare, **__: it)
        answering.forecast(ASKED, [1], [], [], PLAIN)
        assert capsys.readouterr().out == f"{FORECAST.text()}\n"
    assert asked == []


def test_of_a_long_history_the_newest_two_months_are_drawn(
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    long = type(FORECAST)(**{**vars(FORECAST), "history": pd.Series([1.0, *[1e-4] * 44])})
    monkeypatch.setattr("roughcast.forecasting.forecast", lambda *_, **__: long)
    answering.forecast(ASKED, [1], [], [], PLAIN)
    blocks, span, *_ = capsys.readouterr().out.splitlines()
    assert (blocks, span) == ("▁" * 44, "the last 44 sessions: 16% to 16%, last 16.0%")
    assert asked == []


def test_a_hurst_exponent_is_asked_for_and_printed(
    asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    answering.hurst(ASKED, PLAIN._replace(verbose=True))
    (_, bars, measure, calendar), (_, rv, more) = asked
    assert bars is BARS
    assert (measure, calendar, more) == ("parkinson", {"calendar": "XNYS"}, {})
    assert rv.tolist() == [1e-4]
    assert capsys.readouterr().out == f"{CONFIGURATION}{COLUMNS}\n{REPORT.text()}\n"


def test_a_comparison_is_asked_for_and_printed(
    asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    answering.compare(ASKED, ["ewma"], 5, PLAIN)
    [(_, bars, models, more)] = asked
    assert bars is BARS
    assert (models, more) == (
        ["ewma"],
        {"horizon": 5, "calendar": "XNYS", "kind": "etf", "measure": "parkinson"},
    )
    printed = capsys.readouterr().out
    assert printed == f"{COMPARISON.text(88, 3)}\n"
    assert printed.splitlines()[-1] == "note: 1 more with -v"
    answering.compare(ASKED, ["ewma"], 5, PLAIN._replace(verbose=True))
    assert capsys.readouterr().out == f"{CONFIGURATION}{COLUMNS}\n{COMPARISON.text()}\n"


def test_json_has_every_field_but_tables(
    asked: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    over_http = {"horizons": "term_structure", "scores": "rows", "left_out": "excluded"}
    for ask, found, dates, without in (
        (lambda it: answering.forecast(ASKED, [1], [], [], it), FORECAST, 2, {"history"}),
        (lambda it: answering.compare(ASKED, [], 1, it), COMPARISON, 0, {"losses"}),
        (lambda it: answering.hurst(ASKED, it), REPORT, 0, set()),
    ):
        ask(PLAIN._replace(as_json=True, quiet=True))
        printed = capsys.readouterr().out
        told = json.loads(printed)
        assert printed == json.dumps(told, indent=2) + "\n"
        assert set(told) == {over_http.get(it, it) for it in set(vars(found)) - without}
        assert sum(it in ("2021-02-03", "2021-02-04") for it in map(str, told.values())) == dates
    assert told["estimates"][0] == {
        "estimator": "dfa",
        "hurst": 0.2,
        "standard_error": 0.03,
        "interval": [0.14, 0.26],
        "level": 0.95,
        "points": [[1.0, 0.5], [2.0, 0.6]],
        "reason": None,
    }
    assert asked


def test_a_narrow_terminal_has_narrow_notes(
    asked: list[tuple[Any, ...]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    answering.compare(ASKED, [], 1, PLAIN)
    assert capsys.readouterr().out == f"{COMPARISON.text(50, 3)}\n"
    assert asked


def test_a_file_comes_before_a_shipped_asset_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = Said("SPX", {"columns": ["close=Last"]}, None, None, None)
    name, shipped = answering.read(said)
    assert (name, shipped.attrs["asset"]) == ("SPX", "SPX")
    Path("SPX").write_text("date,open,high,low,Last\n2021-02-02,1,3,1,2\n2021-02-03,2,4,1,3\n")
    name, own = answering.read(said)
    assert (name, own["close"].tolist()) == (None, [2.0, 3.0])
