"""Reading, in SQL that both engines run: numbered parameters, and no function that one of them lacks.

Where the engines differ by a name, the text holds the PostgreSQL one and ``for_sqlite`` puts in the other.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from ordre.application.ports import COUNT_LIMIT, ListQuery

_ORDER_ID = """(
    select id from (
        select id from orders where account_id = $1 and order_id = $2
        union all select id from orders where account_id = $1 and id = $2
    ) named limit 1)"""

_SHOWN = """(
    select string_agg(entry, chr(30)) from (
        select f.type || ' ' || f.document as entry from facts f
        where f.account_id = o.account_id and f.id = o.id and f.document <> '' and f.type <> 'service_event'
        order by f.version) shown)"""

_VIEW = f"""
select o.head, b.fields, b.items, {_SHOWN}
from orders o join order_bodies b on b.account_id = o.account_id and b.id = o.id
"""

VIEW_ONE = f"{_VIEW} where o.account_id = $1 and o.id = {_ORDER_ID}"

ORDER_ID = f"select {_ORDER_ID}"

SHOWN_BY_TYPE = "select document from facts where account_id = $1 and id = $2 and type = $3 order by version"

SHOWN_ONE = f"select document from facts where account_id = $1 and id = {_ORDER_ID} and ref = $3 and type = $4"

VERSION_AT = f"select max(version) from facts where account_id = $1 and id = {_ORDER_ID} and at <= $3"

FACT_FIELDS = "version, type, at, actor, ref, data, document, event, salt, digest, hash"

FACTS = f"select {FACT_FIELDS} from facts where account_id = $1 and id = $2 and version <= $3 order by version"

DRAFT_EVENTS = """(
    select string_agg(entry, chr(30)) from (
        select e.version || ' ' || e.at || ' ' || e.actor || ' ' || e.event as entry from draft_events e
        where e.account_id = d.account_id and e.id = d.id order by e.version) events)"""

_DRAFT = f"select d.draft, {DRAFT_EVENTS} from drafts d"

DRAFT_ONE = f"{_DRAFT} where d.account_id = $1 and d.id = $2"

FILTER_COLUMNS = (
    "id",
    "order_id",
    "order_number",
    "version",
    "status",
    "payment_status",
    "currency",
    "gross_amount",
    "net_amount",
    "customer_id",
    "created_at",
    "updated_at",
    "expires_at",
)
STORED_COLUMNS = ("account_id", *FILTER_COLUMNS, "head", "hash", "fields", "items")
_STORED = f"""
select {", ".join(f"{'b' if name in ('fields', 'items') else 'o'}.{name}" for name in STORED_COLUMNS)}
from orders o left join order_bodies b on b.account_id = o.account_id and b.id = o.id
"""
STORED_BATCH = 100


@lru_cache(maxsize=256)
def for_sqlite(sql: str) -> str:
    """Return the query in SQLite's words."""
    return sql.replace("string_agg(", "group_concat(").replace("chr(30)", "char(30)")


def stored_after(account_id: str | None) -> str:
    """Return the query for the next orders after ($1 account, $2 id); of one account where it is given."""
    same = "o.account_id = $1 and o.id > $2" if account_id else "(o.account_id, o.id) > ($1, $2)"
    return f"{_STORED} where {same} order by o.account_id, o.id limit {STORED_BATCH}"


@dataclass(slots=True)
class Where:
    """Conditions and their parameters, numbered as they come."""

    parameters: list[object] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)

    def add(self, condition: str, *values: object) -> None:
        """Add a condition; each ``{}`` in it becomes the number of a value."""
        self.parameters.extend(values)
        first = len(self.parameters) - len(values) + 1
        self.conditions.append(condition.format(*(f"${number}" for number in range(first, first + len(values)))))

    def one_of(self, column: str, values: tuple[str, ...]) -> None:
        """Add that the column is one of the values, where there are any."""
        if values:
            self.add(f"{column} in ({', '.join('{}' for _ in values)})", *values)

    @property
    def sql(self) -> str:
        """The conditions as SQL."""
        return " and ".join(self.conditions)


def _listed(table: str, account_id: str, query: ListQuery) -> Where:
    where = Where()
    where.add(f"{table}.account_id = {{}}", account_id)
    where.one_of(f"{table}.status", query.statuses)
    if query.created_from is not None:
        where.add(f"{table}.id >= {{}}", id_floor(query.created_from))
    if query.created_to is not None:
        where.add(f"{table}.id < {{}}", id_floor(query.created_to + 1))
    return where


def orders(account_id: str, query: ListQuery) -> tuple[str, str, list[object], list[object]]:
    """Return the query for a page of orders, the one that counts them all, and the parameters of each."""
    where = _listed("o", account_id, query)
    where.one_of("o.payment_status", query.payment_statuses)
    where.one_of("o.currency", query.currencies)
    for condition, value in (
        ("o.customer_id = {}", query.customer_id),
        ("o.order_number = {}", query.order_number),
        ("o.net_amount >= {}", query.net_from),
        ("o.net_amount <= {}", query.net_to),
    ):
        if value is not None:
            where.add(condition, value)
    if query.store_id is not None:
        where.add(
            "exists (select 1 from order_stores s where s.account_id = o.account_id and s.store_id = {} and s.id = o.id)",
            query.store_id,
        )
    count = f"select count(*) from (select 1 from orders o where {where.sql} limit {COUNT_LIMIT + 1}) counted"
    counted = list(where.parameters)
    if query.after is not None:
        where.add("o.id < {}", query.after)
    page = f"{_VIEW} where {where.sql} order by o.id desc limit {query.limit + 1}"
    return page, count, where.parameters, counted


def drafts(account_id: str, query: ListQuery) -> tuple[str, str, list[object], list[object]]:
    """Return the query for a page of drafts, the one that counts them all, and the parameters of each."""
    where = _listed("d", account_id, query)
    count = f"select count(*) from (select 1 from drafts d where {where.sql} limit {COUNT_LIMIT + 1}) counted"
    counted = list(where.parameters)
    if query.after is not None:
        where.add("d.id < {}", query.after)
    page = f"{_DRAFT} where {where.sql} order by d.id desc limit {query.limit + 1}"
    return page, count, where.parameters, counted


def id_floor(at: int) -> str:
    """Return the text that is before every id made at this millisecond or later, and after every earlier one.

    An id is a UUID of version 7, whose first 48 bits are the milliseconds at which the order was created. So the primary key
    serves the filters on ``created_at`` and the order of every list.
    """
    digits = f"{max(at, 0):012x}"
    return f"{digits[:8]}-{digits[8:]}"
