"""Reading the events of orders, in pages that are bounded in bytes."""

from collections.abc import Sequence
from typing import Protocol

from ordre.application.lists import PAGE_BYTES, EventPage, EventQuery, fitting
from ordre.application.ports import StoredFact
from ordre.db import codec, queries
from ordre.db.within import Row, Sized, size_of
from ordre.domain.refusals import InvalidValue, Refused

_SHOWN = "(event <> '' or (type = 'comment' and document <> ''))"
"""Facts that show an event: those of what was erased do not."""
_OF_TYPE = {
    frozenset({"api-event"}): " and type <> 'service_event'",
    frozenset({"service-event"}): " and type = 'service_event'",
    frozenset({"api-event", "service-event"}): "",
}
_REPORTED = """
select type, ref, data from facts
where account_id = $1 and id = $2 and (type = 'comment_deleted' or (type = 'service_event' and event <> '')) order by version
"""
_BY_REF = "select version from facts where account_id = $1 and id = $2 and ref = $3 and type = 'service_event'"
_FIELDS = len(queries.FACT_FIELDS.split(","))
_TEXTS = tuple(place for place, name in enumerate(queries.FACT_FIELDS.split(", ")) if name in ("data", "document", "event"))


class Reading(Protocol):
    """What reads rows."""

    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]: ...
    async def rows_within(self, query: Sized, most_bytes: int) -> Sequence[Row]: ...


async def facts_of_page(store: Reading, account_id: str, ids: Sequence[str]) -> dict[str, list[StoredFact]]:
    """Return the facts of the first of these orders, newest first: of as many as fit into a page, and of one at least."""
    query = Sized(
        sql=queries.facts_of(len(ids)),
        parameters=(account_id, *ids),
        columns=_FIELDS + 1,
        texts=[place + 1 for place in _TEXTS],
        order="c0 desc, c1",
    )
    rows = await store.rows_within(query, PAGE_BYTES)
    found: dict[str, list[StoredFact]] = {}
    for id_, *row in rows:
        found.setdefault(id_, []).append(codec.fact_of(row))
    if fitting(map(size_of, rows), PAGE_BYTES) == len(rows):
        return found
    last = rows[-1][0]  # perhaps not whole
    if len(found) > 1:
        return {id_: facts for id_, facts in found.items() if id_ != last}
    whole = await store.rows(queries.FACTS, account_id, last, queries.END)
    return {last: [codec.fact_of(row) for row in whole]}


async def page_of_events(store: Reading, account_id: str, id_: str, query: EventQuery) -> EventPage[StoredFact]:
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
    shown = f"from facts where account_id = $1 and id = $2 and {_SHOWN}{_OF_TYPE[query.types]}"
    order = "desc" if query.latest else "asc"
    page = Sized(
        sql=f"select {queries.FACT_FIELDS} {shown} and version > $3 order by version {order} limit {query.limit + 1}",
        parameters=(account_id, id_, since),
        columns=_FIELDS,
        texts=_TEXTS,
        order=f"c0 {order}",
    )
    rows = await store.rows_within(page, query.most_bytes)
    fits = min(fitting(map(size_of, rows), query.most_bytes), query.limit)
    facts = [codec.fact_of(row) for row in rows[:fits]]
    total = None
    if query.total:
        count = f"select count(*) {shown} and version > $3"
        total = (await store.rows(count, account_id, id_, since if query.latest else 0))[0][0]
    other = await store.rows(_REPORTED, account_id, id_)
    return EventPage(
        facts=facts[::-1] if query.latest else facts,
        more=len(rows) > fits,
        total=total,
        deleted=frozenset(ref for type_, ref, _ in other if type_ == "comment_deleted"),
        reports=[data for type_, _, data in other if type_ == "service_event"],
    )
