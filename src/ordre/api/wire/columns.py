"""An order, or a line of it, as a row of a table: what a spreadsheet or an analyst wants of it, in columns with types."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Literal

import msgspec

from ordre.api.wire.common import Number
from ordre.api.wire.common import decoder as decoder_of
from ordre.application.views import View
from ordre.domain.ledger import Remaining, payment_status, remains_on, total
from ordre.domain.lines import Sums, Totals, totals
from ordre.domain.money import DIGITS
from ordre.domain.order.order import Order, Status
from ordre.domain.order.parts import Moment

Rows = Literal["orders", "lines"]
"""What a row is."""
MOST_DIGITS = 4
"""After the point, of any currency."""
Value = str | int | bool | Decimal | None


class Type(Enum):
    TEXT = "text"
    INTEGER = "integer"
    AMOUNT = "amount"
    """Minor units; beside it stands a column with the decimal."""
    DECIMAL = "decimal"
    INSTANT = "instant"
    """Milliseconds since 1970."""
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column."""

    name: str
    type: Type


class _Customer(msgspec.Struct):
    id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone_number: str | None = None


class _Store(msgspec.Struct):
    id: str | None = None
    name: str | None = None


class _Fields(msgspec.Struct):
    customer: _Customer | None = None
    store: _Store | None = None
    type: str | None = None
    comment: str | None = None
    salesperson_id: str | None = None
    salesperson_name: str | None = None
    delivery_at: str | None = None
    pickup_at: str | None = None


class _Item(msgspec.Struct):
    line_id: int
    id: str | None = None
    description: str | None = None
    quantity: Number | None = None
    status: str | None = None
    external_id: str | None = None
    store: _Store | None = None


@dataclass(slots=True)
class _Source:
    """An order, and where a row is a line, that."""

    order: Order
    fields: _Fields
    money: Totals
    sums: Sums
    left: Remaining
    item: _Item | None = None


Get = Callable[[_Source], Value]
_fields = msgspec.json.Decoder(_Fields).decode
_items = decoder_of(list[_Item]).decode
_NO_CUSTOMER, _NO_STORE = _Customer(), _Store()


def _of_customer(name: str) -> Get:
    return lambda source: getattr(source.fields.customer or _NO_CUSTOMER, name)


def _of_store(name: str) -> Get:
    return lambda source: getattr(source.fields.store or _NO_STORE, name)


def _of_fields(name: str) -> Get:
    return lambda source: getattr(source.fields, name)


def _of_item(name: str) -> Get:
    return lambda source: getattr(source.item, name)


def _at(moment: Moment | None) -> int | None:
    return None if moment is None else moment.at


def _quantity(item: _Item | None) -> str | None:
    return None if item is None or item.quantity is None else f"{item.quantity:f}"


_HEAD: Mapping[str, tuple[Type, Get]] = {
    "id": (Type.TEXT, lambda source: source.order.id),
    "order_id": (Type.TEXT, lambda source: source.order.order_id),
    "order_number": (Type.TEXT, lambda source: source.order.order_number),
    "status": (Type.TEXT, lambda source: source.order.status.value),
    "payment_status": (Type.TEXT, lambda source: payment_status(source.order.lines).value),
    "created_at": (Type.INSTANT, lambda source: source.order.created.at),
    "created_by": (Type.TEXT, lambda source: source.order.created.by),
    "updated_at": (Type.INSTANT, lambda source: source.order.updated_at),
    "version": (Type.INTEGER, lambda source: source.order.version),
    "currency": (Type.TEXT, lambda source: source.order.currency),
}
_MONEY: Mapping[str, tuple[Type, Get]] = {
    "gross_amount": (Type.AMOUNT, lambda source: source.money.gross),
    "net_amount": (Type.AMOUNT, lambda source: source.money.net),
    "discount_amount": (Type.AMOUNT, lambda source: source.money.discount),
    "authorized_amount": (Type.AMOUNT, lambda source: source.sums.authorized),
    "captured_amount": (Type.AMOUNT, lambda source: source.sums.captured),
    "refunded_amount": (Type.AMOUNT, lambda source: source.sums.refunded),
    "cancelled_amount": (Type.AMOUNT, lambda source: source.sums.cancelled),
    "amount_due": (Type.AMOUNT, lambda source: source.left.due),
}
_OF_ORDER: Mapping[str, tuple[Type, Get]] = {
    **_HEAD,
    **_MONEY,
    "lines": (Type.INTEGER, lambda source: len(source.order.lines)),
    "customer_id": (Type.TEXT, _of_customer("id")),
    "customer_first_name": (Type.TEXT, _of_customer("first_name")),
    "customer_last_name": (Type.TEXT, _of_customer("last_name")),
    "customer_email": (Type.TEXT, _of_customer("email")),
    "customer_phone_number": (Type.TEXT, _of_customer("phone_number")),
    "store_id": (Type.TEXT, _of_store("id")),
    "store_name": (Type.TEXT, _of_store("name")),
    "type": (Type.TEXT, _of_fields("type")),
    "comment": (Type.TEXT, _of_fields("comment")),
    "salesperson_id": (Type.TEXT, _of_fields("salesperson_id")),
    "salesperson_name": (Type.TEXT, _of_fields("salesperson_name")),
    "delivery_at": (Type.TEXT, _of_fields("delivery_at")),
    "pickup_at": (Type.TEXT, _of_fields("pickup_at")),
    "closed_at": (Type.INSTANT, lambda source: _at(source.order.closed)),
    "cancelled_at": (Type.INSTANT, lambda source: _at(source.order.cancelled)),
    "cancelled_reason": (Type.TEXT, lambda source: source.order.cancelled_reason and source.order.cancelled_reason.value),
    "multiple_authorizations": (Type.BOOLEAN, lambda source: source.order.multiple_authorizations),
}
_OF_LINE: Mapping[str, tuple[Type, Get]] = {
    **{name: one for name, one in _HEAD.items() if name not in ("payment_status", "created_by", "version")},
    "line_id": (Type.INTEGER, _of_item("line_id")),
    "item_id": (Type.TEXT, _of_item("id")),
    "item_description": (Type.TEXT, _of_item("description")),
    "item_status": (Type.TEXT, _of_item("status")),
    "item_external_id": (Type.TEXT, _of_item("external_id")),
    "quantity": (Type.TEXT, lambda source: _quantity(source.item)),
    **_MONEY,
    "customer_id": (Type.TEXT, _of_customer("id")),
    "store_id": (Type.TEXT, lambda source: ((source.item and source.item.store) or source.fields.store or _NO_STORE).id),
}
_TABLES: Mapping[Rows, Mapping[str, tuple[Type, Get]]] = {"orders": _OF_ORDER, "lines": _OF_LINE}


@cache
def columns(rows: Rows) -> tuple[Column, ...]:
    """Return the columns, in their order: of each amount two, in minor units and as the decimal that they are."""
    found = []
    for name, (type_, _) in _TABLES[rows].items():
        found.append(Column(name=name, type=type_))
        if type_ is Type.AMOUNT:
            found.append(Column(name=f"{name}_decimal", type=Type.DECIMAL))
    return tuple(found)


def rows_of(view: View, rows: Rows) -> Iterator[list[Value]]:
    """Yield the rows of an order, in the order of ``columns``."""
    order, fields = view.order, _fields(view.fields)
    lines = list(order.lines.values())
    lefts = [remains_on(line, cancelled_order=order.status is Status.CANCELLED) for line in lines]
    if rows == "orders":
        sums = Sums(*map(sum, zip(*(line.sums for line in lines), strict=True))) if lines else Sums()
        yield _row(_Source(order, fields, totals(lines), sums, total(lefts)), rows)
        return
    for item, line, left in zip(_items(view.items), lines, lefts, strict=True):
        yield _row(_Source(order, fields, totals([line]), line.sums, left, item), rows)


def _row(source: _Source, rows: Rows) -> list[Value]:
    digits = DIGITS.get(source.order.currency, 2)
    found: list[Value] = []
    for type_, get in _TABLES[rows].values():
        value: Any = get(source)
        found.append(value)
        if type_ is Type.AMOUNT:
            found.append(Decimal(value).scaleb(-digits))
    return found
