"""Erasing: on request, at the end of a time to live, or what was found."""

import json
from collections.abc import Callable

from ordre.application.orders import Call, append, check_version, outcome, replay
from ordre.application.ports import SERVICE, Change, Found, Loaded, Outcome, Store, Wanted
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.domain.commands import Erase
from ordre.domain.decide import decide
from ordre.domain.order import Order
from ordre.domain.refusals import Refused, UnknownOrder

AT_ONCE = 100
"""Expired orders of an account that are read before they are erased."""
TIME_TO_LIVE = "time-to-live"
"""Who erases what has expired."""
OPERATOR = "operator"
"""Who erases by the command line."""


async def erase(store: Store, call: Call, order: str, *, due: Callable[[Order], bool] = lambda _: True) -> Outcome:
    """Erase an order with its drafts: everything but its names, its times and the chain of its facts.

    An order that is erased, or that by the time of the change is not ``due``, stays as it is.

    Raises:
        Refused: There is no such order, or it is of another version than the call names.
    """
    wanted = Wanted(account_id=call.account_id, order=order, content=True, key=call.key)

    def decided(loaded: Loaded) -> Outcome:
        if loaded.answered is not None:
            return replay(call, loaded.answered, loaded)
        held = loaded.order
        if held is None:
            raise Refused(UnknownOrder())
        check_version(call, held.order.version)
        command = Erase(external_ids=held.content.fields.get("external_ids") if held.content else None)
        facts = decide(held.order, command, {}) if due(held.order) else ()
        return outcome(call, command, loaded, append(held, facts, call))

    return await store.change(Change(wanted=wanted, decide=decided, erases=True))


def erasing(account_id: str, order: str, by: str, at: int) -> Call:
    """Return the call that erases an order where no request does; its event says what a request would have."""
    path = f"/v1/accounts/{account_id}/shopping/orders/{order}"
    event = json.dumps({"request": {"path": path, "method": "DELETE", "body": ""}}, separators=(",", ":"), ensure_ascii=False)
    return Call(account_id=account_id, by=by, at=at, event=event)


async def erase_found(
    store: Store, account_id: str, found: Found, by: str, at: int, told: Callable[[], None] = lambda: None
) -> None:
    """Erase these orders and drafts of an account; ``told`` is called after each."""
    for order in found.orders:
        await erase(store, erasing(account_id, order, by, at), order)
        told()
    for draft in found.drafts:
        await store.erase_drafts(account_id, [draft], by, at)
        told()


async def erase_expired(store: Store, account_id: str, at: int) -> Found:
    """Erase the account's orders and drafts whose time to live has ended, but for those that are in use; return them.

    So are drafts that wait for an order that was erased.
    """
    orders: list[str] = []
    drafts = list(await store.stranded(account_id))
    if drafts:
        await store.erase_drafts(account_id, drafts, SERVICE, at)
    while True:
        found, before = await store.expired(account_id, at, AT_ONCE), len(orders) + len(drafts)
        for order in found.orders:
            orders += [order] if await _erased_by_now(store, account_id, order, at) else []
        await store.erase_drafts(account_id, found.drafts, TIME_TO_LIVE, at, expired_by=at)
        drafts += found.drafts
        if len(orders) + len(drafts) == before:
            return Found(orders=orders, drafts=drafts)


async def _erased_by_now(store: Store, account_id: str, order: str, at: int) -> bool:
    """Erase an order that has expired by this instant; return whether it was. One that somebody else holds waits."""
    try:
        erased = await erase(store, erasing(account_id, order, TIME_TO_LIVE, at), order, due=lambda held: _ended(held, at))
    except StoreUnavailable as error:
        if error.trouble is not Trouble.BUSY:
            raise
        return False
    return bool(erased.orders)


def _ended(order: Order, at: int) -> bool:
    return order.expires_at is not None and order.expires_at <= at


async def tidy(store: Store, at: int, idempotency_seconds: int, vacuum_bytes: int | None = None) -> Found:
    """Do what the passing of time asks for: drop old answers, erase what has expired, rid the files of it. Return what went."""
    orders: list[str] = []
    drafts: list[str] = []
    for account in await store.accounts():
        await store.forget_answers(account.account_id, at - idempotency_seconds * 1000)
        found = await erase_expired(store, account.account_id, at)
        await store.add_up(account.account_id)
        orders += found.orders
        drafts += found.drafts
    await store.settle(vacuum_bytes)
    return Found(orders=orders, drafts=drafts)
