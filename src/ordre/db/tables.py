"""The columns of the tables that a batch writes, with their types, and the rows for them."""

from collections.abc import Mapping

from ordre.application.ports import HeldDraft, HeldOrder
from ordre.db import codec
from ordre.db.batch import Subject

HEAD_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("order_id", "text"),
    ("order_number", "text"),
    ("version", "bigint"),
    ("status", "text"),
    ("payment_status", "text"),
    ("currency", "text"),
    ("gross_amount", "bigint"),
    ("net_amount", "bigint"),
    ("customer_id", "text"),
    ("created_at", "bigint"),
    ("updated_at", "bigint"),
    ("expires_at", "bigint"),
    ("head", "text"),
    ("hash", "text"),
)
CHANGING_COLUMNS = tuple(name for name, _ in HEAD_COLUMNS if name not in ("account_id", "id", "order_id", "created_at"))
FACT_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("version", "bigint"),
    ("type", "text"),
    ("at", "bigint"),
    ("actor", "text"),
    ("ref", "text"),
    ("data", "text"),
    ("document", "text"),
    ("event", "text"),
    ("salt", "text"),
    ("digest", "text"),
    ("hash", "text"),
)
BODY_COLUMNS = (("account_id", "text"), ("id", "text"), ("fields", "text"), ("items", "text"))
STORE_COLUMNS = (("account_id", "text"), ("store_id", "text"), ("id", "text"))
DRAFT_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("version", "bigint"),
    ("status", "text"),
    ("created_at", "bigint"),
    ("updated_at", "bigint"),
    ("draft", "text"),
)
DRAFT_EVENT_COLUMNS = (
    ("account_id", "text"),
    ("id", "text"),
    ("version", "bigint"),
    ("at", "bigint"),
    ("actor", "text"),
    ("event", "text"),
)
ANSWER_COLUMNS = (
    ("account_id", "text"),
    ("key", "text"),
    ("digest", "text"),
    ("answer", "text"),
    ("created_at", "bigint"),
)


def head_row(subject: Subject, held: HeldOrder) -> tuple[object, ...]:
    """Return the order's row, in the order of ``HEAD_COLUMNS``."""
    columns = codec.order_columns(held.order)
    return (subject[0], *columns.values(), codec.text(held.order), held.hash)


def draft_row(subject: Subject, held: HeldDraft) -> tuple[object, ...]:
    """Return the draft's row, in the order of ``DRAFT_COLUMNS``."""
    draft = held.draft
    times = (draft.created.at, draft.updated_at)
    return (*subject, draft.version, draft.status.value, *times, codec.text(draft))


def store_rows(stores: Mapping[Subject, tuple[str, ...]]) -> list[tuple[object, ...]]:
    """Return the rows by which orders are found under their stores, in the order of ``STORE_COLUMNS``."""
    return [(account_id, store, id_) for (account_id, id_), named in stores.items() for store in named]
