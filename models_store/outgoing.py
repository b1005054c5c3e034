"""What is published into the mirror of a remote store goes there first; see models_store.mirror.

Each function does nothing at a remote where the store's folder mirrors none.
"""

import errno
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from models_store import limits
from models_store.atomic import replace_file
from models_store.changed import CHANGED, MAX_NOTE_BYTES, note_change, with_change
from models_store.mirror import Mirror
from models_store.names import CURRENT, SHADOW, folder_of_file, is_pointer
from models_store.pointers import Pointer, Shadow
from models_store.remote import BEGINNING, DIFFERS, Remote, marked
from models_store.signatures import SUMS, TrustedKeys

_WRITABLE = ".writable"  # at the remote, put to try whether it can be
_BEGUN = (
    "is another than that of a start which ended early: complete it with the release that it was "
    "of, or delete all at"
)


def refresh(root: Path, under: str, trusted: TrustedKeys) -> None:
    """Before a change: bring what the remote has of one model, where the folder mirrors one.

    What of it cannot be brought is left there; see :attr:`.Mirror.doubt`.

    Parameters
    ----------
    root : the store's folder.
    under : the model's.
    trusted : as in :class:`.Mirror`.

    Raises
    ------
    OSError : the remote does not answer.
    """
    url = marked(root)
    if url is not None:
        mirror = Mirror(url, root, trusted)
        mirror.bring(mirror.remote.listed(under))


def add_version(root: Path, family: Path, version: int, files: Mapping[str, bytes]) -> int:
    """Put a version to the remote, where there is one; its number, later if that one is taken."""
    remote = _remote_of(root)
    return remote.add_version(_name(root, family), version, files) if remote else version


def put_folder(root: Path, folder: Path, files: Mapping[str, bytes] | None = None) -> None:
    """Put a version or a comparison to the remote, where there is one and lacks it.

    Parameters
    ----------
    root : the store's folder.
    folder : where it is, or is to be.
    files : its files, by name; those that are there if left out.

    Raises
    ------
    OSError : the remote does not answer, or has another of the name.
    """
    remote, name = _remote_of(root), _name(root, folder)
    if remote is None:
        return
    if files is None:
        files = _files_of(folder)
    try:
        found = remote.read(f"{name}/{SUMS}", limits.max_bytes(SUMS))
    except FileNotFoundError:
        remote.put_folder(name, files)
    else:
        if found != files[SUMS]:
            raise FileExistsError(errno.EEXIST, f"{name} here {DIFFERS}")


def put_file(root: Path, path: Path, content: str) -> None:
    """Put a pointer in the place of another: at the remote, where there is one, and then here."""
    remote = _remote_of(root)
    if remote is not None:
        remote.put(_name(root, path), f"{content}\n".encode())
    replace_file(path, content)


def put_again(root: Path, path: Path) -> bool:
    """Put a file that is here to the remote, where there is one and has another or none."""
    remote = _remote_of(root)
    if remote is None:
        return False
    name, content = _name(root, path), path.read_bytes()
    with suppress(OSError, ValueError):  # not there, not to be read, or too large
        if remote.read(name, limits.MAX_POINTER_BYTES) == content:
            return False
    remote.put(name, content)
    return True


def remove_folder(root: Path, folder: Path) -> None:
    """Remove a version or a comparison from the remote, where there is one."""
    remote = _remote_of(root)
    if remote is not None:
        remote.remove_folder(_name(root, folder))


def remove_version(root: Path, folder: Path) -> bool:
    """Remove a version from the remote, where there is one; whether it may be removed here, too.

    One that was promoted elsewhere meanwhile is put back: whoever promotes puts the pointer and
    then looks whether the version is there, so that one of the two sees what the other has done.
    """
    remote, name = _remote_of(root), _name(root, folder)
    if remote is None:
        return True
    remote.remove_folder(name)
    if not _is_needed(remote, name):
        return True
    remote.put_folder(name, _files_of(folder))
    return False


def begin(root: Path) -> None:
    """Put all that a new mirror has to the remote; what others have put there meanwhile stays."""
    remote = _remote_of(root)
    if remote is None:
        return
    remote.put(BEGINNING, b"")
    names = {it: it.relative_to(root).as_posix() for it in sorted(root.rglob("*"))}
    for path, name in names.items():
        if path.name == SUMS and folder_of_file(name) is not None:
            try:
                put_folder(root, path.parent)
            except FileExistsError as error:
                raise FileExistsError(errno.EEXIST, f"{name} {_BEGUN} {remote.url}") from error
    for path, name in names.items():
        if is_pointer(name):
            remote.create(name, path.read_bytes())
    remote.remove(BEGINNING)


def note(root: Path, asset: str | None = None) -> None:
    """Note that an asset of a store has changed, or any; at the remote as well, if there is one.

    Of two notes at once one may be lost, and what it told of is found when all is listed.
    """
    note_change(root)
    remote = _remote_of(root)
    if remote is not None:
        with suppress(OSError):
            remote.put(CHANGED, with_change(_noted(remote), asset))


def check_writable(root: Path) -> None:
    """Write to the remote, where there is one: a file that nobody reads.

    Raises
    ------
    OSError : it cannot be written.
    """
    remote = _remote_of(root)
    if remote is not None:
        remote.put(_WRITABLE, b"")


def _noted(remote: Remote) -> bytes:
    try:
        return remote.read(CHANGED, MAX_NOTE_BYTES)
    except (OSError, ValueError):  # one that cannot be read is replaced, if it can be
        return b"[]"


def _is_needed(remote: Remote, version: str) -> bool:
    """Whether a pointer at the remote names a version: it serves, did before, or is on trial."""
    family, _, number = version.rpartition("/")
    needed: set[int | None] = set()
    with suppress(FileNotFoundError, ValueError):
        content = remote.read(f"{family}/{CURRENT}", limits.MAX_POINTER_BYTES)
        pointer = Pointer.model_validate_json(content)
        needed |= {pointer.version, *pointer.previous}
    with suppress(FileNotFoundError, ValueError):
        content = remote.read(f"{family}/{SHADOW}", limits.MAX_POINTER_BYTES)
        needed.add(Shadow.model_validate_json(content).version)
    return int(number) in needed


def _files_of(folder: Path) -> dict[str, bytes]:
    return {it.name: it.read_bytes() for it in folder.iterdir() if not it.name.startswith(".")}


def _remote_of(root: Path) -> Remote | None:
    url = marked(root)
    return None if url is None else Remote(url)


def _name(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()
