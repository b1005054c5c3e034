"""What an asset and a model may be called: names that are safe as folder names and in URLs."""

import re

_ASSET = re.compile(r"^[A-Za-z0-9][A-Za-z0-9^=_.-]{0,31}$")
_MODEL = re.compile(r"^[a-z][a-z0-9_]{0,47}$")


def check_asset_name(name: str) -> str:
    """Return ``name`` if it can name an asset, such as ``BTC-USD``.

    Raises
    ------
    ValueError : not 1–32 letters, digits or ``^ = _ . -``, beginning with a letter or digit.
    """
    if not _ASSET.match(name):
        raise ValueError(
            f"asset name {name!r} must be 1-32 letters, digits or one of ^=_.- "
            "and begin with a letter or digit"
        )
    return name


def check_model_name(name: str) -> str:
    """Return ``name`` if it can name a model, such as ``log_har``.

    Raises
    ------
    ValueError : not a lower-case identifier of at most 48 characters.
    """
    if not _MODEL.match(name):
        raise ValueError(
            f"model name {name!r} must be a lower-case identifier of at most 48 characters"
        )
    return name
