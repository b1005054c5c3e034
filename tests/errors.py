"""What an error tells besides its message."""

from volatility.errors import RoughcastError


def details(error: RoughcastError) -> tuple[str | None, object, str | None]:
    """The field at fault, what was found there, and what is needed."""
    return error.field, error.found, error.needed
