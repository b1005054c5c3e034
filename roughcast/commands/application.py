"""Every command with its options, and what each passes them on to."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import wraps
from inspect import Parameter, signature
from types import MappingProxyType
from typing import Annotated, Any, NoReturn

import typer

INTERRUPTED, STOPPED = 130, 2  # exit statuses, as of training
PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}

application = typer.Typer(
    name="roughcast",
    help="Forecast realized volatility, and say how far each forecast can be trusted.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # boxes and colours take half a second
)


class Kind(StrEnum):
    """Of asset."""

    STOCK = "stock"
    ETF = "etf"
    INDEX = "index"
    FX = "fx"
    CRYPTO = "crypto"


Source = Annotated[
    str, typer.Argument(metavar="FILE", help="Bars in any layout, or a shipped asset: SPX, …")
]
Calendar = Annotated[str | None, typer.Option(help="24/7, or an exchange's, such as XNYS.")]
KindOption = Annotated[Kind | None, typer.Option(help="Of asset.")]
Measure = Annotated[str | None, typer.Option(help="Of rv: garman_klass, parkinson, …")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the table alone.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Print the configuration, and every note.")
]

# How a file is written, as :func:`roughcast.read_bars` takes it.
WRITTEN: Mapping[str, tuple[object, object]] = MappingProxyType(
    {
        "format": (
            Annotated[str, typer.Option(help="Whose layout it has; docs/formats.md.")],
            "auto",
        ),
        "dayfirst": (
            Annotated[bool | None, typer.Option(help="01/02/2024 is the first of February.")],
            None,
        ),
        "decimal": (
            Annotated[str | None, typer.Option(help="What stands before a fraction: . or ,")],
            None,
        ),
        "prices": (
            Annotated[str | None, typer.Option(help="raw or adjusted, of two closes.")],
            None,
        ),
        "ticker": (Annotated[str | None, typer.Option(help="Which one, of several.")], None),
        "columns": (
            Annotated[
                list[str] | None,
                typer.Option(
                    "--column", "--columns", metavar="WHAT=LABEL", help="Such as close=PX_LAST."
                ),
            ],
            None,
        ),
    }
)


def of_a_file(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the options that say how its file is written, which it takes by name."""
    own = [it for it in signature(command).parameters.values() if it.kind is not it.VAR_KEYWORD]
    more = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=said)
        for name, (said, default) in WRITTEN.items()
    ]

    @wraps(command)
    def run(**given: Any) -> None:
        command(**given)

    run.__signature__ = signature(command).replace(parameters=[*own, *more])  # type: ignore[attr-defined]
    return run


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns the exit status.

    Parameters
    ----------
    arguments : of the command line, without the program's name.
    """
    try:
        application(list(arguments), prog_name="roughcast")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except KeyboardInterrupt:
        sys.stderr.write("\nstopped\n")
        return INTERRUPTED
    return 0


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"roughcast {version('roughcast')}")
        raise typer.Exit


@application.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Nothing is common to all commands."""


@application.command()
@of_a_file
def forecast(
    source: Source,
    horizon: Annotated[
        list[int], typer.Option("--horizon", "-h", help="Sessions ahead; may be repeated.")
    ] = [1, 5, 10, 22],  # noqa: B006 - typer reads it, and nobody changes it
    level: Annotated[
        list[float], typer.Option(help="Coverage of an interval; may be repeated.")
    ] = [0.8, 0.95],  # noqa: B006
    quantile: Annotated[
        list[float], typer.Option(help="Probability of a quantile; may be repeated.")
    ] = [],  # noqa: B006
    calendar: Calendar = None,
    kind: KindOption = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    **written: Any,
) -> None:
    """Forecast any asset from its daily bars."""
    from roughcast.commands import answering

    said = answering.Said(source, written, calendar, kind, None)
    output = answering.Output(as_json, quiet, verbose)
    _end(lambda: answering.forecast(said, horizon, level, quantile, output))


@application.command()
@of_a_file
def hurst(
    source: Source,
    calendar: Calendar = None,
    measure: Measure = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    **written: Any,
) -> None:
    """Say whether an asset's volatility is rough."""
    from roughcast.commands import answering

    said = answering.Said(source, written, calendar, None, measure)
    _end(lambda: answering.hurst(said, answering.Output(as_json, quiet, verbose)))


@application.command()
@of_a_file
def compare(
    source: Source,
    model: Annotated[
        list[str], typer.Option("--model", "-m", help="Its name; may be repeated.")
    ] = ["har", "log_har", "hexp"],  # noqa: B006
    horizon: Annotated[int, typer.Option("--horizon", "-h", help="Sessions ahead.")] = 1,
    calendar: Calendar = None,
    kind: KindOption = None,
    measure: Measure = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    **written: Any,
) -> None:
    """Compare models on an asset's bars."""
    from roughcast.commands import answering

    said = answering.Said(source, written, calendar, kind, measure)
    output = answering.Output(as_json, quiet, verbose)
    _end(lambda: answering.compare(said, model, horizon, output))


@application.command(context_settings=PASSED_ON)
def serve(context: typer.Context) -> None:
    """Answer over HTTP (ROUGHCAST_HOST, _PORT)."""
    _become_service(context.args)


@application.command(context_settings=PASSED_ON)
def models(context: typer.Context) -> None:
    """List, promote, roll back, try, prune served models."""
    _become_service(["models", *context.args])


@application.command(context_settings=PASSED_ON)
def keys(context: typer.Context) -> None:
    """Make, list or revoke API keys."""
    _become_service(["keys", *context.args])


@application.command(context_settings=PASSED_ON)
def retrain(context: typer.Context) -> None:
    """Evaluate, fit and publish models."""
    _train("retrain", context.args)


@application.command(context_settings=PASSED_ON)
def evaluate(context: typer.Context) -> None:
    """Compare models; write tables and figures."""
    _train("evaluate", context.args)


@application.command(context_settings=PASSED_ON)
def reproduce(context: typer.Context) -> None:
    """Compute the paper's tables again."""
    _train("reproduce", context.args)


@application.command(context_settings=PASSED_ON)
def data(context: typer.Context) -> None:
    """Fetch bars of an exchange or of Yahoo."""
    _train("data", context.args)


def _train(command: str, arguments: Sequence[str]) -> NoReturn:
    from training import cli
    from volatility.allocator import keep_freed_memory

    keep_freed_memory()
    raise typer.Exit(cli.main([command, *arguments], program="roughcast"))


def _become_service(arguments: Sequence[str]) -> NoReturn:
    """Let the service take the place of this process: signals are its own then."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "service", *arguments])  # noqa: S606


def _end(command: Callable[[], None]) -> None:
    """Run a command, and end with a sentence where it cannot be done or is stopped."""
    from volatility.errors import RoughcastError

    try:
        command()
    except BrokenPipeError:  # of volatility.piping, or typer
        raise
    except (RoughcastError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(STOPPED) from None
    except KeyboardInterrupt:
        typer.echo("\nstopped: nothing was written", err=True)
        raise typer.Exit(INTERRUPTED) from None
