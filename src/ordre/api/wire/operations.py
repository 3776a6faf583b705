"""Payment operations: one shape, four kinds; and payment sessions."""

from hashlib import sha256
from typing import Annotated

from msgspec import UNSET, Meta, field

from ordre.api.wire.common import (
    Amount,
    AnyJson,
    DateTime,
    LineId,
    LineText,
    Link,
    Maybe,
    Metadata,
    OperationId,
    ShortText,
    Text,
    Wire,
    given,
    json_fields,
    json_text,
    without_nulls,
)
from ordre.api.wire.item_parts import Conversion
from ordre.domain.ledger import Kind
from ordre.domain.order.parts import JsonFields
from ordre.domain.order.paying import Record, StartSession


class OperationPayout(Wire):
    """How an operation's amount is paid out.

    Attributes:
        rule_id: The rule that shares the payout out
        rule_type: The kind of that rule
        destinations: Who is paid how much, such as `{"destination", "amount"}`: of any shape, kept as it was sent
    """

    rule_id: Maybe[ShortText] = UNSET
    rule_type: Maybe[ShortText] = UNSET
    destinations: Maybe[list[AnyJson]] = UNSET


class OperationItem(Conversion, kw_only=True):
    """How much of one line.

    Attributes:
        line_id: The order line
        amount: How much of the line, with the line's sign; not zero, and no more than remains
        payout: Who this amount is paid out to
    """

    line_id: LineId
    amount: Amount
    payout: Maybe[OperationPayout] = UNSET


class Card(Wire):
    """The card that was used.

    Attributes:
        masked_pan: The card's number, most digits hidden
        type: The kind of card
        brand: The card's brand
        metadata: Anything of yours, a JSON object of at most 16 KiB
    """

    masked_pan: Maybe[ShortText] = UNSET
    type: Maybe[ShortText] = UNSET
    brand: Maybe[ShortText] = UNSET
    metadata: Maybe[Metadata] = UNSET


class OperationPayment(Wire):
    """The payment behind an operation, at the payment service.

    Attributes:
        psp: The payment service provider
        payment_id: The payment's id there; lists find the order by it
        payment_product: What the customer paid with
        payment_product_type: A finer word for it
        card: The card that was used
    """

    psp: Maybe[ShortText] = UNSET
    payment_id: Maybe[ShortText] = UNSET
    payment_product: Maybe[ShortText] = UNSET
    payment_product_type: Maybe[ShortText] = UNSET
    card: Maybe[Card] = UNSET


class OperationDetails(Wire):
    """What a client may say of an operation, besides its lines.

    Attributes:
        processed_at: When the payment was processed, where it was
        processed_by: Who processed it
        payment_details: The payment behind it
        metadata: Anything of yours, a JSON object of at most 16 KiB
        authorization_id: The authorization that this is about; required on an order with `multiple_authorizations`
    """

    processed_at: Maybe[DateTime] = UNSET
    processed_by: Maybe[ShortText] = UNSET
    payment_details: Maybe[OperationPayment] = UNSET
    metadata: Maybe[Metadata] = UNSET
    authorization_id: Maybe[OperationId] = UNSET


class NewOperation(OperationDetails, kw_only=True):
    """An authorization, capture, refund or cancellation that happened elsewhere. ``amount`` is the sum of its items.

    Attributes:
        items: The lines, each once, and how much of each
        amount: The sum of the items' amounts; sent and different, the operation is refused
        success: Whether it succeeded. A failed one is kept and shown, and moves nothing. Left out, true
        id: An id of your own, one of its own on the order. The same id and content again is answered with the first
            answer
    """

    items: Annotated[list[OperationItem], Meta(min_length=1)]
    success: Maybe[bool] = UNSET
    id: Maybe[OperationId] = UNSET
    amount: Maybe[Amount] = UNSET


class Operation(OperationDetails, kw_only=True):
    """A recorded operation. ``amount`` is the sum of its items.

    Attributes:
        items: The lines, and how much of each
        success: Whether it succeeded; a failed one moves nothing
        id: The operation's id
        created_at: When it was recorded
        created_by: The id of the client that recorded it
        amount: The sum of its items
        links: The draft that the order came from
    """

    items: list[OperationItem]
    success: bool
    id: str
    created_at: DateTime
    created_by: str
    amount: int
    links: list[Link] = field(name="_links")


class SessionItem(Wire):
    """``line_id`` is text here, as in the reference. An amount left out is what remains to be authorized.

    Attributes:
        line_id: The order line, as text
        amount: How much of the line. Left out, what remains to be authorized
    """

    line_id: LineText
    amount: Maybe[Amount] = UNSET


class SessionUrl(Wire):
    """Where customer and payment service go afterwards.

    Attributes:
        return_url: Where the customer comes back to
        callback_url: Where the payment service tells how it went
        merchant_terms_url: The shop's terms
    """

    return_url: Maybe[Text] = UNSET
    callback_url: Maybe[Text] = UNSET
    merchant_terms_url: Maybe[Text] = UNSET


class SessionDetails(Wire):
    """What a client may say of a session, besides its lines.

    Attributes:
        processed_at: When the session was started, where it was
        metadata: Anything of yours, a JSON object of at most 16 KiB
    """

    processed_at: Maybe[DateTime] = UNSET
    metadata: Maybe[Metadata] = UNSET


class NewSession(SessionDetails, kw_only=True):
    """A payment session that is started for the order. ``amount``, where sent, is the sum of its items.

    Attributes:
        items: The lines to be paid
        amount: The sum of the items' amounts
        profile_id: The payment service's profile
        url: Where customer and payment service go afterwards
        id: An id of your own, one of its own on the order
    """

    items: Annotated[list[SessionItem], Meta(min_length=1)]
    profile_id: ShortText
    url: SessionUrl
    id: Maybe[OperationId] = UNSET
    amount: Maybe[Amount] = UNSET


class AnsweredSessionItem(Wire):
    """One line of a session.

    Attributes:
        line_id: The order line, as text
        amount: How much of the line
    """

    line_id: str
    amount: int


class Session(SessionDetails, kw_only=True):
    """A payment session.

    Attributes:
        items: The lines to be paid
        id: The session's id
        created_at: When it was recorded
        created_by: The id of the client that recorded it
        amount: The sum of its items
        links: The draft that the order came from
    """

    items: list[AnsweredSessionItem]
    id: str
    created_at: DateTime
    created_by: str
    amount: int
    links: list[Link] = field(name="_links")


def record(kind: Kind, operation: NewOperation, new_id: str) -> Record:
    """Return the command that records the operation, under its own id or the new one."""
    return Record(
        kind=kind,
        id=given(operation.id) or new_id,
        items=tuple((item.line_id, item.amount) for item in operation.items),
        success=given(operation.success) is not False,
        authorization_id=given(operation.authorization_id),
        fingerprint=fingerprint_of(json_fields(operation, "id", "amount")),  # the amount follows from the items
        amount=given(operation.amount),
        fields=without_nulls(json_fields(operation, "success", "id", "amount")),
    )


def fingerprint_of(sent: JsonFields) -> str:
    """Return the mark by which two operations of one id are known to say the same."""
    return sha256(json_text(sent).encode()).hexdigest()[:32]


def start_session(session: NewSession, new_id: str) -> StartSession:
    """Return the command that records the session."""
    items = tuple((int(item.line_id), given(item.amount)) for item in session.items)
    fields = without_nulls(json_fields(session, "items", "profile_id", "url", "id", "amount"))
    return StartSession(id=given(session.id) or new_id, items=items, amount=given(session.amount), fields=fields)
