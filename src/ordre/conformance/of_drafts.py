"""The checks of drafts and of what they become."""

from typing import Any
from uuid import uuid4

from ordre.conformance.api import Api, fresh, lines, operation, part, same


def draft_life(api: Api) -> None:
    """A draft is made, read, listed, changed item by item, completed."""
    draft = api.draft({}, 100, 50)
    path = f"/draft_orders/{draft['id']}"
    same("the draft's currency", api.get(path)["order"]["currency"], "NOK")
    with api.derived():
        part(
            "the draft's order", draft["order"], {"currency": "NOK", "gross_amount": 150, "net_amount": 150, "total_discount": 0}
        )
        same("the draft as read", api.get(path)["order"], draft["order"])
    with api.inferred():
        changed = api.put(path, {"order": {"comment": "ring twice"}})
        part("the changed draft", changed["order"], {"comment": "ring twice", "gross_amount": 150})
    more = {**lines(0, 0, 25)[2]}
    same("items after adding", line_ids(api.post(f"{path}/items", more)["order"]), [1, 2, 3])
    changed = api.put(f"{path}/items/3", {**more, "gross_amount": 30})
    with api.derived():
        same("gross after a change", changed["order"]["gross_amount"], 180)
    same("items after removing", line_ids(api.delete(f"{path}/items/3")["order"]), [1, 2])
    with api.inferred():
        api.refused("DELETE", f"{path}/items/3", status=404)
        api.refused("POST", f"{path}/items", lines(5)[0])
    same("the list", type(api.get("/draft_orders", status="open")["draft_orders"]), list)
    with api.derived():
        same(
            "the draft in the list", draft["id"] in ids(api.get("/draft_orders", limit=100, status="open")["draft_orders"]), True
        )
    (order,) = api.completed(draft)
    part("the order", order, {"currency": "NOK", "status": "open", "payment_status": "pending"})
    with api.derived():
        same("one link to the draft", [link["rel"] for link in order.get("_links", [])], ["draft"])
        done = api.get("/draft_orders", limit=100, status="completed")["draft_orders"]
        same("the status", draft["id"] in ids(done), True)
    with api.inferred():
        part("the order", order, {"comment": "ring twice", "version": 1})
        api.refused("PUT", path, {"order": {"comment": "late"}})


def draft_deleted(api: Api) -> None:
    """A deleted draft says so, and is completed no more."""
    path = f"/draft_orders/{api.draft({}, 100)['id']}"
    same("its status", api.delete(path)["status"], "deleted")
    api.refused("PUT", f"{path}/complete", {})
    api.refused("GET", f"/draft_orders/{uuid4()}", status=404)


def order_ids(api: Api) -> None:
    """An order's id is the client's, generated, or the same as `id`."""
    own = fresh(f"conformance-{uuid4().hex[:8]}-")
    (order,) = api.completed(api.draft({"split_draft": False}, 100, order_id=own))
    same("the client's order_id", order["order_id"], own)
    (generated,) = api.completed(api.draft({"generate_order_id": "ALPHANUMERIC_9"}, 100))
    name = generated["order_id"]
    same("a generated order_id", (len(name), name.isalnum()), (9, True))
    (plain,) = api.completed(api.draft({}, 100))
    same("order_id where none is asked for", plain["order_id"], plain["id"])
    with api.inferred():
        same("by order_id and by id", api.get(f"/orders/{own}")["id"], api.get(f"/orders/{order['id']}")["id"])
        same("a generated order_id in capitals", name, name.upper())
        api.refused("POST", "/orders", {"currency": "NOK", "items": lines(5), "order_id": own})


def links(api: Api) -> None:
    """An order and what is recorded on it lead to the draft that the order was made from."""
    draft = api.draft({}, 100)
    (order,) = api.completed(draft)
    made = api.post(f"/orders/{order['id']}/authorizations", operation((1, 100)))
    for name, one in (("the order's links", order), ("the authorization's links", made)):
        found = [(link["rel"], link["href"].endswith(f"/draft_orders/{draft['id']}")) for link in one["_links"]]
        same(name, found, [("draft", True)])


def amending(api: Api) -> None:
    """The guide's example: a line is reversed, another added, by a draft onto the order."""
    order = api.paid(39800)["order_id"]
    items = [{**line, "line_id": number} for number, line in zip((2, 3), lines(-39800, 39800), strict=True)]
    items[0] |= {"reversed_reason": "Replace item", "related_item": {"line_id": 1, "type": "reversed"}}
    draft = api.post("/draft_orders", {"options": {"order_id": order}, "order": {"currency": "NOK", "items": items}})
    (after,) = api.completed(draft)
    part("the amended order", after, {"order_id": order, "net_amount": 39800})
    same("its lines", line_ids(after), [1, 2, 3])
    with api.inferred():
        same("its version", after["version"], 4)
    for line, amount in ((2, -39800), (3, 39800)):
        for name in ("authorizations", "captures"):
            same("the amount", api.post(f"/orders/{order}/{name}", operation((line, amount)))["amount"], amount)
    events = api.get(f"/orders/{order}/events")["events"]
    same("an event with its draft_id", draft["id"] in [event.get("draft_id") for event in events], True)
    with api.inferred():
        api.refused("POST", f"/orders/{order}/captures", operation((2, 39800)))


def replacing(api: Api) -> None:
    """A draft replaces an order while nothing is recorded on it."""
    order = api.order(100)["order_id"]
    options = {"order_id": order, "replace": "order"}
    late = api.draft(options, 70)
    (after,) = api.completed(api.draft(options, 50, 20))
    part("the replaced order", after, {"order_id": order, "net_amount": 70, "status": "open"})
    api.post(f"/orders/{order}/authorizations", operation((1, 50)))
    api.refused("PUT", f"/draft_orders/{late['id']}/complete", {})


def splitting(api: Api) -> None:
    """A draft is split by the stores of its items."""
    items = [{**line, "store": {"id": store}} for line, store in zip(lines(10, 20, 30), "aba", strict=True)]
    draft = api.post("/draft_orders", {"options": {"split_draft": True}, "order": {"currency": "NOK", "items": items}})
    same("what each order's lines are", sorted(line_ids(order) for order in api.completed(draft)), [[1, 3], [2]])


def ids(found: list[Any]) -> list[str]:
    """Return the ids of drafts or orders."""
    return [one["id"] for one in found]


def line_ids(order: Any) -> list[int]:
    """Return the ids of an order's lines."""
    return [line["line_id"] for line in order["items"]]
