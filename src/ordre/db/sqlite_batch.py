"""One batch on one connection to SQLite, in a transaction that has begun: what it reads, and what it writes."""

import sqlite3
import time
from collections.abc import Collection, Mapping, Sequence

from ordre.application.change import Answered, Change, HeldOrder, Loaded, Wanted
from ordre.application.lists import RECORDED_KINDS, Terms
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.application.views import Subject
from ordre.db import codec, erasure, feeding, queries, sqlite_file, tables
from ordre.db.batch import Batch, Erasure, Ran, Rows
from ordre.db.links import Entry
from ordre.db.packing import from_row
from ordre.db.scripts import Script, T
from ordre.db.tally import summed
from ordre.db.terms import entries_in

_HEAD = f"select * from {queries.order_named('$1', '$2', 'id, head, hash')}"
_BODY = "select fields, items, packed, size from order_bodies where account_id = $1 and id = $2"
_EARLIER = f"select ref, type, document, {queries.PACKED_FIELDS} from facts where account_id = $1 and id = $2 and ref in ($3, $4)"
_ANSWERED = "select digest, answer from idempotency where account_id = $1 and key = $2"


def _insert(table: str, columns: Sequence[tuple[str, str]], conflict: str = "") -> str:
    names = ", ".join(name for name, _ in columns)
    return f"insert into {table} ({names}) values ({', '.join('?' * len(columns))}) {conflict}"


_INSERT_HEAD = _insert("orders", tables.HEAD_COLUMNS, "on conflict do nothing")
_UPDATE_HEAD = (
    f"update orders set {', '.join(f'{name} = ?' for name in tables.CHANGING_COLUMNS)}"
    " where account_id = ? and id = ? and version = ?"
)
_INSERT_FACT = _insert("facts", tables.FACT_COLUMNS)
_PUT_BODY = _insert(
    "order_bodies",
    tables.BODY_COLUMNS,
    "on conflict do update set fields = excluded.fields, items = excluded.items, terms = excluded.terms,"
    " packed = excluded.packed, size = excluded.size",
)
_TERMS_OF = {"found_orders": "order_bodies", "found_drafts": "drafts"}
_FIND = {table: _insert(table, tables.FOUND_COLUMNS, "on conflict do nothing") for table in _TERMS_OF}
_FIND_NO_MORE = {table: f"delete from {table} where account_id = ? and kind = ? and term = ? and id = ?" for table in _TERMS_OF}
_PUT_RECORDED = _insert("recorded_terms", tables.RECORDED_COLUMNS, "on conflict do nothing")
_DROP_RECORDED = "delete from recorded_terms where account_id = ? and id = ? and part = ?"
_DROP_EARLIER = f"delete from order_terms where account_id = ? and id = ? and kind not in {RECORDED_KINDS}"
_DROP_EARLIER_TERM = "delete from order_terms where account_id = ? and id = ? and kind = ? and term = ?"
_DROP_EARLIER_DRAFT = "delete from draft_terms where account_id = ? and id = ?"
_INSERT_DRAFT = _insert("drafts", tables.DRAFT_COLUMNS, "on conflict do nothing")
_UPDATE_DRAFT = (
    f"update drafts set {', '.join(f'{name} = ?' for name in tables.CHANGING_DRAFT_COLUMNS)}"
    " where account_id = ? and id = ? and version = ?"
)
_INSERT_DRAFT_EVENT = _insert("draft_events", tables.DRAFT_EVENT_COLUMNS)
_INSERT_ANSWER = _insert("idempotency", tables.ANSWER_COLUMNS)
_INSERT_ENTRY = _insert("feed", [(name, "") for name in feeding.COLUMNS])
_INSERT_TALLY = "insert into tallies (account_id, id, kind, count, sum) values (?, ?, ?, ?, ?)"


def tried(terms: Terms, connection: sqlite3.Connection, changes: Sequence[Change]) -> tuple[list[Ran], bool]:
    """Read, decide and write a batch; return what became of each change, and whether one was lost: then nothing of it holds."""
    batch = Batch(time.time_ns() // 1_000_000, terms, held=True)
    for change in changes:
        batch.add(change.wanted, _read_for(connection, change.wanted))
    ran = [batch.run(change) for change in changes]
    return ran, _write_rows(connection, batch.rows)


def _read_for(connection: sqlite3.Connection, wanted: Wanted) -> Loaded:
    account = wanted.account_id
    order, earlier, draft, answered = None, {}, None, None
    if wanted.draft is not None and (
        row := run(connection, queries.for_sqlite(queries.DRAFT_ONE), (account, wanted.draft)).fetchone()
    ):
        draft = codec.held_draft(*row)
    name = wanted.order_name(None if draft is None else draft.draft)
    if name is not None and (row := run(connection, _HEAD, (account, name)).fetchone()):
        body = run(connection, _BODY, (account, row[0])).fetchone() if wanted.content else None
        content = codec.content_from(*from_row(*body)) if body else None
        order = HeldOrder(order=codec.order_from(row[1]), hash=row[2], content=content)
        if wanted.refs:
            found = run(connection, _EARLIER, (account, row[0], wanted.refs[0], wanted.refs[-1])).fetchall()
            earlier = {ref: codec.earlier_fact(type_, document, columns) for ref, type_, document, *columns in found}
    if wanted.key is not None and (row := run(connection, _ANSWERED, (account, wanted.key)).fetchone()):
        answered = Answered(digest=row[0], answer=codec.answer_from(row[1]))
    return Loaded(order=order, earlier=earlier, draft=draft, answered=answered)


def _write_rows(connection: sqlite3.Connection, rows: Rows) -> bool:
    """Write a batch; return whether a head or draft was lost, in which case the transaction is to be rolled back."""
    for one in rows.erasures:
        rows.entries += _erase(connection, one)
    for subject, emptied in rows.emptied:
        run_script(connection, erasure.of_text(subject, emptied))
        sqlite_file.count_erasure(connection)
    for subject, (before, held) in rows.heads.items():
        if not _put_head(connection, subject, before, tables.head_row(subject, held)):
            return True
    _lead(connection, "found_drafts", rows.draft_terms, {one for one, (before, _) in rows.drafts.items() if before})
    for subject, (before, draft) in rows.drafts.items():
        row = tables.draft_row(subject, draft, rows.draft_terms[subject])
        if before == 0:
            cursor = connection.execute(_INSERT_DRAFT, row)
        else:
            named = dict(zip((name for name, _ in tables.DRAFT_COLUMNS), row, strict=True))
            values = [named[name] for name in tables.CHANGING_DRAFT_COLUMNS]
            cursor = connection.execute(_UPDATE_DRAFT, (*values, *subject, before))
        if cursor.rowcount != 1:
            return True
    there = {subject for subject in rows.bodies if rows.heads[subject][0]}
    _lead(connection, "found_orders", {subject: terms for subject, (*_, terms) in rows.bodies.items()}, there)
    connection.executemany(_PUT_BODY, tables.body_rows(rows.bodies))
    connection.executemany(_DROP_EARLIER, there)
    _put_recorded(connection, rows)
    connection.executemany(_DROP_EARLIER_DRAFT, [one for one, (before, _) in rows.drafts.items() if before])
    connection.executemany(_INSERT_FACT, tables.fact_rows(rows.facts))
    connection.executemany(_INSERT_DRAFT_EVENT, rows.draft_events)
    connection.executemany(_INSERT_ANSWER, [answer[:-1] for answer in rows.answers])
    connection.executemany(_INSERT_TALLY, summed(rows.tallies))
    for account_id, entries in feeding.by_account([entry for entry, _ in rows.entries]):
        position, hash_ = run(connection, feeding.TAKE, (account_id, len(entries))).fetchone()
        following = feeding.followed_by(entries, position, hash_)
        connection.executemany(_INSERT_ENTRY, following)
        run(connection, feeding.END, (account_id, following[-1][-1]))
    return False


def _lead(connection: sqlite3.Connection, table: str, texts: Mapping[Subject, str], there: Collection[Subject]) -> None:
    """Let terms lead to orders or drafts, and no others to those that were there. Their texts are yet to be written."""
    before = f"select terms from {_TERMS_OF[table]} where account_id = ? and id = ?"
    for subject, text in texts.items():
        entries = entries_in(text)
        (said,) = connection.execute(before, subject).fetchone() or (None,) if subject in there else (None,)
        if said is not None:
            had = entries_in(said)
            connection.executemany(_FIND_NO_MORE[table], tables.found_rows(subject, had - entries))
            entries -= had
        connection.executemany(_FIND[table], tables.found_rows(subject, entries))


def _put_recorded(connection: sqlite3.Connection, rows: Rows) -> None:
    for account, id_, part, text in tables.recorded_rows(rows.recorded_gone):
        entries = entries_in(text)
        connection.executemany(_FIND_NO_MORE["found_orders"], tables.found_rows((account, id_), entries))
        connection.execute(_DROP_RECORDED, (account, id_, part))
        connection.executemany(_DROP_EARLIER_TERM, [(account, id_, *entry) for entry in entries])
    for account, id_, part, text in tables.recorded_rows(rows.recorded):
        if connection.execute(_PUT_RECORDED, (account, id_, part, text)).rowcount:
            connection.executemany(_FIND["found_orders"], tables.found_rows((account, id_), entries_in(text)))


def _erase(connection: sqlite3.Connection, one: Erasure) -> list[tuple[Entry, str]]:
    account, id_ = one.subject
    amending = [row[0] for row in run(connection, queries.for_sqlite(erasure.AMENDING), (account, id_, one.order_id)).fetchall()]
    run_script(connection, erasure.of_order(one))
    drafts = (*one.drafts, *amending)
    found = [run_script(connection, erasure.of_draft(account, draft, one.by, one.at)) for draft in drafts]
    sqlite_file.count_erasure(connection)
    return [(entry, id_) for entry in found if entry is not None]


def _put_head(connection: sqlite3.Connection, subject: Subject, before: int, row: Sequence[object]) -> bool:
    if before == 0:
        return connection.execute(_INSERT_HEAD, row).rowcount == 1
    named = dict(zip((name for name, _ in tables.HEAD_COLUMNS), row, strict=True))
    values = [named[name] for name in tables.CHANGING_COLUMNS]
    return connection.execute(_UPDATE_HEAD, (*values, *subject, before)).rowcount == 1


def run(connection: sqlite3.Connection, sql: str, parameters: Sequence[object]) -> sqlite3.Cursor:
    """Run a statement whose parameters are numbered, as PostgreSQL has them."""
    return connection.execute(sql, {str(number): value for number, value in enumerate(parameters, 1)})


def run_script(connection: sqlite3.Connection, script: Script[T]) -> T:
    """Run a script in the transaction that has begun."""
    try:
        sql, parameters = next(script)
        while True:
            found = run(connection, queries.for_sqlite(sql), parameters).fetchall()
            sql, parameters = script.send(found)
    except StopIteration as end:
        result: T = end.value
        return result


def told(error: Exception) -> Exception:
    """Return the exception for the caller: a fault of the database becomes one of the store."""
    if not isinstance(error, sqlite3.Error):
        return error
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    return StoreUnavailable(str(error), _TROUBLES.get(code, Trouble.OTHER))


_TROUBLES = {
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_IOERR: Trouble.FULL,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Trouble.AWAY,
    sqlite3.SQLITE_BUSY: Trouble.BUSY,
    sqlite3.SQLITE_LOCKED: Trouble.BUSY,
}
"""Primary result code of SQLite -> what is told of it."""
