"""Every read of orders and drafts, in the same statements on both engines."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

from ordre.application.aside import aside, small
from ordre.application.change import HeldDraft, Outcome
from ordre.application.lists import PAGE_BYTES, EventPage, EventQuery, ListQuery, Made, Page, Term, fitting
from ordre.application.views import FactRow, Found, StoredOrder, Subject, View
from ordre.db import codec, erasure, queries, tally
from ordre.db.codec import SEPARATOR
from ordre.db.events import events_among, facts_of_page, page_of_events
from ordre.db.feed import FeedTables
from ordre.db.folding import folded_to
from ordre.db.lists import DRAFTS, EARLIER, ORDERS, Finding, Listed
from ordre.db.packing import from_row, unpacked
from ordre.db.sql import Row
from ordre.db.terms import OWN, Statement, compact, entries_in, escaped, leads
from ordre.db.within import size_of
from ordre.domain.merkle import Head
from ordre.domain.order.facts import Fact
from ordre.domain.order.order import Order
from ordre.domain.refusals import InvalidValue, Refused

_TO_INDEX = "select account_id from accounts where terms_version < $1"
_TO_INDEX_ONE = "select 1 from accounts where account_id = $1 and terms_version < $2"
_LAST = "~"
"""Sorts after every account id and every id."""


class OrderTables(FeedTables):
    """Orders and drafts of a store, with what is erased of them in passing."""

    _earlier: frozenset[str] = frozenset()

    async def order(self, account_id: str, order: str) -> View | None:
        """Return an order to be shown, by its ``order_id`` or ``id``."""
        found = await self.rows(queries.VIEW_ONE, account_id, order)
        return view_of(found[0]) if found else None

    async def head(self, account_id: str, order: str) -> Order | None:
        """Return an order without what it shows, by its ``order_id`` or ``id``."""
        found = await self.rows(queries.HEAD, account_id, order)
        return codec.order_from(found[0][0]) if found else None

    async def with_events(self, account_id: str, view: View, types: frozenset[str]) -> View:
        """Return the order with its latest events of these types, up to its version."""
        facts = await facts_of_page(self, account_id, [view.order.id], types)
        if facts:
            return _with_facts(view, facts[view.order.id], types)
        query = EventQuery(types=types, up_to=view.order.version, latest=True)
        return replace(view, events=await self.events(account_id, view.order.id, query))

    async def orders(self, account_id: str, query: ListQuery, events: frozenset[str] | None = None) -> Page[View]:
        """Return a page of orders, newest first."""
        query = await self.resolved(account_id, query)
        page = await self._listed(ORDERS, account_id, query)
        if events is None or not page.rows:
            return Page(rows=Made(view_of, page.rows), more=page.more, total=page.total, size=page.size)
        facts = await facts_of_page(self, account_id, [row[-1] for row in page.rows], events)
        if not facts:
            first = await self.with_events(account_id, view_of(page.rows[0]), events)
            return Page(rows=[first], more=page.more or len(page.rows) > 1, total=page.total, size=first.size)
        shown = [row for row in page.rows if row[-1] in facts]
        return Page(
            rows=Made(lambda row: _with_facts(view_of(row), facts[row[-1]], events), shown),
            more=page.more or len(shown) < len(page.rows),
            total=page.total,
            size=page.size + sum(fact.size for facts_of_one in facts.values() for fact in facts_of_one),
        )

    async def shown(self, account_id: str, order: str, type_: str) -> Sequence[str] | None:
        """Return the documents of the order's facts of one type, oldest first."""
        id_ = await self._id(account_id, order)
        if id_ is None:
            return None
        return [row[0] for row in await self.rows(queries.SHOWN_BY_TYPE, account_id, id_, type_)]

    async def shown_one(self, account_id: str, order: str, type_: str, ref: str) -> str | None:
        """Return the document of one operation, session or event."""
        found = await self.rows(queries.SHOWN_ONE, account_id, order, ref, type_)
        return found[0][0] if found else None

    async def version_at(self, account_id: str, order: str, at: int) -> int | None:
        """Return the version that the order had at this instant."""
        found = await self.rows(queries.VERSION_AT, account_id, order, at)
        version: int | None = found[0][0]
        return version

    def new_order(self, outcome: Outcome, id_: str) -> View | None:
        """Return the order if this change made it."""
        for write in outcome.orders:
            if write.order.id == id_ and write.before == 0 and write.content is not None:
                fields, items = codec.fields_text(write.content.fields), codec.items_text(write.content.items)
                return View(order=write.order, fields=fields.encode(), items=items.encode())
        return None

    async def order_at(self, account_id: str, order: str, version: int) -> View | None:
        """Return the order as it was at a version, folded from its facts."""
        found = await self.rows(queries.WITH_VERSION, account_id, order, version)
        return await folded_to(self, account_id, found[0][0], version) if found else None

    async def facts(self, account_id: str, id_: str) -> Sequence[tuple[FactRow, Fact | None]]:
        """Return the order's facts, oldest first; None beside a row whose body is gone, or is none since somebody changed it."""
        rows = [codec.fact_of(row) for row in await self.rows(queries.FACTS, account_id, id_)]
        return [(row, codec.readable_fact(row.type, row.data) if row.data else None) for row in rows]

    async def events(self, account_id: str, id_: str, query: EventQuery) -> EventPage[FactRow]:
        """Return a page of an order's facts that show events."""
        return await page_of_events(self, account_id, id_, query)

    async def draft(self, account_id: str, draft_id: str, *, history: bool = False) -> HeldDraft | None:
        """Return a draft with the latest of its events, or with its whole history."""
        found = await self.rows(queries.DRAFT_WHOLE if history else queries.DRAFT_ONE, account_id, draft_id)
        return codec.held_draft(*found[0]) if found else None

    async def drafts(self, account_id: str, query: ListQuery) -> Page[HeldDraft]:
        """Return a page of drafts, newest first."""
        if query.after is not None and await self.draft(account_id, query.after) is None:
            raise Refused(InvalidValue(path="starting_after", reason="Must be the id of a draft of this account"))
        page = await self._listed(DRAFTS, account_id, query)
        return Page(rows=Made(_draft, page.rows), more=page.more, total=page.total, size=page.size)

    async def expired(self, account_id: str, at: int, most: int) -> Found:
        """Return the orders and drafts whose time to live has ended."""
        orders = await self.rows(erasure.EXPIRED.format(table="orders"), account_id, at, most)
        drafts = await self.rows(erasure.EXPIRED.format(table="drafts"), account_id, at, most)
        return Found(orders=[row[0] for row in orders], drafts=[row[0] for row in drafts])

    async def stranded(self, account_id: str) -> Sequence[str]:
        """Return the drafts that wait for an order that was erased."""
        return [row[0] for row in await self.rows(erasure.STRANDED, account_id)]

    async def mentioning(self, account_id: str, text: str, told: Callable[[int, int], None], *, anywhere: bool) -> Found:
        """Return the orders and drafts of which some version may hold this text."""
        escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        edges = ["", *(id_ for _, id_ in await self.places(account_id, erasure.SEARCHED)), _LAST]
        of_orders = erasure.MENTIONING_ORDERS_ANYWHERE if anywhere else erasure.MENTIONING_ORDERS
        orders: list[Row] = []
        drafts: list[Row] = []
        for done, between in enumerate(pairwise(edges), 1):
            orders += await self.rows(of_orders, account_id, f"%{escaped}%", *between)
            read = await self.rows(erasure.PACKED, account_id, *between)
            orders += await aside(sum(row[-1] or 0 for row in read), partial(_holding, read, text, anywhere=anywhere))
            drafts += await self.rows(erasure.MENTIONING_DRAFTS, account_id, f"%{escaped}%", *between)
            told(done, len(edges) - 1)
        return Found(orders=sorted({row[0] for row in orders}), drafts=sorted(row[0] for row in drafts))

    async def forget_answers(self, account_id: str, before: int) -> int:
        """Drop the account's idempotency rows made before this instant; return how many."""
        sql = "delete from idempotency where account_id = $1 and created_at < $2 returning hash"
        return await self.run(erasure.forgotten(account_id, before, sql), account_id)

    async def add_up(self, account_id: str) -> None:
        """Add the account's tallies up into one row of each kind."""
        while await self.run(tally.add_up(account_id), account_id):
            pass

    async def count_orders(self, account_id: str | None) -> int:
        """Return the number of orders, in one account or in all."""
        sql = "select count(*) from orders where account_id = $1"
        return sum([(await self.rows(sql, one))[0][0] for one in await self._accounts(account_id)])

    async def stored_orders(self, account_id: str | None) -> AsyncIterator[StoredOrder]:
        """Yield every order as it stands in the tables, with its facts, by account and id."""
        for account in await self._accounts(account_id):
            place = ""
            while found := await self.rows(queries.STORED_AFTER, account, place):
                for stored in await self._stored(account, found):
                    yield stored
                place = dict(zip(queries.STORED_COLUMNS, found[-1], strict=True))["id"]

    async def stored_order(self, account_id: str, order: str) -> StoredOrder | None:
        """Return one order as it stands in the tables, with its facts."""
        found = await self.rows(queries.STORED_ONE, account_id, order)
        return (await self._stored(account_id, found))[0] if found else None

    async def places(self, account_id: str | None, every: int) -> Sequence[Subject]:
        """Return the place of each ``every``-th order."""
        found = [await self.rows(queries.PLACES, one, every) for one in await self._accounts(account_id)]
        return [(row[0], row[1]) for rows in found for row in rows]

    async def named(self, account_id: str, name: str) -> Sequence[str]:
        """Return the ``id`` of the order with this name, or of each with this number."""
        found = await self.rows(queries.NAMED, account_id, name, escaped(name))
        exact = [id_ for id_, place in found if place == 0]
        return exact[:1] or [id_ for id_, _ in found]

    async def heads(self, account_id: str) -> Sequence[Head]:
        """Return the end of the chain of each of the account's orders."""
        return [Head(order=row[0], version=row[1], hash=row[2]) for row in await self.rows(queries.HEADS, account_id)]

    async def _stored(self, account_id: str, rows: Sequence[Row]) -> list[StoredOrder]:
        """Return orders of an account with their facts and terms, all of which are read at once."""
        named = [dict(zip(queries.STORED_COLUMNS, row, strict=True)) for row in rows]
        facts: dict[str, list[FactRow]] = {one["id"]: [] for one in named}
        for id_, *row in await self.rows(queries.facts_of(len(facts)), account_id, *facts):
            facts[id_].append(codec.fact_of(row))
        bodies = {one["id"]: from_row(*(one[name] for name in ("fields", "items", "packed", "size"))) for one in named}
        texts: dict[str, dict[str, str]] = {one["id"]: {OWN: one["terms"]} if one["terms"] is not None else {} for one in named}
        for id_, part, text in await self.rows(queries.recorded_in(len(facts)), account_id, *facts):
            texts[id_][part] = text
        earlier = await self.earlier_terms("order_terms", account_id, list(facts))
        leading = await self.led("found_orders", account_id, texts)
        return [
            StoredOrder(
                account_id=account_id,
                id=one["id"],
                columns={name: one[name] for name in queries.FILTER_COLUMNS},
                head=one["head"],
                hash=one["hash"],
                fields=bodies[one["id"]][0] or "",
                items=bodies[one["id"]][1] or "",
                terms=texts[one["id"]],
                earlier=earlier[one["id"]],
                leading=leading[one["id"]],
                facts=tuple(facts[one["id"]]),
            )
            for one in named
        ]

    async def earlier_terms(self, table: str, account_id: str, ids: Sequence[str]) -> dict[str, frozenset[Term] | None]:
        """Return the terms that an earlier version wrote; None where there are some, and should be none any more."""
        found: dict[str, set[Term]] = {id_: set() for id_ in ids}
        for id_, kind, term in await self.rows(queries.earlier_in(table, len(ids)), account_id, *ids):
            found[id_].add((kind, term))
        awaited = not any(found.values()) or await self.shared(_TO_INDEX_ONE, account_id, self.terms.version)
        return {id_: frozenset(terms) if awaited or not terms else None for id_, terms in found.items()}

    async def led(self, table: str, account_id: str, texts: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
        """Return how many of the terms of orders or drafts lead to each of them."""
        entries = {id_: set[Term]().union(*map(entries_in, one.values())) for id_, one in texts.items()}
        found = {compact(id_): 0 for id_ in texts}
        rows = [(*entry, compact(id_)) for id_, every in entries.items() for entry in sorted(every)]
        for sql, parameters in leads(table, account_id, rows):
            for id_, count in await self.rows(sql, *parameters):
                found[id_] += count
        return {id_: found[compact(id_)] for id_ in texts}

    def listed(self, listed: Listed, account_id: str) -> Listed:
        """Return how orders or drafts of an account are listed: beside what an earlier version wrote, if that is still there."""
        return EARLIER[listed.table] if account_id in self._earlier else listed

    async def look_for_earlier(self) -> None:
        """Learn of which accounts lists have to read what an earlier version wrote, too."""
        self._earlier = frozenset([row[0] for row in await self.shared(_TO_INDEX, self.terms.version)])

    async def _accounts(self, account_id: str | None) -> Sequence[str]:
        return [account_id] if account_id is not None else [account.account_id for account in await self.accounts()]

    async def _id(self, account_id: str, order: str) -> str | None:
        found = await self.rows(queries.ORDER_ID, account_id, order)
        id_: str | None = found[0][0]
        return id_

    async def resolved(self, account_id: str, query: ListQuery) -> ListQuery:
        """Return the query with the id of the order after which it goes on.

        Raises:
            Refused: There is no such order.
        """
        if query.after is None:
            return query
        id_ = await self._id(account_id, query.after)
        if id_ is None:
            raise Refused(InvalidValue(path="starting_after", reason="Must be the id of an order of this account"))
        return replace(query, after=id_)

    async def _listed(self, listed: Listed, account_id: str, query: ListQuery) -> Page[Row]:
        """Return a page's rows; the last column is the id."""
        finding = Finding(self.listed(listed, account_id), account_id, query)
        if finding.probed:
            finding.choose((await self._rows(finding.probe()))[0])
        rows = await self.rows_within(finding.page(), PAGE_BYTES)
        total = (await self._rows(finding.count()))[0][0] if query.total else None
        sizes = [size_of(row, listed.size) for row in rows]
        fits = min(fitting(sizes, PAGE_BYTES), query.limit)
        return Page(rows=rows[:fits], more=len(rows) > fits, size=sum(sizes[:fits]), total=total)

    async def _rows(self, statement: Statement) -> Sequence[Row]:
        sql, parameters = statement
        return await self.walk(sql, *parameters)


def view_of(row: Row) -> View:
    """Return the order of a row of ``queries.VIEW_BYTES``."""
    head, fields, items, shown, packed, size = row[:6]
    entries = [entry.partition(b" ") for entry in shown.split(SEPARATOR.encode())] if shown else []
    documents = [(type_.decode(), document) for type_, _, document in entries]
    if packed is not None or size is not None:
        fields, items = (text.encode() for text in from_row(fields.decode(), items.decode(), packed, size))
    return View(order=codec.order_from(head), fields=fields, items=items, shown=documents)


def _holding(rows: Sequence[Row], text: str, *, anywhere: bool) -> list[Row]:
    """Return those rows of ``erasure.PACKED`` that may hold a text, or cannot be read."""
    sought = text.lower()

    def holds(texts: Sequence[str] | None) -> bool:
        if texts is None:
            return True
        whole = "".join(texts if anywhere else texts[:1])
        return sought in whole.lower() or (anywhere and "\\u00" in whole)

    found = []
    for row in rows:
        small.give_way()
        found += [row] if holds(unpacked(row[1], row[2])) else []
    return found


def _draft(row: Row) -> HeldDraft:
    return codec.held_draft(*row[:-1])


def _with_facts(view: View, facts: Sequence[FactRow], types: frozenset[str]) -> View:
    """Return an order with the events of before it was read that its facts show."""
    return replace(view, events=events_among(facts, types, view.order.version))
