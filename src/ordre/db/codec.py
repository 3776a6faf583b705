"""Orders, facts and drafts to rows and back: compact JSON of the domain's own values."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from ordre.application.change import Answer, DraftEvent, EarlierFact, HeldDraft, NewFact
from ordre.application.views import FactRow
from ordre.db.packing import from_row
from ordre.domain.chain import Link, digest_of_body, linked
from ordre.domain.draft import Draft
from ordre.domain.ledger import payment_status
from ordre.domain.lines import totals
from ordre.domain.order.facts import (
    FACTS,
    Fact,
)
from ordre.domain.order.order import Order
from ordre.domain.order.parts import Content, JsonFields, Moment

UNREADABLE = (KeyError, ValueError, msgspec.MsgspecError)
"""The exceptions of reading what somebody tampered with; `ordre verify` names it."""
SEPARATOR = "\x1e"
"""Between documents in one column. JSON text never holds it: control characters are escaped."""


_encode = msgspec.json.Encoder().encode
_decode_order = msgspec.json.Decoder(Order).decode
_decode_draft = msgspec.json.Decoder(Draft).decode
_decode_answer = msgspec.json.Decoder(Answer).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_items = msgspec.json.Decoder(list[dict[str, msgspec.Raw]]).decode
_decode_facts: dict[str, msgspec.json.Decoder[Any]] = {name: msgspec.json.Decoder(fact) for name, fact in FACTS.items()}


def text(value: Order | Draft | Answer | Fact) -> str:
    """Return the value as compact JSON."""
    return _encode(value).decode()


def order_from(head: str | bytes) -> Order:
    """Return the order that ``text`` wrote."""
    return _decode_order(head)


def draft_from(stored: str) -> Draft:
    """Return the draft that ``text`` wrote."""
    return _decode_draft(stored)


def held_draft(stored: str, events: str | None, hash_: str) -> HeldDraft:
    """Return a draft with its events as the queries join them: version, instant and actor are one word each, then the event."""
    found = [entry.split(" ", 3) for entry in events.split(SEPARATOR)] if events else []
    listed = tuple(DraftEvent(version=int(version), at=int(at), by=by, event=event) for version, at, by, event in found)
    return HeldDraft(draft=draft_from(stored), hash=hash_, events=listed)


def answer_from(stored: str) -> Answer:
    """Return the answer that ``text`` wrote."""
    return _decode_answer(stored)


def answer_start(document: str) -> str:
    """Return the beginning of the stored answer with this document."""
    return f'{{"document":{_encode(document).decode()}'


def fact_from(type_: str, data: str) -> Fact:
    """Return the fact that ``text`` wrote under this type."""
    fact: Fact = _decode_facts[type_].decode(data)
    return fact


def earlier_fact(type_: str, document: str, columns: Sequence[Any]) -> EarlierFact:
    """Return an earlier fact by its type, its document and its ``queries.PACKED_FIELDS``."""
    return EarlierFact(fact=fact_from(type_, from_row(*columns)[0]), document=document)


def readable_fact(type_: str, data: str) -> Fact | None:
    """Return the fact that ``text`` wrote under this type; None where somebody changed it, so that it is none."""
    with suppress(*UNREADABLE):
        return fact_from(type_, data)
    return None


def moment_of(row: FactRow) -> Moment:
    """Return when the fact of a row was made, and by whom."""
    return Moment(at=row.at, by=row.actor)


def fields_text(fields: JsonFields) -> str:
    """Return frozen fields as one JSON object, without parsing any."""
    return "{" + ",".join(f"{_encode(name).decode()}:{value}" for name, value in fields.items()) + "}"


def items_text(items: Mapping[int, JsonFields]) -> str:
    """Return frozen items as one JSON array, without parsing any."""
    return "[" + ",".join(fields_text(item) for item in items.values()) + "]"


def content_from(fields: str, items: str) -> Content:
    """Return the content that was stored as two JSON texts; each value stays the text that it was."""
    parsed = [_frozen(item) for item in _decode_items(items)]
    return Content(fields=_frozen(_decode_fields(fields)), items={int(item["line_id"]): item for item in parsed})


def _frozen(fields: Mapping[str, msgspec.Raw]) -> JsonFields:
    return {name: str(bytes(value), "utf-8") for name, value in fields.items()}


def order_columns(order: Order) -> dict[str, object]:
    """Return the columns that lists filter by: copies of values of the order, never read back as truth."""
    sums = totals(order.lines.values())
    return {
        "id": order.id,
        "order_id": order.order_id,
        "version": order.version,
        "status": order.status.value,
        "payment_status": payment_status(order.lines).value,
        "currency": order.currency,
        "gross_amount": sums.gross,
        "net_amount": sums.net,
        "created_at": order.created.at,
        "updated_at": order.updated_at,
        "expires_at": order.expires_at,
    }


def fact_row(account_id: str, order: str, previous: str, new: NewFact) -> FactRow:
    """Return the fact as a row, chained to the one before it with a fresh salt."""
    data, salt = text(new.fact), os.urandom(16).hex()
    body = digest_of_body(salt, data, new.document, new.event)
    row = FactRow(
        version=new.version,
        type=new.fact.type,
        at=new.at,
        actor=new.by,
        ref=new.fact.ref,
        data=data,
        document=new.document,
        event=new.event,
        salt=salt,
        digest=body,
        hash="",
    )
    return row._replace(hash=linked(previous, link_of(account_id, order, row)))


def fact_of(row: Sequence[Any]) -> FactRow:
    """Return the fact of a row of ``queries.FACT_FIELDS``."""
    *fields, packed, size = row
    fact = FactRow(*fields)
    data, event = from_row(fact.data, fact.event, packed, size)
    return fact if data is fact.data and event is fact.event else fact._replace(data=data, event=event)


def link_of(account_id: str, order: str, row: FactRow) -> Link:
    """Return a fact's place in its chain."""
    return Link(
        account_id=account_id, order=order, version=row.version, type=row.type, at=row.at, actor=row.actor, digest=row.digest
    )
