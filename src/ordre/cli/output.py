"""How commands print on standard output: values as lines, rows as a table, either as JSON.

Nothing is wrapped or cut, so that ids and secrets stay whole, and what people named [red] is printed as they named it.
"""

import json as jsons
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rich.cells import cell_len

from ordre.api.wire.common import instant

_NAME_COLUMNS = 15


def print_done(message: str, fields: Mapping[str, Any], *, json: bool) -> None:
    """Print a change: as a sentence, or the changed thing as a JSON object."""
    print(json_text(_plain(fields)) if json else message)


def print_fields(fields: Mapping[str, Any], *, json: bool, done: str = "") -> None:
    """Print one thing: a line for each field, under a sentence on what was ``done``; or a JSON object."""
    if json:
        print(json_text(_plain(fields)))
        return
    if done:
        print(done)
    for name, value in _plain(fields).items():
        print(f"{name + ':':{_NAME_COLUMNS}} {_text(value)}")


def print_rows(rows: Sequence[Mapping[str, Any]], *, json: bool, done: str = "", right: Collection[str] = ()) -> None:
    """Print several things with the same fields: a table, under a sentence on what was ``done``; or a JSON list.

    Columns that are named in ``right`` are aligned to the right.
    """
    plain = [_plain(row) for row in rows]
    if json:
        print(json_text(plain))
        return
    if done:
        print(done)
    if not plain:
        print("none")
        return
    lines = [list(plain[0]), *([_cell(value) for value in row.values()] for row in plain)]
    widths = [max(cell_len(text) for text in column) for column in zip(*lines, strict=True)]
    columns = [(width, name in right) for name, width in zip(plain[0], widths, strict=True)]
    for line in lines:
        print("  ".join(_aligned(text, *column) for text, column in zip(line, columns, strict=True)).rstrip())


def json_text(value: object) -> str:
    """Return a value as indented JSON."""
    return jsons.dumps(value, ensure_ascii=False, indent=2)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 order` or `1,200 orders`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _aligned(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _plain(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields with every instant, in milliseconds in a field named ``..._at``, as a date-time."""
    return {name: instant(value) if name.endswith("_at") and isinstance(value, int) else value for name, value in fields.items()}


def _cell(value: object) -> str:
    """Return a value as text of one line."""
    return " ".join(_text(value).splitlines())


def _text(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return "-" if value is None else str(value)
