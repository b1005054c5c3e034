"""Names: what somebody may have meant who wrote one that there is not, and those of columns."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A clause that names the nearest of some names, or nothing where none is near.

    Parameters
    ----------
    name : as it was written; upper and lower case count alike.
    known : the names that there are.
    """
    by_lower = {it.lower(): it for it in known}
    near = get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[near[0]]!r}?" if near else ""


def in_percent(share: float) -> str:
    """A level or a probability as names of columns have it: ``80`` of 0.8, ``99.5`` of 0.995."""
    return f"{100 * share:.12g}"
