"""`ordre order`: orders for people at a terminal. Nothing is changed."""

import json as jsons
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

from cyclopts import App, Parameter, Token, convert
from cyclopts.validators import Number

from ordre.api.wire.answers import order_json
from ordre.api.wire.common import milliseconds
from ordre.api.wire.queries import OrderListOf, list_query
from ordre.application import accounts
from ordre.application.lists import Page
from ordre.application.names import order_named
from ordre.application.store import Access, Store
from ordre.application.summaries import name_in, printable
from ordre.application.views import View
from ordre.cli.options import AccountId, Database, Json, with_store
from ordre.cli.output import json_text, print_rows
from ordre.cli.timeline import Names, entries, minute, named
from ordre.domain.money import amount_text
from ordre.settings import BadSetting

T = TypeVar("T")


def _several(type_: object, tokens: Sequence[Token]) -> Any:
    """Return the values of a flag, each given with a flag of its own or with commas between, as the API takes them."""
    return convert(type_, [token.evolve(value=part) for token in tokens for part in token.value.split(",")])


Several = Parameter(negative="", converter=_several)
OrderName = Annotated[str, Parameter(help="The order, by its order_id, id or number.")]
Moment = Annotated[str | None, Parameter(help="A date, or a date-time such as 2026-01-31T12:00:00Z; a date is one in UTC.")]
_MOMENTS = "must be a date, or a date-time such as 2026-01-31T12:00:00Z"
_AMOUNTS = ("gross", "discount", "net", "due")
_MATRIX = {
    "authorized": "authorized_amount",
    "captured": "captured_amount",
    "refunded": "refunded_amount",
    "cancelled": "cancelled_amount",
    "to authorize": "remaining_authorization_amount",
    "to capture": "remaining_capture_amount",
    "to refund": "remaining_refund_amount",
}
"""Column -> the field of a line's ``payment_details``."""

app = App(name="order", help="List, show and tell the history of an account's orders. Times are in UTC.")


@app.command(name="list")
def list_orders(
    account_id: AccountId,
    *,
    status: Annotated[list[Literal["open", "closed", "cancelled"]] | None, Several] = None,
    payment_status: Annotated[
        list[Literal["pending", "partially_paid", "paid", "partially_refunded", "refunded"]] | None, Several
    ] = None,
    q: str = "",
    created_from: Moment = None,
    created_to: Moment = None,
    limit: Annotated[int, Parameter(validator=Number(gte=1, lte=100))] = 20,
    starting_after: str | None = None,
    database: Database = None,
    json: Json = False,
) -> None:
    """List orders, newest first: of all that is asked for, an order must meet everything.

    Args:
        status: Only orders of this status; for several, repeat it or put commas between.
        payment_status: Only orders of this payment status; several as above.
        q: Only orders with words that begin with these, in numbers, ids, names, e-mail, phone,
            items, comments or metadata.
        created_from: Only orders made on this day or at this instant, or later.
        created_to: Only orders made on this day or at this instant, or earlier.
        limit: How many at most, up to 100.
        starting_after: Go on after this order, the last one of the page before.
    """
    asked = list_query(OrderListOf(limit=limit, q=q, status=status or [], payment_status=payment_status or []))
    asked = replace(
        asked, created_from=_day("--created-from", created_from), created_to=_day("--created-to", created_to, last=True)
    )

    async def work(store: Store) -> Page[View]:
        await accounts.known_account(store, account_id)
        after = None if starting_after is None else await order_named(store, account_id, starting_after)
        return await store.orders(account_id, replace(asked, after=after))

    page = with_store(database, work, Access.READ)
    orders = [_answer(account_id, view) for view in page.rows]
    next_after = orders[-1]["id"] if page.more else None
    if json:
        print(json_text({"orders": orders, "next_starting_after": next_after}))
        return
    print_rows([_row(order) for order in orders], json=False, right=_AMOUNTS)
    if next_after is not None:
        print(f"there are more: add --starting-after {next_after}")


@app.command(name="show")
def show_order(account_id: AccountId, order: OrderName, *, database: Database = None, json: Json = False) -> None:
    """Show one order: its lines, what was paid of each and what remains, its customer and its comments.

    "to authorize", "to capture" and "to refund" are what remains of the amounts. While an authorization is live, and on a closed
    order, a new one is refused all the same. With --json the order is printed as the API answers it.
    """

    async def shown(store: Store, id_: str) -> tuple[dict[str, Any], Names]:
        view = await store.order(account_id, id_)
        if view is None:
            raise AssertionError("an order that has a name is there")
        return _answer(account_id, view), await _names(store, account_id)

    answer, names = _of_order(database, account_id, order, shown)
    if json:
        print(json_text(answer))
    elif "deleted_at" in answer:
        _print_head(answer, _erased_head(answer, names))
    else:
        _print_order(answer, names)


@app.command(name="history")
def tell_history(account_id: AccountId, order: OrderName, *, database: Database = None, json: Json = False) -> None:
    """Tell what happened to one order, oldest first: a line for each version, with who did it."""

    async def told(store: Store, id_: str) -> tuple[list[dict[str, Any]], Names]:
        names = await _names(store, account_id)
        return entries(await store.facts(account_id, id_), names), names

    history, names = _of_order(database, account_id, order, told)
    if json:
        print(json_text(history))
        return
    width = len(str(history[-1]["version"]))
    for one in history:
        print(f"{minute(one['at'])}  version {one['version']:<{width}}  {one['text']} by {named(names, one['by'])}")


def _of_order(database: str | None, account_id: str, order: str, work: Callable[[Store, str], Awaitable[T]]) -> T:
    """Do one thing with the order that is named so."""

    async def working(store: Store) -> T:
        await accounts.known_account(store, account_id)
        return await work(store, await order_named(store, account_id, order))

    return with_store(database, working, Access.READ)


async def _names(store: Store, account_id: str) -> Names:
    """Return the names of the account's clients, by id."""
    return {client.client_id: client.name for client in await store.clients(account_id)}


def _day(flag: str, text: str | None, *, last: bool = False) -> int | None:
    """Return the instant of a date-time, or the first or last of a date, in milliseconds."""
    if text is None:
        return None
    whole = text if "T" in text.upper() else f"{text}T{'23:59:59.999' if last else '00:00:00'}Z"
    try:
        return milliseconds(whole, up=not last)
    except ValueError as error:
        why = str(error) if str(error).startswith("There is no day") else _MOMENTS
        raise BadSetting(f"{flag} is {text}: {why[0].lower()}{why[1:]}") from error


def _answer(account_id: str, view: View) -> dict[str, Any]:
    answer: dict[str, Any] = jsons.loads(order_json(account_id, view))
    return answer


def _row(order: Mapping[str, Any]) -> dict[str, Any]:
    currency = order["currency"]
    return {
        "number": printable(order.get("order_number") or order["order_id"]),
        "date": order["created_at"][:10],
        "customer": name_in(order),
        "status": order["status"],
        "payment": order["payment_status"],
        "net": amount_text(order["net_amount"], currency),
        "due": amount_text(order["payment_details"]["amount_due"], currency),
    }


def _print_order(order: Mapping[str, Any], names: Names) -> None:
    currency, items = order["currency"], order["items"]
    _print_head(order, _head(order, names))
    print("\nlines")
    print_rows([_line(item, currency) for item in items], json=False, right=_AMOUNTS)
    print("\npayments")
    details = [item["payment_details"] for item in items]
    totals = {name: sum(one[name] for one in details) for name in _MATRIX.values()}
    rows = [_paid(item["line_id"], one, currency) for item, one in zip(items, details, strict=True)]
    print_rows([*rows, _paid("total", totals, currency)], json=False, right=tuple(_MATRIX))
    comments = [one for one in order["comments"] if "deleted_at" not in one]
    if comments:
        print("\ncomments")
    for one in comments:
        print(f"{minute(one['created_at'])}  {named(names, one['created_by'])}, {one['visibility']}: {printable(one['body'])}")


def _print_head(order: Mapping[str, Any], more: Mapping[str, str | None]) -> None:
    number = order.get("order_number")
    head = {"number": number, "order_id": order["order_id"], "id": order["id"], **more}
    for name, value in head.items():
        if value is not None:
            print(f"{name + ':':10} {printable(value)}")


def _head(order: Mapping[str, Any], names: Names) -> dict[str, str | None]:
    currency = order["currency"]
    reason = f" ({order['cancelled_reason']})" if "cancelled_reason" in order else ""
    return {
        "status": f"{order['status']}{reason}, {order['payment_status']}",
        "placed": _by(order, "created", names),
        "closed": _by(order, "closed", names),
        "cancelled": _by(order, "cancelled", names),
        "changed": f"{minute(order['updated_at'])} (version {order['version']})",
        "expires": minute(order["time_to_live_expires_at"]) if "time_to_live_expires_at" in order else None,
        "customer": _customer(order),
        "net": amount_text(order["net_amount"], currency),
        "due": amount_text(order["payment_details"]["amount_due"], currency),
    }


def _erased_head(order: Mapping[str, Any], names: Names) -> dict[str, str | None]:
    external = ", ".join(one["id"] for one in order.get("external_ids", ()))
    return {
        "external": external or None,
        "placed": minute(order["created_at"]),
        "changed": minute(order["updated_at"]),
        "erased": f"{_by(order, 'deleted', names)}; only what stands here and the times of its history are kept",
    }


def _by(order: Mapping[str, Any], what: str, names: Names) -> str | None:
    if f"{what}_at" not in order:
        return None
    return f"{minute(order[f'{what}_at'])} by {named(names, order[f'{what}_by'])}"


def _customer(order: Mapping[str, Any]) -> str | None:
    customer = order.get("customer") or {}
    known = [name_in(order), *(customer.get(name) for name in ("email", "phone_number", "id"))]
    return ", ".join(dict.fromkeys(str(one) for one in known if one)) or None


def _line(item: Mapping[str, Any], currency: str) -> dict[str, Any]:
    gross, net = item["gross_amount"], item["net_amount"]
    return {
        "line": item["line_id"],
        "item": printable(item["id"]),
        "description": printable(item.get("description") or item.get("description_alias") or ""),
        "quantity": item.get("quantity"),
        "status": printable(item.get("status") or ""),
        "gross": amount_text(gross, currency),
        "discount": amount_text(gross - net, currency),
        "net": amount_text(net, currency),
    }


def _paid(line: object, details: Mapping[str, int], currency: str) -> dict[str, Any]:
    return {"line": line, **{column: amount_text(details[name], currency) for column, name in _MATRIX.items()}}
