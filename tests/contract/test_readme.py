"""The README's requests give the README's answers, and its tables are those of the pages."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.picture import PICTURE, draw
from models_store.shipped import shipped_artifacts
from models_store.store import Store
from service.app import create_app
from service.settings import Settings
from tests.pages import blocks, commands
from tests.service.client import TestClient
from tests.service.test_api_guide import assert_same, request_of
from training.publishing.further_ahead import read_ahead
from training.publishing.store_results import BEGIN, END, tables

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
UNIVERSAL = (ROOT / "docs" / "universal.md").read_text()
COMPANIONS = (ROOT / "docs" / "companions.md").read_text()
RESULTS = (ROOT / "docs" / "results.md").read_text()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("fresh")
    settings = Settings(
        store=folder / "store", database_url=f"sqlite:///{folder / 'history.sqlite3'}"
    )
    with TestClient(create_app(settings)) as started:
        yield started


def test_the_example_request_returns_the_example_answer(client: TestClient) -> None:
    serve, _test, command = commands("README.md")
    assert serve in commands("docs/tutorials/first-forecast.md")  # which is followed
    [answer] = blocks("README.md", "json")
    response = client.request(**request_of(command))
    shown, found = json.loads(answer), response.json()
    assert {"rv", "volatility_annualized", "intervals", "target_date"} <= set(shown)
    assert_same(shown, {name: found[name] for name in shown})  # fewer fields than there are


def test_an_asset_that_nobody_knows_gets_the_whole_answer_shown(client: TestClient) -> None:
    command, *_of_panels = commands("docs/universal.md")
    [answer] = blocks("docs/universal.md", "json")
    response = client.request(**request_of(command))
    assert response.status_code == 200, response.text
    given, promised = response.json(), json.loads(answer)
    for each in (given, promised):
        flatten_numbers(each)  # the last bits of a float differ between processors
        without_the_clock(each)
    assert given == pytest.approx(promised)


def without_the_clock(answer: dict) -> None:
    """Without how many sessions have closed since, and the id, in which the last bits are."""
    del answer["forecast_id"]
    assert answer.pop("stale_sessions") >= 0
    kept = [it for it in answer["warnings"] if "history is stale" not in it]
    answer["warnings"] = str(kept)


def flatten_numbers(answer: dict) -> None:
    (interval,) = answer.pop("intervals")
    for name, value in interval.items():
        for at, number in enumerate(value if isinstance(value, list) else [value]):
            answer[f"interval.{name}.{at}"] = number
    assert answer["skill"] is None
    answer["calibration"] = str(answer["calibration"])
    answer["diagnostics"] = str(answer["diagnostics"])


def test_the_results_are_those_of_the_shipped_models() -> None:
    expected = tables(Store(shipped_artifacts()))
    page = (ROOT / "docs" / "results.md").read_text()
    assert page.split(BEGIN)[1].split(END)[0].strip() == expected.strip()


def test_the_table_of_what_it_is_worth_is_that_of_the_page() -> None:
    """Its figures stand in docs/universal.md, whose command makes them."""
    rows = {
        "universal, 22 bars": "`universal_22`",
        "universal, all bars": "`universal`",
        "combination": "`combination`",
        "HAR, fitted": "`har`",
        "EWMA": "`ewma`",
    }
    for beginning, model in rows.items():
        told = next(line for line in README.splitlines() if line.startswith(f"| {beginning}"))
        source = next(line for line in UNIVERSAL.splitlines() if line.startswith(f"| {model} |"))
        figures = [cell.strip() for cell in told.split("|")[2:-1]]
        assert figures == [cell.strip() for cell in source.split("|")[2 : 2 + len(figures)]]


def row_of(page: str, beginning: str) -> list[str]:
    """The cells of the first row that begins so, but the first."""
    row = next(line for line in page.splitlines() if line.startswith(f"| {beginning}"))
    return [cell.strip() for cell in row.split("|")[2:-1]]


def test_the_row_with_companions_is_that_of_their_page_and_says_that_it_is_not_served() -> None:
    told, source = row_of(README, "combination that looks"), row_of(COMPANIONS, "`combination_comp")
    assert told == source[: len(told)]
    [row] = [line for line in README.splitlines() if "combination that looks" in line]
    assert "(evaluated, not served: [companions](docs/companions.md))" in row
    assert "This stage is evaluated, not published" in COMPANIONS


def test_the_table_of_transfer_is_that_of_the_page() -> None:
    rows = {
        "sessions known": "sessions known",
        "from many markets, as it is, with the target's scale": "as it is, with the target's scale",
        "the same, all weights fine-tuned": "`full`",
        "the same network from scratch": "the same network from scratch",
        "log-HAR of the same": "log-HAR of the same N",
    }
    source = UNIVERSAL.split("## Transfer, answered")[1]
    for told, of in rows.items():
        assert row_of(README, told) == row_of(source, of)


def test_what_transfer_from_one_market_gives_is_what_the_tables_say() -> None:
    """The words at the top of the results, by the lines that are made of the shipped models."""
    told = " ".join(RESULTS.split("does not\nhelp**")[1].split("What many markets")[0].split())
    lines = re.findall(r"QLIKE against `lstm` from scratch: ([^.]+(?:\.\d[^.]*)+)", RESULTS)
    found = re.findall(r"([+-]\d+\.\d)% \(p = (0\.\d+)\)", " ".join(lines))
    assert len(found) == 15
    certain = [(change, p) for change, p in found if float(p) < 0.05]
    assert [change[0] for change, _ in certain] == ["+"]
    [(_, p)] = certain
    assert f"of fifteen comparisons none is better at 5 %, and one is worse (p = {p}," in told


def test_the_day_that_decides_the_hourly_series_is_told() -> None:
    [(told, of)] = re.findall(
        r"80 to 98 %\nof the differential's variance.*for (\d+) of its (\d+)", RESULTS
    )
    table = RESULTS.split("**BTC-USD-1H**, `")[1].split("\nSignificantly")[0]
    shares = [int(it) for it in re.findall(r"\| 2019-04-02: (\d+)%", table)]
    others = table.count("\n| `") - 1
    assert (int(told), int(of)) == (sum(80 <= it <= 98 for it in shares), others)


def test_how_far_it_sees_is_what_the_page_says() -> None:
    told = README.split("**See far.**")[1].split("\n- ")[0]
    figures = re.findall(r"(\d\.\d) %", told)
    for sessions, figure in zip(("", "5, ", "22, "), figures, strict=True):
        [row] = re.findall(rf"^\| {sessions}`universal` \|(?: [+-]\S+ \|){{6}}", UNIVERSAL, re.M)
        assert row.split("|")[-2].strip() == f"{'+' if sessions == '22, ' else '-'}{figure}%"


def test_where_the_champion_beats_nothing_is_what_the_comparisons_say() -> None:
    found = read_ahead(Store(shipped_artifacts()))
    further = {(it.asset, it.horizon): it for it in found if it.asset in ("SPX", "BTC-USD")}
    tests = {
        at: it.row(it.champion).diebold_mariano["calendar_log_har"]
        for at, it in further.items()
        if it.horizon in (10, 22)
    }
    ratios = [
        further[at].row(further[at].champion).qlike_loss
        / further[at].row("calendar_log_har").qlike_loss
        for at in tests
    ]
    assert min(ratios) > 1
    pvalues = [it.pvalue for it in tests.values()]
    told = (
        f"{min(ratios) - 1:.1%} to {max(ratios) - 1:.1%} worse".replace("%", " %")
        + f" (p = {min(pvalues):.2f} to {max(pvalues):.2f})"
    )
    assert told in " ".join(README.split())


def test_the_readme_can_be_read_in_a_minute() -> None:
    prose = re.sub(r"```.*?```|\]\([^)]*\)|^\|.*$", "", README, flags=re.DOTALL | re.MULTILINE)
    assert len(prose.split()) < 550


def test_the_picture_can_be_drawn_again(tmp_path: Path) -> None:
    draw(tmp_path / "forecast.png")
    drawn, shown = (tmp_path / "forecast.png").read_bytes(), PICTURE.read_bytes()
    assert drawn[:24] == shown[:24]  # of a PNG: its signature, its width and its height
    assert f"(docs/{PICTURE.name})" in README
