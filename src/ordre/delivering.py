"""Delivering webhooks: by a server, or by a worker beside it."""

import asyncio
import os
import socket
from ipaddress import ip_network

from ordre.allowed import networks_in
from ordre.api.wire.answers import order_json
from ordre.api.wire.drafts import draft_text
from ordre.api.wire.events import order_events
from ordre.api.wire.hook_bodies import event_body, ping_body, rest_of_event, rest_of_subject
from ordre.application.aside import aside
from ordre.application.feed import DRAFT_KINDS, FeedEntry
from ordre.application.hooks import Delivery, Subscription
from ordre.application.lists import EventQuery
from ordre.application.store import Store
from ordre.domain.order.facts import ServiceReported
from ordre.domain.refusals import Refused
from ordre.settings import Settings

_POLL_SECONDS = 0.5
"""Between looks of a worker where servers leave the delivering to it."""


async def deliver_for_ever(store: Store, settings: Settings) -> None:
    """Deliver until cancelled; where the database is away, wait for it."""
    from ordre.webhooks.deliverer import Deliverer  # noqa: PLC0415 - loads a client of HTTP, which nothing else here needs
    from ordre.webhooks.lane import Wishes  # noqa: PLC0415 - as above

    wishes = Wishes(
        by=f"{socket.gethostname()}:{os.getpid()}:{os.urandom(4).hex()}",
        seconds=settings.hook_seconds,
        retry_seconds=settings.hook_retry_seconds,
        networks=[ip_network(one) for one in networks_in(settings.hook_networks or _networks(settings))],
    )

    async def pause() -> None:
        await asyncio.sleep(settings.hook_poll_seconds or _POLL_SECONDS)

    await Deliverer(store, _Bodies(store).of, wishes, pause).run()


def _networks(settings: Settings) -> str:
    """Return the networks that are sent to where no setting names any: of a server in memory, for tests, its own machine."""
    return "127.0.0.0/8,::1/128" if settings.ephemeral else ""


class _Bodies:
    """Makes what is sent, when it is sent: the order at the version that the event made, as far as it is still there."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def of(self, subscription: Subscription, delivery: Delivery) -> bytes:
        """Return the body of a delivery."""
        entry = delivery.entry
        if entry is None:
            return ping_body(subscription, delivery)
        if entry.kind in DRAFT_KINDS:
            content = await self._draft(subscription.account_id, entry)
        elif entry.kind == ServiceReported.type:
            content = await self._event(subscription.account_id, entry)
        else:
            content = await self._order(subscription.account_id, entry)
        return await aside(len(content), lambda: event_body(subscription, delivery, content))

    async def _order(self, account_id: str, entry: FeedEntry) -> bytes:
        view = await self._store.order(account_id, entry.id)
        if view is not None and view.order.deleted is None and view.order.version != entry.version:
            try:
                view = await self._store.order_at(account_id, entry.id, entry.version)
            except Refused:
                view = await self._store.order(account_id, entry.id)  # it was erased meanwhile
        if view is None:
            return rest_of_subject(entry)
        found = view
        return await aside(found.size, lambda: order_json(account_id, found))

    async def _event(self, account_id: str, entry: FeedEntry) -> bytes:
        query = EventQuery(types=frozenset({"service-event"}), since=entry.version - 1, up_to=entry.version)
        page = await self._store.events(account_id, entry.id, query)
        found = order_events(account_id, entry.id, page, {})
        return found[0].encode() if found else rest_of_event(entry)

    async def _draft(self, account_id: str, entry: FeedEntry) -> bytes:
        """Return the draft as it is now: of earlier versions only digests are kept."""
        held = await self._store.draft(account_id, entry.id)
        return rest_of_subject(entry) if held is None else draft_text(account_id, {}, held).encode()
