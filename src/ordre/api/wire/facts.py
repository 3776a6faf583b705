"""What facts show in JSON: as parts of their order, and as answers to the calls that made them."""

import msgspec

from ordre.api.wire.common import draft_links, instant, json_text, object_text
from ordre.api.wire.search import TERMS
from ordre.application.change import Call
from ordre.application.documents import Documents
from ordre.domain.ledger import Kind
from ordre.domain.order.facts import (
    Cancelled,
    Closed,
    CommentDeleted,
    Commented,
    Erased,
    Fact,
    LinesAdded,
    Opened,
    Placed,
    Recorded,
    Replaced,
    ServiceReported,
    SessionStarted,
    Updated,
)
from ordre.domain.order.order import Order
from ordre.domain.order.parts import JsonFields

MOST_LINKS = 10
"""How many drafts an operation, a session or an event links to: the latest ones. The order links to all of them."""
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def show(fact: Fact, extra: JsonFields, order: Order, call: Call, earlier: str) -> str:
    """Return the JSON that a fact shows; empty where its call is answered with the order.

    ``extra`` are fields that its command gave it to show, ``order`` is the order after it, ``earlier`` the document of the
    earlier fact that it is about.
    """
    match fact:
        case Recorded():
            return object_text({**_recorded(fact, order, call), **extra, **_authorization(fact, order)})
        case SessionStarted():
            items = json_text([{"line_id": str(line_id), "amount": amount} for line_id, amount in fact.amounts.items()])
            made = {**_made(fact.id, order, call), "amount": str(sum(fact.amounts.values()))}
            return object_text({**made, "items": items, **extra})
        case ServiceReported():
            return object_text({**_made(fact.id, order, call), **extra})
        case Commented():
            made = {"created_at": json_text(instant(call.at)), "created_by": json_text(call.by)}
            return object_text({"id": json_text(fact.id), **extra, **made})
        case CommentDeleted():
            deleted = f'"deleted_at":{json_text(instant(call.at))},"deleted_by":{json_text(call.by)}'
            return f"{without_text(earlier)[:-1]},{deleted}}}"
        case Placed() | Replaced() | LinesAdded() | Updated() | Opened() | Closed() | Cancelled() | Erased():
            return ""


def rest_of_earlier(fact: Fact, earlier: str) -> str | None:
    """Return the rest of the document of the earlier fact that this one is about; None where that stays as it is."""
    match fact:
        case CommentDeleted():
            return without_text(earlier)
        case Recorded() | SessionStarted() | ServiceReported() | Commented():
            return None
        case Placed() | Replaced() | LinesAdded() | Updated() | Opened() | Closed() | Cancelled() | Erased():
            return None


DOCUMENTS = Documents(show=show, rest_of_earlier=rest_of_earlier, terms=TERMS)


def without_text(comment: str | bytes) -> str:
    """Return a comment without its ``body``, which a deleted one no longer shows."""
    fields = _fields(comment)
    return object_text({name: bytes(value).decode() for name, value in fields.items() if name != "body"})


def _recorded(fact: Recorded, order: Order, call: Call) -> dict[str, str]:
    amount = str(sum(fact.amounts.values()))
    return {**_made(fact.id, order, call), "amount": amount, "success": json_text(fact.success)}


def _authorization(fact: Recorded, order: Order) -> dict[str, str]:
    """Return the authorization that an operation is inside; where no rule reads it, it is shown as it was sent."""
    inside = fact.id if fact.kind is Kind.AUTHORIZATION else fact.authorization_id
    return {"authorization_id": json_text(inside)} if order.multiple_authorizations else {}


def _made(id_: str, order: Order, call: Call) -> dict[str, str]:
    """Return the first fields of an operation, session or event: its id, when and by whom, and links to the order's drafts."""
    return {
        "id": json_text(id_),
        "created_at": json_text(instant(call.at)),
        "created_by": json_text(call.by),
        "_links": json_text(draft_links(call.account_id, order.drafts[-MOST_LINKS:])),
    }
