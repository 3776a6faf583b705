"""All of an account's orders that a query finds, oldest first, out of one snapshot, in the memory of a chunk of them.

Ids sort by when orders were made, so an order that is made later comes after all that was read: whoever was cut off goes on after
the last one that he has.
"""

from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from ordre.application.aside import aside, small
from ordre.application.lists import EventPage, ListQuery, Made
from ordre.application.views import FactRow, View
from ordre.db import codec, queries
from ordre.db.events import shows
from ordre.db.lists import Finding, Listed, _Text
from ordre.db.reads import view_of
from ordre.db.sql import Row
from ordre.db.terms import Statement
from ordre.db.within import size_of
from ordre.domain.order.facts import CommentDeleted, ServiceReported

FACTS_AT_ONCE = 2_000
"""With their events, so many facts of orders are read at once, or those of one order."""
Chunks = AsyncGenerator[Sequence[View], None]


class Walk(Protocol):
    """Reads on one snapshot of an account: what it begins, in parts, and rows beside that."""

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]: ...
    async def begin(self, sql: str, *parameters: object, sorts: bool) -> None:
        """Begin a statement, whose few rows have to be sorted, or else come as an index has them."""
        ...

    async def following(self, most_bytes: int) -> Sequence[Row]:
        """Return the next rows of what was begun, about so large together; none at the end."""
        ...


class _Oldest(Finding):
    """A list from its other end."""

    @property
    def sorts(self) -> bool:
        """Whether it is led by what names few ids, in no order."""
        return self._lead is not None and not self._lead.ordered

    def walk(self, after: str | None) -> Statement:
        """Return the statement that reads all orders after an id; its last column is the id."""
        text = _Text()
        found, id_, key = self._found(text, after, oldest=True)
        return f"select {queries.VIEW_BYTES}, {id_} from {found} order by {key}", text.parameters


async def exported(walk: Walk, listed: Listed, account_id: str, query: ListQuery, *, events: bool, most_bytes: int) -> Chunks:
    """Yield the orders, in chunks of about so many bytes; with all of their events where they are wanted."""
    finding = _Oldest(listed, account_id, query)
    if finding.probed:
        sql, parameters = finding.probe()
        finding.choose((await walk.rows(sql, *parameters))[0])
    sql, parameters = finding.walk(query.after)
    await walk.begin(sql, *parameters, sorts=finding.sorts)
    left = query.limit
    while left > 0 and (rows := await walk.following(most_bytes)):
        rows, left = rows[:left], left - len(rows)
        if not events:
            yield Made(view_of, rows)
            continue
        for views in _grouped([view_of(row) for row in rows]):
            yield await _with_events(walk, account_id, views)


def _grouped(views: Sequence[View]) -> Iterator[list[View]]:
    """Yield the orders in groups of which all facts may be held at once."""
    group, facts = list[View](), 0
    for view in views:
        if group and facts + view.order.version > FACTS_AT_ONCE:
            yield group
            group, facts = [], 0
        group.append(view)
        facts += view.order.version
    if group:
        yield group


async def _with_events(walk: Walk, account_id: str, views: Sequence[View]) -> Sequence[View]:
    rows = await walk.rows(queries.facts_of(len(views)), account_id, *(view.order.id for view in views))
    return await aside(sum(map(size_of, rows)), partial(_joined, views, rows))


def _joined(views: Sequence[View], rows: Sequence[Row]) -> Sequence[View]:
    facts: dict[str, list[FactRow]] = {view.order.id: [] for view in views}
    for id_, *row in rows:
        small.give_way()
        facts[id_].append(codec.fact_of(row))
    return [replace(view, events=_events(facts[view.order.id])) for view in views]


def _events(facts: Sequence[FactRow]) -> EventPage[FactRow]:
    """Return all events that an order's facts show."""
    return EventPage(
        facts=[fact for fact in facts if shows(fact)],
        deleted=frozenset(fact.ref for fact in facts if fact.type == CommentDeleted.type and fact.ref),
        reports=[fact.data for fact in facts if fact.type == ServiceReported.type and fact.event],
    )
