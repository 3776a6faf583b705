"""The one statement by which PostgreSQL takes a batch: every row of a subject, if its head is still as it was read."""

from collections.abc import Sequence
from functools import lru_cache

from ordre.application.lists import RECORDED_KINDS
from ordre.db import tables, tally
from ordre.db.admission import admits

_READ_AS = (("before", "bigint"), ("bound", "bigint"))
"""The version that a head or draft had when it was read, and the number of those that are written together with it, if any."""
_COMPACT = (("compact", "bytea"),)
"""The id as it stands beside terms."""
SHAPES: dict[str, Sequence[tuple[str, str]]] = {
    "head": (*tables.HEAD_COLUMNS, *_READ_AS),
    "draft": (*tables.DRAFT_COLUMNS, *_READ_AS, *_COMPACT),
    "body": (*tables.BODY_COLUMNS, *_COMPACT),
    "rewritten": (("account_id", "text"), ("id", "text")),
    "recorded": (*tables.RECORDED_COLUMNS, *_COMPACT),
    "recorded_gone": (*tables.RECORDED_COLUMNS, *_COMPACT),
    "fact": tables.FACT_COLUMNS,
    "draft_event": tables.DRAFT_EVENT_COLUMNS,
    "answer": (*tables.ANSWER_COLUMNS, ("subject", "text")),
    "tally": (*tally.COLUMNS, ("subject", "text")),
    "feed": (*tables.ENTRY_COLUMNS, ("subject", "text"), ("place", "bigint")),
}
_TABLES = {
    "body": ("order_bodies", tables.BODY_COLUMNS),
    "recorded": ("recorded_terms", tables.RECORDED_COLUMNS),
    "fact": ("facts", tables.FACT_COLUMNS),
    "draft_event": ("draft_events", tables.DRAFT_EVENT_COLUMNS),
}
_CONFLICT = {
    "body": " on conflict (account_id, id) do update"
    " set fields = excluded.fields, items = excluded.items, terms = excluded.terms"
    ", packed = excluded.packed, size = excluded.size",
    "recorded": " on conflict do nothing returning account_id, id, part",
}
_FOUND = {"body": "found_orders", "recorded": "found_orders", "draft": "found_drafts"}
_ENTRIES = """lateral (
    select entry, split_part(entry, chr(29), 1) as kind, split_part(entry, chr(29), 2) as term
    from unnest(string_to_array({terms}, chr(30))) said(entry) where entry <> '' offset 0) e"""
"""By ``offset 0`` kind and term are values for the index: what is split here could tell of rows that the policy hides."""


def _among(done: str, row: str, id_: str = "id") -> str:
    """Return the condition that the subject of a row is among those of a step.

    PostgreSQL looks it up in a table of hashes. Without ``is true`` it were a join, for which each row is compared with each.
    """
    return f"(({row}.account_id, {row}.{id_}) in (select account_id, id from {done})) is true"


@lru_cache(maxsize=128)
def statement(used: tuple[str, ...], *, held: bool, bound: bool = False) -> str:
    """Return the one statement that writes these parts. ``done`` are the subjects whose compare-and-set held.

    Where some are ``bound`` together, one that does not hold keeps the others from being written. Of those at most one is new.

    Where nothing is ``held`` yet, an order or draft that somebody else has locked counts as not as it was read: it is not waited
    for.
    """
    steps, number = [], 1
    for name in used:
        columns = SHAPES[name]
        arrays = ", ".join(f"${number + index}::{type_}[]" for index, (_, type_) in enumerate(columns))
        number += len(columns)
        steps.append(f"{name} as (select * from unnest({arrays}) as t({_names(columns)}))")
    steps += _compared(used, held=held, bound=bound)
    done = [f"select * from {name}_{how}" for name in ("head", "draft") if name in used for how in ("new", "changed")]
    done = done or ["select null::text as account_id, null::text as id where false"]
    steps.append(f"done as ({' union all '.join(done)})")
    for name, (table, columns) in _TABLES.items():
        if name in used:
            chosen = ", ".join(f"x.{column}" for column, _ in columns)
            steps.append(
                f"{name}_put as (insert into {table} ({_names(columns)}) select {chosen} from {name} x"
                f" where {_among('done', 'x')}{_CONFLICT.get(name, '')})"
            )
    steps += [_leading(name) for name in _FOUND if name in used]
    steps += _leading_no_more(used)
    if "answer" in used:
        columns = tables.ANSWER_COLUMNS
        chosen = ", ".join(f"x.{column}" for column, _ in columns)
        steps.append(
            f"answer_put as (insert into idempotency ({_names(columns)}) select {chosen} from answer x"
            f" where x.subject is null or {_among('done', 'x', 'subject')} order by x.account_id, x.key returning 1)"
        )
    if "tally" in used:
        steps.append(_tally())
    if "feed" in used:
        steps += _feed(answers="answer" in used)
    return f"with recursive {', '.join(steps)} select account_id, id from done where {admits(number)}"


def _leading(name: str) -> str:
    """Return the step that lets each entry of the texts of terms lead to what it is found under."""
    done = "((x.account_id, x.id, x.part) in (select * from recorded_put)) is true" if name == "recorded" else _among("done", "x")
    return (
        f"{name}_leading as (insert into {_FOUND[name]} (account_id, kind, term, id)"
        f" select x.account_id, e.kind, e.term, x.compact from {name} x cross join {_ENTRIES.format(terms='x.terms')}"
        f" where {done} on conflict do nothing)"
    )


def _leading_no_more(used: tuple[str, ...]) -> list[str]:
    """Return the steps by which what is not said any more does not lead to anything, nor what an earlier version wrote."""
    steps, of_it = [], "t.account_id = w.account_id and t.id = w.id"
    entry = "t.account_id = w.account_id and t.kind = e.kind and t.term = e.term"
    if "recorded_gone" in used:
        of_part = f"using recorded_gone w cross join {_ENTRIES.format(terms='w.terms')} where {_among('done', 'w')} and {entry}"
        of_row = f"using recorded_gone w where {_among('done', 'w')} and {of_it} and t.part = w.part"
        steps += [
            f"recorded_unsaid as (delete from found_orders t {of_part} and t.id = w.compact)",
            f"recorded_before as (delete from order_terms t {of_part} and t.id = w.id)",
            f"recorded_dropped as (delete from recorded_terms t {of_row})",
        ]
    if "rewritten" in used:
        steps.append(_unsaid("body", "order_bodies", " and " + _among("rewritten", "w")))
        before = f"delete from order_terms t using rewritten w where {_among('done', 'w')} and {of_it}"
        steps.append(f"body_before as ({before} and t.kind not in {RECORDED_KINDS})")
    if "draft" in used:
        steps.append(_unsaid("draft", "drafts", " and w.before > 0"))
        before = f"delete from draft_terms t using draft w where {_among('done', 'w')} and w.before > 0 and {of_it}"
        steps.append(f"draft_before as ({before})")
    return steps


def _unsaid(name: str, table: str, which: str) -> str:
    """Return the step that drops the entries of the texts that are there, but for those that are written again."""
    return (
        f"{name}_unsaid as (delete from {_FOUND[name]} t using {name} w"
        f" join {table} b on b.account_id = w.account_id and b.id = w.id cross join {_ENTRIES.format(terms='b.terms')}"
        f" where {_among('done', 'w')}{which} and t.account_id = w.account_id and t.kind = e.kind and t.term = e.term"
        " and t.id = w.compact and strpos(w.terms, chr(30) || e.entry || chr(30)) = 0)"
    )


def _tally() -> str:
    """Return the step that adds to what each account holds, of what was written: a row for each, so that nobody waits."""
    return (
        "tally_put as (insert into tallies (account_id, id, kind, count, sum)"
        " select x.account_id, gen_random_uuid()::text, x.kind, sum(x.count)::bigint, sum(x.sum::numeric)::text from tally x"
        f" where x.subject is null or {_among('done', 'x', 'subject')} group by x.account_id, x.kind)"
    )


def _feed(*, answers: bool) -> list[str]:
    """Return the steps that add to the feeds: the end of each is locked last of all, in the order of ``locks``.

    An account without a feed has no position to give, and the statement fails.
    """
    after = " and (select count(*) from answer_put) >= 0" if answers else ""
    step = "encode(sha256(convert_to({previous}.hash || e.digest, 'UTF8')), 'hex')"  # as ``chain.followed``
    entry = (
        "entry as materialized (select x.*, row_number() over (partition by x.account_id order by x.place) as nth from feed x"
        f" where {_among('done', 'x', 'subject')})"
    )
    end = (
        "feed_end as materialized (select f.account_id, f.position, f.hash from feeds f"
        f" where f.account_id in (select account_id from entry){after} order by f.account_id for update)"
    )
    link = (
        f"link (account_id, nth, hash) as (select e.account_id, e.nth, {step.format(previous='f')}"
        " from entry e join feed_end f on f.account_id = e.account_id where e.nth = 1"
        f" union all select e.account_id, e.nth, {step.format(previous='l')}"
        " from link l join entry e on e.account_id = l.account_id and e.nth = l.nth + 1)"
    )
    put = (
        "feed_put as (insert into feed (account_id, position, id, version, kind, at, actor, hash)"
        " select e.account_id, f.position + e.nth, e.id, e.version, e.kind, e.at, e.actor, l.hash from entry e"
        " left join feed_end f on f.account_id = e.account_id left join link l on l.account_id = e.account_id and l.nth = e.nth)"
    )
    moved = (
        "feed_moved as (update feeds f set position = f.position + l.nth, hash = l.hash"
        " from (select distinct on (account_id) * from link order by account_id, nth desc) l where f.account_id = l.account_id)"
    )
    return [entry, end, link, put, moved]


def _compared(used: tuple[str, ...], *, held: bool, bound: bool) -> list[str]:
    """Return the steps that lock what is there, and then write what is as it was read: what is new, then what was there.

    Where some are ``bound`` together, ``apart`` has the numbers of those of which one was not there as it was read, and
    ``apart_new`` besides of those whose new order somebody else has made.
    """
    both = [name for name in ("head", "draft") if name in used]
    steps = [_locked(name, held=held) for name in both]
    if bound:
        lost = [
            f"select bound from {name} h where before > 0 and bound > -1 and not {_among(f'{name}_locked', 'h')}" for name in both
        ]
        steps.append(f"apart as (select null::bigint as bound where false union all {' union all '.join(lost)})")
    steps += [_new(name, " and (bound is null or bound not in (select bound from apart))" if bound else "") for name in both]
    if bound:
        lost = [
            f"select bound from {name} h where before = 0 and bound > -1 and not {_among(f'{name}_new', 'h')}" for name in both
        ]
        steps.append(f"apart_new as (select bound from apart union all {' union all '.join(lost)})")
    return steps + [
        _changed(name, " and (h.bound is null or h.bound not in (select bound from apart_new))" if bound else "") for name in both
    ]


_SUBJECTS = {
    "head": ("orders", tables.HEAD_COLUMNS, tables.CHANGING_COLUMNS, "order_id"),
    "draft": ("drafts", tables.DRAFT_COLUMNS, tables.CHANGING_DRAFT_COLUMNS, "id"),
}
"""The table, its columns, those that change, and the one in the order of which new rows are made."""


def _locked(name: str, *, held: bool) -> str:
    """Return the step that locks those still as they were read, in the order of ``locks``."""
    return (
        f"{name}_locked as materialized (select o.account_id, o.id from {_SUBJECTS[name][0]} o join {name} h"
        " on o.account_id = h.account_id and o.id = h.id and o.version = h.before"
        f" where h.before > 0 order by o.account_id, o.id for update of o{'' if held else ' skip locked'})"
    )


def _new(name: str, but: str) -> str:
    """Return the step that inserts new rows."""
    table, columns, _, by = _SUBJECTS[name]
    return (
        f"{name}_new as (insert into {table} ({_names(columns)}) select {_names(columns)} from {name} where before = 0{but}"
        f" order by account_id, {by} on conflict do nothing returning account_id, id)"
    )


def _changed(name: str, but: str) -> str:
    """Return the step that changes those that were locked."""
    table, _, changing, _ = _SUBJECTS[name]
    assigned = ", ".join(f"{column} = h.{column}" for column in changing)
    return (
        f"{name}_changed as (update {table} o set {assigned} from {name} h where {_among(f'{name}_locked', 'h')}{but}"
        " and o.account_id = h.account_id and o.id = h.id returning o.account_id, o.id)"
    )


def _names(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in columns)
