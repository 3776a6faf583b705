"""Adds to the feeds of accounts, on both engines; when a database is migrated, gives what is there its positions."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from operator import itemgetter

from ordre.application.feed import draft_kind
from ordre.db import links, tally
from ordre.db.admission import ADMIT
from ordre.db.links import Entry
from ordre.db.schema import Engine
from ordre.db.scripts import Script
from ordre.db.tally import Tally
from ordre.domain.chain import followed
from ordre.domain.draft import DraftStatus

Row = tuple[str, int, str, int, str, int, str, str]
BEGINS_WITH = 13
"""The migration that makes the tables for it."""
BEGIN = "insert into feeds (account_id, position, hash) values ($1, 0, '') on conflict do nothing"
"""Begins the feed of an account."""
COLUMNS = ("account_id", "position", "id", "version", "kind", "at", "actor", "hash")
_AT_ONCE = 50
"""SQLite looks for each parameter among all of a statement: ten times as many rows at once take longer a row."""
_READ_AT_ONCE = 10_000
_ACCOUNTS = "select account_id from accounts order by account_id"
TAKE = "update feeds set position = position + $2 where account_id = $1 returning position - $2, hash"
END = "update feeds set hash = $2 where account_id = $1"
_LATE = """
select id, version from (
    select id, version, at,
        max(at) over (partition by id order by version rows between unbounded preceding and 1 preceding) as before
    from {table} where account_id = $1) told
where at < before order by id, version
"""
"""What is dated before something that it follows: a clock was set back."""
_NEXT = f"order by 1, 2, 3 limit {_READ_AT_ONCE}"
_BY_TIME = f"""
select at, id, version, kind, actor, hash, status, newest from (
    select * from (
        select at, id, version, type as kind, actor, hash, cast(null as text) as status, cast(null as bigint) as newest
        from facts
        where account_id = $1 and (at, id, version) > ($2, $3, $4) {_NEXT}) of_orders
    union all select * from (
        select e.at, e.id, e.version, null as kind, e.actor, e.hash, d.status, d.version as newest from draft_events e
        join drafts d on d.account_id = e.account_id and d.id = e.id
        where e.account_id = $1 and (e.at, e.id, e.version) > ($2, $3, $4) {_NEXT}) of_drafts) written
{_NEXT}
"""
"""Each half is read by its index, so that a page costs the same however far it is."""


def added(entries: Sequence[Entry]) -> Script[None]:
    """Add entries to the feeds of their accounts, which are held until the transaction ends."""
    for account_id, mine in by_account(entries):
        ((position, hash_),) = yield TAKE, (account_id, len(mine))
        rows = followed_by(mine, position, hash_)
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            yield _insert(len(some)), tuple(chain.from_iterable(some))
        yield END, (account_id, rows[-1][-1])


def by_account(entries: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """Yield each account with its entries, in their order; the accounts by id, as the ends of their feeds are locked."""
    for account_id, mine in groupby(sorted(entries, key=itemgetter(0)), key=itemgetter(0)):
        yield account_id, list(mine)


def followed_by(entries: Sequence[Entry], position: int, hash_: str) -> list[Row]:
    """Return the rows of entries of one account that follow a position with a hash, in the order of ``COLUMNS``."""
    rows = []
    for account_id, id_, version, kind, at, by, digest in entries:
        position, hash_ = position + 1, followed(hash_, digest)
        rows.append((account_id, position, id_, version, kind, at, by, hash_))
    return rows


def _insert(rows: int) -> str:
    width = len(COLUMNS)
    places = (", ".join(f"${row * width + column}" for column in range(1, width + 1)) for row in range(rows))
    into = "insert into feed (account_id, position, id, version, kind, at, actor, hash)"
    return f"{into} values {', '.join(f'({one})' for one in places)}"


def begun(engine: Engine) -> Script[None]:
    """Begin the feed of every account, with what was written before there were any, by its time.

    What the feed holds is counted by it from now on, and no longer by the tallies: a difference that they show stays in them.
    """
    for (account_id,) in (yield _ACCOUNTS, ()):
        if engine == "postgres":
            yield ADMIT, (account_id,)
        yield BEGIN, (account_id,)
        yield from tally.added(account_id, (yield from _written(account_id)))


def _written(account_id: str) -> Script[Tally]:
    """Add all facts and events of an account to its feed; return how much of the tallies that is, to be taken out of them."""
    late = set[tuple[str, int]]()
    for table in ("facts", "draft_events"):
        late.update([(id_, version) for id_, version in (yield _LATE.format(table=table), (account_id,))])
    counted, after, held = Tally(), (0, "", 0), dict[tuple[str, int], Entry]()
    while rows := (yield _BY_TIME, (account_id, *after)):
        after = (rows[-1][0], rows[-1][1], rows[-1][2])
        entries: list[Entry] = []
        for at, id_, version, kind, actor, hash_, status, newest in rows:
            counted.count("events" if kind is None else "facts", hash_, -1)
            said = kind or draft_kind(DraftStatus(status) if version == newest else DraftStatus.OPEN, version)
            held[id_, version] = links.entry(account_id, id_, version, said, at, actor, hash_)
            if (id_, version) not in late:
                entries += _drained(held, id_, version)
        yield from added(entries)
    return counted


def _drained(held: dict[tuple[str, int], Entry], id_: str, version: int) -> Iterator[Entry]:
    """Take out an entry, and those that were held because they follow it and are dated before it."""
    while (entry := held.pop((id_, version), None)) is not None:
        yield entry
        version += 1
