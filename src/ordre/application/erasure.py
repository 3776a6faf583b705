"""Erasing: on request, at the end of a time to live, or what was found."""

import json
from collections.abc import Callable

from ordre.application.change import Call, Outcome
from ordre.application.directory import SERVICE
from ordre.application.orders import execute
from ordre.application.store import OrderStore, Store
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.application.views import Found
from ordre.domain.order.lifecycle import Erase

AT_ONCE = 100
"""Expired orders of an account that are read before they are erased."""
TIME_TO_LIVE = "time-to-live"
"""Who erases what has expired."""
OPERATOR = "operator"
"""Who erases by the command line."""


async def erase(store: OrderStore, call: Call, order: str, *, expired_by: int | None = None) -> Outcome:
    """Erase an order with its drafts: everything but its names, its times and the chain of its facts.

    An order that is erased stays as it is; so, with ``expired_by``, does one whose time to live has not ended by that instant.

    Raises:
        Refused: There is no such order, or it is of another version than the call names.
    """
    return await execute(store, call, order, Erase(expired_by=expired_by))


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
        erased = await erase(store, erasing(account_id, order, TIME_TO_LIVE, at), order, expired_by=at)
    except StoreUnavailable as error:
        if error.trouble is not Trouble.BUSY:
            raise
        return False
    return bool(erased.orders)


async def tidy(store: Store, at: int, idempotency_seconds: int, vacuum_bytes: int | None = None) -> Found:
    """Drop old answers, erase what has expired, renew what is stored, rid the files of what is gone; return what was erased."""
    orders: list[str] = []
    drafts: list[str] = []
    for account in await store.accounts():
        await store.forget_answers(account.account_id, at - idempotency_seconds * 1000)
        found = await erase_expired(store, account.account_id, at)
        await store.add_up(account.account_id)
        orders += found.orders
        drafts += found.drafts
    await store.renew()
    await store.settle(vacuum_bytes)
    return Found(orders=orders, drafts=drafts)
