"""Handlers of drafts."""

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from ordre.api.handlers.orders import changed, paged
from ordre.api.handlers.payments import written
from ordre.api.http.context import Context, Reply
from ordre.api.http.unseen import IGNORED, ignored_header
from ordre.api.wire.drafts import Completion, DraftChange, NewDraft, draft_text, sketch, sketch_after
from ordre.api.wire.items import NewItem, draft_item
from ordre.api.wire.queries import DraftListOf, NoBody, NoQuery, list_query
from ordre.application import drafts as use
from ordre.application.change import HeldDraft
from ordre.domain import draft as domain
from ordre.domain.draft import Draft
from ordre.domain.order.parts import Moment
from ordre.domain.refusals import InvalidValue, Refused, UnknownDraft


async def create(context: Context, sent: NewDraft, _: NoQuery) -> Reply:
    """Make a draft. Its items may be added now or later."""
    call, (described, options, shown) = context.call, sketch(sent)
    moment = Moment(at=call.at, by=call.by)
    draft = domain.created(context.new_id(), described, options, shown, moment, context.limits.lines)
    return written(await use.create(context.store, call, draft, await _shown(context)))


async def list_all(context: Context, _: NoBody, asked: DraftListOf) -> Reply:
    """The account's drafts, newest first, by any filter."""
    page = await context.store.drafts(context.account_id, list_query(asked))
    shown = await _shown(context)
    return await paged(context, "draft_orders", page, lambda held: shown(held).encode(), lambda held: held.draft.id)


async def read(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """One draft, with its events."""
    shown, held = await _shown(context), await _held(context)
    return Reply(body=shown(held), version=held.draft.version)


async def update(context: Context, change: DraftChange, _: NoQuery) -> Reply:
    """Change a draft. What is left out stays, `null` takes a field away, and `items` replaces all items."""

    def edit(draft: Draft) -> Draft:
        described, options, shown = sketch_after(change, draft)
        return domain.edited(draft, described, options, shown, context.call.at, context.limits.lines)

    return await _edit(context, edit)


async def delete(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Delete an open draft. It can still be read; deleting it again changes nothing."""
    return await _edit(context, lambda draft: domain.deleted(draft, Moment(at=context.call.at, by=context.call.by)))


async def complete(context: Context, _: Completion, __: NoQuery) -> Reply:
    """Make the orders that the draft describes, all of them or none. Completing it again answers the same orders."""
    outcome = await use.complete(context.store, context.call, context.path["id"], context.new_id, context.limits)
    reply = await changed(context, outcome)
    left = domain.not_taken_over(outcome.draft.draft if outcome.draft else (await _held(context)).draft)
    if context.told is not None:
        context.told.ignored += left
        return reply
    return replace(reply, headers={IGNORED: ignored_header(left)}) if left else reply


async def add_item(context: Context, item: NewItem, _: NoQuery) -> Reply:
    """Add an item to an open draft."""
    at, most = context.call.at, context.limits.lines
    return await _edit(context, lambda draft: domain.with_item(draft, draft_item(item, draft.version + 1), at, most))


async def change_item(context: Context, item: NewItem, _: NoQuery) -> Reply:
    """Put another item in the place of this one."""
    line_id = _line_id(context)
    if item.line_id != line_id:
        raise Refused(InvalidValue(path="line_id", reason=f"Must be {line_id}, the line of the path, is {item.line_id}"))
    at, most = context.call.at, context.limits.lines

    def edit(draft: Draft) -> Draft:
        return domain.with_item_changed(draft, line_id, draft_item(item, draft.version + 1), at, most)

    return await _edit(context, edit)


async def remove_item(context: Context, _: NoBody, __: NoQuery) -> Reply:
    """Take an item out of an open draft."""
    line_id = _line_id(context)
    return await _edit(context, lambda draft: domain.without_item(draft, line_id, context.call.at))


async def _edit(context: Context, edit: Callable[[Draft], Draft]) -> Reply:
    return written(await use.edit(context.store, context.call, context.path["id"], edit, await _shown(context)))


async def _held(context: Context) -> HeldDraft:
    held = await context.store.draft(context.account_id, context.path["id"])
    if held is None:
        raise Refused(UnknownDraft())
    return held


async def _shown(context: Context) -> Callable[[HeldDraft], str]:
    return partial(draft_text, context.account_id, await context.names())


def _line_id(context: Context) -> int:
    text = context.path["line_id"]
    if not (text.isascii() and text.isdecimal()) or len(text) > 10:  # noqa: PLR2004 - the digits of the largest line id
        raise Refused(InvalidValue(path="line_id", reason=f"Must be a whole number, is {text[:40]!r}"))
    return int(text)
