"""One batch on one connection to PostgreSQL: two round trips, one read and one compare-and-set write."""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ordre.application.change import Answered, Change, HeldOrder, Loaded, Wanted
from ordre.application.lists import Terms
from ordre.application.views import Subject
from ordre.db import codec, erasure, locks, queries, tables
from ordre.db.admission import admits
from ordre.db.batch import Batch, Erasure, Ran, Rows
from ordre.db.links import Entry
from ordre.db.packing import from_row
from ordre.db.postgres_faults import explained
from ordre.db.postgres_pool import Connection
from ordre.db.postgres_write import statement
from ordre.db.scripts import Script, T
from ordre.db.sql import Row
from ordre.db.terms import compact

_WANTED = (
    ("n", "bigint"),
    ("account_id", "text"),
    ("name", "text"),
    ("content", "boolean"),
    ("ref", "text"),
    ("other_ref", "text"),
    ("draft", "text"),
    ("of_draft", "boolean"),
    ("key", "text"),
)
_SOUGHT = f"case when w.of_draft then {queries.DRAFT_NAMES} else w.name end"
_ORDER = {
    by: f"left join lateral {queries.order_named('w.account_id', by, 'account_id, id, head, hash')} o on true"
    for by in ("w.name", "sought.name")
}
JOINS = {
    "draft": "left join drafts d on d.account_id = w.account_id and d.id = w.draft",
    "of_draft": f"left join lateral (select {_SOUGHT} as name offset 0) sought on true",
    "order": _ORDER["w.name"],
    "content": "left join order_bodies b on w.content and b.account_id = o.account_id and b.id = o.id",
    "refs": """left join lateral (
        select x.ref, x.type, x.document, x.data, x.event, x.packed, x.size from facts x
        where x.account_id = o.account_id and x.id = o.id and x.ref = w.ref
        union all select x.ref, x.type, x.document, x.data, x.event, x.packed, x.size from facts x
        where x.account_id = o.account_id and x.id = o.id and x.ref = w.other_ref) f on true""",
    "key": "left join idempotency i on i.account_id = w.account_id and i.key = w.key",
}
"""Part of what changes want -> where it is. An earlier fact is found by two equalities, each led by the index: with one ``in``,
PostgreSQL looks at every fact of the order."""
_COLUMNS = {
    "order": ("o.head", "o.hash"),
    "content": ("b.fields", "b.items", "b.packed", "b.size"),
    "draft": ("d.draft", queries.draft_events("d.account_id"), "d.hash"),
    "key": ("i.digest", "i.answer"),
    "refs": ("f.ref", "f.type", "f.document", "f.data", "f.event", "f.packed", "f.size"),
}


@lru_cache(maxsize=64)
def reading(parts: frozenset[str]) -> str:
    """Return the statement that reads these parts of what changes want, and no table more than that takes."""
    columns = [one if part in parts else "null" for part, names in _COLUMNS.items() for one in names]
    arrays = ", ".join(f"${number}::{type_}[]" for number, (_, type_) in enumerate(_WANTED, 1))
    joins = JOINS | {"order": _ORDER["sought.name"]} if "of_draft" in parts else JOINS
    joined = "\n".join(join for part, join in joins.items() if part in parts)
    return f"""
select w.n, {", ".join(columns)}
from unnest({arrays}) as w({", ".join(name for name, _ in _WANTED)})
{joined}
where {admits(len(_WANTED) + 1)}
"""


async def tried(terms: Terms, connection: Connection, changes: Sequence[Change], *, held: bool) -> tuple[list[Ran], set[Subject]]:
    """Read, decide and write a batch; return what became of each change, and the subjects that were lost.

    ``held`` says that it has a transaction of its own, in which everything that it wants is locked.
    """
    batch = Batch(now(), terms, held=held)
    for change, read in zip(changes, await _read(connection, changes), strict=True):
        batch.add(change.wanted, read)
    ran = [batch.run(change) for change in changes]
    for one in batch.rows.erasures:
        batch.rows.entries += await _erase(connection, one)
    for subject, emptied in batch.rows.emptied:
        await run_script(connection, erasure.of_text(subject, emptied))
    return ran, await _write(connection, batch.rows, held=held)


async def _erase(connection: Connection, one: Erasure) -> list[tuple[Entry, str]]:
    """Empty an order whose lock is held, and drop its drafts: everything is locked first, in the order of ``locks``.

    Return what is to be added to the feed for the drafts, as in ``Rows.entries``.
    """
    account, id_ = one.subject
    amending = [row[0] for row in await connection.fetch(erasure.AMENDING, account, id_, one.order_id)]
    drafts = [row[0] for row in await connection.fetch(locks.DRAFTS, account, [*one.drafts, *amending])]
    await connection.execute(locks.ANSWERS, account, [id_, *drafts])
    await run_script(connection, erasure.of_order(one))
    found = [await run_script(connection, erasure.of_draft(account, draft, one.by, one.at)) for draft in drafts]
    return [(entry, id_) for entry in found if entry is not None]


async def run_script(connection: Any, script: Script[T]) -> T:
    """Run a script in the transaction that has begun."""
    try:
        sql, parameters = next(script)
        while True:
            found = await connection.fetch(sql, *parameters)
            sql, parameters = script.send([tuple(row) for row in found])
    except StopIteration as end:
        result: T = end.value
        return result


def parts_of(wanted: Sequence[Wanted]) -> frozenset[str]:
    """Return the parts of ``reading`` that changes want."""
    of_orders = [one for one in wanted if one.order is not None or one.of_draft]
    asked = {
        "of_draft": any(one.of_draft for one in wanted),
        "order": of_orders,
        "content": any(one.content for one in of_orders),
        "refs": any(one.refs for one in of_orders),
        "draft": any(one.draft is not None for one in wanted),
        "key": any(one.key is not None for one in wanted),
    }
    return frozenset(part for part, is_wanted in asked.items() if is_wanted)


def read_parameters(wanted: Sequence[Wanted]) -> tuple[object, ...]:
    """Return the parameters of ``reading``."""
    return (
        range(len(wanted)),
        [one.account_id for one in wanted],
        [one.order for one in wanted],
        [one.content for one in wanted],
        [one.refs[0] if one.refs else None for one in wanted],
        [one.refs[1] if len(one.refs) > 1 else None for one in wanted],
        [one.draft for one in wanted],
        [one.of_draft for one in wanted],
        [one.key for one in wanted],
        ",".join(sorted({one.account_id for one in wanted})),
    )


async def _read(connection: Connection, changes: Sequence[Change]) -> list[Loaded]:
    wanted = [change.wanted for change in changes]
    found = await connection.fetch(reading(parts_of(wanted)), *read_parameters(wanted))
    rows: list[list[Row]] = [[] for _ in wanted]
    for row in found:
        rows[row[0]].append(row)
    return [_read_of(mine) for mine in rows]


def _read_of(rows: Sequence[Row]) -> Loaded:
    _, head, hash_, fields, items, packed, size, draft, events, draft_hash, digest, answer, *_ = rows[0]
    content = None if fields is None else codec.content_from(*from_row(fields, items, packed, size))
    earlier = {
        ref: codec.earlier_fact(type_, document, columns)
        for *_, ref, type_, document, data, event, packed, size in rows
        if ref is not None and (columns := (data, event, packed, size))
    }
    return Loaded(
        order=None if head is None else HeldOrder(order=codec.order_from(head), hash=hash_, content=content),
        earlier=earlier,
        draft=None if draft is None else codec.held_draft(draft, events, draft_hash),
        answered=None if digest is None else Answered(digest=digest, answer=codec.answer_from(answer)),
    )


async def _write(connection: Connection, rows: Rows, *, held: bool) -> set[Subject]:
    """Write a batch in one statement; return the subjects whose row was not as it was read, of which nothing is written.

    So it is with a row that somebody else has locked, unless it is ``held``.
    """
    bound = {} if held else {subject: number for number, together in enumerate(rows.together) for subject in together}
    parts: dict[str, Sequence[tuple[object, ...]]] = {
        "head": [(*tables.head_row(one, order), before, bound.get(one)) for one, (before, order) in rows.heads.items()],
        "draft": [
            (*tables.draft_row(one, draft, rows.draft_terms[one]), before, bound.get(one), compact(one[1]))
            for one, (before, draft) in rows.drafts.items()
        ],
        "body": [(*row, compact(str(row[1]))) for row in tables.body_rows(rows.bodies)],
        "rewritten": [subject for subject in rows.bodies if rows.heads[subject][0]],
        "recorded": [(*row, compact(row[1])) for row in tables.recorded_rows(rows.recorded)],
        "recorded_gone": [(*row, compact(row[1])) for row in tables.recorded_rows(rows.recorded_gone)],
        "fact": tables.fact_rows(rows.facts),
        "draft_event": rows.draft_events,
        "answer": rows.answers,
        "tally": tables.tally_rows(rows.tallies),
        "feed": [(*entry, id_, place) for place, (entry, id_) in enumerate(rows.entries)],
    }
    used = tuple(name for name, values in parts.items() if values)
    if not used:
        return set()
    arrays = [column for name in used for column in zip(*parts[name], strict=True)]
    accounts = ",".join(sorted({str(values[0]) for name in used for values in parts[name]}))
    with explained(in_doubt=not held):
        written = await connection.fetch(statement(used, held=held, bound=bool(bound)), *arrays, accounts)
    return (rows.heads.keys() | rows.drafts.keys()) - {(row[0], row[1]) for row in written}


def now() -> int:
    """Return this instant, in milliseconds."""
    return time.time_ns() // 1_000_000
