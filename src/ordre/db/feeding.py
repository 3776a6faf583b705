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

BEGINS_WITH = 13
"""The migration that makes the tables for it."""
BEGIN = "insert into feeds (account_id, position, hash) values ($1, 0, '') on conflict do nothing"
"""Begins the feed of an account."""
_WIDTH = 8
_AT_ONCE = 500
_READ_AT_ONCE = 10_000
_ACCOUNTS = "select account_id from accounts order by account_id"
_TAKE = "update feeds set position = position + $2 where account_id = $1 returning position - $2, hash"
_END = "update feeds set hash = $2 where account_id = $1"
_LATE = """
select id, version from (
    select id, version, at,
        max(at) over (partition by id order by version rows between unbounded preceding and 1 preceding) as before
    from {table} where account_id = $1) told
where at < before order by id, version
"""
"""What is dated before something that it follows: a clock was set back."""
_BY_TIME = f"""
select at, id, version, kind, actor, hash, status, newest from (
    select at, id, version, type as kind, actor, hash, null as status, null as newest from facts
    where account_id = $1 and at >= $2
    union all select e.at, e.id, e.version, null, e.actor, e.hash, d.status, d.version from draft_events e
    join drafts d on d.account_id = e.account_id and d.id = e.id where e.account_id = $1 and e.at >= $2) written
where at > $2 or id > $3 or (id = $3 and version > $4) order by at, id, version limit {_READ_AT_ONCE}
"""


def added(entries: Sequence[Entry]) -> Script[None]:
    """Add entries to the feeds of their accounts, which are held until the transaction ends."""
    for account_id, mine in groupby(sorted(entries, key=itemgetter(0)), key=itemgetter(0)):
        of_account = list(mine)
        ((position, hash_),) = yield _TAKE, (account_id, len(of_account))
        hash_ = yield from _put(of_account, position, hash_)
        yield _END, (account_id, hash_)


def _put(entries: Sequence[Entry], position: int, hash_: str) -> Script[str]:
    """Write entries of one account that follow a position with a hash; return the hash of the last."""
    for start in range(0, len(entries), _AT_ONCE):
        rows = []
        for account_id, id_, version, kind, at, by, digest in entries[start : start + _AT_ONCE]:
            position, hash_ = position + 1, followed(hash_, digest)
            rows.append((account_id, position, id_, version, kind, at, by, hash_))
        yield _insert(len(rows)), tuple(chain.from_iterable(rows))
    return hash_


def _insert(rows: int) -> str:
    places = (", ".join(f"${row * _WIDTH + column}" for column in range(1, _WIDTH + 1)) for row in range(rows))
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
