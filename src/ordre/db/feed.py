"""Reads the feed of an account."""

from collections.abc import Sequence

from ordre.application.feed import DRAFT_ERASED, KINDS, SCANNED, FeedEntry, FeedPage, FeedQuery
from ordre.db.directory import DirectoryTables
from ordre.db.terms import exactly
from ordre.domain.order.facts import Erased

_END = "select position from feeds where account_id = $1"
_ENTRIES = """
select position, id, version, kind, at, actor, hash, {document} from feed f
where account_id = $1 and position > $2 and position <= $3{which} order by position limit $4
"""
_DOCUMENT = "coalesce((select x.document from facts x where x.account_id = $1 and x.id = f.id and x.version = f.version), '')"
_OF = "(select 1 from {} t where t.account_id = $1 and t.id = f.id and {})"
_NOW, _EARLIER = "strpos(t.terms, $6) > 0", "t.kind = 'store_id' and t.term = $5"
_OF_STORE = f"""
    and (kind in ('{Erased.type}', '{DRAFT_ERASED}')
        or exists {_OF.format("order_bodies", _NOW)} or exists {_OF.format("drafts", _NOW)}
        or exists {_OF.format("order_terms", _EARLIER)} or exists {_OF.format("draft_terms", _EARLIER)})
"""
"""What is erased is of no store any more: everybody is told that it was."""


class FeedTables(DirectoryTables):
    """The feeds of a store."""

    async def feed_end(self, account_id: str) -> int:
        """Return the position of the newest entry of the account's feed, 0 where there is none."""
        found = await self.rows(_END, account_id)
        return int(found[0][0]) if found else 0

    async def feed(self, account_id: str, query: FeedQuery) -> FeedPage:
        """Return the next entries after a position. Of those that are left out, no more than ``SCANNED`` are looked at."""
        end = await self.feed_end(account_id)
        through = min(end, query.after + SCANNED) if query.filtered else end
        which = f" and kind in ({_listed(query.kinds)})" if len(query.kinds) < len(KINDS) else ""
        stores = () if query.store_id is None else (query.store_id, exactly("store_id", query.store_id))
        document = _DOCUMENT if query.documents else "''"
        sql = _ENTRIES.format(which=which + (_OF_STORE if stores else ""), document=document)
        read_rows = self.walk if stores and through - query.after > query.limit else self.rows
        rows = await read_rows(sql, account_id, query.after, through, query.limit, *stores) if through > query.after else []
        entries = tuple(
            FeedEntry(position=position, id=id_, version=version, kind=kind, at=at, by=by, hash=hash_, document=document)
            for position, id_, version, kind, at, by, hash_, document in rows
        )
        read = entries[-1].position if len(entries) == query.limit else max(through, query.after)
        return FeedPage(entries=entries, position=read, end=end)


def _listed(kinds: frozenset[str]) -> str:
    """Return kinds as SQL: of the few that there are, which hold no quotes."""
    known: Sequence[str] = [kind for kind in KINDS if kind in kinds]
    return ", ".join(f"'{kind}'" for kind in known) or "null"
