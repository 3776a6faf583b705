"""Which orders or drafts a list holds, newest first, in SQL that both engines run.

A list is walked from the newest on, every condition being looked up by the key of the row, or it is led by the ids that one of
its conditions names by an index. A condition that names its ids newest first (a term and its value) may lead whatever their
number; one that does not (the beginning of a word, a range of amounts) has to be sorted, so it leads only while it names few.
Where there is a choice, ``probe`` asks how many ids each names, counting no further than ``FEW``, or ``MANY`` where they are
several: of these the one that names the fewest leads, and what the others name is read as a whole.

Planners know less: a column in an expression (``+x``, ``coalesce(x, '')``, ``x || ''``) keeps its index out of a plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ordre.application.ids import id_floor
from ordre.application.lists import COUNT_LIMIT, RECORDED_KINDS, ListQuery, Word
from ordre.db import queries
from ordre.db.terms import Statement, beginning, compact, escaped, exactly, id_text
from ordre.db.within import Sized

FEW = 10_000
MANY = 40_000
ONE_BY_ONE = 300
"""So many rows are asked one by one whether they meet the other conditions."""
_LAST = "\U0010ffff"
"""Sorts after every other character: where the terms end that begin alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A table of which pages are read; ``alias`` is its name in ``tables``. ``changes`` has a row for each write to it."""

    alias: str
    table: str
    tables: str
    joined: str
    columns: str
    width: int
    """How many of the columns are texts: the first ones."""
    own: str
    """The column with the terms of a row, as one text."""
    terms: str
    """What leads from a term to the ids, which are ``compact`` there."""
    changes: str
    compact: bool = True
    recorded: bool = False
    """Whether there are terms besides of what was recorded on it."""
    earlier: str = ""
    """Where terms stand that are yet to be written as they are now, if there are any."""
    size: int | None = None
    """The place of the column that says how large a row is beside its texts; it is the last one, if there is one."""
    shown: str = ""
    """What is asked of every row."""
    as_bytes: bool = False
    """Whether they are read as UTF-8."""
    same_ids: tuple[str, ...] = ()
    """Columns that ``joined`` makes equal to the ids. Bounds are put on them too: else a planner may walk them from one end."""


ORDERS = Listed(
    alias="o",
    table="orders",
    tables=queries.VIEW_TABLES,
    joined=queries.VIEW_JOIN,
    columns=queries.VIEW_COLUMNS,
    width=4,
    size=queries.VIEW_SIZE,
    own="b.terms",
    terms="found_orders",
    recorded=True,
    changes="facts",
    shown="coalesce(o.status, '') <> 'erased'",
    as_bytes=True,
    same_ids=("b.id",),
)
DRAFTS = Listed(
    alias="d",
    table="drafts",
    tables="drafts d",
    joined="",
    columns=queries.DRAFT_COLUMNS,
    width=3,
    own="d.terms",
    terms="found_drafts",
    changes="draft_events",
)


def with_earlier(listed: Listed, table: str) -> Listed:
    """Return a table whose terms are in part those of an earlier version, in a table of their own."""
    there = f"select account_id, kind, term, {id_text('id')} as id from {listed.terms}"
    both = f"({there} union all select account_id, kind, term, id from {table})"
    return replace(listed, terms=both, compact=False, earlier=table)


EARLIER = {"orders": with_earlier(ORDERS, "order_terms"), "drafts": with_earlier(DRAFTS, "draft_terms")}
"""How the lists of an account are read until its terms are written as they are now, by the names of their tables."""


@dataclass(slots=True)
class _Text:
    """Builds SQL whose parameters are numbered as they come."""

    parameters: list[object] = field(default_factory=list)

    def put(self, sql: str, values: Sequence[object]) -> str:
        """Return the SQL with the number of a value in the place of each ``{}``."""
        first = len(self.parameters) + 1
        self.parameters.extend(values)
        return sql.format(*(f"${number}" for number in range(first, first + len(values))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Condition:
    """A condition. ``holds`` is asked of a row. ``ids`` names the ids that meet it, where an index knows them."""

    holds: str
    values: Sequence[object]
    ids: str | None = None
    ids_values: Sequence[object] = ()
    ordered: bool = False
    """Whether the index has the ids in order."""
    compact: bool = False
    """Whether the ids are stored as bytes."""


class Finding:
    """The statements for one list. Where it is ``probed``, ``choose`` is told what ``probe`` answers, before the rest."""

    def __init__(self, listed: Listed, account_id: str, query: ListQuery) -> None:
        self._listed, self._account, self._query = listed, account_id, query
        self._conditions = _conditions(listed, account_id, query)
        self._leads = [one for one in self._conditions if one.ids is not None]
        self._lead = self._leads[0] if len(self._leads) == 1 and self._leads[0].ordered else None
        self.probed = bool(self._leads) and self._lead is None
        self._most = MANY if len(self._leads) > 1 else FEW
        self._whole: list[_Condition] = []

    def probe(self) -> Statement:
        """Return the statement that counts the ids of each condition."""
        text = _Text()
        counts = [
            text.put(f"(select count(*) from (select 1 from {one.ids} limit {self._most + 1}) named)", one.ids_values)
            for one in self._leads
        ]
        return f"select {', '.join(counts)}", text.parameters

    def choose(self, counts: Sequence[int]) -> None:
        """Lead with the condition that names the fewest."""
        counted = list(zip(counts, self._leads, strict=True))
        able = [(count, one) for count, one in counted if one.ordered or count <= self._most]
        fewest, self._lead = min(able, key=lambda pair: pair[0], default=(0, None))
        if fewest > ONE_BY_ONE:
            self._whole = [one for count, one in counted if one is not self._lead and count <= self._most]

    def page(self) -> Sized:
        """Return the statement that reads the page and one row more; its last column is the id."""
        text, listed = _Text(), self._listed
        found, id_, key = self._found(text, self._query.after)
        sql = f"select {listed.columns}, {id_} from {found} order by {key} desc limit {self._query.limit + 1}"
        place = listed.width if listed.size is None else listed.size + 1
        return Sized(
            sql=sql,
            parameters=text.parameters,
            columns=place + 1,
            texts=range(listed.width),
            size=listed.size,
            order=f"c{place} desc",
            as_bytes=listed.as_bytes,
        )

    def count(self) -> Statement:
        """Return the statement that counts the whole list, no further than ``COUNT_LIMIT`` + 1."""
        text = _Text()
        found, *_ = self._found(text, None)
        return f"select count(*) from (select 1 from {found} limit {COUNT_LIMIT + 1}) counted", text.parameters

    def _found(self, text: _Text, after: str | None, *, oldest: bool = False) -> tuple[str, str, str]:
        """Return the tables and conditions of the list, the column of its ids, and the one that has them in order.

        They come newest first, and are older than ``after``; or the other way round.
        """
        a, lead, tables = self._listed.alias, self._lead, self._listed.tables
        id_ = key = f"{a}.id"
        where = [one for one in (self._listed.joined, self._listed.shown) if one]
        if lead is not None and lead.ids is not None:
            tables = f"({_leading(lead, text.put(lead.ids, lead.ids_values), oldest=oldest)}) n cross join {tables}"
            where.append(f"{id_} = n.id")
            id_, key = "n.id", "n.place" if lead.compact else "n.id"
        where.append(text.put(f"{a}.account_id = {{}}", (self._account,)))
        both = lead is not None and lead.compact
        where += [
            text.put(_among(one, key if both == one.compact else id_, bytes_too=both), one.ids_values)
            if one in self._whole
            else text.put(one.holds, one.values)
            for one in self._conditions
            if one is not lead
        ]
        for comparison, bound in _bounds(self._query, after, oldest=oldest):
            if both:
                where.append(text.put(f"{key} {comparison} {{}}", (compact(bound),)))
            else:
                where += [text.put(f"{one} {comparison} {{}}", (bound,)) for one in (key, *self._listed.same_ids)]
        return f"{tables} where {' and '.join(where)}", id_, key


def _leading(lead: _Condition, ids: str, *, oldest: bool) -> str:
    """Return the query for the ids of a condition, in order; ``place`` is one as bytes.

    PostgreSQL keeps a query apart that is sorted. So it looks an id up that was made from bytes, which it would not do where a
    policy guards rows: what makes it could tell of rows that are hidden.
    """
    order = "" if oldest else " desc"
    if not lead.compact:
        each = f"select distinct coalesce(n.id, '') as id from {ids} order by 1{order}"
        return f"select n.id from {ids}" if lead.ordered else each
    if not lead.ordered:
        ids = f"(select distinct coalesce(n.id, '') as id from {ids}) n"
    return f"select {id_text('n.id')} as id, n.id as place from {ids} order by 2{order}"


def _among(condition: _Condition, key: str, *, bytes_too: bool) -> str:
    """Return the SQL that asks whether a key is among all ids that meet a condition, in the same form as they."""
    ids = id_text("n.id") if condition.compact and not bytes_too else "n.id"
    return f"({key} in (select {ids} from {condition.ids})) is true"


def _bounds(query: ListQuery, after: str | None, *, oldest: bool) -> list[tuple[str, str]]:
    """Return the bounds of the ids. Nothing is updated before it is created."""
    bounds = [(">" if oldest else "<", after)] if after is not None else []
    if query.created_from is not None:
        bounds.append((">=", id_floor(query.created_from)))
    latest = [at for at in (query.created_to, query.updated_to) if at is not None]
    if latest:
        bounds.append(("<", id_floor(min(latest) + 1)))
    return bounds


def _conditions(listed: Listed, account_id: str, query: ListQuery) -> list[_Condition]:
    a = listed.alias
    found = [_term(listed, account_id, kind, values) for kind, values in query.terms]
    found += [_word(listed, account_id, word) for word in query.words]
    for column, values in (("status", query.statuses), ("payment_status", query.payment_statuses)):
        if values:
            found.append(_status(listed, account_id, column, values))
    if amounts := _range("net_amount", query.net_from, query.net_to):
        named = f"{listed.table} n where n.account_id = {{}} and {' and '.join(f'n.{one}' for one, _ in amounts)}"
        found.append(_ranged(a, amounts, named, (account_id, *(value for _, value in amounts))))
    if times := _range("updated_at", query.updated_from, query.updated_to):
        written = _range("at", query.updated_from, query.updated_to)
        named = f"{listed.changes} n where n.account_id = {{}} and {' and '.join(f'n.{one}' for one, _ in written)}"
        since = None if query.updated_from is None else named
        found.append(_ranged(a, times, since, (account_id, *(value for _, value in written))))
    return found


def _range(column: str, least: int | None, most: int | None) -> list[tuple[str, int]]:
    return [(f"{column} {sign} {{}}", value) for sign, value in ((">=", least), ("<=", most)) if value is not None]


def _status(listed: Listed, account_id: str, column: str, values: Sequence[str]) -> _Condition:
    one_of = f"in ({_places(values)})" if len(values) > 1 else "= {}"
    return _Condition(
        holds=f"coalesce({listed.alias}.{column}, '') {one_of}",
        values=values,
        ids=f"{listed.table} n where n.account_id = {{}} and n.{column} {one_of}",
        ids_values=(account_id, *values),
        ordered=len(values) == 1,
    )


def _ranged(alias: str, bounds: list[tuple[str, int]], ids: str | None, ids_values: Sequence[object]) -> _Condition:
    holds = " and ".join(f"+{alias}.{one}" for one, _ in bounds)
    return _Condition(holds=holds, values=[value for _, value in bounds], ids=ids, ids_values=ids_values)


def _term(listed: Listed, account_id: str, kind: str, values: Sequence[str]) -> _Condition:
    holds, of_holds = _has_term(listed, [(kind, exactly(kind, value)) for value in values])
    earlier, of_earlier = _had_term(listed, "t.kind = {} and t.term = {}", [(kind, value) for value in values])
    terms = escaped if listed.compact else str
    return _Condition(
        holds=f"({holds}{earlier})",
        values=(*of_holds, *of_earlier),
        ids=f"{listed.terms} n where n.account_id = {{}} and n.kind = {{}} and n.term = {{}}" if len(values) == 1 else None,
        ids_values=(account_id, terms(kind), *map(terms, values)),
        ordered=listed.compact,
        compact=listed.compact,
    )


def _word(listed: Listed, account_id: str, word: Word) -> _Condition:
    sought = [(kind, one.text) for one in word for kind in one.kinds]
    ranges = [(kind, text, text + _LAST) for kind, text in sought]
    holds, of_holds = _has_term(listed, [(kind, beginning(kind, text)) for kind, text in sought])
    earlier, of_earlier = _had_term(listed, "t.kind = {} and t.term >= {} and t.term < {}", ranges)
    terms = escaped if listed.compact else str
    branch = f"select n.id from {listed.terms} n where n.account_id = {{}} and n.kind = {{}} and n.term >= {{}} and n.term < {{}}"
    return _Condition(
        holds=f"({holds}{earlier})",
        values=(*of_holds, *of_earlier),
        ids=f"({' union all '.join(branch for _ in ranges)}) n",
        ids_values=[value for kind, *ends in ranges for value in (account_id, kind, *map(terms, ends))],
        compact=listed.compact,
    )


def _has_term(listed: Listed, sought: Sequence[tuple[str, str]]) -> Statement:
    """Return the SQL that asks whether a row has such terms: (kind, what its text then holds).

    The account is the first parameter of every statement. It is a value and no ``exists``, which PostgreSQL would make a join: it
    tries the joins of a statement in every order.
    """
    own = [text for kind, text in sought if kind not in RECORDED_KINDS]
    asked = [f"strpos({listed.own}, {{}}) > 0" for _ in own]
    recorded = [text for kind, text in sought if kind in RECORDED_KINDS] if listed.recorded else []
    if recorded:
        one_of = " or ".join("strpos(t.terms, {}) > 0" for _ in recorded)
        of_row = f"select 1 from recorded_terms t where t.account_id = $1 and t.id = {listed.alias}.id and"
        asked.append(f"({of_row} ({one_of}) limit 1) is not null")
    return " or ".join(asked or ["false"]), [*own, *recorded]


def _had_term(listed: Listed, which: str, values: Sequence[tuple[str, ...]]) -> Statement:
    """Return the SQL that asks the same of terms that are yet to be written as they are now; empty where there are none."""
    if not listed.earlier:
        return "", ()
    one_of = " or ".join(f"({which})" for _ in values)
    of_row = f"select 1 from {listed.earlier} t where t.account_id = $1 and t.id = {listed.alias}.id and"
    return f" or ({of_row} ({one_of}) limit 1) is not null", [value for one in values for value in one]


def _places(values: Sequence[object]) -> str:
    return ", ".join("{}" for _ in values)
