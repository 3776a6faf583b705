"""Reading, in SQL that both engines run: numbered parameters, and no function that one of them lacks.

Where the engines differ by a name, the text holds the PostgreSQL one and ``for_sqlite`` puts in the other.
"""

import re
from functools import lru_cache

from ordre.application.history import DRAFT_EVENTS as MOST_EVENTS
from ordre.application.history import DRAFT_EVENTS_BYTES
from ordre.application.lists import PAGE_ENTRIES
from ordre.application.views import FactRow
from ordre.db import links
from ordre.db.terms import id_text
from ordre.domain.order.facts import ServiceReported

INDEXED_AT_ONCE = 100
"""Orders or drafts whose terms are read again at once."""

END = 2**62
"""After every version and every instant."""


def order_named(account_id: str, name: str, columns: str = "id") -> str:
    """Return the query for the order that a name means: the one whose ``order_id`` it is, else the one whose ``id``."""
    of_account = f"from orders where account_id = {account_id}"
    return f"""(
    select {columns} from (
        select 0 as place, {columns} {of_account} and order_id = {name}
        union all select 1, {columns} {of_account} and id = {name}) named
    order by place limit 1)"""


_ORDER_ID = order_named("$1", "$2")

_SHOWN = f"""(
    select string_agg(entry, chr(30)) from (
        select f.type || ' ' || f.document as entry from facts f
        where f.account_id = $1 and f.id = o.id and f.document <> '' and f.type <> '{ServiceReported.type}'
        order by f.version) shown)"""

VIEW_COLUMNS = f"o.head, b.fields, b.items, {_SHOWN}, b.packed, b.size"
VIEW_SIZE = 5
"""The place of ``size`` in a view."""
VIEW_TABLES = "orders o cross join order_bodies b"
"""SQLite reads tables in this order; ``VIEW_JOIN`` goes with it."""
VIEW_JOIN = "b.account_id = o.account_id and b.id = o.id"

VIEW_BYTES = ", ".join(f"textsend({column} /* as blob */)" for column in ("o.head", "b.fields", "b.items", _SHOWN))
VIEW_BYTES += ", b.packed, b.size"
"""The same as UTF-8."""
VIEW_ONE = f"select {VIEW_BYTES} from {VIEW_TABLES} where {VIEW_JOIN} and o.account_id = $1 and o.id = {_ORDER_ID}"

NAMED = f"""
select id, min(place) from (
    select id, 0 as place from orders where account_id = $1 and order_id = $2
    union all select id, 0 from orders where account_id = $1 and id = $2
    union all select {id_text("n.id")}, 1 from found_orders n where n.account_id = $1 and n.kind = 'order_number' and n.term = $3
    union all select id, 1 from order_terms where account_id = $1 and kind = 'order_number' and term = $2) named
group by id order by min(place), id
"""

ORDER_ID = f"select {_ORDER_ID}"

HEAD = f"select o.head from orders o where o.account_id = $1 and o.id = {_ORDER_ID}"

WITH_VERSION = f"select id from facts where account_id = $1 and id = {_ORDER_ID} and version = $3"
"""The id of an order that has, or had, this version."""

SHOWN_BY_TYPE = "select document from facts where account_id = $1 and id = $2 and type = $3 and document <> '' order by version"

SHOWN_ONE = f"select document from facts where account_id = $1 and id = {_ORDER_ID} and ref = $3 and type = $4"

VERSION_AT = f"select max(version) from facts where account_id = $1 and id = {_ORDER_ID} and at <= $3"

PACKED_FIELDS = "data, event, packed, size"
"""Of a fact, those for ``packing.from_row``."""
FACT_FIELDS = ", ".join((*FactRow._fields, "packed", "size"))
"""The columns from which ``codec.fact_of`` makes a ``FactRow``."""

FOLDED_FIELDS = (
    f"version, type, at, actor, data, case when type = '{ServiceReported.type}' then '' else document end, event, packed, size"
)

FOLDED_FROM = f"""
select {FOLDED_FIELDS} from facts where account_id = $1 and id = $2 and version > $3 and version <= $4
order by version limit {PAGE_ENTRIES}
"""
"""What an order as it was at a version ($4) is folded from: the next facts after a version ($3), without their events."""

FACTS = f"select {FACT_FIELDS} from facts where account_id = $1 and id = $2 order by version"

TO_INDEX = f"""
select o.id, o.version, o.head, b.fields, b.items, b.packed, b.size
from orders o join order_bodies b on b.account_id = o.account_id and b.id = o.id
where o.account_id = $1 and o.id > $2 order by o.id limit {INDEXED_AT_ONCE}
"""
DRAFTS_TO_INDEX = f"""
select id, version, draft from drafts
where account_id = $1 and id > $2 order by id limit {INDEXED_AT_ONCE}
"""

DRAFT_HISTORY = """(
    select string_agg(entry, chr(30)) from (
        select e.version || ' ' || e.at || ' ' || e.actor || ' ' || e.event as entry from draft_events e
        where e.account_id = $1 and e.id = d.id order by e.version) events)"""


def draft_events(account_id: str) -> str:
    """Return the query for the latest events of a draft, those that ``latest`` leaves.

    But for what a sign takes in SQLite, which counts characters.
    """
    return f"""(
    select string_agg(entry, chr(30)) from (
        select version || ' ' || at || ' ' || actor || ' ' || event as entry from (
            select version, at, actor, event, octet_length(event) as size,
                sum(octet_length(event)) over (order by version desc rows unbounded preceding) as through
            from (
                select e.version, e.at, e.actor, e.event from draft_events e
                where e.account_id = {account_id} and e.id = d.id order by e.version desc limit {MOST_EVENTS}) last) counted
        where through <= {DRAFT_EVENTS_BYTES} or through = size order by version) events)"""


DRAFT_NAMES = "coalesce(d.draft::json #>> '{options,target}', d.draft::json #>> '{sketch,order_id}')"
"""The ``order_name`` of a draft, on PostgreSQL."""

DRAFT_COLUMNS = f"d.draft, {draft_events('$1')}, d.hash"

DRAFT_ONE = f"select {DRAFT_COLUMNS} from drafts d where d.account_id = $1 and d.id = $2"
DRAFT_WHOLE = f"select d.draft, {DRAFT_HISTORY}, d.hash from drafts d where d.account_id = $1 and d.id = $2"

DRAFT_CHAIN = f"select {', '.join(links.EVENT_COLUMNS)} from draft_events where account_id = $1 and id = $2 order by version"

FILTER_COLUMNS = (
    "id",
    "order_id",
    "version",
    "status",
    "payment_status",
    "currency",
    "gross_amount",
    "net_amount",
    "created_at",
    "updated_at",
    "expires_at",
)
STORED_COLUMNS = ("account_id", *FILTER_COLUMNS, "head", "hash", "fields", "items", "terms", "packed", "size")
_OF_BODY = ("fields", "items", "terms", "packed", "size")
_STORED = f"""
select {", ".join(f"{'b' if name in _OF_BODY else 'o'}.{name}" for name in STORED_COLUMNS)}
from orders o left join order_bodies b on b.account_id = o.account_id and b.id = o.id
"""
STORED_BATCH = 50
"""Orders that are read at once, with all of their facts."""


_ID_AS_HEX = re.compile(r"encode\(([\w.]+), 'hex'\)::uuid::text")
_AS_HEX = re.compile(r"encode\(([\w.]+|substr\([\w., ]+\)), 'hex'\)")
_ID_AS_TEXT = re.compile(r"convert_from\(([\w.]+), 'UTF8'\)")
_PLACES = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
_ID_OF_SQLITE = "lower(" + " || '-' || ".join(rf"substr(hex(\1), {first}, {length})" for first, length in _PLACES) + ")"


@lru_cache(maxsize=256)
def for_sqlite(sql: str) -> str:
    """Return the query in SQLite's words."""
    found = sql.replace("string_agg(", "group_concat(").replace("chr(", "char(").replace(" for update", "")
    found = found.replace("::bytea", "")
    found = _ID_AS_HEX.sub(_ID_OF_SQLITE, found).replace("strpos(", "instr(")
    found = _AS_HEX.sub(r"lower(hex(\1))", found)
    found = _ID_AS_TEXT.sub(r"cast(\1 as text)", found)
    found = found.replace("textsend(", "cast(").replace("/* as blob */", "as blob")
    return found.replace("octet_length(", "length(")


def facts_of(orders: int, which: str = "") -> str:
    """Return the query for the facts of this many orders ($2 and on), each row beginning with the order's id.

    ``which`` is a further condition, such as `` and type = 'comment'``.
    """
    named = f"account_id = $1 and id in ({_places(2, orders)})"
    return f"select id, {FACT_FIELDS} from facts where {named}{which} order by id desc, version"


def recorded_of(orders: int) -> str:
    """Return the query for what was recorded on so many orders ($2 and on) and shows something: (id, type, document, columns)."""
    named = f"account_id = $1 and id in ({_places(2, orders)})"
    return f"select id, type, document, {PACKED_FIELDS} from facts where {named} and document <> '' order by id, version"


def recorded_in(ids: int) -> str:
    """Return the query for the terms recorded on this many orders ($2 and on): (id, part, terms)."""
    return f"select id, part, terms from recorded_terms where account_id = $1 and id in ({_places(2, ids)})"


def held(table: str, ids: int) -> str:
    """Return the query that holds this many orders or drafts ($2 and on) until the transaction ends: (id, version)."""
    return f"select id, version from {table} where account_id = $1 and id in ({_places(2, ids)}) order by id for update"


def texts_of(table: str, ids: int) -> str:
    """Return the query for the terms of this many orders or drafts ($2 and on), of every part: (id, terms)."""
    among = f"account_id = $1 and id in ({_places(2, ids)})"
    if table == "drafts":
        return f"select id, terms from drafts where {among}"
    return f"select id, terms from order_bodies where {among} union all select id, terms from recorded_terms where {among}"


def drop(table: str, ids: int) -> str:
    """Return the statement that deletes the rows of this many orders or drafts ($2 and on)."""
    return f"delete from {table} where account_id = $1 and id in ({_places(2, ids)})"


def earlier_in(table: str, ids: int) -> str:
    """Return the query for the terms that an earlier version wrote of so many orders or drafts ($2 and on): (id, kind, term)."""
    return f"select id, kind, term from {table} where account_id = $1 and id in ({_places(2, ids)})"


def _places(first: int, number: int) -> str:
    return ", ".join(f"${place}" for place in range(first, first + number))


STORED_AFTER = f"{_STORED} where o.account_id = $1 and o.id > $2 order by o.id limit {STORED_BATCH}"

STORED_ONE = f"{_STORED} where o.account_id = $1 and o.id = {_ORDER_ID}"

PLACES = """
select account_id, id from (
    select account_id, id, row_number() over (order by id) as place from orders where account_id = $1) numbered
where place % $2 = 0 order by id
"""

HEADS = "select id, version, hash from orders where account_id = $1 order by id"
