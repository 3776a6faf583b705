"""The operations of webhooks as functions that make a call, in the order of the documentation.

No key makes these safe to repeat: where an answer to ``subscribe`` is lost, there may be a subscription all the same.
"""

from collections.abc import Mapping
from typing import Any, TypeVar, Unpack
from urllib.parse import quote

from ordre.api.wire.common import decoder
from ordre.api.wire.hooks import DeliveryAnswer, NewSubscription, SubscriptionAnswer
from ordre.client.calls import Body, Call, Listing
from ordre.client.filters import HookOptions, PageOptions, parameters

T = TypeVar("T", SubscriptionAnswer, DeliveryAnswer)


def list_subscriptions(**options: Unpack[HookOptions]) -> Listing[list[SubscriptionAnswer], SubscriptionAnswer]:
    """List subscriptions, newest first."""
    return _listing("", decoder(list[SubscriptionAnswer]), options)


def subscribe(subscription: NewSubscription | Body) -> Call[SubscriptionAnswer]:
    """Subscribe to events."""
    return _call("POST", "", _subscription, subscription)


def get_subscription(subscription: str) -> Call[SubscriptionAnswer]:
    """Get a subscription."""
    return _call("GET", _of(subscription), _subscription)


def unsubscribe(subscription: str) -> Call[SubscriptionAnswer]:
    """Delete a subscription."""
    return _call("DELETE", _of(subscription), _subscription)


def ping(subscription: str) -> Call[None]:
    """Ping a receiver."""
    return _call("POST", f"{_of(subscription)}/ping", lambda _: None)


def resume(subscription: str) -> Call[SubscriptionAnswer]:
    """Let a subscription go on that was suspended, or not active."""
    return _call("POST", f"{_of(subscription)}/resume", _subscription)


def redeliver_after(subscription: str, position: int) -> Call[SubscriptionAnswer]:
    """Send everything after a position of the feed again."""
    return _call("POST", f"{_of(subscription)}/redeliver", _subscription, {"after": position})


def list_deliveries(subscription: str, **options: Unpack[PageOptions]) -> Listing[list[DeliveryAnswer], DeliveryAnswer]:
    """List the deliveries to a receiver, newest first."""
    return _listing(f"{_of(subscription)}/deliveries", decoder(list[DeliveryAnswer]), options)


def get_delivery(subscription: str, delivery: str) -> Call[DeliveryAnswer]:
    """Get a delivery."""
    return _call("GET", f"{_of(subscription)}/deliveries{_of(delivery)}", _delivery)


def redeliver(subscription: str, delivery: str) -> Call[DeliveryAnswer]:
    """Send a delivery again."""
    return _call("POST", f"{_of(subscription)}/deliveries{_of(delivery)}/redeliver", _delivery)


def _of(id_: str) -> str:
    return f"/{quote(id_, safe='')}"


def _call(method: str, path: str, decode: Any, body: object = None) -> Call[Any]:
    return Call(method=method, room=_ROOM, path=path, decode=decode, body=body)


def _listing(path: str, lists: Any, options: Mapping[str, Any]) -> Listing[list[T], T]:
    call = Call(method="GET", room=_ROOM, path=path, decode=lists.decode, query=parameters(options))
    return Listing(call=call, entries=lambda page: page, name=lambda one: one.id)


_ROOM = "/hooks/subscriptions"
_subscription, _delivery = decoder(SubscriptionAnswer).decode, decoder(DeliveryAnswer).decode
