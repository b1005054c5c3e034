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
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from threading import Thread

from models_store import limits
from models_store.atomic import flush_folder, locked, replace_file, unfinished, write_folder
from models_store.changed import CHANGED, MAX_NOTE_BYTES, changes_since, note_change
from models_store.files import ArtifactFiles, DamagedArtifact
from models_store.names import (
    CHAMPION,
    UNIVERSAL,
    folder_of_file,
    is_asset_name,
    is_pointer,
)
from models_store.pointers import Champion, Pointer
from models_store.remote import BEGINNING, DIFFERS, MARK, Entry, Remote, marked
from models_store.signatures import SIGNATURE, SUMS
from volatility.errors import InvalidInput

log = logging.getLogger(__name__)

MIRRORS = Path("var/mirrors")  # where a mirror is, unless something else is said
_THREADS = 8
# Seconds after which all is listed although the remote notes no change: whoever was killed before
# the note, or has copied files there by other means.
_LISTED_EVERY = 60.0


class Mirror:
    """Brings what a remote store has into a local folder.

    Parameters
    ----------
    url : of the remote store.
    root : the folder.

    Attributes
    ----------
    doubt : why the folder may not be what the remote is; None where it is.
    """

    def __init__(self, url: str, root: Path) -> None:
        self.root, self.remote = root, Remote(url)
        self.doubt: str | None = None
        self._known: dict[str, str] = {}  # tokens of files that may change, by name
        self._noted: str | None = None
        self._listed = float("-inf")

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
            if not _has_assets(self.root):
                raise
            self._doubt(f"the store is not followed: {error.strerror or error}")
            return False
        return True

    def pull(self, anyway: bool = False) -> None:
        """Bring what is new.

        What is damaged there is left there, and told by ``doubt``.

        Raises
        ------
        InvalidInput : the folder is no mirror of this remote.
        OSError : the remote does not answer, or the folder cannot be written.
        """
        is_marked = self._is_marked()
        changes = changes_since(self._note(), self._noted)
        if not is_marked:
            with locked(self.root):
                replace_file(self.root / MARK, self.remote.url)
        began, has_assets = time.monotonic(), _has_assets(self.root)
        is_due = began - self._listed >= _LISTED_EVERY
        if anyway or is_due or self.doubt is not None or changes.assets is None:
            listed, self._listed = self.remote.listed(), began
            if not listed and has_assets:
                self._listed = float("-inf")
                raise FileNotFoundError(errno.ENOENT, f"{self.remote.url} has become empty")
        else:
            listed = {}
            for asset in changes.assets:
                listed |= self.remote.listed(asset)
        if BEGINNING in listed and not has_assets:
            return  # whoever opens the store completes it
        by_asset: defaultdict[str, dict[str, Entry]] = defaultdict(dict)
        for name, entry in listed.items():
            by_asset[name.partition("/")[0]][name] = entry
        self._doubt("; ".join(self._bring_all(list(by_asset.values()))) or None)
        self._noted = changes.latest

    def _note(self) -> bytes:
        try:
            return self.remote.read(CHANGED, MAX_NOTE_BYTES)
        except (FileNotFoundError, ValueError):
            return b""

    def _bring_all(self, by_asset: list[dict[str, Entry]]) -> list[str]:
        """Bring several assets at once, each as :meth:`bring`."""
        faults: list[str] = []
        failed: list[BaseException] = []
        left = iter(by_asset)  # of a list, whose iterator threads may share

        def work() -> None:
            for entries in left:
                try:
                    faults.extend(self.bring(entries))
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
        return sorted(faults)

    def bring(self, entries: Mapping[str, Entry]) -> list[str]:
        """Bring the files of one asset, as they were listed; why some are not brought.

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
        faults: list[str] = []
        for folder in sorted(folders, key=_in_order):
            faults += self._brought(folder, partial(self._bring_folder, folder, folders[folder]))
        for name in sorted(pointers, key=lambda it: (it.endswith(f"/{CHAMPION}"), it)):
            faults += self._brought(name, partial(self._bring_pointer, name, entries[name]))
        return faults

    def _brought(self, name: str, bring: "partial[bool]") -> Iterator[str]:
        try:
            if bring():
                note_change(self.root)
        except FileNotFoundError:  # pruned since it was listed
            return
        except ValueError as error:  # damaged, or beyond limits
            why = " ".join(str(error).split())
            yield f"{name} at {self.remote.url} is not taken over: {why}"

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
        name = f"{folder}/{SIGNATURE}"
        if SIGNATURE not in files or self._known.get(name) == files[SIGNATURE].token:
            return False
        content = self.remote.read(name, limits.max_bytes(SIGNATURE))
        is_new = self._replace(self.root / name, content)
        self._known[name] = files[SIGNATURE].token
        return is_new

    def _bring_pointer(self, name: str, entry: Entry) -> bool:
        if self._known.get(name) == entry.token:
            return False
        path = self.root / name
        with locked(path.parent):  # so that nobody here promotes between reading and writing
            content = self.remote.read(name, limits.MAX_POINTER_BYTES)
            self._check_pointer(path, content)
            is_new = self._replace(path, content)
        self._known[name] = entry.token
        return is_new

    def _check_pointer(self, path: Path, content: bytes) -> None:
        """Refuse a pointer to what is not here, since what serves would give way to nothing."""
        if path.name == CHAMPION:
            Champion.model_validate_json(content)
            return
        pointer = Pointer.model_validate_json(content)
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
        if found is not None or _has_assets(self.root):
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


def mirror_of(store: Path | str, folder: Path | None = None) -> Mirror | None:
    """The mirror of a store that is named by a URL; None of one that is a folder.

    Parameters
    ----------
    store : folder or URL.
    folder : of the mirror; by default one of its own in ``var/mirrors``, so that processes of one
        machine share it.
    """
    if isinstance(store, Path) or "://" not in store:
        return None
    url = store.rstrip("/")
    digest = hashlib.sha256(url.encode()).hexdigest()[:16]
    return Mirror(url, MIRRORS / digest if folder is None else folder)


def is_mirror(root: Path) -> bool:
    """Whether a store's folder is the mirror of another."""
    return marked(root) is not None


def _has_assets(root: Path) -> bool:
    return root.is_dir() and any(is_asset_name(it.name) for it in root.iterdir() if it.is_dir())


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
