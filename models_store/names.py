"""What an asset and a model may be called: names that are safe as folder names and in URLs."""

import re

from volatility.errors import InvalidInput

_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9^=_.-]{0,31}")
_MODEL = re.compile(r"[a-z][a-z0-9_]{0,47}")
UNIVERSAL = "universal"  # the model for every asset, the folder it is in, the asset it is of
_RESERVED = {"champion"}  # a file of this name stands beside an asset's models


class InvalidName(InvalidInput, ValueError):
    """Not a name for an asset or a model; a ValueError too, as pydantic's validators raise."""


def check_asset_name(name: str) -> str:
    """Return ``name`` if it can name an asset, such as ``BTC-USD``.

    Raises
    ------
    InvalidName : not 1–32 letters, digits or ``^ = _ . -``, beginning with a letter or digit.
    """
    if not is_asset_name(name):
        needed = "1-32 letters, digits or one of ^=_.- and begin with a letter or digit"
        raise InvalidName(
            f"asset name {name!r} must be {needed}", field="asset", found=name, needed=needed
        )
    return name


def check_model_name(name: str) -> str:
    """Return ``name`` if it can name a model, such as ``log_har``.

    Raises
    ------
    InvalidName : not a lower-case identifier of at most 48 characters, or ``champion``.
    """
    if not is_model_name(name):
        needed = "a lower-case identifier of at most 48 characters other than 'champion'"
        raise InvalidName(
            f"model name {name!r} must be {needed}", field="model", found=name, needed=needed
        )
    return name


def is_asset_name(name: str) -> bool:
    """Whether ``name`` can name an asset."""
    return _ASSET.fullmatch(name) is not None


def is_model_name(name: str) -> bool:
    """Whether ``name`` can name a model."""
    return _MODEL.fullmatch(name) is not None and name not in _RESERVED
