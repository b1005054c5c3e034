"""``python -m service models``: list, promote, try, prune and reload what the store has."""

import argparse
import sys
from collections.abc import Callable
from functools import partial

from models_store import ArtifactRefused, Store
from models_store.mirror import mirror_of
from models_store.pruning import prune
from models_store.shadows import end_shadow, shadow, start_shadow
from models_store.signatures import TrustedKeys
from models_store.stored_comparisons import record
from service.http.errors import InvalidSetting
from service.models.reloading import add_reload, reload
from service.models.writing import written
from service.security.audit import log
from service.settings import Settings
from volatility.errors import UnknownAsset, UnknownModel
from volatility.formats.reading import listed
from volatility.names import did_you_mean

_CHAMPION_MARK = "*"


def add_models(parser: argparse.ArgumentParser) -> None:
    """Options of ``models``."""
    commands = parser.add_subparsers(required=True, metavar="command")
    listed = commands.add_parser("list", help="list models, their versions, and which is to serve")
    listed.add_argument("asset", nargs="?", help="of one asset alone")
    listed.set_defaults(run=_list)
    promote = commands.add_parser("promote", help="let a version serve, everywhere within seconds")
    _add_model(promote)
    promote.add_argument("version", type=int, help="as list shows it")
    promote.set_defaults(run=_promote)
    roll_back = commands.add_parser("roll-back", help="let the version serve that served before")
    _add_model(roll_back)
    roll_back.set_defaults(run=_roll_back)
    started = commands.add_parser(
        "shadow", help="let a version forecast beside the one that serves"
    )
    _add_model(started)
    started.add_argument("version", type=int, help="as list shows it")
    started.set_defaults(run=_start_shadow)
    ended = commands.add_parser("end-shadow", help="end the trial of a version")
    _add_model(ended)
    ended.set_defaults(run=_end_shadow)
    reloaded = commands.add_parser("reload", help="have a running service look at its store now")
    add_reload(reloaded)
    reloaded.set_defaults(run=None)
    pruned = commands.add_parser("prune", help="remove old versions that can serve no longer")
    pruned.add_argument("asset", nargs="?", help="of one asset alone")
    pruned.add_argument(
        "--keep",
        type=_count,
        required=True,
        metavar="N",
        help="newest versions to keep besides the one that serves and those that served before",
    )
    pruned.set_defaults(run=_prune)


def run(options: argparse.Namespace, settings: Settings) -> int:
    """Run the command on the store of the settings, or ask a service; the exit status.

    Raises
    ------
    InvalidSetting : there is no store.
    StoreNotWritable : it is elsewhere, does not answer, and nothing of it is here.
    UnknownAsset, UnknownModel, UnknownVersion, ArtifactRefused, StoreNotWritable
    """
    command: Callable[[Store, argparse.Namespace], int] | None = options.run
    if command is None:
        return reload(options, settings)
    trusted, folder = TrustedKeys.read(settings.trusted_keys), settings.store_folder
    mirror = mirror_of(settings.store, settings.store_mirror, trusted)
    if mirror is not None and not written(mirror.follow):
        sys.stderr.write(f"{mirror.doubt}\n")
    if not folder.is_dir():
        raise InvalidSetting(
            f"ROUGHCAST_STORE names no folder: {folder}",
            field="store",
            needed="the store that the service is served from",
        )
    store = Store(folder, trusted)
    return command(store, options)


def _list(store: Store, options: argparse.Namespace) -> int:
    for asset in _assets(store, options.asset):
        champion = _or_reason(partial(store.champion, asset))
        for model in store.models(asset):
            mark = _CHAMPION_MARK if model == champion else " "
            told = _or_reason(partial(_told, store, asset, model))
            sys.stdout.write(f"{asset:<16} {mark}{model:<24} {told}\n")
    return 0


def _told(store: Store, asset: str, model: str) -> str:
    """Which version is to serve, since when, which did before, which there are, and is on trial."""
    pointer, versions = store.pointer(asset, model), store.versions(asset, model)
    there = f"of {', '.join(map(str, versions))}{_trial(store, asset, model)}"
    if pointer is None:
        return f"none {there}"
    before = ", ".join(map(str, pointer.previous))
    since = f"since {pointer.promoted_at:%Y-%m-%d}"
    return f"{pointer.version} {there}, {since}" + (f", before it {before}" if before else "")


def _trial(store: Store, asset: str, model: str) -> str:
    try:
        tried = shadow(store, asset, model)
    except ArtifactRefused as error:
        return f", {' '.join(error.reason.split())}"
    return f", {tried.version} on trial" if tried else ""


def _or_reason(read: Callable[[], str | None]) -> str | None:
    """What is read of the store, or why it cannot be, in one line."""
    try:
        return read()
    except ArtifactRefused as error:
        return " ".join(error.reason.split())


def _promote(store: Store, options: argparse.Namespace) -> int:
    _check_known(store, options.asset, options.model)
    written(lambda: store.promote(options.asset, options.model, options.version))
    record(store, options.asset)
    return _audited(store, "promote", options.asset, options.model)


def _roll_back(store: Store, options: argparse.Namespace) -> int:
    _check_known(store, options.asset, options.model)
    written(lambda: store.roll_back(options.asset, options.model))
    record(store, options.asset)
    return _audited(store, "roll back", options.asset, options.model)


def _start_shadow(store: Store, options: argparse.Namespace) -> int:
    asset, model, version = options.asset, options.model, options.version
    _check_known(store, asset, model)
    written(lambda: start_shadow(store, asset, model, version))
    log.info("audit", action="start shadow", asset=asset, model=model, version=version)
    sys.stderr.write(f"version {version} of {asset}/{model} is on trial\n")
    return 0


def _end_shadow(store: Store, options: argparse.Namespace) -> int:
    asset, model = options.asset, options.model
    _check_known(store, asset, model)
    written(lambda: end_shadow(store, asset, model))
    log.info("audit", action="end shadow", asset=asset, model=model)
    sys.stderr.write(f"no version of {asset}/{model} is on trial\n")
    return 0


def _prune(store: Store, options: argparse.Namespace) -> int:
    status = 0
    for asset in _assets(store, options.asset):
        for model in store.models(asset):
            pruned = written(partial(prune, store, asset, model, options.keep))
            if pruned.left is not None:
                sys.stderr.write(f"{asset}/{model}: nothing is removed: {pruned.left}\n")
                status = 1
            if pruned.removed:
                removed = list(pruned.removed)
                log.info("audit", action="prune", asset=asset, model=model, versions=removed)
                sys.stderr.write(f"{asset}/{model}: removed {', '.join(map(str, removed))}\n")
    return status


def _audited(store: Store, action: str, asset: str, model: str) -> int:
    version = store.current(asset, model)
    log.info("audit", action=action, asset=asset, model=model, version=version)
    sys.stderr.write(f"version {version} of {asset}/{model} is to serve\n")
    return 0


def _assets(store: Store, asset: str | None) -> list[str]:
    if asset is None:
        return store.assets()
    _check_known(store, asset)
    return [asset]


def _check_known(store: Store, asset: str, model: str | None = None) -> None:
    """Refuse an asset without models, or a model that it has not, with what was probably meant."""
    assets = store.assets()
    if asset not in assets:
        raise UnknownAsset(
            f"no models are published for asset {asset!r}{did_you_mean(asset, assets)}",
            field="asset",
            found=asset,
            needed=f"one of {listed(assets) or 'none'}",
        )
    models = store.models(asset)
    if model is not None and model not in models:
        raise UnknownModel(
            f"asset {asset} has no model {model!r}{did_you_mean(model, models)}",
            field="model",
            found=model,
            needed=f"one of {listed(models)}",
        )


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("asset")
    parser.add_argument("model")


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no number of versions; needed: 0 or more")
    return int(text)
