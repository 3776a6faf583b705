"""CSV to documents: a mapping says which column is which field, and rows of one order follow on one another."""

import csv
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ordre.api.wire.common import Number, encode, instant, milliseconds
from ordre.domain.money import DIGITS
from ordre.moving.bringing import Line
from ordre.moving.reading import Reason
from ordre.settings import BadSetting

_AMOUNTS = {"authorized_amount": "authorizations", "captured_amount": "captures", "refunded_amount": "refunds"}
"""Columns of lines that say what was paid -> the collection that one operation of each order goes to."""
_PAYMENTS_AT = "payments_at"
_LINE = "line_id"


class _File(msgspec.Struct, forbid_unknown_fields=True):
    delimiter: str = ","
    encoding: str = "utf-8-sig"
    decimal: str = ""
    """The sign before the digits of the minor unit; empty where amounts are whole minor units."""
    time: str = ""
    """The format of instants, as Python's ``strptime`` has it; empty where they are RFC 3339."""
    zone: str = "UTC"
    """The time zone of instants whose format has none."""


class _Value(msgspec.Struct, forbid_unknown_fields=True):
    value: str
    """The same in each row."""


class Mapped(msgspec.Struct, forbid_unknown_fields=True):
    """A mapping file: fields of orders and of lines, by their paths such as ``customer.email``, to columns or values."""

    order: dict[str, str | _Value]
    line: dict[str, str | _Value]
    file: _File = msgspec.field(default_factory=_File)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapper:
    """Makes documents of rows."""

    mapped: Mapped
    zone: tzinfo

    def lines(self, path: Path) -> Iterator[tuple[Line, int]]:
        """Yield a document for each order of a file, numbered by the line of its first row, and where that ends.

        Raises:
            BadSetting: A column that the mapping names is not there.
        """
        with path.open("rb") as file:
            rows = _Rows(file, self.mapped.file)
            self._check_columns(path, rows.names)
            named = self.mapped.order["order_id"]
            for _, group in groupby(rows, key=lambda row: _cell(named, row[1])):
                found = list(group)
                number = found[0][0]
                try:
                    yield Line(number, encode(self._document([row for _, row in found]))), rows.end
                except _UnfitCell as unfit:
                    yield Line(number, encode(found[0][1]), Reason("invalid_value", str(unfit), unfit.path)), rows.end

    def _check_columns(self, path: Path, names: Sequence[str]) -> None:
        wanted = [one for part in (self.mapped.order, self.mapped.line) for one in part.values() if isinstance(one, str)]
        if missing := [one for one in wanted if one not in names]:
            raise BadSetting(f"{path} has no column {missing[0]!r}; it has {', '.join(names)}")

    def _document(self, rows: Sequence[Mapping[str, str]]) -> dict[str, Any]:
        order: dict[str, Any] = {}
        for path, source in self.mapped.order.items():
            _put(order, path, self._value(path, _cell(source, rows[0]), ""))
        currency, at = str(order.get("currency", "")), order.pop(_PAYMENTS_AT, None) or order.get("created_at")
        items, paid = [], {name: list[dict[str, Any]]() for name in _AMOUNTS.values()}
        for place, row in enumerate(rows, 1):
            item: dict[str, Any] = {_LINE: place}
            for path, source in self.mapped.line.items():
                value = self._value(path, _cell(source, row), currency)
                if path not in _AMOUNTS:
                    _put(item, path, value)
                elif value:
                    paid[_AMOUNTS[path]].append({_LINE: item[_LINE], "amount": value})
            items.append(item)
        if "authorized_amount" not in self.mapped.line:
            paid["authorizations"] = paid["captures"]
        operations = {name: [{"items": lines, "created_at": at}] for name, lines in paid.items() if lines}
        return {**order, "items": items, **operations}

    def _value(self, path: str, cell: str, currency: str) -> Any:
        """Return a cell as the field is sent; None where it is empty."""
        name = path.rpartition(".")[2]
        if not cell.strip():
            return None
        if name.endswith("_amount"):
            return self._amount(path, cell.strip(), currency)
        if name.endswith("_at"):
            return self._instant(path, cell.strip())
        if path == _LINE or name == "time_to_live":
            return _whole(path, cell.strip())
        if path == "quantity":
            return _number(path, cell.strip().replace(self.mapped.file.decimal or ".", "."))
        if name in ("multiple_authorizations", "pre_order", "is_changed", "eligible_for_discount"):
            return cell.strip().lower() in ("true", "yes", "1")
        return cell

    def _amount(self, path: str, cell: str, currency: str) -> int:
        """Return an amount in minor units, exactly."""
        sign = self.mapped.file.decimal
        if not sign:
            return _whole(path, cell)
        plain = "".join(part for part in cell.replace("\u00a0", " ").split(" "))
        amount = _number(path, plain.replace("." if sign == "," else ",", "").replace(sign, ".")).scaleb(DIGITS.get(currency, 2))
        if amount != amount.to_integral_value():
            raise _UnfitCell(path, f"{cell!r} has more digits than {currency} has")
        return int(amount)

    def _instant(self, path: str, cell: str) -> str:
        try:
            if not self.mapped.file.time:
                return instant(milliseconds(cell))
            found = datetime.strptime(cell, self.mapped.file.time)  # noqa: DTZ007 - the zone comes next
        except ValueError as error:
            raise _UnfitCell(path, str(error)) from error
        found = found if found.tzinfo is not None else found.replace(tzinfo=self.zone)
        return instant(round(found.astimezone(UTC).timestamp() * 1000))


class _UnfitCell(Exception):  # noqa: N818 - it is named for the state it tells of
    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class _Rows:
    """The rows of a file of CSV by the names of its first line, each with its number; ``end`` is where the last one ends."""

    def __init__(self, file: Any, settings: _File) -> None:
        self._file, self.end = file, 0
        self._reader = csv.DictReader(self._texts(settings.encoding), delimiter=settings.delimiter, restval="")
        self.names: Sequence[str] = self._reader.fieldnames or ()

    def _texts(self, encoding: str) -> Iterator[str]:
        for line in self._file:
            self.end += len(line)
            yield line.decode(encoding)

    def __iter__(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        for row in self._reader:
            yield self._reader.line_num, row


def mapper_of(path: Path) -> Mapper:
    """Return the mapper that a mapping file describes.

    Raises:
        BadSetting: It is none.
    """
    try:
        mapped = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Mapped)
        zone = ZoneInfo(mapped.file.zone)
        "".encode(mapped.file.encoding)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadSetting(f"{path}: {error}") from error
    except (ZoneInfoNotFoundError, LookupError, ValueError) as error:
        raise BadSetting(f"{path}: {error}") from error
    for name in ("order_id", "created_at", "currency"):
        if name not in mapped.order:
            raise BadSetting(f"{path}: [order] has no {name}")
    for name in ("id", "gross_amount"):
        if name not in mapped.line:
            raise BadSetting(f"{path}: [line] has no {name}")
    return Mapper(mapped=mapped, zone=zone)


def _cell(source: str | _Value, row: Mapping[str, str]) -> str:
    return source.value if isinstance(source, _Value) else row[source] or ""


def _put(into: dict[str, Any], path: str, value: Any) -> None:
    """Put a value where its path leads; nothing where it is None."""
    if value is None:
        return
    *outer, name = path.split(".")
    for one in outer:
        into = into.setdefault(one, {})
    into[name] = value


def _whole(path: str, cell: str) -> int:
    try:
        return int(cell)
    except ValueError as error:
        raise _UnfitCell(path, f"{cell!r} is no whole number") from error


def _number(path: str, cell: str) -> Decimal:
    try:
        return Number(cell)
    except InvalidOperation as error:
        raise _UnfitCell(path, f"{cell!r} is no number") from error
