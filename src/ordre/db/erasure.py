"""Removes erased data from the tables, in SQL that both engines run.

What remains of an order is written as of any change: a head, a body and terms made from the fact that it was erased. These
statements come before, in the same transaction; whoever runs them holds the order, so that nobody writes to it meanwhile.
"""

from collections.abc import Sequence

from ordre.application.change import Emptied
from ordre.application.feed import DRAFT_ERASED
from ordre.application.lists import Term
from ordre.application.views import Subject
from ordre.db import codec, feeding, links
from ordre.db.batch import Erasure
from ordre.db.scripts import Script
from ordre.db.tally import Tally, added, sum_of
from ordre.db.terms import Statement, compact, entries_in, id_text, leading_no_more
from ordre.domain.order.facts import Commented

_WAITING = f"""
select {id_text("n.id")} as id, n.term from found_drafts n where n.account_id = $1 and n.kind = 'amends'
union select id, term from draft_terms where account_id = $1 and kind = 'amends'
"""
AMENDING = f"select id from ({_WAITING}) waiting where term in ($2, $3)"
"""The drafts that are to be added to an order, by its ``id`` or ``order_id``."""

_EMPTY_FACTS = """
update facts set ref = null, data = '', document = '', event = '', salt = '', packed = null, size = null
where account_id = $1 and id = $2 and version < $3
"""
_EMPTY_FACT = """
update facts set data = $4, document = $5, event = '', salt = '', packed = null, size = null
where account_id = $1 and id = $2 and ref = $3
"""
_ANSWERS_OF = f"select {links.ANSWER_COLUMNS}, hash from idempotency where account_id = $1 and owner = $2"
_CHANGE_ANSWER = """
update idempotency set answer = $3, hash = $4 where account_id = $1 and key = $2 and hash = $5 returning 1
"""
_EMPTY_ANSWER = (
    "update idempotency set digest = '', answer = '{}', hash = $3 where account_id = $1 and key = $2 and hash = $4 returning 1"
)
"""That a key was used stays for its time: whoever sends the request again under it is not to make anew what was erased."""
_OLD_ANSWERS = "delete from idempotency where account_id = $1 and owner is null returning hash"
"""From before answers had owners."""
_TERMS_OF_ORDER = """
select terms from order_bodies where account_id = $1 and id = $2
union all select terms from recorded_terms where account_id = $1 and id = $2
"""
_TERMS_OF_DRAFT = "select terms from drafts where account_id = $1 and id = $2"
_ORDER = (
    "update order_bodies set terms = '' where account_id = $1 and id = $2",
    "delete from recorded_terms where account_id = $1 and id = $2",
    "delete from order_terms where account_id = $1 and id = $2",
)
_DRAFT = (
    "delete from draft_events where account_id = $1 and id = $2",
    "delete from draft_terms where account_id = $1 and id = $2",
    "delete from drafts where account_id = $1 and id = $2",
)
STRANDED = f"""
select id from ({_WAITING}) t where
    exists (select 1 from orders o where o.account_id = $1 and o.order_id = t.term and o.status = 'erased')
    or exists (select 1 from orders o where o.account_id = $1 and o.id = t.term and o.status = 'erased')
"""
"""Drafts that wait for an order that was erased: earlier versions let them be made beside its erasure, or after."""
_DRAFT_HASHES = "select hash from draft_events where account_id = $1 and id = $2 order by version"
_ERASED_DRAFT = """
insert into erased_drafts (account_id, id, events, at, actor, sum, before, hash, hashes)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
DUE = "select 1 from drafts where account_id = $1 and id = $2 and coalesce(expires_at, 0) <= $3"
"""Whether a draft is there, and has not been given a longer time to live since."""
EXPIRED = "select id from {table} where account_id = $1 and expires_at <= $2 order by expires_at limit $3"
SEARCHED = 2_000
"""Orders of which the facts are searched in one statement, and the drafts made between them: none takes long."""


def _holds(column: str, *, as_sent: bool) -> str:
    """Return the condition that a column may hold the text $2, also escaped where it is JSON as a client sent it."""
    held = f"lower({column}) like $2 escape '\\'"
    return f"({held} or {column} like '%\\\\u00%' escape '\\')" if as_sent else held


_BETWEEN = "account_id = $1 and id > $3 and id <= $4"
_FACTS_HOLD = " or ".join(_holds(column, as_sent=True) for column in ("data", "document", "event"))
MENTIONING_ORDERS = f"""
select distinct id from facts where {_BETWEEN} and {_holds("data", as_sent=False)}
"""
MENTIONING_ORDERS_ANYWHERE = f"select distinct id from facts where {_BETWEEN} and ({_FACTS_HOLD})"
PACKED = "select id, packed, size from facts where account_id = $1 and id > $2 and id <= $3 and packed is not null"
"""The facts between two ids of which data and event are searched once they are unpacked."""
MENTIONING_DRAFTS = f"""
select id from drafts where {_BETWEEN} and {_holds("draft", as_sent=True)}
union select id from draft_events where {_BETWEEN} and {_holds("event", as_sent=True)}
"""


def of_order(erasure: Erasure) -> Script[None]:
    """Empty an order's facts, and drop what it is found under and the answers that were kept for it."""
    account, id_ = erasure.subject
    yield _EMPTY_FACTS, (account, id_, erasure.version)
    yield from _found_no_more("found_orders", account, id_, _TERMS_OF_ORDER)
    for sql in _ORDER:
        yield sql, (account, id_)
    yield from _answers(account, id_)
    yield from _dropped(account, (_OLD_ANSWERS, (account,)))


def of_text(subject: Subject, emptied: Emptied) -> Script[None]:
    """Take away the text of one fact, and of the answer that was kept to the request that made it."""
    yield _EMPTY_FACT, (*subject, emptied.ref, codec.text(Commented(id=emptied.ref)), emptied.document)
    before, after = codec.answer_start(emptied.before), codec.answer_start(emptied.answer)
    changed = Tally()
    for account, key, digest, answer, created_at, owner, hash_ in (yield _ANSWERS_OF, subject):
        if answer.startswith(before):
            text = after + answer[len(before) :]
            new = links.answer_hash(account, key, digest, text, created_at, owner)
            if (yield _CHANGE_ANSWER, (account, key, text, new, hash_)):  # else it was dropped meanwhile
                changed.count("answers", hash_, -1)
                changed.count("answers", new)
    yield from added(subject[0], changed)


def of_draft(account_id: str, draft: str, by: str, at: int) -> Script[links.Entry | None]:
    """Drop a draft, its events, and the answers that were kept for it; its id, and the hashes of its events, stay.

    Return what is to be added to the feed; None where there is no such draft.
    """
    hashes = [row[0] for row in (yield _DRAFT_HASHES, (account_id, draft))]
    yield from _found_no_more("found_drafts", account_id, draft, _TERMS_OF_DRAFT)
    for sql in _DRAFT:
        yield sql, (account_id, draft)
    yield from _answers(account_id, draft)
    if not hashes:
        return None
    total = str(sum_of(hashes))
    hash_ = links.erased_hash(account_id, draft, len(hashes), at, by, total, hashes[-1])
    yield _ERASED_DRAFT, (account_id, draft, len(hashes), at, by, total, hashes[-1], hash_, "".join(hashes))
    return links.entry(account_id, draft, len(hashes) + 1, DRAFT_ERASED, at, by, hash_)


def of_drafts(account_id: str, drafts: Sequence[str], by: str, at: int) -> Script[None]:
    """Drop drafts, each as ``of_draft`` does, and then add that to the feed, the end of which is locked last of all."""
    entries: list[links.Entry] = []
    for draft in drafts:
        entry = yield from of_draft(account_id, draft, by, at)
        entries += [] if entry is None else [entry]
    yield from feeding.added(entries)


def _found_no_more(table: str, account: str, id_: str, texts: str) -> Script[None]:
    found = set[Term]().union(*(entries_in(text or "") for (text,) in (yield texts, (account, id_))))
    yield from leading_no_more(table, account, [(*entry, compact(id_)) for entry in sorted(found)])


def forgotten(account_id: str, before: int, old_answers: str) -> Script[int]:
    """Drop the account's answers of before an instant by a statement that returns their hashes; return how many."""
    return (yield from _dropped(account_id, (old_answers, (account_id, before))))


def _answers(account_id: str, owner: str) -> Script[None]:
    """Empty the answers that were kept for an order or a draft."""
    changed = Tally()
    for account, key, _, _, created_at, _, hash_ in (yield _ANSWERS_OF, (account_id, owner)):
        new = links.answer_hash(account, key, "", "{}", created_at, owner)
        if (yield _EMPTY_ANSWER, (account, key, new, hash_)):
            changed.count("answers", hash_, -1)
            changed.count("answers", new)
    yield from added(account_id, changed)


def _dropped(account_id: str, statement: Statement) -> Script[int]:
    gone = Tally()
    rows = yield statement
    for (hash_,) in rows:
        gone.count("answers", hash_, -1)
    yield from added(account_id, gone)
    return len(rows)
