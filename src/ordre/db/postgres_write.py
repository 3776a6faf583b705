"""The one statement by which PostgreSQL takes a batch: every row of a subject, if its head is still as it was read."""

from collections.abc import Sequence
from functools import lru_cache

from ordre.application.lists import RECORDED_KINDS
from ordre.db import tables, tally
from ordre.db.admission import admits

SHAPES: dict[str, Sequence[tuple[str, str]]] = {
    "head": (*tables.HEAD_COLUMNS, ("before", "bigint")),
    "draft": (*tables.DRAFT_COLUMNS, ("before", "bigint")),
    "body": tables.BODY_COLUMNS,
    "term": tables.TERM_COLUMNS,
    "term_gone": tables.TERM_COLUMNS,
    "draft_term": tables.TERM_COLUMNS,
    "fact": tables.FACT_COLUMNS,
    "draft_event": tables.DRAFT_EVENT_COLUMNS,
    "answer": (*tables.ANSWER_COLUMNS, ("subject", "text")),
    "tally": (*tally.COLUMNS, ("subject", "text")),
}
_TABLES = {
    "body": "order_bodies",
    "term": "order_terms",
    "draft_term": "draft_terms",
    "fact": "facts",
    "draft_event": "draft_events",
}
_CONFLICT = {
    "body": " on conflict (account_id, id) do update set fields = excluded.fields, items = excluded.items",
    "term": " on conflict do nothing",
    "draft_term": " on conflict do nothing",
}


def _terms_unsaid(part: str, owner: str, but: str, *, named: bool) -> str:
    """Return the step that deletes the terms of what is written anew, but for those that are written again."""
    of_it = "t.account_id = w.account_id and t.id = w.id"
    gone = f"delete from {_TABLES[part]} t using {owner} w where {_among('done', 'w')} and {of_it}"
    again = f" and (t.account_id, t.id, t.kind, t.term) not in (select account_id, id, kind, term from {part})"
    return f"{part}_unsaid as ({gone}{but}{again if named else ''})"


def _among(done: str, row: str, id_: str = "id") -> str:
    """Return the condition that the subject of a row is among those of a step.

    PostgreSQL looks it up in a table of hashes. Without ``is true`` it were a join, for which each row is compared with each.
    """
    return f"(({row}.account_id, {row}.{id_}) in (select account_id, id from {done})) is true"


@lru_cache(maxsize=128)
def statement(used: tuple[str, ...], *, held: bool) -> str:
    """Return the one statement that writes these parts. ``done`` are the subjects whose compare-and-set held.

    Where nothing is ``held`` yet, an order or draft that somebody else has locked counts as not as it was read: it is not waited
    for.
    """
    steps, number = [], 1
    for name in used:
        columns = SHAPES[name]
        arrays = ", ".join(f"${number + index}::{type_}[]" for index, (_, type_) in enumerate(columns))
        number += len(columns)
        steps.append(f"{name} as (select * from unnest({arrays}) as t({_names(columns)}))")
    done = ["select null::text as account_id, null::text as id where false"]
    if "head" in used:
        steps += _compare_and_set("head", "orders", tables.HEAD_COLUMNS, tables.CHANGING_COLUMNS, by="order_id", held=held)
        done += ["select * from head_new", "select * from head_changed"]
    if "draft" in used:
        steps += _compare_and_set("draft", "drafts", tables.DRAFT_COLUMNS, tables.CHANGING_DRAFT_COLUMNS, by="id", held=held)
        done += ["select * from draft_new", "select * from draft_changed"]
    steps.append(f"done as ({' union all '.join(done)})")
    for name, table in _TABLES.items():
        if name in used:
            columns = SHAPES[name]
            chosen = ", ".join(f"x.{column}" for column, _ in columns)
            steps.append(
                f"{name}_put as (insert into {table} ({_names(columns)}) select {chosen} from {name} x"
                f" where {_among('done', 'x')}{_CONFLICT.get(name, '')})"
            )
    steps += _terms_gone(used)
    if "answer" in used:
        columns = tables.ANSWER_COLUMNS
        chosen = ", ".join(f"x.{column}" for column, _ in columns)
        steps.append(
            f"answer_put as (insert into idempotency ({_names(columns)}) select {chosen} from answer x"
            f" where x.subject is null or {_among('done', 'x', 'subject')} order by x.account_id, x.key)"
        )
    if "tally" in used:
        steps.append(_tally())
    return f"with {', '.join(steps)} select account_id, id from done where {admits(number)}"


def _terms_gone(used: tuple[str, ...]) -> list[str]:
    """Return the steps that delete the terms under which nothing is found any more."""
    steps = []
    if "term_gone" in used:
        steps.append(
            f"term_dropped as (delete from order_terms t using term_gone x where {_among('done', 'x')}"
            " and t.account_id = x.account_id and t.id = x.id and t.kind = x.kind and t.term = x.term)"
        )
    if "body" in used:
        steps.append(_terms_unsaid("term", "body", f" and t.kind not in {RECORDED_KINDS}", named="term" in used))
    if "draft" in used:
        steps.append(_terms_unsaid("draft_term", "draft", "", named="draft_term" in used))
    return steps


def _tally() -> str:
    """Return the step that adds to what each account holds, of what was written: a row for each, so that nobody waits."""
    return (
        "tally_put as (insert into tallies (account_id, id, kind, count, sum)"
        " select x.account_id, gen_random_uuid()::text, x.kind, sum(x.count)::bigint, sum(x.sum::numeric)::text from tally x"
        f" where x.subject is null or {_among('done', 'x', 'subject')} group by x.account_id, x.kind)"
    )


def _compare_and_set(
    name: str, table: str, columns: Sequence[tuple[str, str]], changing: Sequence[str], *, by: str, held: bool
) -> list[str]:
    """Return the steps that insert new rows and change those still as they were read, locked in the order of ``locks``.

    ``by`` is the column in the order of which new rows are made.
    """
    new = (
        f"{name}_new as (insert into {table} ({_names(columns)}) select {_names(columns)} from {name} where before = 0"
        f" order by account_id, {by} on conflict do nothing returning account_id, id)"
    )
    locked = (
        f"{name}_locked as materialized (select o.account_id, o.id from {table} o join {name} h"
        " on o.account_id = h.account_id and o.id = h.id and o.version = h.before"
        f" where h.before > 0 order by o.account_id, o.id for update of o{'' if held else ' skip locked'})"
    )
    assigned = ", ".join(f"{column} = h.{column}" for column in changing)
    changed = (
        f"{name}_changed as (update {table} o set {assigned} from {name} h where {_among(f'{name}_locked', 'h')}"
        " and o.account_id = h.account_id and o.id = h.id returning o.account_id, o.id)"
    )
    return [new, locked, changed]


def _names(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(name for name, _ in columns)
