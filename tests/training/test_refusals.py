"""Each refusal says its case, the field at fault, what was found there and what is needed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models_store.store import Store
from tests.errors import details
from tests.training.simulated import SMALL_CONFIG, make_asset
from training import cli
from training.commands import (
    data_pull,
    evaluate,
    evaluate_panel,
    evaluate_transfer,
    preparation,
    sign,
)
from training.commands.retrain_panel import _check_options
from training.config import read_config, seeds_from
from training.data.assets import TrainingSet
from training.data.bars_file import BarsFile, load_asset, read_table
from training.data.companions import CompanionFile, load_companions, with_companions
from training.data.panel import read_panel
from training.evaluation.folder import check_replaceable
from training.evaluation.study import check_history
from training.models import registry
from training.models.linear import garch
from training.models.pooled.universal import version_known_on
from training.publishing.kind_records import _check_enough
from training.publishing.served_models import ServedModels
from training.publishing.store_results import between_markers, read_results
from volatility import extras
from volatility.errors import InvalidInput, RoughcastError

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def options(command: str, *arguments: str) -> Any:
    return cli.make_parser().parse_args([command, *arguments])


def evaluated(*arguments: str) -> Callable[[], object]:
    return lambda: evaluate.run(options("evaluate", *arguments), None)


def prepared(*arguments: str) -> Callable[[], object]:
    given = ("--config", str(SMALL_CONFIG), "--models", "har", *arguments)
    return lambda: preparation.Preparation.of(options("retrain", *given))


def check(error: RoughcastError, field: str, found: object, needed: str | None) -> None:
    assert repr(details(error)) == repr((field, found, needed))


PANEL_NEEDED = "no --{} with --source panel"
OPTIONS: list[tuple[Callable[[], object], str, object, str | None]] = [
    (
        evaluated("--targets", "3", "--panel", "many"),
        "targets",
        3,
        "--source panel, or no --targets",
    ),
    (evaluated("--folds", "5"), "folds", 5, "--panel DIR, or no --folds"),
    (evaluated("--months", "5"), "months", 5, "--panel DIR, or no --months"),
    (evaluated("--histories", "22"), "histories", [22], "--panel DIR, or no --histories"),
    (
        lambda: evaluate_panel.run(options("evaluate", "--source", "SPX"), None),
        "source",
        "SPX",
        "panel, which evaluates transfer from the panel, or no --source",
    ),
    *(
        (
            evaluated("--panel", "many", f"--{option}", value),
            option.replace("-", "_"),
            Path(value) if option == "bars" else [value] if option == "asset" else value,
            f"either --panel or --{option}",
        )
        for option, value in {
            "asset": "SPX",
            "bars": "a.csv",
            "calendar": "XNYS",
            "measure": "parkinson",
            "outside-sessions": "drop",
        }.items()
    ),
    (
        lambda: preparation.workers_of(options("retrain", "--backend", "dask")),
        "scheduler",
        None,
        "the address of a Dask scheduler, such as tcp://10.0.0.5:8786, or neither",
    ),
    (
        lambda: preparation.workers_of(
            options("retrain", "--backend", "dask", "--scheduler", "tcp://a:1", "--jobs", "2")
        ),
        "jobs",
        2,
        "-1, the default, with --backend dask",
    ),
    (
        prepared("--source", "panel"),
        "source",
        "panel",
        "--panel DIR, or a shipped asset as the source",
    ),
    (prepared("--source", "SPX", "--asset", "SPX"), "source", "SPX", "another asset"),
    (prepared("--calendar", "XNYS"), "bars", None, None),
    (prepared("--measure", "parkinson"), "bars", None, None),
    (prepared("--outside-sessions", "refuse"), "bars", None, None),
    (prepared("--bars", "a.csv"), "asset", None, None),
    (prepared("--bars", "a.csv", "--asset", "A", "--asset", "B"), "asset", None, None),
    (
        lambda: preparation.Preparation.of(
            options("retrain", "--source", "ETH-USD", "--asset", "SPX", "--models", "har")
        ).load_sources(NOW),
        "source",
        None,
        None,
    ),
    (
        lambda: preparation.check_alone(registry.recipes(["transfer"], read_config(SMALL_CONFIG))),
        "models",
        "transfer",
        "models that learn from their asset alone",
    ),
    (
        lambda: _check_options(options("retrain", "--companion", "VIX")),
        "companion",
        ["VIX"],
        "no --companion with retrain --panel",
    ),
    (
        lambda: _check_options(options("retrain", "--source", "SPX")),
        "source",
        "SPX",
        "no --source with retrain --panel",
    ),
]


@pytest.mark.parametrize(("refused", "field", "found", "needed"), OPTIONS)
def test_options_that_do_not_go_together(
    refused: Callable[[], object], field: str, found: object, needed: str | None
) -> None:
    with pytest.raises(InvalidInput) as error:
        refused()
    check(error.value, field, found, needed)


@pytest.mark.parametrize(
    ("option", "value", "found"),
    [
        ("models", "har", ["har"]),
        ("companion", "VIX", ["VIX"]),
        ("horizons", "5", [5]),
        ("histories", "30", [30]),
    ],
)
def test_a_transfer_has_its_own_models_sessions_and_horizon(
    option: str, value: str, found: object
) -> None:
    given = options("evaluate", "--panel", "many", "--source", "panel", f"--{option}", value)
    with pytest.raises(InvalidInput) as error:
        evaluate_transfer._check_options(given)
    check(error.value, option, found, f"no --{option} with --source panel")


def test_a_store_to_sign_has_to_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign, "read_private_key", lambda _: _Key())
    monkeypatch.setattr(sign, "TrustedKeys", lambda keys: keys)
    store = tmp_path / "none"
    given = options("sign", "--store", str(store), "--key", "mine.pem")
    with pytest.raises(InvalidInput) as error:
        sign.run(given, None)
    check(error.value, "store", str(store), "the folder of a model store")


class _Key:
    def public_key(self) -> str:
        return "public"


@pytest.mark.parametrize(
    ("change", "field", "found", "needed"),
    [
        (("heads = 2", "heads = 3"), "network.heads", 3, "a divisor of 8"),
        (("horizons = [1]", "horizons = [5]"), "horizons", [5], "such as [1, 5, 10, 22]"),
        (
            ("seed = 7\nseeds = 1", f"seed = {2**63 - 2}\nseeds = 3"),
            "seed",
            2**63 - 2,
            f"at most {2**63 - 3}",
        ),
        (("seed = 7", "seed ="), "config", None, None),
        (
            ("[hybrid]\n", "[hybrid]\nbeta = 1\n"),
            "hybrid.beta",
            None,
            "exactly ['alpha_learning_rate']",
        ),
        (("epochs = 2", "epochs = 'two'"), "pretraining.epochs", "two", "int"),
        (("horizons = [1]", "horizons = 1"), "horizons", 1, "a list"),
        (('source = "SOURCE"', "source = 1"), "transfer.source", 1, "str"),
    ],
)
def test_a_configuration(
    tmp_path: Path, change: tuple[str, str], field: str, found: object, needed: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(SMALL_CONFIG.read_text().replace(*change, 1))
    with pytest.raises(RoughcastError) as error:
        read_config(path)
    assert error.value.code == "invalid_config"
    check(error.value, field, found, needed)


TABLES: list[tuple[str, object, str | None]] = [
    ("asset,kind\nA,stock\n", ["asset", "kind"], "asset, kind, calendar"),
    ("asset,kind,calendar\nA,share,XNYS\n", "share", "one of stock, etf, index, fx, crypto"),
    ("asset,kind,calendar\nA,stock,XNYS\nA,stock,XNYS\n", "A", None),
    ("asset,kind,calendar\n", None, "a row an asset"),
    (
        "asset,kind,calendar\nA,stock,XNYS\nB,stock,XNYS\n",
        ["A", "B"],
        "bars of every asset of assets.csv",
    ),
]


@pytest.mark.parametrize(("table", "found", "needed"), TABLES)
def test_a_panel_s_table(tmp_path: Path, table: str, found: object, needed: str | None) -> None:
    (tmp_path / "assets.csv").write_text(table)
    with pytest.raises(RoughcastError) as error:
        read_panel(tmp_path, NOW)
    assert error.value.code == "invalid_panel"
    check(error.value, "panel", found, needed)


def write(path: Path, nobs: int = 40) -> Path:
    """Bars of Mondays to Fridays; what is refused of them comes before any is measured."""
    dates = pd.bdate_range("2020-01-06", periods=nobs)
    prices = dict.fromkeys(("open", "high", "low", "close"), 1.0)
    pd.DataFrame({"date": dates, **prices}).to_csv(path, index=False)
    return path


def test_a_panel_s_bars(tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_text("asset,kind,calendar\nA,stock,24/7\n")
    write(tmp_path / "A.csv")
    with pytest.raises(RoughcastError) as error:
        read_panel(tmp_path, NOW)
    assert str(error.value).startswith("A: ")
    cause = error.value.__cause__
    assert isinstance(cause, InvalidInput)
    check(error.value, "panel", "A", cause.needed)
    write(tmp_path / "A.csv.gz")
    with pytest.raises(RoughcastError, match="two files of A") as error:
        read_panel(tmp_path, NOW)
    check(error.value, "panel", "A", None)


def test_bars_of_an_asset(tmp_path: Path) -> None:
    with pytest.raises(RoughcastError) as error:
        load_asset("A", BarsFile(write(tmp_path / "a.csv")), NOW)
    assert error.value.code == "calendar_needed"
    check(error.value, "calendar", None, "a calendar of exchange_calendars, such as XNYS")
    with pytest.raises(RoughcastError, match="it is a folder") as error:
        read_table(tmp_path)
    assert error.value.code == "unreadable_file"
    needed = "a file with date, open, high, low, close, such as CSV or Parquet"
    check(error.value, "bars", str(tmp_path), needed)


def test_companions() -> None:
    vix = CompanionFile("VIX", Path("vix.csv"))
    form = "NAME, NAME=FILE or NAME=FILE@CALENDAR"
    for text in ("=vix.csv", "VIX=", "VIX=vix.csv@"):
        with pytest.raises(RoughcastError) as error:
            CompanionFile.of(text)
        check(error.value, "companion", text, form)
    with pytest.raises(RoughcastError) as error:
        load_companions([vix, CompanionFile("A"), CompanionFile("A"), vix], NOW)
    check(error.value, "companion", "A", None)
    with pytest.raises(RoughcastError) as error:
        with_companions(make_asset("A"), [make_asset("B"), make_asset("A")])
    check(error.value, "companion", "A", "another asset")


def test_a_history_that_is_too_short_to_be_tested_on() -> None:
    asset = make_asset(nobs=499)
    with pytest.raises(RoughcastError) as error:
        check_history(TrainingSet(asset, {}, seed=0))
    assert error.value.code == "history_too_short"
    check(error.value, "bars", 499, "at least 500 sessions")
    with pytest.raises(RoughcastError) as error:
        check_history(TrainingSet(make_asset(nobs=500), {}, seed=0, horizon=499))
    assert error.value.code == "too_few_observations"
    found, needed = 0, "sessions without a gap before them in each part"
    field, was, said = details(error.value)
    assert (field, was) == ("horizons", found)
    assert said is not None
    assert said.endswith(needed)


def test_what_is_missing_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RoughcastError) as error:
        registry.recipes(["har", "best"], read_config(SMALL_CONFIG))
    check(error.value, "models", "best", f"any of {list(registry.MODELS)}")
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(RoughcastError) as error:
        extras.require("networks", "lstm", field="source")
    absent = ", ".join(extras.PACKAGES["networks"])
    check(error.value, "source", f"no {absent}", "the extra networks")
    with pytest.raises(RoughcastError) as error:
        extras.require("networks", "lstm")
    assert error.value.field == "models"
    with pytest.raises(RoughcastError) as error:
        garch.estimate(np.zeros(7), asymmetric=False)
    check(error.value, "bars", 7, "prices that move from close to close")
    with pytest.raises(RoughcastError) as error:
        version_known_on([], np.datetime64("2020-01-02"))
    needed = "a history that reaches beyond the first fit of that model"
    check(error.value, "history", "2020-01-02", needed)
    with pytest.raises(RoughcastError) as error:
        _check_enough(7, 5)
    check(error.value, "panel", 7, "at least 100: longer histories, or more assets")


def test_places_that_hold_something_else(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(RoughcastError) as error:
        check_replaceable(tmp_path)
    needed = "a folder that is new, empty, or holds the results of an evaluation"
    check(error.value, "out", "mine.txt", needed)
    store = Store(tmp_path / "none")
    with pytest.raises(RoughcastError) as error:
        ServedModels.of(store, "A")
    check(error.value, "store", None, None)
    with pytest.raises(RoughcastError) as error:
        read_results(store)
    check(error.value, "store", None, None)
    page = tmp_path / "mine.txt"
    begin = "<!-- results: made by `python -m training results` -->"
    for text in ("", begin, "<!-- end of results -->"):
        page.write_text(text)
        with pytest.raises(RoughcastError) as error:
            between_markers(page, "")
        needed = f"a line {begin!r} and a later line '<!-- end of results -->'"
        check(error.value, str(page), None, needed)


def test_seeds_beyond_what_torch_takes() -> None:
    assert seeds_from(2**63 - 3, 3)[-1] == 2**63 - 1
    with pytest.raises(RoughcastError):
        seeds_from(2**63 - 2, 3)


def test_whose_sessions_bars_are_of_has_to_be_said() -> None:
    with pytest.raises(RoughcastError) as error:
        data_pull._calendar(None)
    assert error.value.code == "calendar_needed"
    check(error.value, "calendar", None, "a calendar of exchange_calendars, such as XNYS, or 24/7")


def test_a_service_that_holds_nothing_long_enough() -> None:
    held = {"A": 499, "VIX": 900}
    asked: Any = SimpleNamespace(
        service=SimpleNamespace(sessions=lambda: held), companions=[SimpleNamespace(name="VIX")]
    )
    with pytest.raises(RoughcastError, match="holds no asset with 500 sessions") as error:
        preparation.Preparation._held(asked)
    found = {"A": "it has 499 sessions", "VIX": "it is a companion"}
    check(error.value, "from_service", found, "an asset with at least 500 sessions")
    held["A"] = 500
    assert preparation.Preparation._held(asked) == {"A": "", "VIX": "it is a companion"}
