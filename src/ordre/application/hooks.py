"""Subscriptions to what happens in an account, and the deliveries that they make."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from ordre.application.feed import FeedEntry
from ordre.domain.hook_refusals import (
    SubscriptionLimit,
    SubscriptionNotActive,
    SubscriptionSecretLost,
    UnknownDelivery,
    UnknownSubscription,
)
from ordre.domain.hooks import EVENT_OF, PING
from ordre.domain.refusals import Refused

MOST_ATTEMPTS_KEPT = 10
"""The latest attempts of a delivery that are kept."""


class HookState(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"
    SUSPENDED = "suspended"
    DELETED = "deleted"


class DeliveryState(StrEnum):
    """What became of a delivery so far. A receiver that answers 400 ignores it: it is not sent again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who is told of what. ``secret`` is JSON, of which nobody is shown more than ``secret_type``; ``fields`` a mask.

    ``position`` is how far in the feed its deliveries are made; ``failures`` how many in a row were given up. ``revision`` rises
    with each change that whoever delivers has to know of.
    """

    account_id: str
    id: str
    url: str
    events: tuple[str, ...]
    fields: str | None
    secret_type: str | None
    secret: str | None
    insecure: bool
    active: bool
    created_at: int
    created_by: str
    updated_at: int
    position: int
    revision: int = 1
    failures: int = 0
    suspended_at: int | None = None
    suspended_reason: str | None = None
    deleted_at: int | None = None
    deleted_by: str | None = None

    @property
    def state(self) -> HookState:
        """Whether it is told of anything now, and if not, why."""
        if self.deleted_at is not None:
            return HookState.DELETED
        if self.suspended_at is not None:
            return HookState.SUSPENDED
        return HookState.ACTIVE if self.active else HookState.INACTIVE

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of entries of the feed that it is told of."""
        return frozenset(kind for kind, event in EVENT_OF.items() if event in self.events)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request: when, how long it took in milliseconds, and the status that it was answered with, or why there is none."""

    at: int
    milliseconds: int
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one subscription. ``entry`` is that of the feed; a ping has none.

    Nothing of what is sent is kept. ``attempts`` counts those since it was last asked for; ``due_at`` is when the next one is.
    """

    id: str
    event: str
    entry: FeedEntry | None
    state: DeliveryState
    created_at: int
    due_at: int | None
    attempts: int = 0
    log: tuple[Attempt, ...] = ()

    @property
    def position(self) -> int:
        """Its place in the feed; a ping stands before all."""
        return 0 if self.entry is None else self.entry.position


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a subscription stands at an instant: who holds it, how much waits, and how much of that is due.

    ``unread`` counts entries of the feed that it has not come to; ``failed`` are kept deliveries that were given up.
    """

    subscription: Subscription
    held_by: str | None
    unread: int
    waiting: int
    due: int
    failed: int
    oldest_due_at: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The state of a subscription for whoever delivers: whether it changed, whether somebody holds it, and what there is to do.

    ``due_at`` is when the next attempt is due; ``unread`` counts entries of the feed that it has not come to.
    """

    id: str
    revision: int
    active: bool
    held_by: str | None
    held_until: int
    due_at: int | None
    unread: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some rows of a list, newest first. ``total`` is counted where it is asked for."""

    more: bool
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPage(Page):
    rows: Sequence[Subscription]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage(Page):
    rows: Sequence[Delivery]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookQuery:
    """A page of a list, after the id of the last one seen."""

    limit: int
    after: str | None = None
    total: bool = False
    deleted: bool = False
    """Whether subscriptions that were deleted are wanted, too."""


class HookStore(Protocol):
    """Subscriptions and deliveries of an account. Nothing here reaches another account."""

    async def subscribe(self, subscription: Subscription, ping: Delivery, most: int) -> bool:
        """Store a new subscription, which begins at the end of the feed, with its first delivery.

        Return False, with nothing stored, where the account has as many as ``most``.
        """
        ...

    async def subscriptions(self, account_id: str, query: HookQuery) -> SubscriptionPage: ...
    async def subscription(self, account_id: str, hook_id: str) -> Subscription | None: ...
    async def unsubscribe(self, account_id: str, hook_id: str, by: str, at: int) -> None:
        """Delete a subscription, with its secret and what waits to be sent; it can still be read."""
        ...

    async def resume(self, account_id: str, hook_id: str, at: int) -> None:
        """Let a subscription go on where it stopped."""
        ...

    async def suspend(self, account_id: str, hook_id: str, reason: str, at: int) -> None: ...
    async def add_ping(self, account_id: str, hook_id: str, ping: Delivery) -> None: ...
    async def deliveries(self, account_id: str, hook_id: str, query: HookQuery) -> DeliveryPage: ...
    async def delivery(self, account_id: str, hook_id: str, delivery_id: str) -> Delivery | None: ...
    async def send_again(self, account_id: str, hook_id: str, delivery_id: str, at: int) -> None:
        """Let a delivery be sent as if it had not been."""
        ...

    async def go_back(self, account_id: str, hook_id: str, position: int) -> None:
        """Let a subscription make all deliveries after a position of the feed again, under the ids that they had."""
        ...

    async def accounts_with_hooks(self) -> Sequence[str]:
        """Return the accounts that may have subscriptions, but for those that are disabled."""
        ...

    async def standings(self, account_id: str, at: int) -> Sequence[Standing]:
        """Return where each subscription that is not deleted stands at an instant, in milliseconds."""
        ...

    async def looks(self, account_id: str) -> Sequence[Look]:
        """Return a look at each subscription that is not deleted."""
        ...

    async def claim(self, account_id: str, hook_id: str, by: str, at: int, until: int) -> Subscription | None:
        """Hold a subscription until an instant, or hold it longer; None where somebody else does, or it is not active any more.

        The database's own clock counts where it has one: ``until`` is then as long after its time as it is after ``at``. What is
        returned has its secret decrypted, as nothing else does.

        Raises:
            KeysUnreadable: The secret is encrypted under another one of the service.
        """
        ...

    async def release(self, account_id: str, hook_id: str, by: str) -> None: ...
    async def waiting(self, account_id: str, hook_id: str, most: int) -> Sequence[Delivery]:
        """Return the deliveries that wait, in the order of the feed."""
        ...

    async def make_deliveries(self, subscription: Subscription, made: Sequence[Delivery], position: int, by: str) -> bool:
        """Store the deliveries that follow from the feed up to a position, where it is held by this one and at its place.

        Return False, with nothing stored, where it is not so any more.
        """
        ...

    async def attempted(self, account_id: str, hook_id: str, results: Sequence[Delivery], failures: int) -> None:
        """Store what became of deliveries that waited, and how many of the subscription were given up in a row."""
        ...

    async def seal_hook_secrets(self, *, plain: bool = False) -> int:
        """Encrypt every secret under the store's secret of now, or (``plain``) decrypt it; return how many that changed.

        Raises:
            KeysUnreadable: One is encrypted under another secret.
        """
        ...

    async def forget_deliveries(self, account_id: str, before: int) -> int:
        """Drop the deliveries made before this instant that do not wait; return how many."""
        ...


def delivery_id(hook_id: str, position: int, at: int) -> str:
    """Return the id of the delivery of an entry, of an instant in milliseconds: the same each time that it is made.

    It is a UUID of version 8 that sorts by the instant.
    """
    tail = sha256(f"{hook_id}:{position}".encode()).hexdigest()
    return f"{at >> 16:08x}-{at & 0xFFFF:04x}-8{tail[:3]}-a{tail[3:6]}-{tail[6:18]}"


def deliveries_of(subscription: Subscription, entries: Sequence[FeedEntry], at: int) -> list[Delivery]:
    """Return the deliveries that entries of the feed make, at an instant in milliseconds."""
    return [
        Delivery(
            id=delivery_id(subscription.id, entry.position, entry.at),
            event=EVENT_OF[entry.kind],
            entry=entry,
            state=DeliveryState.WAITING,
            created_at=at,
            due_at=at,
        )
        for entry in entries
        if EVENT_OF[entry.kind] in subscription.events
    ]


def ping_at(id_: str, at: int, due_at: int) -> Delivery:
    """Return a delivery that tries the receiver."""
    return Delivery(id=id_, event=PING, entry=None, state=DeliveryState.WAITING, created_at=at, due_at=due_at)


async def subscribe(store: HookStore, subscription: Subscription, ping_id: str, due_at: int, most: int) -> Subscription:
    """Store a new subscription, and let its receiver be tried.

    Raises:
        Refused: The account has as many as it may have.
    """
    if not await store.subscribe(subscription, ping_at(ping_id, subscription.created_at, due_at), most):
        raise Refused(SubscriptionLimit(limit=most))
    return await known(store, subscription.account_id, subscription.id)


async def known(store: HookStore, account_id: str, hook_id: str) -> Subscription:
    """Return a subscription of the account.

    Raises:
        Refused: There is none of this id.
    """
    found = await store.subscription(account_id, hook_id)
    if found is None:
        raise Refused(UnknownSubscription())
    return found


async def known_delivery(store: HookStore, account_id: str, hook_id: str, delivery_id_: str) -> Delivery:
    """Return a delivery of a subscription.

    Raises:
        Refused: There is none of this id, or no such subscription.
    """
    await known(store, account_id, hook_id)
    found = await store.delivery(account_id, hook_id, delivery_id_)
    if found is None:
        raise Refused(UnknownDelivery())
    return found


async def unsubscribe(store: HookStore, account_id: str, hook_id: str, by: str, at: int) -> Subscription:
    """Delete a subscription; deleting it again changes nothing."""
    found = await known(store, account_id, hook_id)
    if found.state is not HookState.DELETED:
        await store.unsubscribe(account_id, hook_id, by, at)
    return await known(store, account_id, hook_id)


async def ping(store: HookStore, account_id: str, hook_id: str, ping_id: str, at: int, due_at: int) -> None:
    """Let the receiver be tried.

    Raises:
        Refused: There is no such subscription, or nothing is sent to it now.
    """
    await _sent_to(store, account_id, hook_id)
    await store.add_ping(account_id, hook_id, ping_at(ping_id, at, due_at))


async def resume(store: HookStore, account_id: str, hook_id: str, at: int) -> Subscription:
    """Let a subscription go on where it stopped; one that goes on stays as it is.

    Raises:
        Refused: There is no such subscription, it was deleted, or its secret is lost, as a backup may leave it out.
    """
    found = await known(store, account_id, hook_id)
    if found.state is HookState.DELETED:
        raise Refused(SubscriptionNotActive(status=found.state.value))
    if found.secret is None and found.secret_type is not None:
        raise Refused(SubscriptionSecretLost())
    if found.state is not HookState.ACTIVE:
        await store.resume(account_id, hook_id, at)
    return await known(store, account_id, hook_id)


async def send_again(store: HookStore, account_id: str, hook_id: str, delivery_id_: str, at: int) -> Delivery:
    """Let a delivery be sent once more, under its id; one that waits stays as it is.

    Raises:
        Refused: There is no such delivery, or nothing is sent to its subscription now.
    """
    found = await known_delivery(store, account_id, hook_id, delivery_id_)
    await _sent_to(store, account_id, hook_id)
    if found.state is not DeliveryState.WAITING:
        await store.send_again(account_id, hook_id, delivery_id_, at)
    return await known_delivery(store, account_id, hook_id, delivery_id_)


async def go_back(store: HookStore, account_id: str, hook_id: str, position: int) -> Subscription:
    """Let everything after a position of the feed be sent again; a later position than it has reached changes nothing.

    Raises:
        Refused: There is no such subscription, or nothing is sent to it now.
    """
    found = await _sent_to(store, account_id, hook_id)
    if position < found.position:
        await store.go_back(account_id, hook_id, position)
    return await known(store, account_id, hook_id)


async def _sent_to(store: HookStore, account_id: str, hook_id: str) -> Subscription:
    found = await known(store, account_id, hook_id)
    if found.state is not HookState.ACTIVE:
        raise Refused(SubscriptionNotActive(status=found.state.value))
    return found
