"""A local folder that is kept in step with a store elsewhere, so that all else works on a folder.

The folder says by a file ``.remote`` what it mirrors. What is published into it goes to the remote
first, and what others have published there is brought before each look. The remote is the truth: a
pointer is taken over from it, and put there before it is changed here.

Whoever is killed leaves both sides as they were, or with the change: versions are whole before a
pointer names them, and are renamed into place here. Nothing is removed here because it is not there
any more; a bucket that has become empty is one that cannot be read.
"""

import errno
import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Thread

from models_store import limits
from models_store.atomic import flush_folder, locked, replace_file, unfinished, write_folder
from models_store.changed import CHANGED, MAX_NOTE_BYTES, changes_since, note_change
from models_store.files import ArtifactFiles, DamagedArtifact
from models_store.names import (
    CHAMPION,
    CURRENT,
    SHADOW,
    UNIVERSAL,
    folder_of_file,
    is_asset_name,
    is_pointer,
)
from models_store.pointers import Champion, Pointer, Shadow
from models_store.remote import BEGINNING, DIFFERS, MARK, Entry, NotAnswered, Remote, marked
from models_store.signatures import NO_KEYS, SIGNATURE, SUMS, TrustedKeys
from volatility.errors import InvalidInput

log = logging.getLogger(__name__)

MIRRORS = Path("var/mirrors")  # where a mirror is, unless something else is said
_THREADS = 8
# Seconds after which all is listed although the remote notes no change: whoever was killed before
# the note, or has copied files there by other means.
_LISTED_EVERY = 60.0
_AGAIN = 5.0  # seconds until what was not taken over twice is tried again; then twice as long
_TOLD = 3  # faults, of which a bucket may have thousands


class Mirror:
    """Brings what a remote store has into a local folder.

    Parameters
    ----------
    url : of the remote store.
    root : the folder.
    trusted : by whose keys a signature must be to take the place of another.

    Attributes
    ----------
    doubt : why the folder may not be what the remote is; None where it is.
    """

    def __init__(self, url: str, root: Path, trusted: TrustedKeys = NO_KEYS) -> None:
        self.root, self.remote, self._trusted = root, Remote(url), trusted
        self.doubt: str | None = None
        self._faults: dict[str, str] = {}  # by name of what is not taken over, or is lost
        self._known: dict[str, str] = {}  # tokens of files that may change, by name
        self._noted: str | None = None
        self._listed = float("-inf")
        self._pause = 0.0  # seconds from one listing of all to the next

    def follow(self, anyway: bool = False) -> bool:
        """Bring what is new; whether that could be done. What is here stays where it cannot.

        Parameters
        ----------
        anyway : although the remote notes no change.

        Raises
        ------
        InvalidInput : the folder is no mirror of this remote.
        OSError : the remote does not answer, and nothing of it is here yet.
        """
        try:
            self.pull(anyway)
        except OSError as error:
            if not _assets(self.root):
                raise
            self._doubt(f"the store is not followed: {error.strerror or error}")
            return False
        return True

    def pull(self, anyway: bool = False) -> None:
        """Bring what is new.

        What is damaged there, or cannot be read while the remote answers, is left there, and told
        by ``doubt``.

        Raises
        ------
        InvalidInput : the folder is no mirror of this remote.
        OSError : the remote does not answer, or nothing of what it has can be brought, or the
            folder cannot be written.
        """
        is_marked, has_assets = self._is_marked(), bool(_assets(self.root))
        # Nothing of what was noted is in a folder that is new, or was deleted.
        changes = changes_since(self._note(), self._noted if is_marked else None)
        began = time.monotonic()
        is_due = anyway or began - self._listed >= self._pause
        assets = None if is_due else changes.assets
        needed = set(_needed(self.root, assets))  # first: what is here was put there before
        listed = self._list(assets)
        if not is_marked:
            with locked(self.root):
                replace_file(self.root / MARK, self.remote.url)
        is_beginning = BEGINNING in listed
        if is_beginning and not has_assets:
            return  # whoever opens the store completes it
        faults = self._bring_all(listed)
        lost = set() if is_beginning else needed - listed.keys()
        if lost:  # but for what a pointer that was just brought has given up
            lost &= set(_needed(self.root, assets))
        faults |= {it: f"{it} is not at {self.remote.url} any more" for it in lost}
        self._note_faults(faults, assets, began)
        self._noted = changes.latest

    def _note(self) -> bytes:
        try:
            return self.remote.read(CHANGED, MAX_NOTE_BYTES)
        except (OSError, ValueError):
            return b""  # where the remote is away, listing tells

    def _list(self, assets: Collection[str] | None) -> dict[str, Entry]:
        """What is there of some assets, or of all."""
        if assets is not None:
            return dict(it for asset in assets for it in self.remote.listed(asset).items())
        listed = self.remote.listed()
        if all(it.startswith(".") for it in listed) and _assets(self.root):
            self._listed = float("-inf")
            raise FileNotFoundError(errno.ENOENT, f"{self.remote.url} has become empty")
        return listed

    def _bring_all(self, listed: Mapping[str, Entry]) -> dict[str, str]:
        """Bring several assets at once, each as :meth:`bring`."""
        by_asset: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
        for name, entry in listed.items():
            by_asset[name.partition("/")[0]][name] = entry
        faults: dict[str, str] = {}
        failed: list[BaseException] = []
        left = iter(list(by_asset.values()))  # of a list, whose iterator threads may share

        def work() -> None:
            for entries in left:
                try:
                    faults.update(self.bring(entries))
                except BaseException as error:  # noqa: BLE001 - raised by the thread that waits
                    failed.append(error)
                if failed:
                    return

        # Daemons: a remote that does not answer must not keep the process from ending.
        number = min(_THREADS, len(by_asset))
        threads = [Thread(target=work, name="store-mirror", daemon=True) for _ in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for error in failed:
            raise error
        return faults

    def _note_faults(
        self, faults: dict[str, str], assets: Collection[str] | None, began: float
    ) -> None:
        """Note what was found of some assets, or of all, and when all is to be listed again."""
        if assets is not None:
            others = {it for it in self._faults if it.partition("/")[0] not in assets}
            faults = faults | {it: self._faults[it] for it in others}
        if not faults:
            self._pause = _LISTED_EVERY
        elif not self._faults:
            self._pause = 0.0
        elif assets is None:  # all of it is listed and fetched again, so less and less often
            self._pause = min(2 * self._pause + _AGAIN, _LISTED_EVERY)
        if assets is None:
            self._listed = began
        self._faults = faults
        doubt = _told(faults)
        if doubt and not _assets(self.root):
            raise OSError(errno.EIO, f"nothing is taken over: {doubt}")
        self._doubt(doubt)

    def bring(self, entries: Mapping[str, Entry]) -> dict[str, str]:
        """Bring the files of one asset, as they were listed; why some are not brought, by name.

        Versions come first, then the pointers that name them, then the champion.

        Raises
        ------
        OSError : as :meth:`pull`.
        """
        folders: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
        pointers = [name for name in entries if is_pointer(name)]
        for name, entry in entries.items():
            folder = folder_of_file(name)
            if folder is not None:
                folders[folder][name.rpartition("/")[2]] = entry
        brings: dict[str, Callable[[], bool]] = {
            it: partial(self._bring_folder, it, folders[it])
            for it in sorted(folders, key=_in_order)
        }
        for name in sorted(pointers, key=lambda it: (it.endswith(f"/{CHAMPION}"), it)):
            brings[name] = partial(self._bring_pointer, name, entries[name])
        whys = ((name, self._why_not(name, bring)) for name, bring in brings.items())
        return {name: why for name, why in whys if why}

    def _why_not(self, name: str, bring: Callable[[], bool]) -> str | None:
        """Bring a folder or a pointer; why it is left where it is."""
        try:
            if bring():
                note_change(self.root)
        except FileNotFoundError:  # pruned since it was listed
            return None
        except (ValueError, NotAnswered) as error:  # damaged, beyond limits, or not to be read
            if isinstance(error, NotAnswered):
                self.remote.listed(name.rpartition("/")[0])  # or the remote is away altogether
            why = " ".join(str(getattr(error, "strerror", error)).split())
            return f"{name} at {self.remote.url} is not taken over: {why}"
        return None

    def _bring_folder(self, folder: str, files: Mapping[str, Entry]) -> bool:
        """Bring a version or a comparison; whether what serves may be another by that."""
        path = self.root / folder
        if SUMS not in files:
            return False  # somebody is putting it, or was killed
        if path.is_dir():
            return self._bring_signature(folder, files)
        _check_sizes(files)
        read = {it: self.remote.read(f"{folder}/{it}", limits.max_bytes(it)) for it in files}
        with locked(path.parent), unfinished(path.parent) as new:
            if path.exists():  # another process was first
                return False
            write_folder(new, read)
            ArtifactFiles.read(new)
            new.rename(path)
            flush_folder(path.parent)
        return folder.startswith(f"{UNIVERSAL}/")

    def _bring_signature(self, folder: str, files: Mapping[str, Entry]) -> bool:
        """Bring a signature that came later; it takes no other's place unless it verifies."""
        name = f"{folder}/{SIGNATURE}"
        if SIGNATURE not in files or self._known.get(name) == files[SIGNATURE].token:
            return False
        content, path = self.remote.read(name, limits.max_bytes(SIGNATURE)), self.root / name
        is_new = not path.is_file()
        if not is_new and path.read_bytes() != content and self._trusted.keys:
            fault = self._trusted.fault((path.parent / SUMS).read_bytes(), content)
            if fault is not None:
                raise DamagedArtifact(fault)
            is_new = True
        if is_new:
            self._replace(path, content)
        self._known[name] = files[SIGNATURE].token
        return is_new

    def _bring_pointer(self, name: str, entry: Entry) -> bool:
        path = self.root / name
        if self._known.get(name) == entry.token and path.is_file():
            return False
        if not path.parent.is_dir():
            raise DamagedArtifact("nothing that it may name is here")
        with locked(path.parent):  # so that nobody here promotes between reading and writing
            content = self.remote.read(name, limits.MAX_POINTER_BYTES)
            self._check_pointer(path, content)
            is_new = self._replace(path, content)
        self._known[name] = entry.token
        return is_new

    def _check_pointer(self, path: Path, content: bytes) -> None:
        """Refuse a pointer to what is not here, since what serves would give way to nothing."""
        if path.name == CHAMPION:
            model = Champion.model_validate_json(content).model
            if not (path.parent / model / CURRENT).is_file():
                raise DamagedArtifact(f"no version of {model} is in service here")
            return
        kind: type[Pointer | Shadow] = Shadow if path.name == SHADOW else Pointer
        pointer = kind.model_validate_json(content)
        if pointer.version is None:
            return
        try:
            sums = (path.parent / str(pointer.version) / SUMS).read_bytes()
        except OSError:
            raise DamagedArtifact(f"version {pointer.version} is not here") from None
        if hashlib.sha256(sums).hexdigest() != pointer.sha256:
            raise DamagedArtifact(f"version {pointer.version} here {DIFFERS}")

    def _replace(self, path: Path, content: bytes) -> bool:
        if path.is_file() and path.read_bytes() == content:
            return False
        replace_file(path, content.decode().removesuffix("\n"))
        return True

    def _is_marked(self) -> bool:
        """Whether the folder says that it mirrors this remote; it does not yet where it is new.

        Raises
        ------
        InvalidInput : it is a store of its own, or mirrors another.
        """
        found = marked(self.root)
        if found == self.remote.url:
            return True
        if found is not None or _assets(self.root):
            what = "a store of its own" if found is None else f"the mirror of {found}"
            raise InvalidInput(
                f"{self.root} is {what}, and cannot mirror {self.remote.url}",
                field="store_mirror",
                found=str(self.root),
                needed="an empty folder, or none yet",
            )
        return False

    def _doubt(self, doubt: str | None) -> None:
        if doubt is not None and doubt != self.doubt:
            log.warning("%s", doubt)
        self.doubt = doubt


def mirror_of(
    store: Path | str, folder: Path | None = None, trusted: TrustedKeys = NO_KEYS
) -> Mirror | None:
    """The mirror of a store that is named by a URL; None of one that is a folder.

    Parameters
    ----------
    store : folder or URL.
    folder : of the mirror; by default one of its own in ``var/mirrors``, so that processes of one
        machine share it.
    trusted : as in :class:`Mirror`.
    """
    if isinstance(store, Path) or "://" not in store:
        return None
    kind, _, place = store.partition("://")
    url = f"{kind}://{place.rstrip('/')}"
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]
    return Mirror(url, MIRRORS / digest if folder is None else folder, trusted)


def is_mirror(root: Path) -> bool:
    """Whether a store's folder is the mirror of another."""
    return marked(root) is not None


def _assets(root: Path) -> list[str]:
    folders = root.iterdir() if root.is_dir() else ()
    return [it.name for it in folders if is_asset_name(it.name) and it.is_dir()]


def _needed(root: Path, assets: Collection[str] | None) -> Iterator[str]:
    """What a remote must have, since pointers here name it, of some assets or of all."""
    for asset in _assets(root) if assets is None else assets:
        if (root / asset / CHAMPION).is_file():
            yield f"{asset}/{CHAMPION}"
        for kind, name in ((Pointer, CURRENT), (Shadow, SHADOW)):
            for path in (root / asset).glob(f"*/{name}"):
                with suppress(OSError, ValueError):
                    version = kind.model_validate_json(path.read_bytes()).version
                    if version is not None:
                        yield f"{asset}/{path.parent.name}/{name}"
                        yield f"{asset}/{path.parent.name}/{version}/{SUMS}"


def _told(faults: Mapping[str, str]) -> str | None:
    """The first faults in a sentence each, and how many others there are."""
    told = [faults[it] for it in sorted(faults)[:_TOLD]]
    others = len(faults) - len(told)
    return "; ".join([*told, *([f"{others} more"] if others else [])]) or None


def _in_order(folder: str) -> tuple[str, int, str]:
    """Versions of one model in the order in which they were published."""
    family, _, last = folder.rpartition("/")
    return family, int(last) if last.isdecimal() else 0, last


def _check_sizes(files: Mapping[str, Entry]) -> None:
    """Refuse what an artifact cannot be before anything of it is read."""
    if len(files) > limits.MAX_FILES:
        raise DamagedArtifact(f"it has {len(files)} files; at most {limits.MAX_FILES} are read")
    if sum(it.size for it in files.values()) > limits.MAX_ARTIFACT_BYTES:
        raise DamagedArtifact(f"it has more than {limits.MAX_ARTIFACT_BYTES} bytes")
