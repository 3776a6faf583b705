"""Writes the terms of orders and drafts anew that were written before terms were read, or stored, as they are now.

An account keeps under which version of the terms it is found. Until all that it holds is written anew, lists read what an earlier
version wrote, too; each portion is one transaction, and what somebody changed meanwhile has the terms of now already.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from ordre.application.lists import Term
from ordre.db import codec, queries
from ordre.db.directory import STORED_FORM
from ordre.db.packing import LEAST, from_row, in_row
from ordre.db.reads import OrderTables
from ordre.db.scripts import Script
from ordre.db.sql import Row
from ordre.db.terms import OWN, compact, entries_in, leading, leading_no_more, text_of
from ordre.db.verify import terms_of
from ordre.domain.order.facts import Fact

_DRAFT_COLUMNS = "update drafts set net_amount = $3, expires_at = $4 where account_id = $1 and id = $2"
_OWN = {
    "orders": "update order_bodies set terms = $3 where account_id = $1 and id = $2",
    "drafts": "update drafts set terms = $3 where account_id = $1 and id = $2",
}
_FOUND = {"orders": "found_orders", "drafts": "found_drafts"}
_EARLIER = {"orders": "order_terms", "drafts": "draft_terms"}
_PACKED_AT_ONCE = 200
"""Facts or bodies that are looked at, whether or not they are large, so that no look takes long."""
_RECORD = "insert into recorded_terms (account_id, id, part, terms) values ($1, $2, $3, $4)"

_LARGE = f"packed is null and octet_length({{}}) + octet_length({{}}) >= {LEAST}"
_LARGE_FACT, _LARGE_BODY = _LARGE.format("data", "event"), _LARGE.format("fields", "items")
_TO_PACK = f"""
select id, version, salt, case when {_LARGE_FACT} then data end, case when {_LARGE_FACT} then event end from facts
where account_id = $1 and id >= $2 and (id > $2 or version > $3) order by id, version limit {_PACKED_AT_ONCE}
"""
_PACK = """
update facts set data = $5, event = $6, packed = $7, size = $8
where account_id = $1 and id = $2 and version = $3 and salt = $4 and salt <> ''
"""
_BODIES_TO_PACK = f"""
select id, case when {_LARGE_BODY} then fields end, case when {_LARGE_BODY} then items end from order_bodies
where account_id = $1 and id > $2 order by id limit {_PACKED_AT_ONCE}
"""
_PACK_BODY = """
update order_bodies set fields = $3, items = $4, packed = $5, size = $6
where account_id = $1 and id = $2 and fields = $7 and items = $8
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """An order or draft at a version: its terms by part, and the columns of a draft that come from it."""

    id: str
    version: int
    texts: dict[str, str]
    columns: tuple[int, int | None] | None = None

    @property
    def entries(self) -> set[Term]:
        """Everything that leads to it."""
        return set[Term]().union(*map(entries_in, self.texts.values()))


@dataclass(slots=True)
class _Rows:
    gone: list[tuple[str, str, bytes]] = field(default_factory=list)
    new: list[tuple[str, str, bytes]] = field(default_factory=list)


async def index_terms(store: OrderTables) -> None:
    """Write the terms of orders and drafts anew that were written before terms were as they are now."""
    sql = "select account_id from accounts where terms_version < $1 order by account_id"
    for (account,) in await store.shared(sql, store.terms.version):
        await _index_orders(store, account)
        await _index_drafts(store, account)
        sql_done = "update accounts set terms_version = $2 where account_id = $1"
        await store.write_shared(sql_done, account, store.terms.version)
    await store.look_for_earlier()


async def pack(store: OrderTables) -> None:
    """Pack the large facts and bodies that were stored before these were, some in a transaction."""
    sql = "select account_id from accounts where stored_form < $1 order by account_id"
    for (account,) in await store.shared(sql, STORED_FORM):
        after: tuple[str, int] = ("", 0)
        while found := await store.rows(_TO_PACK, account, *after):
            after = (found[-1][0], found[-1][1])
            if large := [row for row in found if row[-1] is not None]:
                await store.run(_packed(account, large), account)
        last = ""
        while bodies := await store.rows(_BODIES_TO_PACK, account, last):
            last = bodies[-1][0]
            if large := [row for row in bodies if row[-1] is not None]:
                await store.run(_packed_bodies(account, large), account)
        sql_done = "update accounts set stored_form = $2 where account_id = $1"
        await store.write_shared(sql_done, account, STORED_FORM)


def _packed(account: str, found: Sequence[Row]) -> Script[None]:
    """Pack facts, but for those that were emptied meanwhile."""
    ids = sorted({id_ for id_, *_ in found})
    yield queries.held("orders", len(ids)), (account, *ids)
    for id_, version, salt, *texts in found:
        data, event, packed, size = in_row(*texts)
        if packed is not None:
            yield _PACK, (account, id_, version, salt, data, event, packed, size)


def _packed_bodies(account: str, found: Sequence[Row]) -> Script[None]:
    """Pack bodies, but for those that were written meanwhile: they are as they were read while nobody packed them."""
    ids = [id_ for id_, *_ in found]
    yield queries.held("orders", len(ids)), (account, *ids)
    for id_, before, after in found:
        fields, items, packed, size = in_row(before, after)
        yield _PACK_BODY, (account, id_, fields, items, packed, size, before, after)


async def _index_orders(store: OrderTables, account: str) -> None:
    after = ""
    while found := await store.rows(queries.TO_INDEX, account, after):
        after = found[-1][0]
        recorded: dict[str, list[tuple[str, str, str]]] = {row[0]: [] for row in found}
        for id_, type_, document, *columns in await store.rows(queries.recorded_of(len(found)), account, *recorded):
            recorded[id_].append((type_, from_row(*columns)[0], document))
        read = []
        for id_, version, head, *body in found:
            with suppress(*codec.UNREADABLE):
                order, content = codec.order_from(head), codec.content_from(*from_row(*body))
                parts = terms_of(order, content, _readable(recorded[id_]), store.terms)
                read.append(_Read(id=id_, version=version, texts={part: text_of(terms) for part, terms in parts.items()}))
        if read:
            await store.run(_written_anew("orders", account, read), account)


def _readable(recorded: Sequence[tuple[str, str, str]]) -> Iterator[tuple[Fact, str]]:
    for type_, data, document in recorded:
        fact = codec.readable_fact(type_, data)
        if fact is not None:
            yield fact, document


async def _index_drafts(store: OrderTables, account: str) -> None:
    after = ""
    while found := await store.rows(queries.DRAFTS_TO_INDEX, account, after):
        after = found[-1][0]
        read = []
        for id_, version, text in found:
            with suppress(*codec.UNREADABLE):
                draft = codec.draft_from(text)
                texts, columns = {OWN: text_of(store.terms.of_draft(draft))}, (draft.totals.net, draft.expires_at)
                read.append(_Read(id=id_, version=version, texts=texts, columns=columns))
        if read:
            await store.run(_written_anew("drafts", account, read), account)


def _written_anew(table: str, account: str, read: Sequence[_Read]) -> Script[None]:
    """Write the terms of what is still at the version at which it was read."""
    held = yield queries.held(table, len(read)), (account, *(one.id for one in read))
    as_read = {(id_, version) for id_, version in held}
    there = [one for one in read if (one.id, one.version) in as_read]
    if not there:
        return
    ids = [one.id for one in there]
    before = yield queries.texts_of(table, len(ids)), (account, *ids)
    rows = _rows(there, before)
    yield from leading_no_more(_FOUND[table], account, rows.gone)
    yield from leading(_FOUND[table], account, rows.new)
    if table == "orders":
        yield queries.drop("recorded_terms", len(ids)), (account, *ids)
    for one in there:
        for part, text in one.texts.items():
            yield (_OWN[table], (account, one.id, text)) if part == OWN else (_RECORD, (account, one.id, part, text))
        if one.columns is not None:
            yield _DRAFT_COLUMNS, (account, one.id, *one.columns)
    yield queries.drop(_EARLIER[table], len(ids)), (account, *ids)


def _rows(there: Sequence[_Read], before: Sequence[Row]) -> _Rows:
    had: dict[str, set[Term]] = {one.id: set() for one in there}
    for id_, text in before:
        had[id_] |= entries_in(text or "")
    rows = _Rows()
    for one in there:
        rows.gone += [(*entry, compact(one.id)) for entry in sorted(had[one.id] - one.entries)]
        rows.new += [(*entry, compact(one.id)) for entry in sorted(one.entries)]
    return rows
