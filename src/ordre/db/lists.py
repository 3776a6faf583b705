"""Which orders or drafts a list holds, newest first, in SQL that both engines run.

A list is walked from the newest on, every condition being looked up by the key of the row, or it is led by the ids that one of
its conditions names by an index. A condition that names its ids newest first (a term and its value) may lead whatever their
number; one that does not (the beginning of a word, a range of amounts) has to be sorted, so it leads only while it names few.
Where there is a choice, ``probe`` asks how many ids each names, counting no further than ``FEW``, or ``MANY`` where they are
several: of these the one that names the fewest leads, and what the others name is read as a whole.

Planners know less: a column in an expression (``+x``, ``coalesce(x, '')``, ``x || ''``) keeps its index out of a plan.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ordre.application.ids import id_floor
from ordre.application.lists import COUNT_LIMIT, ListQuery, Word
from ordre.db import queries
from ordre.db.within import Sized

FEW = 10_000
MANY = 40_000
ONE_BY_ONE = 300
"""So many rows are asked one by one whether they meet the other conditions."""
_LAST = "\U0010ffff"
"""Sorts after every other character: where the terms end that begin alike."""

Statement = tuple[str, Sequence[object]]
"""SQL and its parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A table of which pages are read; ``alias`` is its name in ``tables``. ``changes`` has a row for each write to it."""

    alias: str
    table: str
    tables: str
    joined: str
    columns: str
    width: int
    """How many columns, all of them texts."""
    terms: str
    changes: str
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
    terms="order_terms",
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
    terms="draft_terms",
    changes="draft_events",
)


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
        found, key = self._found(text, self._query.after)
        sql = f"select {listed.columns}, {key} from {found} order by {key} desc limit {self._query.limit + 1}"
        return Sized(
            sql=sql,
            parameters=text.parameters,
            columns=listed.width + 1,
            texts=range(listed.width),
            order=f"c{listed.width} desc",
            as_bytes=listed.as_bytes,
        )

    def count(self) -> Statement:
        """Return the statement that counts the whole list, no further than ``COUNT_LIMIT`` + 1."""
        text = _Text()
        found, _ = self._found(text, None)
        return f"select count(*) from (select 1 from {found} limit {COUNT_LIMIT + 1}) counted", text.parameters

    def _found(self, text: _Text, after: str | None) -> tuple[str, str]:
        """Return the tables and conditions of the list, and the column that has its ids in order."""
        a, lead, tables = self._listed.alias, self._lead, self._listed.tables
        key, where = f"{a}.id", [one for one in (self._listed.joined, self._listed.shown) if one]
        if lead is not None and lead.ids is not None:
            chosen, order = ("n.id", "") if lead.ordered else ("distinct n.id || '' as id", " order by 1 desc")
            tables = f"(select {chosen} from {text.put(lead.ids, lead.ids_values)}{order}) n cross join {tables}"
            key = "n.id"
            where.append(f"{a}.id = n.id")
        where.append(text.put(f"{a}.account_id = {{}}", (self._account,)))
        where += [
            text.put(f"({key} in (select n.id from {one.ids})) is true", one.ids_values)
            if one in self._whole
            else text.put(one.holds, one.values)
            for one in self._conditions
            if one is not lead
        ]
        for comparison, id_ in _bounds(self._query, after):
            where += [text.put(f"{one} {comparison} {{}}", (id_,)) for one in (key, *self._listed.same_ids)]
        return f"{tables} where {' and '.join(where)}", key


def _bounds(query: ListQuery, after: str | None) -> list[tuple[str, str]]:
    """Return the bounds of the ids. Nothing is updated before it is created."""
    bounds = [("<", after)] if after is not None else []
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
    holds = _has_term(listed, f"t.kind = {{}} and t.term in ({_places(values)})")
    ids = f"{listed.terms} n where n.account_id = {{}} and n.kind = {{}} and n.term = {{}}" if len(values) == 1 else None
    return _Condition(holds=holds, values=(kind, *values), ids=ids, ids_values=(account_id, kind, *values), ordered=True)


def _word(listed: Listed, account_id: str, word: Word) -> _Condition:
    ranges = [(kind, one.text, one.text + _LAST) for one in word for kind in one.kinds]
    one_of = " or ".join("t.kind = {} and t.term >= {} and t.term < {}" for _ in ranges)
    branch = f"select id from {listed.terms} where account_id = {{}} and kind = {{}} and term >= {{}} and term < {{}}"
    return _Condition(
        holds=_has_term(listed, f"({one_of})"),
        values=[value for one in ranges for value in one],
        ids=f"({' union all '.join(branch for _ in ranges)}) n",
        ids_values=[value for one in ranges for value in (account_id, *one)],
    )


def _has_term(listed: Listed, which: str) -> str:
    """Return the SQL that asks whether a row has such a term.

    The account is the first parameter of every statement. It is a value and no ``exists``, which PostgreSQL would make a join: it
    tries the joins of a statement in every order.
    """
    a = listed.alias
    of_row = f"select 1 from {listed.terms} t where t.account_id = $1 and t.id = {a}.id and"
    return f"({of_row} {which} limit 1) is not null"


def _places(values: Sequence[object]) -> str:
    return ", ".join("{}" for _ in values)
