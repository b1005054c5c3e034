"""Changes of the store, by HTTP and by commands."""

from collections.abc import Callable
from typing import TypeVar

from service.http.errors import StoreNotWritable

T = TypeVar("T")


def written(write: Callable[[], T]) -> T:
    """What a change of the store returns.

    Raises
    ------
    StoreNotWritable : the operating system does not let it be changed.
    """
    try:
        return write()
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise StoreNotWritable(
            f"the store cannot be written: {why}",
            field="store",
            found=why,
            needed="a store that this process may write to, or python -m service models on a "
            "machine that may",
        ) from error
