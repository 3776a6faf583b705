"""How commands print: values as lines, rows as a table, either as JSON."""

import json as jsons
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

console = Console(stderr=True)
"""For people: progress, warnings and errors. What a program reads goes to standard output."""
_WIDE = 250
"""Columns of a list: ids and secrets are never cut, whatever the terminal; it wraps them itself."""


def json_text(value: object) -> str:
    """Return a value as indented JSON."""
    return jsons.dumps(value, ensure_ascii=False, indent=2)


def counted(number: int, noun: str) -> str:
    """Return how many of something there are, such as `1 order` or `1,200 orders`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def print_fields(fields: dict[str, Any], *, json: bool) -> None:
    """Print one thing: a line for each field, or a JSON object."""
    if json:
        print(json_text(fields))
        return
    for name, value in fields.items():
        print(f"{name + ':':15} {_shown(value)}")


def print_rows(rows: Sequence[dict[str, Any]], *, json: bool) -> None:
    """Print several things with the same fields: a table, or a JSON list."""
    if json:
        print(json_text(list(rows)))
        return
    table = Table(*(rows[0] if rows else ()), box=None)
    for row in rows:
        table.add_row(*(_shown(value) for value in row.values()))
    Console(width=_WIDE, markup=False).print(table if rows else "none", highlight=False)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return "-" if value is None else str(value)
