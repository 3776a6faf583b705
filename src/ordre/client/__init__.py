"""A client of the API, for Python: typed, for programs with and without asyncio.

    from ordre.client import Client, calls

    with Client("https://orders.example.com", "T12345678", "client-id", "client-secret") as ordre:
        order = ordre.send(calls.create_order({"currency": "NOK", "items": [...]}))
        ordre.send(calls.authorize(order.id, {"items": [{"line_id": 1, "amount": 39800}]}))
        for open_order in ordre.each(calls.list_orders(status="open")):
            print(open_order.order_id, open_order.payment_details.amount_due)

``AsyncClient`` is the same with ``await`` and ``async for``. A call is a value: what it asks for, and the type of its answer.
Every write carries an idempotency key, so what failed on the way is sent again without harm; tokens are fetched and renewed as
needed; an answer above 399 is raised as one of the classes of ``errors``. A field that an answer does not have is ``UNSET``,
which is false.
"""

from msgspec import UNSET

from ordre.client import calls, errors, hooks, webhooks
from ordre.client.calls import Call, Listing, Page
from ordre.client.clients import AsyncClient, Client
from ordre.client.exchange import Policy

__all__ = ["UNSET", "AsyncClient", "Call", "Client", "Listing", "Page", "Policy", "calls", "errors", "hooks", "webhooks"]
