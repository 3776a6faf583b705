"""Summaries by which people tell orders or drafts apart: number, day, sum, and the customer."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ordre.application.store import OrderStore
from ordre.domain.lines import totals

_PEOPLE = ("customer", "shipping_address", "billing_address")


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One order or draft. ``created_at`` is in milliseconds, ``net_amount`` in minor units; ``name`` is whose it is."""

    id: str
    order_id: str | None
    order_number: str | None
    created_at: int
    currency: str
    net_amount: int
    name: str | None


async def order_summaries(store: OrderStore, account_id: str, orders: Sequence[str]) -> list[Summary]:
    """Return summaries of these orders, but for those that are gone."""
    views = [await store.order(account_id, id_) for id_ in orders]
    return [
        Summary(
            id=view.order.id,
            order_id=view.order.order_id,
            order_number=view.order.order_number,
            created_at=view.order.created.at,
            currency=view.order.currency,
            net_amount=totals(view.order.lines.values()).net,
            name=name_in(json.loads(view.fields)),
        )
        for view in views
        if view is not None
    ]


async def draft_summaries(store: OrderStore, account_id: str, drafts: Sequence[str]) -> list[Summary]:
    """Return summaries of these drafts, but for those that are gone."""
    held = [await store.draft(account_id, id_) for id_ in drafts]
    return [
        Summary(
            id=one.draft.id,
            order_id=one.draft.sketch.order_id,
            order_number=one.draft.sketch.order_number,
            created_at=one.draft.created.at,
            currency=one.draft.sketch.currency,
            net_amount=one.draft.totals.net,
            name=name_in({name: json.loads(text) for name, text in one.draft.sketch.fields.items() if name in _PEOPLE}),
        )
        for one in held
        if one is not None
    ]


def name_in(fields: Mapping[str, Any]) -> str | None:
    """Return the name of the first who has one: the customer, whom it is sent to, who pays; else the customer's address or id."""
    people = [one for name in _PEOPLE if isinstance(one := fields.get(name), dict)]
    for one in people:
        company = one.get("company")
        named = (one.get("first_name"), one.get("last_name")), ((company or {}).get("bussiness_name"),)
        for parts in named:
            if found := " ".join(part for part in parts if part):
                return printable(found)
    return next((printable(one[name]) for one in people[:1] for name in ("email", "id") if one.get(name)), None)


def printable(text: str) -> str:
    """Return the text without what would move the cursor of a terminal."""
    return "".join(one if one.isprintable() else " " for one in text)
