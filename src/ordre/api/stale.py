"""What a caller is told whose version is not the current one: the events since its own, so that it can apply its write on top."""

from ordre.api.context import Context
from ordre.api.errors import Stale
from ordre.api.wire.drafts import draft_event
from ordre.api.wire.events import order_events
from ordre.api.wire.queries import ALL_EVENTS
from ordre.domain.refusals import Refused, VersionDiffers


async def explained(context: Context, refused: Refused) -> Refused:
    """Return the refusal, with the events since the caller's version where that is what is wrong."""
    if not isinstance(refused.refusals[0], VersionDiffers):
        return refused
    since, names = context.call.version or 0, await context.names()
    if "order_id" in context.path:
        view = await context.store.order(context.account_id, context.order, events=True)
        newer = [fact for fact in (view.events if view and view.events else ()) if fact.version > since]
        return Stale(refused, order_events(context.account_id, view.order.id, newer, ALL_EVENTS, names) if view else [])
    held = await context.store.draft(context.account_id, context.path["id"])
    events = [draft_event(held.draft, event, names) for event in held.events if event.version > since] if held else []
    return Stale(refused, events)
