"""Versions on trial: each forecasts beside the one that serves, and is told to nobody.

::

    <asset>/<model>/shadow   which version of the model is on trial, if any
"""

from models_store import outgoing
from models_store.files import read_file, refusing_model
from models_store.names import SHADOW, check_asset_name, check_model_name
from models_store.pointers import Shadow
from models_store.store import Store


def shadow(store: Store, asset: str, model: str) -> int | None:
    """The version of a model that is on trial, or None.

    Raises
    ------
    ArtifactRefused : what is in the store of it cannot be read.
    """
    path = store.root / check_asset_name(asset) / check_model_name(model) / SHADOW
    with refusing_model(asset, model, None, f"its pointer {SHADOW!r} cannot be read: "):
        try:
            return Shadow.model_validate_json(read_file(path)).version
        except FileNotFoundError:
            return None


def shadows(store: Store, asset: str) -> dict[str, int]:
    """Versions on trial of an asset, by model, sorted.

    Raises
    ------
    ArtifactRefused : what is in the store of one cannot be read.
    OSError : the folder of the asset cannot be read.
    """
    folder = store.root / check_asset_name(asset)
    names = sorted(it.parent.name for it in folder.glob(f"*/{SHADOW}"))
    found = {name: shadow(store, asset, name) for name in names}
    return {name: version for name, version in found.items() if version is not None}


def start_shadow(store: Store, asset: str, model: str, version: int) -> None:
    """Let a version forecast beside the one that serves, in place of another on trial.

    Raises
    ------
    UnknownAsset, UnknownModel, UnknownVersion : it was never published.
    ArtifactRefused : it fails its checks.
    OSError : the store cannot be written.
    """
    with store.locked_model(asset, model) as folder:
        store.load(asset, model, version)
        outgoing.put_folder(store.root, folder / str(version))
        _point(store, asset, model, version)


def end_shadow(store: Store, asset: str, model: str) -> None:
    """End the trial of a model's version, if there is one.

    Raises
    ------
    UnknownAsset, UnknownModel : there is no such model.
    OSError : the store cannot be written.
    """
    with store.locked_model(asset, model) as folder:
        if (folder / SHADOW).exists():
            _point(store, asset, model, None)


def _point(store: Store, asset: str, model: str, version: int | None) -> None:
    content = Shadow(version=version).model_dump_json(indent=2)
    outgoing.put_file(store.root, store.root / asset / model / SHADOW, content)
    outgoing.note(store.root, asset)
