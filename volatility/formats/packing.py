"""Content that is compressed, unpacked within a limit."""

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from volatility.formats.reading import Limits, Unreadable

_PART = 64 * 1024  # bytes packed that are given to a decompressor at once
_STEP = 1024 * 1024  # bytes unpacked at once
_ZIP, _ZSTANDARD = b"PK\x03\x04", b"\x28\xb5\x2f\xfd"
_ENTRY = b"PK\x01\x02"  # begins each entry of an archive's directory
_MOST_MEMBERS = 1_024  # of an archive, of which a list is made
# Streams one after another: so many, and one more for each of so many bytes that have come out.
# What compresses in parallel begins one for each 64 kB. Of 20 bytes an empty one takes 7 µs.
_MOST_STREAMS, _BYTES_OF_STREAM = 1_024, 4_096
_EXCEL = ("[Content_Types].xml", "xl/workbook.xml")
_GZIP_WINDOW = 31  # of zlib: a gzip header is expected
_UNPACKERS: MappingProxyType[bytes, tuple[str, Callable[[], Any]]] = MappingProxyType(
    {
        b"\x1f\x8b": ("gzip", lambda: zlib.decompressobj(wbits=_GZIP_WINDOW)),
        b"BZh": ("bzip2", bz2.BZ2Decompressor),
        b"\xfd7zXZ\x00": ("xz", lambda: lzma.LZMADecompressor(memlimit=2**28)),
    }
)
Check = Callable[[bytes], None]


def unpacked(
    content: bytes | bytearray, limits: Limits, check: Check | None = None
) -> tuple[bytes | bytearray, str | None]:
    """Content without its compression, if it has one, and what that was.

    Parameters
    ----------
    content : any; of a ZIP archive the only file in it.
    limits : how many bytes it may become.
    check : called with each part as it is unpacked, and may refuse it.

    Raises
    ------
    Unreadable : ``damaged_content``, ``too_large_unpacked``, ``unknown_compression``.
    """
    for magic, (name, unpacker) in _UNPACKERS.items():
        if content.startswith(magic):
            return _unpack(content, name, unpacker, limits, check), name
    if content.startswith(_ZIP) and not is_excel(content):
        return _of_zip(content, limits, check), "ZIP"
    if content.startswith(_ZSTANDARD):
        raise Unreadable(
            "the content is compressed by Zstandard, which is not read",
            code="unknown_compression",
            field="body",
            found="Zstandard",
            needed="gzip, bzip2, xz, ZIP or no compression",
        )
    return content, None


def is_excel(content: bytes | bytearray) -> bool:
    """Whether content is a workbook of Excel, a ZIP archive as well."""
    if not content.startswith(_ZIP):
        return False
    try:
        with _opened(content) as archive:
            return {*_EXCEL} <= {*archive.namelist()}
    except zipfile.BadZipFile:
        return False


def check_archive(content: bytes | bytearray, limits: Limits) -> None:
    """Refuse an archive whose files would be larger than the limit; none grows beyond what it says.

    Raises
    ------
    Unreadable : ``too_large_unpacked``, ``damaged_content``.
    """
    try:
        with _opened(content) as archive:
            if sum(it.file_size for it in archive.infolist()) > limits.most_bytes:
                raise _too_large(limits)
    except zipfile.BadZipFile as error:
        raise _damaged("ZIP", error) from error


def _opened(content: bytes | bytearray) -> zipfile.ZipFile:
    """An archive of not too many members."""
    if content.count(_ENTRY) > _MOST_MEMBERS:
        raise zipfile.BadZipFile(f"it has more than {_MOST_MEMBERS} members")
    return zipfile.ZipFile(io.BytesIO(content))


def _unpack(
    content: bytes | bytearray,
    name: str,
    unpacker: Callable[[], Any],
    limits: Limits,
    check: Check | None,
) -> bytearray:
    found, rest, streams = bytearray(), memoryview(content), 0
    try:
        while rest:  # one stream after another, as of files joined by cat
            streams += 1
            if streams > _MOST_STREAMS + len(found) // _BYTES_OF_STREAM:
                raise EOFError(f"it has {streams} parts, and {len(found)} bytes in those before")
            stream = unpacker()
            fed = 0
            while not stream.eof:
                given = getattr(stream, "unconsumed_tail", b"")  # zlib gives back what it left
                if not given and getattr(stream, "needs_input", True):
                    given = bytes(rest[fed : fed + _PART])
                    fed += len(given)
                part = stream.decompress(given, _STEP)
                if not (part or given or stream.eof):
                    raise EOFError("it ends before its end")
                if check is not None:
                    check(part)
                found += part
                if len(found) > limits.most_bytes:
                    raise _too_large(limits)
            rest = rest[fed - len(stream.unused_data) :]
            if not bytes(rest[:16]).strip(b"\0"):  # padding
                break
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(name, error) from error
    return found


def _of_zip(content: bytes | bytearray, limits: Limits, check: Check | None) -> bytearray:
    check_archive(content, limits)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = [it for it in archive.infolist() if not it.is_dir()]
        if len(files) != 1:
            raise Unreadable(
                f"the ZIP archive has {len(files)} files",
                code="damaged_content",
                field="body",
                found=[it.filename for it in files[:8]],
                needed="one file of bars",
            )
        found = bytearray()
        try:
            with archive.open(files[0]) as file:
                while part := file.read(_STEP):
                    if check is not None:
                        check(part)
                    found += part
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
            raise _damaged("ZIP", error) from error
    return found


def _too_large(limits: Limits) -> Unreadable:
    needed = f"at most {limits.most_bytes} bytes, unpacked"
    return Unreadable(
        f"the content has more than {limits.most_bytes} bytes, unpacked; needed: {needed}",
        code="too_large_unpacked",
        field="body",
        needed=needed,
    )


def _damaged(name: str, error: Exception) -> Unreadable:
    return Unreadable(
        f"the content is not {name} as it says: {error}",
        code="damaged_content",
        field="body",
        found=name,
        needed="a whole file",
    )
