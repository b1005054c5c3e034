"""Members of a zip archive, read into no more memory than the archive's directory says."""

import zipfile


def read_member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Content of a member.

    Raises
    ------
    KeyError : there is none of the name.
    zipfile.BadZipFile : it is not what the directory says.

    Notes
    -----
    :meth:`zipfile.ZipFile.read` unpacks all that there is, a thousand bytes of each, and only then
    looks at how many there were to be.
    """
    with archive.open(name) as member:
        return member.read(archive.getinfo(name).file_size)
