"""Versions on trial: each forecasts beside the one that serves, and is told to nobody.

::

    <asset>/<model>/shadow   which version of the model is on trial, if any, and its digest
"""

import os

from models_store import outgoing
from models_store.files import read_file, refusing_model
from models_store.names import SHADOW, check_asset_name, check_model_name, is_model_name
from models_store.pointers import Shadow
from models_store.store import Store

_NONE = Shadow(version=None, sha256=None)


def shadow(store: Store, asset: str, model: str) -> Shadow | None:
    """The version of a model that is on trial, with its digest, or None.

    Raises
    ------
    ArtifactRefused : what is in the store of it cannot be read.
    """
    path = store.root / check_asset_name(asset) / check_model_name(model) / SHADOW
    with refusing_model(asset, model, None, f"its pointer {SHADOW!r} cannot be read: "):
        try:
            found = Shadow.model_validate_json(read_file(path))
        except FileNotFoundError:
            return None
    return found if found.version is not None else None


def tried_models(store: Store, asset: str) -> list[str]:
    """Models of an asset of which a version is or was on trial, sorted.

    Raises
    ------
    OSError : the folder of the asset, or of one of its models, cannot be read.
    """
    folder = str(store.root / check_asset_name(asset))
    try:
        names = filter(is_model_name, os.listdir(folder))  # noqa: PTH208 - names are all it takes
    except (FileNotFoundError, NotADirectoryError):
        return []
    return sorted([it for it in names if _is_there(f"{folder}/{it}/{SHADOW}")])


def start_shadow(store: Store, asset: str, model: str, version: int) -> None:
    """Let a version forecast beside the one that serves, in place of another on trial.

    Raises
    ------
    UnknownAsset, UnknownModel, UnknownVersion : it was never published.
    ArtifactRefused : it fails its checks.
    OSError : the store cannot be written.
    """
    with store.locked_model(asset, model) as folder:
        sha256 = store.load(asset, model, version).sha256
        outgoing.put_folder(store.root, folder / str(version))
        _point(store, asset, model, Shadow(version=version, sha256=sha256))
        # Whoever prunes may not have seen the pointer.
        outgoing.put_folder(store.root, folder / str(version))


def end_shadow(store: Store, asset: str, model: str) -> None:
    """End the trial of a model's version; there may be none, or only where a mirror is of.

    Raises
    ------
    UnknownAsset, UnknownModel : there is no such model.
    OSError : the store cannot be written.
    """
    with store.locked_model(asset, model):
        _point(store, asset, model, _NONE)


def _is_there(path: str) -> bool:
    """Whether there is a directory entry, though a link may lead nowhere."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _point(store: Store, asset: str, model: str, to: Shadow) -> None:
    path = store.root / asset / model / SHADOW
    outgoing.put_file(store.root, path, to.model_dump_json(indent=2))
    outgoing.note(store.root, asset)
