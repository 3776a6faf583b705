"""Reading the events of orders, in pages that are bounded in bytes."""

from collections.abc import Sequence
from typing import Protocol

from ordre.application.lists import PAGE_BYTES, PAGE_ENTRIES, EventPage, EventQuery, fitting
from ordre.application.views import FactRow
from ordre.db import codec, queries
from ordre.db.packing import from_row
from ordre.db.within import Row, Sized, size_of
from ordre.domain.order.facts import CommentDeleted, Commented, ServiceReported
from ordre.domain.refusals import InvalidValue, Refused

_SHOWN = f"(event <> '' or (type = '{Commented.type}' and document <> ''))"
"""Facts that show an event: those of what was erased do not."""
_OF_TYPE = {
    frozenset({"api-event"}): f" and type <> '{ServiceReported.type}'",
    frozenset({"service-event"}): f" and type = '{ServiceReported.type}'",
    frozenset({"api-event", "service-event"}): "",
}
REPORTED = f"""
select type, ref, {queries.PACKED_FIELDS} from facts
where account_id = $1 and id = $2 and type in ('{CommentDeleted.type}', '{ServiceReported.type}')
    and (type = '{CommentDeleted.type}' or (event <> '' and version <= $3))
order by version
"""
"""The condition on the type is that of the index ``facts_beside``."""
_BY_REF = f"select version from facts where account_id = $1 and id = $2 and ref = $3 and type = '{ServiceReported.type}'"
_FIELDS = len(queries.FACT_FIELDS.split(","))
_TEXTS = tuple(place for place, name in enumerate(queries.FACT_FIELDS.split(", ")) if name in ("data", "document", "event"))


FactsByOrder = dict[str, list[FactRow]]
"""By the id of the order, oldest first."""


class Reading(Protocol):
    """Reads rows."""

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]: ...
    async def rows_within(self, query: Sized, most_bytes: int) -> Sequence[Row]: ...


async def facts_of_page(store: Reading, account_id: str, ids: Sequence[str], types: frozenset[str]) -> FactsByOrder:
    """Return the facts for ``events_among`` of the first of these orders, newest first: of as many as fit into a page.

    Where not even the first one does, there are none.
    """
    which = f" and (type in ('{CommentDeleted.type}', '{ServiceReported.type}') or ({_SHOWN}{_OF_TYPE[types]}))"
    query = Sized(
        sql=queries.facts_of(len(ids), which),
        parameters=(account_id, *ids),
        columns=_FIELDS + 1,
        texts=[place + 1 for place in _TEXTS],
        size=_FIELDS,
        order="c0 desc, c1",
    )
    rows = await store.rows_within(query, PAGE_BYTES)
    whole = fitting((size_of(row, query.size) for row in rows), PAGE_BYTES) == len(rows)
    found: FactsByOrder = {id_: [] for id_ in (ids if whole else ids[: ids.index(rows[-1][0])])}
    for id_, *row in rows:
        if id_ in found:
            found[id_].append(codec.fact_of(row))
    return found


def events_among(facts: Sequence[FactRow], types: frozenset[str], up_to: int) -> EventPage[FactRow]:
    """Return the latest events of these types, up to a version, that an order's facts show."""
    then = [fact for fact in facts if fact.version <= up_to]
    shown = [fact for fact in then if shows(fact) and _type_of(fact) in types]
    return EventPage(
        facts=shown[-PAGE_ENTRIES:],
        left_out=max(len(shown) - PAGE_ENTRIES, 0),
        deleted=frozenset(fact.ref for fact in facts if fact.type == CommentDeleted.type and fact.ref),
        reports=[fact.data for fact in then if fact.type == ServiceReported.type and fact.event],
    )


def shows(fact: FactRow) -> bool:
    """Tell the same as ``_SHOWN``."""
    return bool(fact.event or (fact.type == Commented.type and fact.document))


def _type_of(fact: FactRow) -> str:
    return "service-event" if fact.type == ServiceReported.type else "api-event"


async def page_of_events(store: Reading, account_id: str, id_: str, query: EventQuery) -> EventPage[FactRow]:
    """Return the facts of an order that show the events that are asked for.

    Raises:
        Refused: There is no report with the id that the page is to go on from.
    """
    since = query.since
    if query.after_ref is not None:
        named = await store.rows(_BY_REF, account_id, id_, query.after_ref)
        if not named:
            raise Refused(InvalidValue(path="starting_after", reason="Must be the id of an entry of this list"))
        since = named[0][0]
    up_to = queries.END if query.up_to is None else query.up_to
    shown = f"from facts where account_id = $1 and id = $2 and {_SHOWN}{_OF_TYPE[query.types]} and version > $3 and version <= $4"
    order = "desc" if query.latest else "asc"
    page = Sized(
        sql=f"select {queries.FACT_FIELDS} {shown} order by version {order} limit {query.limit + 1}",
        parameters=(account_id, id_, since, up_to),
        columns=_FIELDS,
        texts=_TEXTS,
        size=_FIELDS - 1,
        order=f"c0 {order}",
    )
    rows = await store.rows_within(page, query.most_bytes)
    fits = min(fitting((size_of(row, page.size) for row in rows), query.most_bytes), query.limit)
    facts = [codec.fact_of(row) for row in rows[:fits]]
    more, left_out, total = len(rows) > fits, 0, None
    count = f"select count(*) {shown}"
    if query.latest and more:
        left_out = (await store.rows(count, account_id, id_, since, facts[-1].version - 1))[0][0]
    if query.total:
        total = (await store.rows(count, account_id, id_, 0, queries.END))[0][0]
    other = await store.rows(REPORTED, account_id, id_, up_to)
    return EventPage(
        facts=facts[::-1] if query.latest else facts,
        more=more,
        left_out=left_out,
        total=total,
        deleted=frozenset(ref for type_, ref, *_ in other if type_ == CommentDeleted.type),
        reports=[from_row(*columns)[0] for type_, _, *columns in other if type_ == ServiceReported.type],
    )
