"""Adds, when a database is migrated, the terms of orders and drafts that were written before terms were read as now.

An account keeps under which version of the terms it is found. Terms that are there stay, so lists find what they found meanwhile.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from ordre.application.lists import Term
from ordre.application.views import Subject
from ordre.db import codec, queries
from ordre.db.reads import OrderTables
from ordre.db.verify import terms_of
from ordre.domain.order.facts import Fact

_TERMS_AT_ONCE = 500
_DRAFT_COLUMNS = "update drafts set net_amount = $3, expires_at = $4 where account_id = $1 and id = $2 and version = $5"


async def index_terms(store: OrderTables) -> None:
    """Add the terms of orders and drafts that were written before terms were read as they are now. Existing terms stay."""
    sql = "select account_id from accounts where terms_version < $1 order by account_id"
    for (account,) in await store.shared(sql, store.terms.version):
        await _index_orders(store, account)
        await _index_drafts(store, account)
        sql_done = "update accounts set terms_version = $2 where account_id = $1"
        await store.write_shared(sql_done, account, store.terms.version)


async def _index_orders(store: OrderTables, account: str) -> None:
    after = ""
    while found := await store.rows(queries.TO_INDEX, account, after):
        after = found[-1][0]
        recorded: dict[str, list[tuple[str, str, str]]] = {row[0]: [] for row in found}
        for id_, *row in await store.rows(queries.recorded_of(len(found)), account, *recorded):
            recorded[id_].append((row[0], row[1], row[2]))
        there = await _terms_there(store, "order_terms", account, list(recorded))
        for id_, version, head, fields, items in found:
            with suppress(*codec.UNREADABLE):
                order, content = codec.order_from(head), codec.content_from(fields, items)
                missing = terms_of(order, content, _readable(recorded[id_]), store.terms) - there[id_]
                await _put_terms(store, "order", (account, id_), version, missing)


def _readable(recorded: Sequence[tuple[str, str, str]]) -> Iterator[tuple[Fact, str]]:
    for type_, data, document in recorded:
        fact = codec.readable_fact(type_, data)
        if fact is not None:
            yield fact, document


async def _index_drafts(store: OrderTables, account: str) -> None:
    after = ""
    while found := await store.rows(queries.DRAFTS_TO_INDEX, account, after):
        after = found[-1][0]
        there = await _terms_there(store, "draft_terms", account, [row[0] for row in found])
        for id_, version, text, *columns in found:
            with suppress(*codec.UNREADABLE):
                draft = codec.draft_from(text)
                missing = store.terms.of_draft(draft) - there[id_]
                if columns != [draft.totals.net, draft.expires_at]:
                    await store.write(_DRAFT_COLUMNS, account, id_, draft.totals.net, draft.expires_at, version)
                await _put_terms(store, "draft", (account, id_), version, missing)


async def _terms_there(store: OrderTables, table: str, account: str, ids: Sequence[str]) -> dict[str, set[Term]]:
    there: dict[str, set[Term]] = {id_: set() for id_ in ids}
    for id_, kind, term in await store.rows(queries.terms_in(table, len(ids)), account, *ids):
        there[id_].add((kind, term))
    return there


async def _put_terms(store: OrderTables, what: str, subject: Subject, version: int, terms: Collection[Term]) -> None:
    """Write terms of an order or a draft, unless it was changed meanwhile: whoever did that wrote them."""
    rows = sorted(terms)
    for first in range(0, len(rows), _TERMS_AT_ONCE):
        some = rows[first : first + _TERMS_AT_ONCE]
        await store.write(queries.put_terms(what, len(some)), *subject, version, *chain.from_iterable(some))
