"""What a file holds that an export was written to, up to where it was cut off."""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec

from ordre.api.wire.columns import Rows, columns
from ordre.settings import BadSetting

_TAIL_BYTES = 64 * 1024


class _Named(msgspec.Struct):
    id: str


_named = msgspec.json.Decoder(_Named).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """So many bytes of a file are whole orders, the ``last`` of which has this ``id``; None where there is none."""

    size: int
    last: str | None


def last_of_ndjson(path: Path) -> Exported:
    """Return the contents of a file of lines of JSON.

    Raises:
        BadSetting: Its last whole line is no order.
    """
    _check_beginning(path, b'{"id":"')
    with path.open("rb") as file:
        end = _end_of_line(file, file.seek(0, os.SEEK_END))
        if end == 0:
            return Exported(size=0, last=None)
        start = _end_of_line(file, end - 1)
        file.seek(start)
        line = file.read(end - start)
    try:
        return Exported(size=end, last=_named(line).id)
    except msgspec.MsgspecError as error:
        raise BadSetting(f"{path}: its last line is no order, so it is no file that an export was written to") from error


def _end_of_line(file: BinaryIO, before: int) -> int:
    """Return where the last line ends of what stands before a place; 0 where none does."""
    while before > 0:
        start = max(before - _TAIL_BYTES, 0)
        file.seek(start)
        found = file.read(before - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        before = start
    return 0


def last_of_csv(path: Path, rows: Rows) -> Exported:
    """Return the contents of a file of CSV. The last order may lack lines, so it counts as cut off.

    Raises:
        BadSetting: It has other columns.
    """
    _check_beginning(path, f"{','.join(column.name for column in columns(rows))}\r\n".encode())
    found, previous, ends = Exported(size=0, last=None), None, 0
    for number, (record, end) in enumerate(_records(path)):
        if number == 0:
            found = Exported(size=end, last=None)
        elif record[0] != previous:
            if previous is not None:
                found = Exported(size=ends, last=previous)
            previous = record[0]
        ends = end
    return found


def _check_beginning(path: Path, beginning: bytes) -> None:
    """Refuse a file that begins otherwise: what stands in it would be lost."""
    with path.open("rb") as file:
        if not beginning.startswith(file.read(len(beginning))):
            raise BadSetting(f"{path} does not begin as such an export does, so it is left as it is")


def _records(path: Path) -> Iterator[tuple[list[str], int]]:
    """Yield each whole record of CSV, and where it ends. In quotes an end of a line is none of the record."""
    with path.open("rb") as file:
        record, end = b"", 0
        for line in file:
            record += line
            end += len(line)
            if record.count(b'"') % 2 == 0 and record.endswith(b"\r\n"):
                yield next(csv.reader([record.decode()])), end
                record = b""


def cut_off(path: Path, size: int) -> BinaryIO:
    """Return the file, opened to be written to after so many bytes, without what came after them."""
    file = path.open("r+b")
    file.truncate(size)
    file.seek(size)
    return file
