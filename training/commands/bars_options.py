"""The options that say how a file of bars is written, as every command takes them."""

import argparse

from volatility.formats.labels import FORMATS
from volatility.formats.reading import AUTO, COLUMNS, Options, columns_from


def add_bars_options(parser: argparse.ArgumentParser) -> None:
    """Options beside ``--bars``, all of which may be left out."""
    group = parser.add_argument_group(
        "how the file of --bars is written",
        "found out where nothing is said; a file that may mean two things is refused with the "
        "option that decides. docs/formats.md has the formats.",
    )
    group.add_argument(
        "--format", choices=FORMATS, default=AUTO, help="whose layout it has (default: %(default)s)"
    )
    group.add_argument(
        "--dayfirst",
        action=argparse.BooleanOptionalAction,
        help="01/02/2024 is the first of February, or with --no-dayfirst the second of January",
    )
    group.add_argument(
        "--decimal", choices=(".", ","), help="what stands before the fraction of a price"
    )
    group.add_argument(
        "--prices",
        choices=("raw", "adjusted"),
        help="of a close beside an adjusted close: as they were paid, or all four adjusted",
    )
    group.add_argument("--ticker", metavar="NAME", help="which one is meant, of several")
    group.add_argument(
        "--columns",
        nargs="+",
        metavar="WHAT=LABEL",
        help=f"labels of columns, such as close=PX_LAST; of {', '.join(COLUMNS)}",
    )


def options_of(given: argparse.Namespace) -> Options:
    """How the file is written, as far as it was said.

    Raises
    ------
    InvalidInput : ``--columns`` is not of its form.
    """
    columns = columns_from(given.columns or ())
    return Options(given.format, given.dayfirst, given.decimal, given.prices, given.ticker, columns)


def words_of(given: argparse.Namespace) -> list[str]:
    """The options as they were given, for the command line."""
    written = options_of(given)
    words = [] if written.dayfirst is None else [f"--{'' if written.dayfirst else 'no-'}dayfirst"]
    for name, usual in {"format": AUTO, "decimal": None, "prices": None, "ticker": None}.items():
        value = getattr(written, name)
        if value != usual:
            words += [f"--{name}", value]
    return [*words, *(["--columns", *given.columns] if given.columns else [])]


def is_given(given: argparse.Namespace) -> bool:
    """Whether any of the options is."""
    return not options_of(given).says_nothing
