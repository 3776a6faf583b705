"""`ordre erase`."""

from typing import Annotated

from cyclopts import Parameter
from rich.progress import Progress

from ordre.application import accounts, erasure
from ordre.application.names import order_named
from ordre.application.ports import Access, Found, Store
from ordre.cli.options import Database, Json, now, with_store
from ordre.cli.output import console, json_text
from ordre.settings import BadSetting


def erase(
    account: str,
    *,
    order: Annotated[list[str] | None, Parameter(negative="")] = None,
    customer_id: str | None = None,
    email: str | None = None,
    yes: Annotated[bool, Parameter(negative="")] = False,
    database: Database = None,
    json: Json = False,
) -> None:
    """Erase orders, and the drafts that go with them: those named, or every one that is or ever was a customer's.

    Without --yes it only says what would be erased. Names, times and the chain of facts stay; nothing brings the rest back.

    Args:
        account: The account, such as T12345678.
        order: This order, by its order_id, id or number; give it again for more.
        customer_id: Everything with this customer id.
        email: Everything with this e-mail address of the customer, whatever its case.
        yes: Erase.
        database: Where.
        json: Print JSON.
    """
    if not (order or customer_id or email):
        raise BadSetting("say what to erase: --order, --customer-id or --email")

    async def work(store: Store) -> Found:
        await accounts.known_account(store, account)
        customer = erasure.Customer(id=customer_id, email=email)
        named = [await order_named(store, account, one) for one in order or ()]
        found = await erasure.of_customer(store, account, customer)
        found = Found(orders=list(dict.fromkeys([*named, *found.orders])), drafts=found.drafts)
        if yes:
            await _erased(store, account, found, quiet=json)
        return found

    found = with_store(database, work, Access.CHANGE if yes else Access.READ)
    if json:
        print(json_text({"erased": yes, "orders": list(found.orders), "drafts": list(found.drafts)}))
        return
    for kind, ids in (("order", found.orders), ("draft", found.drafts)):
        for id_ in ids:
            print(f"{'erased' if yes else 'would erase'} {kind} {id_}")
    more = "" if yes else "; say --yes to erase them"
    print(f"{len(found.orders):,} orders, {len(found.drafts):,} drafts{more}")


async def _erased(store: Store, account: str, found: Found, *, quiet: bool) -> None:
    """Erase what was found, and show how far it is."""
    with Progress(console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("Erasing", total=len(found.orders) + len(found.drafts))
        await erasure.erase_found(store, account, found, erasure.OPERATOR, now(), lambda: progress.advance(task))
    await store.settle()
