"""Verifies the feed of an account: no position is missing, each entry follows the one before, and says what was written."""

from collections.abc import AsyncIterator, Iterator

from ordre.application.feed import DRAFT_ERASED, DRAFT_KINDS, draft_kind
from ordre.db import links
from ordre.db.reads import OrderTables
from ordre.db.sql import Row
from ordre.db.tally import Tally
from ordre.domain.chain import followed
from ordre.domain.draft import DraftStatus

_AT_ONCE = 1_000
_HASH = 64
_FIRST = -(2**63)
"""Before any position that a row may have."""
_ENTRIES = f"""
select f.position, f.id, f.version, f.kind, f.at, f.actor, f.hash, x.type, x.at, x.actor, x.hash,
    e.at, e.actor, e.hash, d.status, d.version, g.events, g.at, g.actor, g.hash, g.hashes
from (select * from feed where account_id = $1 and position > $2 order by position limit {_AT_ONCE}) f
left join facts x on x.account_id = $1 and x.id = f.id and x.version = f.version
left join draft_events e on e.account_id = $1 and e.id = f.id and e.version = f.version
left join drafts d on d.account_id = $1 and d.id = f.id
left join erased_drafts g on g.account_id = $1 and g.id = f.id
order by f.position
"""
_FACT, _EVENT, _ERASED = slice(7, 11), slice(11, 16), slice(16, 21)
_STATUSES = {status.value: status for status in DraftStatus}
_END = "select position, hash from feeds where account_id = $1"

Reason = tuple[int | None, str]
"""(position, what is wrong there), or None and what is wrong with the whole."""


class Feed:
    """The feed of an account. ``counted`` is what it says was written: of facts and of events of drafts, as tallies count.

    ``erasures`` are those of drafts.
    """

    def __init__(self, database: OrderTables, account_id: str) -> None:
        self._database, self._account = database, account_id
        self._position, self._hash = 0, ""
        self.counted, self.erasures = Tally(), 0

    async def differences(self) -> AsyncIterator[Reason]:
        """Yield where it is not what was written. From where it is no chain any more, only the entries are looked at."""
        chained, after = True, _FIRST
        while rows := await self._database.rows(_ENTRIES, self._account, after):
            after = rows[-1][0]
            for row in rows:
                if row[0] != self._position + 1:
                    yield self._position + 1, f"the entry is missing; position {row[0]} stands in its place"
                    chained = False
                for reason in self._of(row, chained=chained):
                    yield row[0], reason
                    chained = False
                self._position, self._hash = row[0], row[6]
        end = await self._database.rows(_END, self._account)
        if not end:
            yield None, "the account has no feed"
        elif chained and tuple(end[0]) != (self._position, self._hash):
            yield None, f"the feed ends at position {self._position}, and {end[0][0]} with another hash was the last one given"

    def _of(self, row: Row, *, chained: bool) -> Iterator[str]:
        _, id_, version, kind, at, actor, hash_ = row[:7]
        said = self._said(row)
        if said is None:
            yield f"it names version {version} of {id_}, of which there is nothing"
            return
        known, held = said
        if (kind, at, actor) != known:
            yield "its kind, time or actor is not that of what it names"
            return
        entry = links.entry(self._account, id_, version, kind, at, actor, held)
        if chained and followed(self._hash, entry[-1]) != hash_:
            yield "its hash does not follow from what it names and the entry before it"

    def _said(self, row: Row) -> tuple[tuple[str, int, str], str] | None:
        """Return kind, instant and actor of what an entry names, as they are stored there, and its hash; count it."""
        version, kind, at, by = row[2:6]
        type_, fact_at, fact_by, fact_hash = row[_FACT]
        event_at, event_by, event_hash, status, newest = row[_EVENT]
        events, erased_at, erased_by, erased_hash, hashes = row[_ERASED]
        if fact_hash is not None:
            self.counted.count("facts", fact_hash)
            return (type_, fact_at, fact_by), fact_hash
        if event_hash is not None:
            self.counted.count("events", event_hash)
            known = _STATUSES.get(status, DraftStatus.OPEN) if version == newest else DraftStatus.OPEN
            return (draft_kind(known, version), event_at, event_by), event_hash
        if events is None:
            return None
        if version == events + 1:
            self.erasures += 1
            return (DRAFT_ERASED, erased_at, erased_by), erased_hash
        held = hashes[(version - 1) * _HASH : version * _HASH]
        self.counted.count("events", held)
        return (kind if kind in DRAFT_KINDS else "", at, by), held
