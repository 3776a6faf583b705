"""The log of administration: who made or changed which account, client, key or schema, chained as the facts of an order are.

An act holds a digest of the row as it stands after it, so that a row that is changed, added or taken away behind Ordre's back is
found: see ``db/verify_acts.py``.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ordre.application.directory import Act
from ordre.auth.sealing import is_sealed
from ordre.db import binding, feeding, locks
from ordre.db.admission import ADMIT_ALL
from ordre.db.schema import ADD_APPLIED, Engine, Migration
from ordre.db.scripts import Script
from ordre.db.terms import Statement
from ordre.domain.chain import START, digest

BEGINS_WITH = 10
"""The migration that makes the log."""
_SECRET = ("secret_digest", "earlier_digest", "jwk")
_ACT_COLUMNS = "number, at, actor, act, kind, account, subject, detail, digest, hash"
ACTS = f"select {_ACT_COLUMNS} from acts order by number"
ACTS_OF = f"select {_ACT_COLUMNS} from acts where account = $1 order by number"
_LAST = "select number, hash from acts order by number desc limit 1"
_ADD = f"insert into acts ({_ACT_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
ACTED = "select number from acts where kind <> 'migration'"
"""Acts on more than the schema."""
_LAST_ON_KEY = "select digest from acts where kind = 'key' and subject = $1 order by number desc limit 1"
_SUBJECTS = "select subject from acts where kind = $1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A table whose rows acts bind. ``columns`` are those that only acts change; ``key`` names a row within its account."""

    kind: str
    table: str
    key: str
    columns: tuple[str, ...]
    made: str = "created"

    @property
    def select(self) -> str:
        """The query for all of its rows."""
        return f"select {', '.join(self.columns)} from {self.table} order by {self.key}"

    @property
    def select_of_account(self) -> str:
        """The query for the rows of the account $1."""
        return f"select {', '.join(self.columns)} from {self.table} where account_id = $1 order by {self.key}"

    def one(self, key: Sequence[object]) -> Statement:
        """Return the query for one row: by its account too, where the key is two values."""
        named = ("account_id", self.key) if len(key) > 1 else (self.key,)
        where = " and ".join(f"{name} = ${place}" for place, name in enumerate(named, 1))
        return f"select {', '.join(self.columns)} from {self.table} where {where}", tuple(key)

    def named(self, row: Sequence[object]) -> dict[str, Any]:
        """Return a row by its columns."""
        return dict(zip(self.columns, row, strict=True))

    def digest(self, row: Mapping[str, object]) -> str:
        """Return the digest of a row. What is null is left out, so that a new column changes no digest."""
        held = [(name, str(row[name])) for name in self.columns if row[name] is not None]
        return digest("", self.table, *(part for pair in held for part in pair))

    def place(self, row: Mapping[str, object]) -> tuple[str, str]:
        """Return the account and the subject under which acts on a row stand."""
        return str(row.get("account_id", "")), str(row[self.key])


ACCOUNT = Bound(kind="account", table="accounts", key="account_id", columns=("account_id", "name", "created_at", "disabled_at"))
"""Beside it: ``next_serial``, which orders draw from, and ``terms_version``."""
CLIENT = Bound(
    kind="client",
    table="clients",
    key="client_id",
    columns=(
        "account_id",
        "client_id",
        "name",
        "scopes",
        "secret_digest",
        "created_at",
        "disabled_at",
        "earlier_digest",
        "earlier_until",
    ),
)
"""Beside it: ``last_used_on``, which every token changes."""
KEY = Bound(kind="key", table="signing_keys", key="kid", columns=("kid", "jwk", "created_at", "retired_at"))
MIGRATION = Bound(
    kind="migration",
    table="schema_migrations",
    key="number",
    columns=("number", "name", "digest", "compatible_with"),
    made="applied",
)
"""Beside it: ``applied_at``, by which a server tries whether the database takes writes again."""
ALL = (ACCOUNT, CLIENT, KEY, MIGRATION)


def chained(previous: str, act: Act) -> str:
    """Return the hash of an act that follows the act with the hash ``previous``."""
    numbers, texts = (
        (str(act.number), str(act.at)),
        (act.by, act.act, act.kind, act.account_id, act.subject, act.detail, act.digest),
    )
    return digest("act", previous, *numbers, *texts)


def act_from(row: Sequence[Any]) -> Act:
    """Return the act of a row of ``ACTS``."""
    number, at, actor, act, kind, account, subject, detail, held, hash_ = row
    return Act(
        number=number,
        at=at,
        by=actor,
        act=act,
        kind=kind,
        account_id=account,
        subject=subject,
        detail=detail,
        digest=held,
        hash=hash_,
    )


def put(bound: Bound, key: Sequence[object], statement: Statement, by: str, at: int, engine: Engine) -> Script[bool]:
    """Run a statement that changes one row, and log what it came to; return whether it changed anything."""
    if engine == "postgres":
        yield locks.timeout(locks.LOG_SECONDS), ()
        yield "select pg_advisory_xact_lock($1)", (locks.LOG,)
    before = yield bound.one(key)
    yield statement
    (after,) = yield bound.one(key)
    row = bound.named(after)
    said = _said(bound, bound.named(before[0]) if before else None, row)
    if said is None:
        return False
    yield from _log(bound, row, *said, by, at)
    return True


def migrated(steps: Iterable[Migration], ran: Collection[int], by: str, at: int, engine: Engine) -> Script[None]:
    """Record migrations, and log them. ``ran`` are the numbers of those that were run on what is there, which is bound by now."""
    for step in steps:
        yield ADD_APPLIED, step.row(at)
    if binding.BEGINS_WITH in ran:
        yield from binding.begun(engine)
    if feeding.BEGINS_WITH in ran:
        yield from feeding.begun(engine)
    if BEGINS_WITH in ran:
        if engine == "postgres":
            yield ADMIT_ALL, ()
        for bound in (ACCOUNT, CLIENT, KEY):
            for row in (yield bound.select, ()):
                yield from _log(bound, bound.named(row), "found", {}, by, at)
    logged = {row[0] for row in (yield _SUBJECTS, (MIGRATION.kind,))}
    for row in (yield MIGRATION.select, ()):
        named = MIGRATION.named(row)
        if MIGRATION.place(named)[1] not in logged:
            yield from _log(MIGRATION, named, MIGRATION.made, {"name": named["name"]}, by, at)


def restored(kid: str, by: str, at: int) -> Script[None]:
    """Log that a restore stores a key otherwise than the database did that was backed up, if so."""
    last = yield _LAST_ON_KEY, (kid,)
    (row,) = yield KEY.one((kid,))
    named = KEY.named(row)
    if not last or KEY.digest(named) != last[0][0]:
        yield from _log(KEY, named, "restored", {}, by, at)


def _log(bound: Bound, row: Mapping[str, object], act: str, detail: Mapping[str, object], by: str, at: int) -> Script[None]:
    last = yield _LAST, ()
    number, previous = last[0] if last else (0, START)
    account, subject = bound.place(row)
    made = Act(
        number=number + 1,
        at=at,
        by=by,
        act=act,
        kind=bound.kind,
        account_id=account,
        subject=subject,
        detail=msgspec.json.encode(detail).decode(),
        digest=bound.digest(row),
        hash="",
    )
    texts = (made.by, made.act, made.kind, made.account_id, made.subject, made.detail, made.digest)
    yield _ADD, (made.number, made.at, *texts, chained(previous, made))


def _said(bound: Bound, before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> tuple[str, dict[str, object]] | None:
    """Return in a word what became of a row, and its columns: as they are, or from what to what they changed. None: nothing."""
    if before is None:
        beside = ("account_id", bound.key, *_SECRET)
        return bound.made, {name: value for name, value in after.items() if value is not None and name not in beside}
    changed = {name: [before[name], after[name]] for name in bound.columns if before[name] != after[name]}
    if not changed:
        return None
    return _word(changed, after), {name: "changed" if name in _SECRET else pair for name, pair in changed.items()}


def _word(changed: Mapping[str, object], after: Mapping[str, Any]) -> str:
    if "disabled_at" in changed:
        return "enabled" if after["disabled_at"] is None else "disabled"
    if "secret_digest" in changed:
        return "rotated"
    if "retired_at" in changed:
        return "retired"
    if "jwk" in changed:
        return "encrypted" if is_sealed(after["jwk"]) else "decrypted"
    return "changed"
