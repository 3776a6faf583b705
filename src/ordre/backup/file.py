"""The file: lines of JSON, compressed with gzip. A header, each table with its rows, the root of each account, and the end.

The end holds how many rows there are of each table, and the SHA-256 of all lines before it, both signed with the key that signs
tokens.
"""

import gzip
import os
import tempfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import Struct

FORMAT = 1
_LEVEL = 6
_LONGEST = 256 * 1024 * 1024
"""Bytes of a line: no row is as long."""
_FIRST = b'{"type":"ordre backup",'
"""How the first line begins."""


class BadBackup(Exception):  # noqa: N818 - it is named for the state it tells of
    """The file is no backup, is torn, was changed, or cannot be restored here."""


class Step(Struct, frozen=True, kw_only=True):
    """A migration that the database has had."""

    number: int
    name: str
    digest: str


class Header(Struct, frozen=True, kw_only=True, tag_field="type", tag="ordre backup"):
    """The first line of a backup. ``made_at`` is in milliseconds since 1970; ``rows`` are how many of each table to expect.

    ``salt`` (hexadecimal) goes with the passphrase under which keys are encrypted; None where private keys were left out.
    """

    format: int
    ordre: str
    engine: str
    made_at: int
    schema: tuple[Step, ...]
    rows: Mapping[str, int]
    salt: str | None


class Section(Struct, frozen=True, kw_only=True, tag_field="type", tag="table"):
    """The beginning of a table. Each of the lines that follow is a row: a list with a value for each column."""

    name: str
    columns: tuple[str, ...]


class Root(Struct, frozen=True, kw_only=True, tag_field="type", tag="root"):
    """The hash over all orders of an account, signed: as `ordre verify --root` writes it."""

    account_id: str
    orders: int
    root: str
    at: int
    signature: str

    def content(self) -> dict[str, Any]:
        """Return the content that is signed."""
        return {"account_id": self.account_id, "orders": self.orders, "root": self.root, "at": self.at}


class End(Struct, frozen=True, kw_only=True, tag_field="type", tag="end"):
    """The last line: what was written before it."""

    rows: Mapping[str, int]
    sha256: str
    signature: str

    def content(self) -> dict[str, Any]:
        """Return the content that is signed."""
        return end_content(self.rows, self.sha256)


Line = Header | Section | Root | End
Value = str | int | bytes | None
Values = list[Value]

_encode = msgspec.json.Encoder().encode
_decode_line = msgspec.json.Decoder(Line).decode
_decode_row = msgspec.json.Decoder(list[str | int | None]).decode
"""Bytes are written as base64: which texts are those, the schema says."""


def end_content(rows: Mapping[str, int], digest: str) -> dict[str, Any]:
    """Return the signed content of the last line."""
    return {"rows": dict(rows), "sha256": digest}


class Writer:
    """Writes lines, and keeps the hash over them."""

    def __init__(self, file: BinaryIO) -> None:
        self._compressed = gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0)
        self._hash = sha256()

    def write(self, line: Line | Sequence[Value]) -> None:
        """Write one line."""
        text = _encode(line) + b"\n"
        self._hash.update(text)
        self._compressed.write(text)

    def digest(self) -> str:
        """Return the SHA-256 of all lines so far."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Write what is still to be compressed, and the checksum of gzip."""
        self._compressed.close()


class Reader:
    """Reads lines, and keeps the hash over all but the last, which holds it."""

    def __init__(self, file: BinaryIO) -> None:
        self._compressed = gzip.GzipFile(fileobj=file, mode="rb")
        self._hash = sha256()

    def __iter__(self) -> Iterator[tuple[Line | Values, int]]:
        """Yield each line and its length in bytes, up to the end.

        Raises:
            BadBackup: See there.
        """
        first = self._line()
        if not first.startswith(_FIRST):
            raise BadBackup("the file is not a backup that `ordre backup` wrote")
        text = first
        while not isinstance(line := _line_of(text), End):
            yield line, len(text)
            self._hash.update(text)
            text = self._line()
            if not text.endswith(b"\n"):
                raise BadBackup("the file is incomplete: its end is missing")
        if line.sha256 != self._hash.hexdigest():
            raise BadBackup("the file was changed since it was written: its lines are not those that its end was made of")
        if self._line():
            raise BadBackup("the file was changed since it was written: something follows its end")
        yield line, len(text)

    def _line(self) -> bytes:
        try:
            return self._compressed.readline(_LONGEST)
        except EOFError as error:
            raise BadBackup("the file is incomplete: its end is missing") from error
        except (gzip.BadGzipFile, zlib.error) as error:
            raise BadBackup(f"the file is not a backup that `ordre backup` wrote, or was changed since: {error}") from error


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Make a file for its owner alone that takes its name only when it is whole, in the place of an earlier backup.

    Raises:
        BadBackup: Something else has the name.
        OSError: The file cannot be written.
    """
    if path.exists() and not is_backup(path):
        raise BadBackup(f"{path} already exists and is not a backup: name another file, or - for standard output")
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        made.replace(path)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)  # so that the name outlives a power failure, too
    os.close(folder)


def is_backup(path: Path) -> bool:
    """Whether a file begins like a backup."""
    if not path.is_file():
        return False
    try:
        with gzip.open(path) as file:
            return file.read(len(_FIRST)) == _FIRST
    except (EOFError, OSError, zlib.error):
        return False


def _line_of(text: bytes) -> Line | Values:
    try:
        return list(_decode_row(text)) if text.startswith(b"[") else _decode_line(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadBackup(f"the file holds a line that no backup of format {FORMAT} has: {error}") from error
