"""Writes rows that were made in memory straight into a database, in one transaction."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence

from ordre import bootstrap
from ordre.bench.maker import Maker
from ordre.bench.requests import Shop, new_name, operation_body, order_body
from ordre.db import feeding, tables
from ordre.db.batch import Rows
from ordre.db.layout import Table, layout
from ordre.db.schema import migrations
from ordre.db.terms import entries_in
from ordre.domain.ledger import Kind
from ordre.settings import Settings

_AT_ONCE = 500
Row = tuple[object, ...]


def by_table(rows: Rows) -> Iterator[tuple[str, Sequence[str], list[Row]]]:
    """Yield each table that new orders write to, with its columns and their rows: a table after those that it refers to."""
    yield "orders", _names(tables.HEAD_COLUMNS), [tables.head_row(subject, held) for subject, (_, held) in rows.heads.items()]
    yield "order_bodies", _names(tables.BODY_COLUMNS), tables.body_rows(rows.bodies)
    recorded = tables.recorded_rows(rows.recorded)
    yield "recorded_terms", _names(tables.RECORDED_COLUMNS), [*recorded]
    said = [(subject, terms) for subject, (*_, terms) in rows.bodies.items()] + [(row[:2], row[-1]) for row in recorded]
    found = [tables.found_rows(subject, entries_in(terms)) for subject, terms in said]
    yield "found_orders", _names(tables.FOUND_COLUMNS), [row for of_one in found for row in of_one]
    yield "facts", _names(tables.FACT_COLUMNS), tables.fact_rows(rows.facts)


def _names(columns: Sequence[tuple[str, str]]) -> list[str]:
    return [name for name, _ in columns]


def newest_layout() -> Mapping[str, Table]:
    """Return the tables of this version by their names."""
    return {table.name: table for table in layout(migrations("sqlite")[-1].number)}


async def write(settings: Settings, rows: Rows) -> None:
    """Write rows of new orders of one account into a database."""
    known = newest_layout()
    async with bootstrap.transaction(settings, read_only=False) as database:
        for name, columns, found in by_table(rows):
            places = [columns.index(column) for column in known[name].columns]
            ordered = [tuple(row[place] for place in places) for row in found]
            for start in range(0, len(ordered), _AT_ONCE):
                await database.insert(known[name], ordered[start : start + _AT_ONCE])
        entries = [entry for entry, _ in rows.entries]
        await database.run(feeding.added(entries), entries[0][0])


def long_orders(settings: Settings, shop: Shop, prefix: str, facts: int, number: int, lines: int) -> tuple[bytes, ...]:
    """Make so many orders of so many facts each: placed, authorized, then captured piece by piece; return their names."""
    names = tuple(new_name(prefix, one) for one in range(number))

    async def making() -> None:
        maker = Maker(shop.account_id, shop.client_id)
        for name in names:
            await _long_order(maker, name.decode(), facts, lines)
        await write(settings, maker.rows())

    asyncio.run(making())
    return names


async def _long_order(maker: Maker, name: str, facts: int, lines: int) -> None:
    at = time.time_ns() // 1_000_000 - facts
    order = await maker.place(order_body(lines, name), at)
    await maker.record(order, Kind.AUTHORIZATION, operation_body(range(1, lines + 1)), at + 1)
    for number in range(2, facts):
        await maker.record(order, Kind.CAPTURE, operation_body([1], 1), at + number)
