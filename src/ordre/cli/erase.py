"""`ordre erase`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import Parameter

from ordre.api.wire.common import instant
from ordre.application import accounts, erasure, mentions
from ordre.application.names import order_named
from ordre.application.store import Access, Store
from ordre.application.summaries import Summary, draft_summaries, order_summaries
from ordre.application.views import Found
from ordre.cli.notices import progress
from ordre.cli.options import Database, Json, Switch, now, with_store
from ordre.cli.output import counted, json_text, print_rows
from ordre.domain.money import amount_text
from ordre.settings import BadSetting

_KEPT = ("id", "order_id", "order_number", "created_at")
"""What is still there of an erased order, so what may be printed and kept."""


def erase(
    account: str,
    *,
    order: Annotated[list[str] | None, Parameter(negative="")] = None,
    customer_id: str | None = None,
    email: str | None = None,
    text: str | None = None,
    yes: Switch = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Erase orders, and the drafts that go with them: those named, a customer's, or all that say or ever said a text.

    Without --yes it only shows what would be erased. Ids, numbers, times and the chain of facts stay; the rest is gone for good.

    Args:
        account: The account, such as T12345678.
        order: This order, by its order_id, id or number; repeat it for several.
        customer_id: Everything that is or ever was of the customer with this id.
        email: Everything that is or ever was of the customer with this e-mail address, whatever its case.
        text: Everything that says or ever said this, in comments, metadata or anywhere else, whatever its case.
        yes: Erase. Without it nothing is changed.
    """
    if not (order or customer_id or email or (text or "").strip()):
        raise BadSetting("say what to erase: --order, --customer-id, --email or --text")
    sought = mentions.Sought(customer_id=customer_id or None, email=email or None, text=text or None)

    async def work(store: Store) -> tuple[list[Summary], list[Summary]]:
        await accounts.known_account(store, account)
        named = [await order_named(store, account, one) for one in order or ()]
        found = await _found(store, account, sought, quiet=json)
        found = Found(orders=list(dict.fromkeys([*named, *found.orders])), drafts=found.drafts)
        shown = await order_summaries(store, account, found.orders), await draft_summaries(store, account, found.drafts)
        if yes:
            await _erased(store, account, found, quiet=json)
        return shown

    orders, drafts = with_store(database, work, Access.CHANGE if yes else Access.READ)
    if json:
        print(json_text({"erased": yes, "orders": _fields(orders, erased=yes), "drafts": _fields(drafts, erased=yes)}))
    elif not (orders or drafts):
        print("no order and no draft says this, or ever said it: there is nothing to erase")
    elif yes:
        _print_erased(orders, drafts)
    else:
        _print_found(orders, drafts)


def _print_erased(orders: Sequence[Summary], drafts: Sequence[Summary]) -> None:
    for kind, found in (("order", orders), ("draft", drafts)):
        for one in found:
            print(f"erased {kind} {one.id}")
    print(f"erased {counted(len(orders), 'order')}, {counted(len(drafts), 'draft')}")


def _print_found(orders: Sequence[Summary], drafts: Sequence[Summary]) -> None:
    print_rows([_row("order", one) for one in orders] + [_row("draft", one) for one in drafts], json=False)
    print(f"{counted(len(orders), 'order')}, {counted(len(drafts), 'draft')}; add --yes to erase them")


def _row(kind: str, one: Summary) -> dict[str, Any]:
    return {
        "": kind,
        "number": one.order_number or one.order_id,
        "date": instant(one.created_at)[:10],
        "sum": amount_text(one.net_amount, one.currency),
        "name": one.name,
        "id": one.id,
    }


def _fields(found: Sequence[Summary], *, erased: bool) -> list[dict[str, Any]]:
    """Return the fields of each order or draft: before it is erased all, afterwards only those that are kept."""
    shown = [{**asdict(one), "created_at": instant(one.created_at)} for one in found]
    return [{name: one[name] for name in _KEPT} for one in shown] if erased else shown


async def _found(store: Store, account: str, sought: mentions.Sought, *, quiet: bool) -> Found:
    """Search, and show how far it is."""
    with progress(quiet=quiet or not sought.texts) as shown:
        task = shown.add_task("Searching", total=None)
        return await mentions.mentioned(store, account, sought, lambda done, of: shown.update(task, completed=done, total=of))


async def _erased(store: Store, account: str, found: Found, *, quiet: bool) -> None:
    """Erase what was found, and show how far it is."""
    with progress(quiet=quiet) as shown:
        task = shown.add_task("Erasing", total=len(found.orders) + len(found.drafts))
        await erasure.erase_found(store, account, found, erasure.OPERATOR, now(), lambda: shown.advance(task))
    await store.settle()
