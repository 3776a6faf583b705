"""Taking what is erased out of the tables, in SQL that both engines run.

What remains of an order is written as of any change: a head, a body and terms made from the fact that it was erased. These
statements come before, in the same transaction; whoever runs them holds the order, so that nobody writes to it meanwhile.
"""

from collections.abc import Iterator

from ordre.application.ports import Emptied
from ordre.db import codec
from ordre.db.batch import Erasure, Subject
from ordre.db.lists import Statement

AMENDING = """
select id from draft_terms where account_id = $1 and kind = 'amends' and term in ($2, $3)
"""
"""The drafts that are to be added to an order, by its ``id`` or ``order_id``."""

_EMPTY_FACTS = """
update facts set ref = null, data = '', document = '', event = '', salt = '' where account_id = $1 and id = $2 and version < $3
"""
_EMPTY_FACT = "update facts set document = $4, event = '', salt = '' where account_id = $1 and id = $2 and ref = $3"
_CHANGE_ANSWER = """
update idempotency set answer = cast($4 as text) || substr(answer, length(cast($3 as text)) + 1)
where account_id = $1 and owner = $2 and substr(answer, 1, length(cast($3 as text))) = $3
"""
_ANSWERS = "update idempotency set digest = '', answer = '{}' where account_id = $1 and owner = $2"
"""That a key was used stays for its time: whoever sends the request again under it is not to make anew what was erased."""
_OLD_ANSWERS = "delete from idempotency where account_id = $1 and owner is null"
"""From before answers had owners."""
_TERMS = "delete from order_terms where account_id = $1 and id = $2"
_DRAFT = (
    "delete from draft_events where account_id = $1 and id = $2",
    "delete from draft_terms where account_id = $1 and id = $2",
    "delete from drafts where account_id = $1 and id = $2",
    _ANSWERS,
)
STRANDED = """
select id from draft_terms t where account_id = $1 and kind = 'amends' and (
    exists (select 1 from orders o where o.account_id = t.account_id and o.order_id = t.term and o.status = 'erased')
    or exists (select 1 from orders o where o.account_id = t.account_id and o.id = t.term and o.status = 'erased'))
"""
"""Drafts that wait for an order that was erased: earlier versions let them be made beside its erasure, or after."""
DUE = "select 1 from drafts where account_id = $1 and id = $2 and coalesce(expires_at, 0) <= $3"
"""Whether a draft is there, and has not been given a longer time to live since."""
EXPIRED = "select id from {table} where account_id = $1 and expires_at <= $2 order by expires_at limit $3"
SEARCHED = 2_000
"""Orders of which the facts are searched in one statement, and the drafts made between them: none takes long."""


def _holds(column: str, *, as_sent: bool) -> str:
    """Return what asks whether a column may hold the text $2: also by an escape, where it is JSON as a client sent it."""
    held = f"lower({column}) like $2 escape '\\'"
    return f"({held} or {column} like '%\\\\u00%' escape '\\')" if as_sent else held


_BETWEEN = "account_id = $1 and id > $3 and id <= $4"
_FACTS_HOLD = " or ".join(_holds(column, as_sent=True) for column in ("data", "document", "event"))
MENTIONING_ORDERS = f"""
select distinct id from facts where {_BETWEEN} and type in ('placed', 'replaced', 'updated') and {_holds("data", as_sent=False)}
"""
MENTIONING_ORDERS_ANYWHERE = f"select distinct id from facts where {_BETWEEN} and ({_FACTS_HOLD})"
MENTIONING_DRAFTS = f"""
select id from drafts where {_BETWEEN} and {_holds("draft", as_sent=True)}
union select id from draft_events where {_BETWEEN} and {_holds("event", as_sent=True)}
"""


def of_order(erasure: Erasure) -> Iterator[Statement]:
    """Yield what empties an order's facts, and drops what it is found under and the answers that were kept for it."""
    account, id_ = erasure.subject
    yield _EMPTY_FACTS, (account, id_, erasure.version)
    yield _TERMS, (account, id_)
    yield _ANSWERS, (account, id_)
    yield _OLD_ANSWERS, (account,)


def of_text(subject: Subject, emptied: Emptied) -> Iterator[Statement]:
    """Yield what takes away the text of one fact, and of the answer that was kept to the request that made it."""
    yield _EMPTY_FACT, (*subject, emptied.ref, emptied.document)
    yield _CHANGE_ANSWER, (*subject, codec.answer_start(emptied.before), codec.answer_start(emptied.answer))


def of_draft(account_id: str, draft: str) -> Iterator[Statement]:
    """Yield what drops a draft, its events, and the answers that were kept for it."""
    for sql in _DRAFT:
        yield sql, (account_id, draft)
