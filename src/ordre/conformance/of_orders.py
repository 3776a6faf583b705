"""The checks of orders: made, changed, opened, closed, cancelled, listed; their events and comments."""

import json
from importlib.resources import files
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from ordre.conformance.api import Api, expect, fresh, lines, operation, part, same
from ordre.conformance.of_drafts import ids


def orders_directly(api: Api) -> None:
    """An order is read and updated; and made without a draft."""
    order = api.order(100, metadata={"a": 1})
    path = f"/orders/{order['order_id']}"
    fields = {"courier_id": "C-17", "pickup_at": "2026-01-31T12:00:00Z", "delivery_id": "D-1"}
    after = api.put(path, fields)
    part("the updated order as read", api.read(order), fields)
    items = [{"line_id": 1, "discount_lines": [{"amount": 10, "discount_subtype": "campaign"}], "net_amount": 90}]
    discounted = api.put(path, {"items": items})
    with api.derived():
        part("the updated order", after, {**fields, "metadata": {"a": 1}})
        part("the order with a discount", discounted, {"net_amount": 90, "total_discount": 10})
        made = api.post("/orders", {"currency": "NOK", "items": lines(100)})
        same("the order as read", api.get(f"/orders/{made['order_id']}"), made)
        api.refused("GET", f"/orders/{uuid4()}", status=404)
        api.refused("POST", "/orders", {"items": lines(5)})
    with api.inferred():
        same("the version", after["version"], 2)


def ids_in_paths(api: Api) -> None:
    """Ids that hold a slash, a percent sign, or letters beyond ASCII are reached where they are quoted."""
    own = fresh(f"{uuid4().hex[:8]}/%2F/\u00f8?")
    order = api.order(100, order_id=own)
    path = f"/orders/{quote(own, safe='')}"
    same("the order", api.get(path)["id"], order["id"])
    made = api.post(f"{path}/authorizations", operation((1, 100), id=fresh("a/1-")))
    same("the authorization", api.get(f"{path}/authorizations/{quote(made['id'], safe='')}"), made)


def statuses(api: Api) -> None:
    """Open, close, cancel, and what each leaves behind."""
    path = f"/orders/{api.order(100)['order_id']}"
    opened = api.post(f"{path}/open")
    part("open on an open order", opened, {"status": "open"})
    for reason in ("customer", "declined", "other"):
        cancelled = api.post(f"/orders/{api.order(100)['order_id']}/cancel", {"cancelled_reason": reason})
        part("the cancelled order", cancelled, {"status": "cancelled"})
        same("when and by whom", ("cancelled_at" in cancelled, "cancelled_by" in cancelled), (True, True))
        with api.inferred():
            same("why", cancelled["cancelled_reason"], reason)
    with api.derived():
        closed = api.post(f"{path}/close")
        same("closed", (closed["status"], "closed_at" in closed, "closed_by" in closed), ("closed", True, True))
        with api.inferred():
            api.refused("POST", f"{path}/authorizations", operation((1, 100)))
        again = api.post(f"{path}/open")
        same("opened again", (again["status"], "closed_at" in again), ("open", False))
        api.refused("POST", f"/orders/{api.paid(100)['order_id']}/cancel")
    with api.inferred():
        same("the version of what was open", opened["version"], 1)
        same("without a body", api.post(f"{path}/cancel")["cancelled_reason"], "other")
        api.refused("POST", f"{path}/open")


def events(api: Api) -> None:
    """What services report, and what it combines to."""
    order = api.order(100)
    path = f"/orders/{order['order_id']}"
    found = [api.get(f"{path}/events")["state"]]
    for service, state in (("kitchen", "pending"), ("kitchen", "success"), ("courier", "failure"), ("courier", "error")):
        event = {"service": service, "service_status": "ready_for_pickup", "state": state, "description": "food prepared"}
        part("the event", api.post(f"{path}/events", event), event)
        found.append(api.get(f"{path}/events")["state"])
    same("the states", found, ["pending", "pending", "success", "failure", "failure"])
    asked = api.read(order, include_events="true")
    reported = [event["service"] for event in asked["events"] if event.get("event_type") == "service-event"]
    same("asked for", (sorted(reported), asked["state"]), (["courier", "courier", "kitchen", "kitchen"], "failure"))
    with api.derived():
        for type_, number in (("service-event", 4), ("api-event", 1), ("false", 0)):
            same(f"include_events={type_}", len(api.read(order, include_events=type_)["events"]), number)
    with api.inferred():
        same("not asked for", api.read(order).get("events", []), [])


def comments(api: Api) -> None:
    """A comment is added, shown in the order, and marked as deleted."""
    order = api.order(100)
    path = f"/orders/{order['order_id']}"
    comment = api.post(f"{path}/comments", {"body": "Leave it at the door"})
    part("the comment", comment, {"body": "Leave it at the door", "visibility": "private"})
    public = api.post(f"{path}/comments", {"body": "x", "visibility": "public"})
    same("the order's comments", api.read(order)["comments"], [comment, public])
    same("deleted", "deleted_at" in api.delete(f"{path}/comments/{comment['id']}"), True)


def lists(api: Api) -> None:
    """A store's orders, a customer's and the account's: newest first, in pages, with filters and a total."""
    store, customer = fresh(f"S-{uuid4().hex[:8]}-"), fresh(f"C-{uuid4().hex[:8]}-")
    orders = [api.order(100, store={"id": store}, customer={"id": customer}) for _ in range(5)][::-1]
    made = ids(orders)
    api.post(f"/orders/{orders[0]['order_id']}/cancel", {})
    path = f"/stores/{store}/orders"
    same("the store's orders", sorted(ids(api.get(path)["orders"])), sorted(made))
    same("by status", ids(api.get(path, status="cancelled")["orders"]), made[:1])
    same("by payment status", ids(api.get(path, payment_status="paid")["orders"]), [])
    _by_time(api, path, orders)
    same("one of them", api.get(f"{path}/{made[2]}")["id"], made[2])
    same("with events", all(one["events"] for one in api.get(path, include_events="true")["orders"]), True)
    with api.derived():
        _paged(api, path, made)
    with api.derived():
        _paged(api, f"/customers/{customer}/orders", made)
        _by_time(api, f"/customers/{customer}/orders", orders)
        same("one of the customer's", api.get(f"/customers/{customer}/orders/{made[2]}")["id"], made[2])
    with api.derived():
        newest = ids(api.get("/orders", limit=100)["orders"])
        same("all orders", {one for one in newest if one in made}, set(made))
        same("by default", len(api.get("/orders")["orders"]) <= 10, True)  # noqa: PLR2004 - the default limit
        for query in ({"limit": 0}, {"limit": 101}, {"status": "lost"}):
            expect(api.raw("GET", "/orders", query=query), 400)
        api.refused("GET", f"/stores/other/orders/{made[0]}", status=404)
        api.refused("GET", f"/customers/other/orders/{made[0]}", status=404)
    with api.inferred():
        same("newest first", ids(api.get(path)["orders"]), made)
        expect(api.raw("GET", "/orders", query={"starting_after": "nothing"}), 400)


def _by_time(api: Api, path: str, orders: list[Any]) -> None:
    oldest, since = (api.read(order)["created_at"] for order in (orders[4], orders[1]))
    same("since", orders[4]["id"] in ids(api.get(path, created_at__gte=since)["orders"]), oldest >= since)
    same("until", orders[4]["id"] in ids(api.get(path, created_at__lte=since)["orders"]), True)


def _paged(api: Api, path: str, made: list[str]) -> None:
    first = api.raw("GET", path, query={"limit": 2, "total": "true"})
    found = ids(expect(first, 200)["orders"])
    same("a page", (len(found), first.headers.get("total-count")), (2, "5"))
    second = ids(api.get(path, limit=2, starting_after=found[1])["orders"])
    third = ids(api.get(path, limit=2, starting_after=second[1])["orders"])
    same("the pages", sorted([*found, *second, *third]), sorted(made))


def every_field(api: Api) -> None:
    """Every field that a client may write is answered as it was sent."""
    sent: dict[str, Any] = json.loads((files("ordre.conformance") / "every_field.json").read_text(encoding="utf-8"))
    sent["order_id"] = fresh(f"every-{uuid4().hex[:8]}-")
    order = api.post("/orders", sent)
    for name, value in sent.items():
        if name != "items":
            same(name, order.get(name), value)
    for line, answered in zip(sent["items"], order["items"], strict=True):
        part("the item", answered, line)
    same("time_to_live_expires_at", "time_to_live_expires_at" in order, True)
    read_only = {"currency": "NOK", "items": lines(5), "status": "closed", "version": 7}
    part("read-only fields", api.post("/orders", read_only), {"status": "open", "version": 1})
    with api.inferred():
        part("unknown fields", api.post("/orders", {**read_only, "no_such_field": 1}), {"status": "open"})
        pointed = lines(5)[0] | {"line_id": 1.0, "gross_amount": 5.0}
        part("whole numbers", api.post("/orders", {"currency": "NOK", "items": [pointed]}), {"gross_amount": 5})
