"""How every command ends that is stopped, and how much it says."""

import argparse
from typing import Any

GOES_ON = "the same command goes on with what is left"
INTERRUPTED = 130  # exit status, of shells: 128 and the number of SIGINT


def add_output(parser: argparse.ArgumentParser, default: Any = False) -> None:
    """Options of every command: how much it says.

    Parameters
    ----------
    parser : the command's, or that of one of its actions.
    default : where nothing is said; ``argparse.SUPPRESS`` of an action, as the command has it then.
    """
    for letter, name, said in (
        ("-v", "--verbose", "print the whole configuration first"),
        ("-q", "--quiet", "print nothing but what stopped it"),
    ):
        parser.add_argument(letter, name, action="store_true", default=default, help=said)
