"""``python -m training``: retrain, evaluate and sign models, fetch bars, reproduce the paper."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from training.commands.arguments import (
    add_data,
    add_evaluate,
    add_reproduce,
    add_results,
    add_retrain,
    add_sign,
)
from training.commands.parsing import GOES_ON, INTERRUPTED, add_output
from training.commands.store_options import followed
from volatility.errors import RoughcastError
from volatility.extras import NETWORKS_EXTRA, TRAINING_EXTRA, require
from volatility.parsing import Parser

PROGRAM = "python -m training"
STOPPED = 2  # exit status: what was asked cannot be done; the reason is printed
REDIRECTED_WIDTH = 140  # columns


@dataclass(frozen=True)
class Command:
    """A command of ``python -m training``.

    Attributes
    ----------
    module : whose ``run(options, console)`` does it and returns the exit status. It is imported,
        with all that it imports, when the command runs.
    help : a line.
    add_arguments : adds its options to its parser.
    extras : optional packages that it cannot do without.
    interrupted : what is left of a run that somebody stops, and how it goes on.
    """

    module: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    extras: tuple[str, ...] = (TRAINING_EXTRA,)
    interrupted: str = "nothing was written"


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "retrain": Command(
            "training.commands.retrain",
            "evaluate, fit and publish models",
            add_retrain,
            interrupted=f"what was published serves, nothing half written does; {GOES_ON}",
        ),
        "evaluate": Command(
            "training.commands.evaluate",
            "compare models, and write tables and figures",
            add_evaluate,
            interrupted=f"results from before are as they were; {GOES_ON}",
        ),
        "reproduce": Command(
            "training.commands.reproduce",
            "compute the paper's tables and figures again",
            add_reproduce,
            interrupted=GOES_ON,
            extras=(TRAINING_EXTRA, NETWORKS_EXTRA),
        ),
        "results": Command(
            "training.commands.results",
            "write the results tables of the documentation",
            add_results,
            extras=(TRAINING_EXTRA, NETWORKS_EXTRA),  # recipes tell what was pre-trained
        ),
        "sign": Command("training.commands.sign", "sign the artifacts of a store", add_sign),
        "data": Command(
            "training.commands.data_pull",
            "fetch bars from elsewhere",
            add_data,
            interrupted="what was sent before is kept, and the same command goes on from there",
        ),
    }
)


def main(arguments: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Run one command; returns the exit status.

    Parameters
    ----------
    arguments : those of the process if left out.
    program : as usage names it.
    """
    options = make_parser(program).parse_args(arguments)
    try:
        return _run(options)
    except BrokenPipeError:  # of volatility.piping
        raise
    except (RoughcastError, OSError) as error:  # a full disk, a store that cannot be written
        sys.stderr.write(f"error: {error}\n")
        return STOPPED
    except KeyboardInterrupt:
        sys.stderr.write(f"\nstopped: {COMMANDS[options.command].interrupted}\n")
        return INTERRUPTED


def make_parser(program: str = PROGRAM) -> argparse.ArgumentParser:
    """The parser of all commands; the name of the one given is in its ``command``."""
    parser = Parser(prog=program, description=__doc__)
    subparsers = parser.add_subparsers(required=True, metavar="command", dest="command")
    for name, command in COMMANDS.items():
        own = subparsers.add_parser(name, help=command.help)
        command.add_arguments(own)
        add_output(own)
    return parser


def _run(options: argparse.Namespace) -> int:
    command = COMMANDS[options.command]
    for extra in command.extras:
        require(extra, options.command)
    from rich.console import Console  # of an extra, whose absence has been told by now

    if getattr(options, "store", None) is not None:
        options.store = followed(options.store, options.store_mirror)
    # In a file or a pipe rich would fold tables to 80 columns.
    width = None if sys.stdout.isatty() else REDIRECTED_WIDTH
    console = Console(width=width, quiet=options.quiet)
    return int(import_module(command.module).run(options, console))
