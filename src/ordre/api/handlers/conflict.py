"""Explains a 412: the last events since the version that the caller named, so that it can apply its write on top."""

from ordre.api.http.context import Context
from ordre.api.http.errors import Stale
from ordre.api.wire.drafts import draft_event
from ordre.api.wire.events import order_events
from ordre.api.wire.queries import ALL_EVENTS
from ordre.application.lists import EventQuery
from ordre.domain.refusals import Refused, VersionDiffers

MOST_EVENTS = 20
MOST_BYTES = 256 * 1024
"""So many of an order's events are told, the last one in any case; of a draft's, those that go with it."""


async def explained(context: Context, refused: Refused) -> Refused:
    """Return the refusal; where the version differs, with the events since the one that the caller named."""
    if not isinstance(refused.refusals[0], VersionDiffers):
        return refused
    since, names = context.call.version or 0, await context.names()
    if "order_id" in context.path:
        order = await context.store.head(context.account_id, context.order)
        if order is None:
            return Stale(refused, [], 0)
        query = EventQuery(
            types=ALL_EVENTS, since=since, up_to=order.version, limit=MOST_EVENTS, most_bytes=MOST_BYTES, latest=True
        )
        page = await context.store.events(context.account_id, order.id, query)
        return Stale(refused, order_events(context.account_id, order.id, page, names), page.left_out)
    held = await context.store.draft(context.account_id, context.path["id"])
    if held is None:
        return Stale(refused, [], 0)
    newer = [event for event in held.events if event.version > since]
    left_out = max(held.draft.version - since - len(newer), 0)
    return Stale(refused, [draft_event(held.draft, event, names) for event in newer], left_out)
