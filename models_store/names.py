"""What an asset and a model may be called: names that are safe as folder names and in URLs."""

import re

from volatility.errors import InvalidInput

_ASSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9^=_.-]{0,31}")
_MODEL = re.compile(r"[a-z][a-z0-9_]{0,47}")
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_KEY = re.compile(r"[0-9a-f]{32}")  # of a comparison
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
UNIVERSAL = "universal"  # the model for every asset, the folder it is in, the asset it is of
CURRENT = "current"  # file that says which version of a model serves
SHADOW = "shadow"  # file that says which version of a model is on trial beside it
CHAMPION = "champion"  # file that says which model of an asset `auto` means
COMPARISONS = "_comparisons"  # folder of an asset, which no model can be called
_RESERVED = {CHAMPION}  # a file of this name stands beside an asset's models


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


def is_pointer(name: str) -> bool:
    """Whether a path within a store is that of a pointer."""
    match name.split("/"):
        case [asset, model, "current" | "shadow"]:
            return is_asset_name(asset) and asset != UNIVERSAL and is_model_name(model)
        case [asset, "champion"]:
            return is_asset_name(asset) and asset != UNIVERSAL
    return False


def folder_of_file(name: str) -> str | None:
    """The version or the comparison that a path within a store is a file of; None of any other."""
    *folder, file = name.split("/")
    if not _FILE.fullmatch(file):
        return None
    match folder:
        case ["universal", version]:
            is_known = _VERSION.fullmatch(version) is not None
        case [asset, "_comparisons", key]:
            is_known = is_asset_name(asset) and _KEY.fullmatch(key) is not None
        case [asset, model, version]:
            is_known = is_asset_name(asset) and is_model_name(model)
            is_known = is_known and asset != UNIVERSAL and _VERSION.fullmatch(version) is not None
        case _:
            is_known = False
    return "/".join(folder) if is_known else None
