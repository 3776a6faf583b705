"""Chains, hashes and counts, when a database is migrated, what was written before that was done at each write."""

from itertools import chain

from ordre.application.change import DraftEvent
from ordre.db import links, tally
from ordre.db.admission import ADMIT
from ordre.db.schema import Engine
from ordre.db.scripts import Script
from ordre.db.tally import Tally, sum_of
from ordre.domain.chain import START

BEGINS_WITH = 12
"""The migration that makes the columns and tables for it."""
_FACTS_AT_ONCE = 10_000
_ROWS_AT_ONCE = 500
_ACCOUNTS = "select account_id from accounts order by account_id"
_FACTS = f"""
select id, version, hash from facts where account_id = $1 and id >= $2 and (id > $2 or version > $3)
order by id, version limit {_FACTS_AT_ONCE}
"""
_DRAFTS = f"select id, draft from drafts where account_id = $1 and id > $2 order by id limit {_ROWS_AT_ONCE}"
_EVENTS = "select version, at, actor, event from draft_events where account_id = $1 and id = $2 order by version"
_CHAIN_EVENT = """
update draft_events set salt = $4, digest = $5, state = $6, hash = $7 where account_id = $1 and id = $2 and version = $3
"""
_CHAIN_DRAFT = "update drafts set hash = $3 where account_id = $1 and id = $2"
_ANSWERS = f"""
select {links.ANSWER_COLUMNS} from idempotency where account_id = $1 and key > $2 order by key limit {_ROWS_AT_ONCE}
"""


def begun(engine: Engine) -> Script[None]:
    """Chain every draft, give every answer its hash, and count what each account holds."""
    for (account_id,) in (yield _ACCOUNTS, ()):
        if engine == "postgres":
            yield ADMIT, (account_id,)
        found = yield from _facts(account_id)
        found.add((yield from _drafts(account_id)))
        found.add((yield from _answers(account_id)))
        yield from tally.added(account_id, found)


def _facts(account_id: str) -> Script[Tally]:
    found, after = Tally(), ("", 0)
    while rows := (yield _FACTS, (account_id, *after)):
        after = rows[-1][0], rows[-1][1]
        found.put("facts", len(rows), sum_of(row[2] for row in rows))
    return found


def _drafts(account_id: str) -> Script[Tally]:
    found, after = Tally(), ""
    while drafts := (yield _DRAFTS, (account_id, after)):
        after = drafts[-1][0]
        for id_, text in drafts:
            hash_ = START
            for version, at, actor, event in (yield _EVENTS, (account_id, id_)):
                said = DraftEvent(version=version, at=at, by=actor, event=event)
                *_, salt, digest, state, hash_ = links.event_row(account_id, id_, hash_, said, text)
                yield _CHAIN_EVENT, (account_id, id_, version, salt, digest, state, hash_)
                found.count("events", hash_)
            yield _CHAIN_DRAFT, (account_id, id_, hash_)
    return found


def _answers(account_id: str) -> Script[Tally]:
    found, after = Tally(), ""
    while answers := (yield _ANSWERS, (account_id, after)):
        after = answers[-1][1]
        hashes = [links.answer_hash(*row) for row in answers]
        pairs = zip((row[1] for row in answers), hashes, strict=True)
        yield _bind_answers(len(hashes)), (account_id, *chain.from_iterable(pairs))
        for hash_ in hashes:
            found.count("answers", hash_)
    return found


def _bind_answers(count: int) -> str:
    rows = ", ".join(f"(${place}, ${place + 1})" for place in range(2, 2 + 2 * count, 2))
    return f"update idempotency set hash = column2 from (values {rows}) bound where account_id = $1 and key = column1"
