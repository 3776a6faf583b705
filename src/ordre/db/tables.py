"""The columns of the tables that a batch writes, with their types, and the rows for them."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from ordre.application.change import HeldDraft, HeldOrder
from ordre.application.lists import Term
from ordre.application.views import FactRow, Subject
from ordre.db import codec, queries
from ordre.db.packing import in_row
from ordre.db.tally import Kind
from ordre.db.terms import compact, text_of

HEAD_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("order_id", "text"),
    ("version", "bigint"),
    ("status", "text"),
    ("payment_status", "text"),
    ("currency", "text"),
    ("gross_amount", "bigint"),
    ("net_amount", "bigint"),
    ("created_at", "bigint"),
    ("updated_at", "bigint"),
    ("expires_at", "bigint"),
    ("head", "text"),
    ("hash", "text"),
)
CHANGING_COLUMNS = tuple(name for name, _ in HEAD_COLUMNS if name not in ("account_id", "id", "order_id", "created_at"))
_FACT_TYPES = {"version": "bigint", "at": "bigint", "packed": "bytea", "size": "bigint"}
FACT_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    *((name, _FACT_TYPES.get(name, "text")) for name in queries.FACT_FIELDS.split(", ")),
)
"""Of a row that is an order's subject and a ``FactRow``, as it is stored."""
BODY_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("fields", "text"),
    ("items", "text"),
    ("terms", "text"),
    ("packed", "bytea"),
    ("size", "bigint"),
)
RECORDED_COLUMNS = (("account_id", "text"), ("id", "text"), ("part", "text"), ("terms", "text"))
FOUND_COLUMNS = (("account_id", "text"), ("kind", "text"), ("term", "text"), ("id", "bytea"))
DRAFT_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("version", "bigint"),
    ("status", "text"),
    ("created_at", "bigint"),
    ("updated_at", "bigint"),
    ("net_amount", "bigint"),
    ("expires_at", "bigint"),
    ("draft", "text"),
    ("hash", "text"),
    ("terms", "text"),
)
CHANGING_DRAFT_COLUMNS = ("version", "status", "updated_at", "net_amount", "expires_at", "draft", "hash", "terms")
DRAFT_EVENT_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("version", "bigint"),
    ("at", "bigint"),
    ("actor", "text"),
    ("event", "text"),
    ("salt", "text"),
    ("digest", "text"),
    ("state", "text"),
    ("hash", "text"),
)
ENTRY_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("version", "bigint"),
    ("kind", "text"),
    ("at", "bigint"),
    ("actor", "text"),
    ("digest", "text"),
)
"""Of a ``links.Entry``. The feed gives it its position, and a hash in the place of its digest."""
ANSWER_COLUMNS = (
    ("account_id", "text"),
    ("key", "text"),
    ("digest", "text"),
    ("answer", "text"),
    ("created_at", "bigint"),
    ("owner", "text"),
    ("hash", "text"),
)


def head_row(subject: Subject, held: HeldOrder) -> tuple[object, ...]:
    """Return the order's row, in the order of ``HEAD_COLUMNS``."""
    columns = codec.order_columns(held.order)
    return (subject[0], *columns.values(), codec.text(held.order), held.hash)


def draft_row(subject: Subject, held: HeldDraft, terms: str) -> tuple[object, ...]:
    """Return the draft's row, in the order of ``DRAFT_COLUMNS``."""
    draft = held.draft
    times = (draft.created.at, draft.updated_at)
    sums = (draft.totals.net, draft.expires_at)
    return (*subject, draft.version, draft.status.value, *times, *sums, codec.text(draft), held.hash, terms)


def body_rows(bodies: Mapping[Subject, tuple[str, str, str]]) -> list[tuple[object, ...]]:
    """Return the rows of bodies as they are stored, in the order of ``BODY_COLUMNS``."""
    rows: list[tuple[object, ...]] = []
    for subject, (fields, items, terms) in bodies.items():
        fields, items, packed, size = in_row(fields, items)  # noqa: PLW2901 - as they are stored
        rows.append((*subject, fields, items, terms, packed, size))
    return rows


def fact_rows(facts: Iterable[tuple[Subject, FactRow]]) -> list[tuple[object, ...]]:
    """Return the rows of facts as they are stored, in the order of ``FACT_COLUMNS``."""
    rows: list[tuple[object, ...]] = []
    for subject, fact in facts:
        data, event, packed, size = in_row(fact.data, fact.event)
        rows.append((*subject, *fact._replace(data=data, event=event), packed, size))
    return rows


def tally_rows(tallies: Mapping[tuple[str, str | None, Kind], Sequence[int]]) -> list[tuple[object, ...]]:
    """Return the rows to be added to the tallies of accounts, in the order of ``tally.COLUMNS``."""
    return [(account_id, kind, count, str(total), subject) for (account_id, subject, kind), (count, total) in tallies.items()]


def recorded_rows(recorded: Mapping[Subject, Mapping[str, Collection[Term]]]) -> list[tuple[str, str, str, str]]:
    """Return the rows for the terms of what was recorded on orders, in the order of ``RECORDED_COLUMNS``."""
    return [(*subject, part, text_of(terms)) for subject, parts in recorded.items() for part, terms in parts.items()]


def found_rows(subject: Subject, entries: Collection[Term]) -> list[tuple[object, ...]]:
    """Return the rows that lead from terms to an order or draft, in the order of ``FOUND_COLUMNS``."""
    return [(subject[0], *entry, compact(subject[1])) for entry in sorted(entries)]
