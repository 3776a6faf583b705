"""The forms that an export has: lines of JSON, CSV, Parquet. Each is made chunk by chunk, of orders as they come."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from itertools import chain
from typing import Any, Literal, Protocol

from ordre.api.wire.answers import order_json
from ordre.api.wire.columns import Column, Rows, Type, Value, columns, rows_of
from ordre.api.wire.common import instant
from ordre.application.views import View

Form = Literal["ndjson", "csv", "parquet"]
NDJSON, CSV, PARQUET = "application/x-ndjson", "text/csv; charset=utf-8; header=present", "application/vnd.apache.parquet"
MEDIA: Mapping[Form, str] = {"ndjson": NDJSON, "csv": CSV, "parquet": PARQUET}
"""The media type of each."""
_FORMULA = re.compile(r"[=+\-@\t\r\n|%]")
"""How a cell begins that a spreadsheet may take for a formula, or for a command."""
_GROUP_ROWS = 10_000
"""Of a Parquet file so many rows are kept until they are written."""
Names = Mapping[str, str]


class NoParquet(Exception):  # noqa: N818 - it is named by what is missing
    """Nothing here writes Parquet."""

    def __str__(self) -> str:
        """Return a sentence on the way out."""
        return "Parquet needs the package pyarrow: install ordre[parquet]"


class Making(Protocol):
    """An export that is being made."""

    def part(self, views: Sequence[View]) -> bytes:
        """Return the bytes that these orders add, after what came before; perhaps none yet."""
        ...

    def end(self) -> bytes:
        """Return the rest."""
        ...


class Ndjson:
    """A line an order, as the API answers it. ``names`` are those of the account's clients, for its events."""

    def __init__(self, account_id: str, names: Names) -> None:
        self._account_id, self._names = account_id, names

    def part(self, views: Sequence[View]) -> bytes:
        """Return their lines."""
        return b"".join([order_json(self._account_id, view, self._names) + b"\n" for view in views])

    def end(self) -> bytes:
        """Return nothing."""
        return b""


class Csv:
    """A row an order, or a row a line, under a line of names, which comes first unless it is to ``go_on``."""

    def __init__(self, rows: Rows, *, go_on: bool = False) -> None:
        self._rows, self._columns = rows, columns(rows)
        self._begun = go_on

    def part(self, views: Sequence[View]) -> bytes:
        """Return their rows."""
        return self._written(chain.from_iterable(rows_of(view, self._rows) for view in views))

    def end(self) -> bytes:
        """Return the names, where there was no row."""
        return self._written(())

    def _written(self, rows: Any) -> bytes:
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        if not self._begun:
            writer.writerow([column.name for column in self._columns])
            self._begun = True
        writer.writerows([_cell(column, value) for column, value in zip(self._columns, row, strict=True)] for row in rows)
        return text.getvalue().encode()


def _cell(column: Column, value: Value) -> str:
    """Return a value as a cell. What people wrote and a spreadsheet may take for a formula is led by an apostrophe."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case Decimal():
            return f"{value:f}"
        case int():
            return instant(value) if column.type is Type.INSTANT else str(value)
        case str():
            return f"'{value}" if _FORMULA.match(value) else value


class _Sink(io.RawIOBase):
    """A file that holds what was written to it until that is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        found = b"".join(self._parts)
        self._parts.clear()
        return found


class Parquet:
    """Columns with types, in groups of rows. It ends with where each group is, so it is of no use before its end."""

    def __init__(self, rows: Rows) -> None:
        """Begin.

        Raises:
            NoParquet: pyarrow is not installed.
        """
        arrow, parquet = _arrow()
        self._rows, self._arrow = rows, arrow
        types = {
            Type.TEXT: arrow.string(),
            Type.INTEGER: arrow.int64(),
            Type.AMOUNT: arrow.int64(),
            Type.DECIMAL: arrow.decimal128(38, 4),
            Type.INSTANT: arrow.timestamp("ms", tz="UTC"),
            Type.BOOLEAN: arrow.bool_(),
        }
        self._schema = arrow.schema([(column.name, types[column.type]) for column in columns(rows)])
        self._file = _Sink()
        self._writer = parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        self._waiting: list[list[Value]] = []

    def part(self, views: Sequence[View]) -> bytes:
        """Return the next group of rows, where there are enough."""
        for view in views:
            self._waiting += rows_of(view, self._rows)
        if len(self._waiting) >= _GROUP_ROWS:
            self._write()
        return self._file.taken()

    def end(self) -> bytes:
        """Return the last rows, and what a file ends with."""
        if self._waiting:
            self._write()
        self._writer.close()
        return self._file.taken()

    def _write(self) -> None:
        arrays = [
            self._arrow.array(values, type=field.type)
            for values, field in zip(zip(*self._waiting, strict=True), self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self._waiting = []


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as arrow  # noqa: ICN001, PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise NoParquet from error
    return arrow, parquet


def making(form: Form, rows: Rows, account_id: str, names: Names) -> Making:
    """Return an export that begins.

    Raises:
        NoParquet: It is to be Parquet, and nothing here writes that.
    """
    made: Mapping[Form, Callable[[], Making]] = {
        "ndjson": partial(Ndjson, account_id, names),
        "csv": partial(Csv, rows),
        "parquet": partial(Parquet, rows),
    }
    return made[form]()
