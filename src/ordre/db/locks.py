"""The one order in which rows are locked on PostgreSQL, so that no two transactions wait for each other.

1. Orders that are there, by id.
2. Drafts that are there, by id.
3. What belongs to an order or a draft (its facts, body, terms, events), which only those change who have locked it in 1 or 2.
4. Orders and drafts that are new, by ``order_id`` and by id: another transaction may be making one of the same name.
5. Answers kept for idempotency keys, by key.
6. The ends of feeds, by account: whoever has one waits for nothing but the disk.

What writes the log of administration holds the lock ``LOG`` and, of these, none.

Whoever locks more than one of these does it by the statements of this module, or by the one of ``writing``, which keeps the same
order. Where something may as well be done later, a row that somebody else has locked is skipped, not waited for. Nobody waits for
longer than ``WAIT_SECONDS``: see docs/decisions/0023-waiting.md.
"""

from ordre.db.queries import DRAFT_NAMES

WAIT_SECONDS = 1.5
"""How long a statement waits for what somebody else has locked, before it is given up."""
HASTY_SECONDS = 0.1
"""The same for what has waited once."""
IDLE_SECONDS = 5.0
"""After which the database ends a transaction in which nothing happens: its process hangs, and what it locked is free again."""

LOG = 0x6F72647266
"""The advisory lock under which the log of administration is written: each act is chained to the one before."""

LOG_SECONDS = 20.0
"""How long an act waits for those before it: there may be many at once, and none holds an order up."""

ORDER = "select id from orders where account_id = $1 and (order_id = $2 or id = $2) order by id for update"
"""Locks the order of a name."""
NAMED = f"select {DRAFT_NAMES} from drafts d where d.account_id = $1 and d.id = $2"
"""The name of the order that a draft is about, which is locked before the draft."""
DRAFTS = "select id from drafts where account_id = $1 and id = any($2::text[]) order by id for update"
"""Locks those drafts of a list that are there."""
DUE_DRAFTS = """
select id from drafts where account_id = $1 and id = any($2::text[]) and coalesce(expires_at, 0) <= $3
order by id for update skip locked
"""
"""The same, of drafts that have not been given a longer time to live since, but for those that somebody else has locked."""
ANSWERS = """
select key from idempotency where account_id = $1 and (owner = any($2::text[]) or owner is null) order by key for update
"""
"""Locks the answers that are about orders or drafts, and those of before answers had owners."""
OLD_ANSWERS = """
delete from idempotency i using (
    select account_id, key from idempotency where account_id = $1 and created_at < $2 order by key for update skip locked) old
where i.account_id = old.account_id and i.key = old.key returning i.hash
"""
"""Drops the answers of before an instant, but for those that are being changed or dropped."""


def timeout(seconds: float) -> str:
    """Return the statement by which a transaction waits so long for a lock, and no longer."""
    return f"set local lock_timeout = {round(seconds * 1000)}"
