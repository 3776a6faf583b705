"""Verifies what an account holds beside its orders: drafts, the rest of erased ones, kept answers, and its feed.

And does it hold as much as was written? See ``db/tally.py``.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from msgspec import MsgspecError

from ordre.application.change import HeldDraft
from ordre.application.lists import Term, Terms
from ordre.db import codec, links, queries, tables, tally
from ordre.db.reads import OrderTables
from ordre.db.sql import Row
from ordre.db.tally import Tally, sum_of
from ordre.db.terms import OWN, entries_in, id_text, text_of
from ordre.db.verify import Difference
from ordre.db.verify_feed import Feed
from ordre.domain.chain import START

_DRAFTS_AT_ONCE = 50
_ROWS_AT_ONCE = 500
_MOST_NAMED = 20
"""Of rows that belong to nothing, so many are named of a table."""
_DRAFT_COLUMNS = tuple(name for name, _ in tables.DRAFT_COLUMNS)
_SAYS = "strpos(coalesce({0}.terms, ''), chr(30) || n.kind || chr(29) || n.term || chr(30)) > 0"
_SAID = {
    "found_orders": ("order_bodies", "recorded_terms"),
    "found_drafts": ("drafts",),
}
"""Table of what leads to orders or drafts -> where these say so."""
_DRAFTS = f"""
select {", ".join(_DRAFT_COLUMNS)} from drafts where account_id = $1 and id > $2 order by id limit {_DRAFTS_AT_ONCE}
"""
_ERASED = f"""
select id, events, at, actor, sum, before, hash, hashes from erased_drafts
where account_id = $1 and id > $2 order by id limit {_ROWS_AT_ONCE}
"""
_ANSWERS = f"""
select {links.ANSWER_COLUMNS}, hash from idempotency where account_id = $1 and key > $2 order by key limit {_ROWS_AT_ONCE}
"""
_OWNERS = {
    "order_bodies": "orders",
    "facts": "orders",
    "order_terms": "orders",
    "recorded_terms": "orders",
    "draft_events": "drafts",
    "draft_terms": "drafts",
}
"""Table -> the one without a row of which no row of it means anything."""
_KINDS = {"facts": "facts of orders", "events": "events of drafts", "answers": "kept answers"}
_OF_ACCOUNTS = (
    *(*_OWNERS, *_SAID, "orders", "drafts", "erased_drafts", "idempotency"),
    *("tallies", "clients", "feeds", "feed"),
)


class Rest:
    """Everything that one account holds beside its orders. ``found`` is what was counted so far: the facts of its orders."""

    def __init__(self, database: OrderTables, account_id: str, found: Tally) -> None:
        self._database, self._account, self._found = database, account_id, found
        self._terms: Terms = database.terms
        self._unfed, self._erasures = Tally(), 0
        """Events of drafts that were erased before there were feeds, and how many drafts were erased since."""

    async def differences(self) -> AsyncIterator[Difference]:
        """Yield where it is not what was written."""
        async for rows in self._pages(_DRAFTS, place=1):
            for one in await self._drafts(rows):
                yield one
        async for rows in self._pages(_ERASED, place=0):
            for one in self._erased(rows):
                yield one
        async for rows in self._pages(_ANSWERS, place=1):
            for one in self._answers(rows):
                yield one
        async for one in self._as_a_whole():
            yield one

    async def _as_a_whole(self) -> AsyncIterator[Difference]:
        feed = Feed(self._database, self._account)
        async for position, reason in feed.differences():
            yield self._of("feed" if position is None else f"feed position {position}", reason)
        for table, owner in _OWNERS.items():
            for (id_,) in await self._database.rows(_orphans(table, owner), self._account):
                yield self._of(f"row {id_} of {table}", f"it belongs to nothing: {owner} has no such row")
        for table in _SAID:
            for id_, kind, term in await self._database.rows(_unsaid(table), self._account):
                yield self._of(f"row {id_} of {table}", f"no such row says that it is found by the {kind} {term!r}")
        for reason in [*await self._sums(feed.counted), *self._without_position(feed)]:
            yield self._of("account", reason)

    def _of(self, about: str, reason: str, version: int | None = None) -> Difference:
        return Difference(account_id=self._account, about=about, version=version, reason=reason)

    async def _pages(self, sql: str, place: int) -> AsyncIterator[Sequence[Row]]:
        after = ""
        while found := await self._database.rows(sql, self._account, after):
            yield found
            after = found[-1][place]

    async def _drafts(self, rows: Sequence[Row]) -> list[Difference]:
        named = [dict(zip(_DRAFT_COLUMNS, row, strict=True)) for row in rows]
        texts = {one["id"]: {OWN: one["terms"] or ""} for one in named}
        earlier = await self._database.earlier_terms("draft_terms", self._account, list(texts))
        leading = await self._database.led("found_drafts", self._account, texts)
        found = []
        for one in named:
            events = await self._database.rows(queries.DRAFT_CHAIN, self._account, one["id"])
            for event in events:
                self._found.count("events", event[-1])
            broken = _unchained(self._account, one, events)
            id_ = one["id"]
            reasons = (broken,) if broken else _unlike(one, earlier[id_], leading[id_], self._terms)
            found += [self._of(f"draft {one['id']}", reason, version) for version, reason in reasons]
        return found

    def _erased(self, rows: Sequence[Row]) -> Iterator[Difference]:
        for id_, events, at, actor, total, before, hash_, hashes in rows:
            held = Tally()
            held.put("events", events, int(total) if total.isascii() and total.isdecimal() else 0)
            self._found.add(held)
            if hashes:
                self._erasures += 1
            else:
                self._unfed.add(held)
            if links.erased_hash(self._account, id_, events, at, actor, total, before) != hash_:
                yield self._of(f"erased draft {id_}", "what is left of it is not what its hash says")
            elif hashes and not _are_hashes(hashes, events, total, before):
                yield self._of(
                    f"erased draft {id_}", "the hashes of its events are not those of which it says the sum and the last"
                )

    def _answers(self, rows: Sequence[Row]) -> Iterator[Difference]:
        for *row, hash_ in rows:
            self._found.count("answers", hash_)
            if links.answer_hash(*row) != hash_:
                yield self._of(f"answer kept for the key {row[1]}", "it is not what its hash says")

    async def _sums(self, fed: Tally) -> Iterator[str]:
        try:
            kept = tally.tally_from(await self._database.rows(tally.TALLIES, self._account))
        except ValueError:
            return iter(["what it keeps of how much it holds is no number"])
        kept.add(fed)
        return _unequal(self._found, kept)

    def _without_position(self, feed: Feed) -> Iterator[str]:
        """Yield what was written, and has no position in the feed: nobody who follows it was told."""
        for kind in ("facts", "events"):
            count = self._found.counts[kind] - self._unfed.counts[kind]
            total = self._found.sums[kind] - self._unfed.sums[kind]
            if (count, total) != (feed.counted.counts[kind], feed.counted.sums[kind]):
                yield f"it holds {count:,} {_KINDS[kind]}, and its feed has positions of {feed.counted.counts[kind]:,}"
        if self._erasures != feed.erasures:
            yield f"{self._erasures:,} of its drafts were erased, and its feed has positions of {feed.erasures:,} erasures"


def _are_hashes(joined: str, events: int, total: str, last: str) -> bool:
    """Whether hashes that stand one after the other are so many, have this sum, and end in the last one."""
    hashes = [joined[start : start + len(last)] for start in range(0, len(joined), len(last))]
    return (len(hashes), str(sum_of(hashes)), hashes[-1]) == (events, total, last)


def _unequal(found: Tally, kept: Tally) -> Iterator[str]:
    for kind in sorted({*found.counts, *kept.counts}):
        what, count, written = _KINDS.get(kind, kind), found.counts[kind], kept.counts[kind]
        if count != written:
            yield f"it holds {count:,} {what}, and {written:,} were written and not dropped"
        elif found.sums[kind] != kept.sums[kind]:
            yield f"the {what} that it holds are not those that were written"


async def strangers(database: OrderTables) -> AsyncIterator[Difference]:
    """Yield rows of accounts that are not there. PostgreSQL shows such rows to nobody whom row-level security binds."""
    for table in _OF_ACCOUNTS:
        sql = f"select distinct account_id from {table} where account_id not in (select account_id from accounts)"
        for (account_id,) in await database.shared(sql):
            yield Difference(account_id=account_id, about=f"rows of {table}", reason="there is no such account")


def _unsaid(table: str) -> str:
    id_ = id_text("n.id")
    nowhere = " and ".join(
        f"not exists (select 1 from {said} t where t.account_id = $1 and t.id = {id_} and {_SAYS.format('t')})"
        for said in _SAID[table]
    )
    return f"select {id_}, n.kind, n.term from {table} n where n.account_id = $1 and {nowhere} limit {_MOST_NAMED}"


def _orphans(table: str, owner: str) -> str:
    return (
        f"select distinct id from {table} t where account_id = $1 and not exists"
        f" (select 1 from {owner} o where o.account_id = t.account_id and o.id = t.id) order by id limit {_MOST_NAMED}"
    )


def _unchained(account_id: str, draft: dict[str, Any], events: Sequence[Row]) -> tuple[int | None, str] | None:
    """Return the first place where the events of a draft are not a chain that ends in the draft."""
    previous, held = START, ""
    for version, at, actor, event, salt, body, state, hash_ in events:
        if links.event_digest(salt, event) != body:
            return version, "the event is not what its digest says"
        if links.event_hash(previous, account_id, draft["id"], version, at, actor, body, state) != hash_:
            return version, "the hash of the event does not follow from the event and the one before it"
        previous, held = hash_, links.state_digest(salt, draft["draft"])
    if not events:
        return None, "the draft has no events"
    if previous != draft["hash"]:
        return None, "the chain does not end in the hash that the draft holds: events at its end are missing or new"
    if held != events[-1][-2]:
        return None, "the draft is not what its last event left"
    return None


def _unlike(row: dict[str, Any], earlier: frozenset[Term] | None, leading: int, terms: Terms) -> Iterator[tuple[int | None, str]]:
    """Yield which columns do not say what the draft says."""
    try:
        draft = codec.draft_from(row["draft"])
    except (ValueError, MsgspecError) as error:
        yield None, f"the draft cannot be read: {error!r}"
        return
    held = HeldDraft(draft=draft, hash=row["hash"])
    found_by = terms.of_draft(draft)
    said = dict(zip(_DRAFT_COLUMNS, tables.draft_row((row["account_id"], draft.id), held, text_of(found_by)), strict=True))
    for name, value in said.items():
        if name not in ("draft", "terms") and row[name] != value:
            yield None, f"the column {name} is {row[name]!r}, and {value!r} by the draft"
    anew = row["terms"] == said["terms"] and len(entries_in(row["terms"])) == leading and earlier == frozenset()
    if not (anew or (row["terms"] is None and earlier and earlier >= found_by)):
        yield None, "the draft is not found under exactly the terms that it holds"
