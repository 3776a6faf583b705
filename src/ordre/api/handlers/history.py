"""Handlers that read the past: an order as it was, and what changed between two versions."""

from typing import Any

import msgspec

from ordre.api.handlers.orders import current, one
from ordre.api.http.answers import pieces
from ordre.api.http.context import Context, Reply
from ordre.api.wire.answers import order_json
from ordre.api.wire.common import given, json_text
from ordre.api.wire.diff import Change
from ordre.api.wire.events import order_events
from ordre.api.wire.queries import ALL_EVENTS, Between, NoBody, OrderThen, instant_asked
from ordre.application.aside import aside, small
from ordre.application.lists import EventQuery
from ordre.application.views import View
from ordre.domain.refusals import InvalidValue, Refused, UnknownOrder, UnknownVersion

_NAMES = ("line_id", "id")
"""What tells the entries of a list apart, where they have it."""


async def read(context: Context, _: NoBody, asked: OrderThen) -> Reply:
    """One order, as it is, or as it was at a version or an instant."""
    version = await _version(context, asked)
    return await one(context, await (current(context) if version is None else _then(context, version)), asked)


async def diff(context: Context, _: NoBody, asked: Between) -> Reply:
    """What changed between two versions, field by field, and the last of the events that did it."""
    names = await context.names()
    now = await context.store.order(context.account_id, context.order)
    if now is None:
        raise Refused(UnknownOrder())
    to = given(asked.to) or now.order.version
    from_ = given(asked.from_) or max(to - 1, 1)
    if from_ > to:
        raise Refused(InvalidValue(path="from", reason=f"Must not be later than to, which is {to}; is {from_}"))
    before = await _then(context, from_)
    after = now if to == now.order.version else await _then(context, to)
    query = EventQuery(types=ALL_EVENTS, since=from_, up_to=to, latest=True)
    page = await context.store.events(context.account_id, now.order.id, query)

    def body() -> list[bytes]:
        changes = _changes("", _value(context, before), _value(context, after))
        events = order_events(context.account_id, now.order.id, page, names)
        left_out = f',"events_left_out":{page.left_out}' if page.left_out else ""
        head = f'{{"from":{from_},"to":{to},"changes":{json_text(changes)},"events":'
        return pieces([head.encode(), f"[{','.join(events)}]{left_out}}}".encode()])

    size = before.size + after.size + sum(fact.size for fact in page.facts)
    return Reply(body=await aside(size, body))


async def _version(context: Context, asked: OrderThen) -> int | None:
    if asked.at is None:
        return given(asked.version)
    if given(asked.version) is not None:
        raise Refused(InvalidValue(path="at", reason="May not be given together with version"))
    version = await context.store.version_at(context.account_id, context.order, instant_asked("at", asked.at))
    if version is None:
        raise Refused(await _missing(context))
    return version


async def _then(context: Context, version: int) -> View:
    view = await context.store.order_at(context.account_id, context.order, version)
    if view is None:
        raise Refused(await _missing(context))
    return view


async def _missing(context: Context) -> UnknownOrder | UnknownVersion:
    known = await context.store.head(context.account_id, context.order)
    return UnknownVersion() if known else UnknownOrder()


def _value(context: Context, view: View) -> Any:
    """Return the order as it is answered, in values that keep every digit of a number."""
    return msgspec.json.decode(order_json(context.account_id, view), type=dict[str, msgspec.Raw])


def _changes(path: str, before: Any, after: Any) -> list[Change]:
    """Return the differences of two JSON values: objects by name, lists by what tells their entries apart."""
    small.give_way()
    if before == after:
        return []
    old, new = _entries(before), _entries(after)
    if old is None or new is None:
        return [Change(path=path, before=before, after=after)]
    found = []
    for name in dict.fromkeys([*old, *new]):
        inner = f"{path}{name}" if name.startswith("[") or not path else f"{path}.{name}"
        if name in old and name in new:
            found += _changes(inner, old[name], new[name])
        elif name in old:
            found.append(Change(path=inner, before=old[name]))
        else:
            found.append(Change(path=inner, after=new[name]))
    return found


def _entries(value: Any) -> dict[str, Any] | None:
    if isinstance(value, msgspec.Raw):
        value = _open(value)
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {f"[{_name(entry, place)}]": entry for place, entry in enumerate(value)}
    return None


def _open(value: msgspec.Raw) -> Any:
    text = bytes(value)
    if text[:1] == b"{":
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    if text[:1] == b"[":
        return msgspec.json.decode(text, type=list[msgspec.Raw])
    return value


def _name(entry: msgspec.Raw, place: int) -> str:
    fields = _open(entry)
    if isinstance(fields, dict):
        for name in _NAMES:
            if name in fields:
                return f"{name}={bytes(fields[name]).decode().strip(chr(34))}"
    return str(place)
