"""The bodies that are sent to the receivers of webhooks."""

from typing import Any

import msgspec

from ordre.api.wire.common import decoder, encode, json_text
from ordre.api.wire.hooks import subscription_answer, told
from ordre.application.feed import FeedEntry
from ordre.application.hooks import Delivery, Subscription
from ordre.domain.hooks import ORDER_EVENT_ADD, mask_of, masked

_fields = decoder(dict[str, Any])


def ping_body(one: Subscription, delivery: Delivery) -> bytes:
    """Return the body that tries a receiver: the subscription itself, and what every body has."""
    fields = msgspec.to_builtins(subscription_answer(one))
    return encode({**_envelope(one.account_id, delivery), **fields})


def event_body(one: Subscription, delivery: Delivery, content: bytes) -> bytes:
    """Return the body that tells of an event; ``content`` is the order, draft or event that it is about, as JSON."""
    if one.fields is not None:
        content = encode(masked(_fields.decode(content), mask_of(one.fields)))
    envelope = encode(_envelope(one.account_id, delivery))[:-1]
    feed = b"" if delivery.entry is None else b',"feed":%b' % encode(told(delivery.entry))
    return b'%b,"%b":%b%b}' % (envelope, _key_of(delivery.event).encode(), content, feed)


def rest_of_subject(entry: FeedEntry) -> bytes:
    """Return all that is known of an order or a draft of which nothing is kept."""
    return json_text({"id": entry.id, "version": entry.version}).encode()


def rest_of_event(entry: FeedEntry) -> bytes:
    """Return all that is known of an event whose order is erased."""
    return json_text({"event_type": "service-event", "version": entry.version}).encode()


def _envelope(account_id: str, delivery: Delivery) -> dict[str, object]:
    return {"account_id": account_id, "event": delivery.event, "event_delivery": delivery.id}


def _key_of(event: str) -> str:
    if event == ORDER_EVENT_ADD:
        return "order_event"
    return "draft_order" if event.startswith("shopping_draft_") else "order"
