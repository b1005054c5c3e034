"""The options of every command.

Of libraries that take time it imports numpy alone, which the names of datasets and benchmarks bring
along, so that help comes in a fraction of a second.
"""

import argparse
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from training.commands.bars_options import add_bars_options
from training.commands.parsing import add_output
from training.commands.store_options import add_store_options
from training.config import AVERAGED, SEEDS
from training.models.registry import MODELS
from volatility.datasets import NAMES
from volatility.evaluation.compare import BENCHMARKS
from volatility.scale_free import MINIMUM
from volatility.trailing import SESSIONS

DEFAULT_SEEDS, QUICK_SEEDS = 5, 2  # of each network in a reproduction
MOST_SEEDS = 100
MOST_FOLDS = 20
DEFAULT_HISTORIES = (22, 60, 125)
DROP = "drop"
PANEL_SOURCE = "panel"
PANEL_PLAN: Mapping[str, Any] = MappingProxyType(  # options that say how a panel is evaluated
    {"folds": 3, "months": 24, "histories": [*DEFAULT_HISTORIES]}
)
OUTSIDE_SESSIONS = ("refuse", DROP)
ALL_CORES = -1
BACKENDS = ("joblib", "dask")


def add_retrain(parser: argparse.ArgumentParser) -> None:
    """Options of ``retrain``."""
    _add_assets(parser)
    _add_fitting(parser)
    parser.add_argument(
        "--horizons",
        nargs="+",
        type=_horizon,
        metavar="H",
        help="sessions ahead, whose mean rv models forecast; they are judged by the first, which "
        "is 1; overrides the configuration's",
    )
    parser.add_argument(
        "--to-service",
        metavar="URL",
        help="with --bars: put them to a running service, too; its key, if it needs one, from the "
        "environment's ROUGHCAST_API_KEY",
    )
    add_store_options(parser)
    _add_panel(parser)


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Options of ``evaluate``."""
    _add_assets(parser)
    _add_fitting(parser)
    parser.add_argument(
        "--horizons",
        nargs="+",
        type=_horizon,
        default=[1],
        metavar="H",
        help="sessions ahead, whose mean rv is forecast (default: 1)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("var/evaluation"),
        metavar="DIR",
        help="folder of the results, replaced when they are complete (default: %(default)s)",
    )
    _add_panel(parser)
    parser.add_argument(
        "--targets",
        type=_targets,
        metavar="N",
        help=f"with --panel and --source {PANEL_SOURCE}: assets of each kind that are forecast, "
        "the first of the panel (default: all); sources are fitted on all",
    )


def add_reproduce(parser: argparse.ArgumentParser) -> None:
    """Options of ``reproduce``."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("var/paper"),
        metavar="DIR",
        help="folder of the paper's files, .csv or .csv.gz (default: %(default)s)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("var/reproduction"),
        metavar="DIR",
        help="folder of the results; what is finished there is not computed again "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--download", action="store_true", help="fetch files that --data lacks, and check them"
    )
    parser.add_argument(
        "--quick", action="store_true", help="few epochs: shows that everything runs, in minutes"
    )
    parser.add_argument(
        "--seeds",
        type=_seeds,
        metavar="N",
        help=f"of each network (default: {DEFAULT_SEEDS}; {QUICK_SEEDS} with --quick)",
    )
    parser.add_argument("--config", type=Path, help="TOML file (default: the shipped one)")
    _add_jobs(parser)


def add_results(parser: argparse.ArgumentParser) -> None:
    """Options of ``results``."""
    add_store_options(parser, None, "the shipped one")
    parser.add_argument("--page", type=Path, default=Path("docs/results.md"))


def add_sign(parser: argparse.ArgumentParser) -> None:
    """Options of ``sign``."""
    add_store_options(parser)
    parser.add_argument(
        "--key",
        type=Path,
        required=True,
        metavar="FILE",
        help="private ed25519 key, as openssl genpkey -algorithm ed25519 -out FILE makes it",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Options of ``data``."""
    actions = parser.add_subparsers(required=True, metavar="action", dest="action")
    _add_pull(actions.add_parser("pull", help="fetch bars of an exchange or of Yahoo"))


def _add_pull(parser: argparse.ArgumentParser) -> None:
    add_output(parser, argparse.SUPPRESS)
    _add_source_and_target(parser)
    parser.add_argument(
        "--asset", metavar="NAME", help="at the service (default: the symbol, with - for /)"
    )
    parser.add_argument(
        "--interval", default="1d", help="length of a bar: 1d, 1h, 5m, … (default: %(default)s)"
    )
    parser.add_argument(
        "--since",
        type=_moment,
        metavar="DATE",
        help="where to begin, if nothing is held yet; with --replace, from where to fetch again; "
        "else the newest bar held is where",
    )
    parser.add_argument(
        "--calendar",
        help="24/7, XNYS or another calendar of exchange_calendars: of an asset that the service "
        "does not know, or of a file (default with --exchange: 24/7)",
    )
    parser.add_argument("--kind", help="with --to-service, of a new asset: crypto, stock, …")
    parser.add_argument(
        "--replace", action="store_true", help="replace held bars that the source contradicts"
    )
    parser.add_argument(
        "--outside-sessions",
        choices=OUTSIDE_SESSIONS,
        default=OUTSIDE_SESSIONS[0],
        help="what to do with bars outside of the calendar's sessions (default: %(default)s)",
    )


def _add_source_and_target(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--exchange", metavar="NAME", help="as ccxt calls it, such as kraken")
    source.add_argument("--yahoo", action="store_true", help="Yahoo Finance")
    parser.add_argument(
        "--symbol",
        required=True,
        help="as the source calls it: BTC/USD of an exchange, SPY or ^GSPC of Yahoo",
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument(
        "--to-service",
        metavar="URL",
        help="put bars to a running service, such as http://127.0.0.1:8000; its key, if it needs "
        "one, from the environment's ROUGHCAST_API_KEY",
    )
    target.add_argument(
        "--to-file", type=Path, metavar="FILE", help="add bars to a CSV file, or make one"
    )


def _add_assets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--asset",
        "--target",
        action="append",
        metavar="NAME",
        help="asset to forecast; may be repeated; without it, all that the service holds, or that "
        f"are shipped: {list(NAMES)}",
    )
    parser.add_argument(
        "--bars",
        type=Path,
        metavar="FILE",
        help="file of the asset's own bars: CSV, JSON, Parquet, Feather or Excel, even compressed",
    )
    parser.add_argument(
        "--from-service",
        metavar="URL",
        help="take bars from a running service, such as http://127.0.0.1:8000: of the assets "
        "named, or of all that it holds and that are long enough; its key, if it needs one, from "
        "the environment's ROUGHCAST_API_KEY",
    )
    parser.add_argument(
        "--calendar", help="with --bars: 24/7, XNYS or another calendar of exchange_calendars"
    )
    parser.add_argument("--measure", help="with --bars: garman_klass, parkinson, …")
    parser.add_argument(
        "--outside-sessions",
        choices=OUTSIDE_SESSIONS,
        help="with --bars: what to do with bars before the open, after the close and on days "
        "without a session (default: refuse the file)",
    )
    add_bars_options(parser)


def _add_fitting(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models",
        nargs="+",
        metavar="MODEL",
        default=list(MODELS),
        help=f"of {list(MODELS)} (default: all that apply to the asset); "
        f"{list(BENCHMARKS)} are evaluated beside them. With --panel, models of each asset's own: "
        "retrain publishes these instead of the model for every asset",
    )
    parser.add_argument(
        "--source",
        metavar="NAME",
        help=f"asset that transferred models are pre-trained on, of {list(NAMES)}; "
        f"overrides transfer.source. With evaluate --panel: {PANEL_SOURCE!r}, for transfer from "
        "all assets of the panel to each other one, by every strategy",
    )
    parser.add_argument(
        "--companion",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="another series for models to look at, such as VIX=vix.csv, or NAME alone for a "
        "shipped asset; NAME=FILE@CALENDAR where dates do not tell the exchange; may be repeated",
    )
    parser.add_argument("--config", type=Path, help="TOML file (default: the shipped one)")
    parser.add_argument("--seed", type=_seed, help="overrides the configuration's seed")
    parser.add_argument(
        "--seeds",
        type=_averaged,
        metavar="N",
        help="fits of each network, of which it is the mean; overrides the configuration's",
    )
    _add_workers(parser)


def _add_workers(parser: argparse.ArgumentParser) -> None:
    _add_jobs(parser)
    _add_backend(parser)


def _add_backend(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--backend",
        choices=BACKENDS,
        default=BACKENDS[0],
        help="where fits run: in processes of this machine, or of a Dask cluster "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="with --backend dask: address of the cluster's scheduler, such as tcp://10.0.0.5:8786",
    )


def _add_panel(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--panel",
        type=Path,
        metavar="DIR",
        help="many assets instead, and the model for every asset: a folder, or a file with a "
        "column asset, and assets.csv beside the bars",
    )
    parser.add_argument(
        "--folds",
        type=_folds,
        default=PANEL_PLAN["folds"],
        metavar="N",
        help="with --panel: an asset is forecast by fits on those of the other folds "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--months",
        type=_months,
        default=PANEL_PLAN["months"],
        metavar="N",
        help="with --panel: between two fits of the model (default: %(default)s)",
    )
    parser.add_argument(
        "--histories",
        nargs="*",
        type=_history,
        default=PANEL_PLAN["histories"],
        metavar="N",
        help="with --panel: numbers of sessions to which histories are cut besides "
        f"(default: {' '.join(map(str, DEFAULT_HISTORIES))})",
    )


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=ALL_CORES,
        metavar="N",
        help="processes (default: -1, one a core; -2 leaves one core free)",
    )


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        needed = "a date such as 2021-10-28, or a time such as 2021-10-28T13:00:00Z"
        raise argparse.ArgumentTypeError(f"{text!r} is not {needed}") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _months(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of months, of 1 or more")
    return int(text)


def _horizon(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of sessions, of 1 or more")
    return int(text)


def _targets(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of assets, of 1 or more")
    return int(text)


def _folds(text: str) -> int:
    if not 2 <= int(text) <= MOST_FOLDS:
        raise argparse.ArgumentTypeError(f"{text} is not from 2 to {MOST_FOLDS}")
    return int(text)


def _history(text: str) -> int:
    if not MINIMUM <= int(text) < SESSIONS:
        raise argparse.ArgumentTypeError(f"{text} is not from {MINIMUM} to {SESSIONS - 1}")
    return int(text)


def _seed(text: str) -> int:
    if not SEEDS.low <= int(text) <= SEEDS.high:
        raise argparse.ArgumentTypeError(f"{text} is not {SEEDS}")
    return int(text)


def _averaged(text: str) -> int:
    if not AVERAGED.low <= int(text) <= AVERAGED.high:
        raise argparse.ArgumentTypeError(f"{text} is not {AVERAGED}")
    return int(text)


def _seeds(text: str) -> int:
    if not 1 <= int(text) <= MOST_SEEDS:
        raise argparse.ArgumentTypeError(f"{text} is not from 1 to {MOST_SEEDS}")
    return int(text)


def _jobs(text: str) -> int:
    if int(text) == 0:
        raise argparse.ArgumentTypeError("0 processes can do nothing")
    return int(text)
