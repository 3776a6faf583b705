"""The checks of what is the same: they ask nothing that the original does not have."""

import json
from importlib.resources import files
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from ordre.conformance.api import Api, Check, NotConformingError, expect, fresh, lines, operation, part, same

OPERATIONS = ("authorizations", "captures", "refunds", "cancellations")


def tokens(api: Api) -> None:
    """A token is for the client's credentials; wrong ones are refused."""
    token = expect(api.token(), 200)
    same("token_type", token["token_type"], "Bearer")
    same("the type of expires_in", type(token["expires_in"]), int)
    error = expect(api.token(secret="wrong"), 401)["error"]  # noqa: S106 - it is to be refused
    same("the error's message", type(error["message"]), str)
    expect(api.token({"grant_type": "magic", "audience": api.root}), 400)


def draft_life(api: Api) -> None:
    """A draft is made, read, listed, changed item by item, completed."""
    draft = api.draft({}, 100, 50)
    path = f"/draft_orders/{draft['id']}"
    part("the draft's order", draft["order"], {"currency": "NOK", "gross_amount": 150, "net_amount": 150, "total_discount": 0})
    same("the draft as read", api.get(path)["order"], draft["order"])
    changed = api.put(path, {"order": {"comment": "ring twice"}})
    part("the changed draft", changed["order"], {"comment": "ring twice", "gross_amount": 150})
    more = {**lines(0, 0, 25)[2]}
    same("items after adding", _line_ids(api.post(f"{path}/items", more)["order"]), [1, 2, 3])
    same("gross after a change", api.put(f"{path}/items/3", {**more, "gross_amount": 30})["order"]["gross_amount"], 180)
    same("items after removing", _line_ids(api.delete(f"{path}/items/3")["order"]), [1, 2])
    api.refused("DELETE", f"{path}/items/3", status=404)
    api.refused("POST", f"{path}/items", lines(5)[0])
    same("the draft in the list", draft["id"] in _ids(api.get("/draft_orders", limit=100, status="open")["draft_orders"]), True)
    (order,) = api.completed(draft)
    part("the order", order, {"comment": "ring twice", "status": "open", "payment_status": "pending", "version": 1})
    same("one link to the draft", [link["rel"] for link in order.get("_links", [])], ["draft"])
    same("the status", draft["id"] in _ids(api.get("/draft_orders", limit=100, status="completed")["draft_orders"]), True)
    api.refused("PUT", path, {"order": {"comment": "late"}})


def draft_deleted(api: Api) -> None:
    """A deleted draft says so, and is completed no more."""
    path = f"/draft_orders/{api.draft({}, 100)['id']}"
    same("its status", api.delete(path)["status"], "deleted")
    api.refused("PUT", f"{path}/complete", {})
    api.refused("GET", f"/draft_orders/{uuid4()}", status=404)


def links(api: Api) -> None:
    """An order and what is recorded on it lead to the draft that the order was made from."""
    draft = api.draft({}, 100)
    (order,) = api.completed(draft)
    made = api.post(f"/orders/{order['id']}/authorizations", operation((1, 100)))
    for name, one in (("the order's links", order), ("the authorization's links", made)):
        found = [(link["rel"], link["href"].endswith(f"/draft_orders/{draft['id']}")) for link in one["_links"]]
        same(name, found, [("draft", True)])


def order_ids(api: Api) -> None:
    """An order's id is the client's, generated, or the same as `id`."""
    own = fresh(f"conformance-{uuid4().hex[:8]}-")
    (order,) = api.completed(api.draft({"split_draft": False}, 100, order_id=own))
    same("the client's order_id", order["order_id"], own)
    same("by order_id and by id", api.get(f"/orders/{own}")["id"], api.get(f"/orders/{order['id']}")["id"])
    (generated,) = api.completed(api.draft({"generate_order_id": "ALPHANUMERIC_9"}, 100))
    name = generated["order_id"]
    same("a generated order_id", (len(name), name.isalnum() and name == name.upper()), (9, True))
    (plain,) = api.completed(api.draft({}, 100))
    same("order_id where none is asked for", plain["order_id"], plain["id"])
    api.refused("POST", "/orders", {"currency": "NOK", "items": lines(5), "order_id": own})


def ids_in_paths(api: Api) -> None:
    """Ids that hold a slash, a percent sign, or letters beyond ASCII are reached where they are quoted."""
    own = fresh(f"{uuid4().hex[:8]}/%2F/\u00f8?")
    order = api.order(100, order_id=own)
    path = f"/orders/{quote(own, safe='')}"
    same("the order", api.get(path)["id"], order["id"])
    made = api.post(f"{path}/authorizations", operation((1, 100), id=fresh("a/1-")))
    same("the authorization", api.get(f"{path}/authorizations/{quote(made['id'], safe='')}"), made)


def amending(api: Api) -> None:
    """The guide's example: a line is reversed, another added, by a draft onto the order."""
    order = api.paid(39800)["order_id"]
    items = [{**line, "line_id": number} for number, line in zip((2, 3), lines(-39800, 39800), strict=True)]
    items[0] |= {"reversed_reason": "Replace item", "related_item": {"line_id": 1, "type": "reversed"}}
    draft = api.post("/draft_orders", {"options": {"order_id": order}, "order": {"currency": "NOK", "items": items}})
    (after,) = api.completed(draft)
    part("the amended order", after, {"order_id": order, "net_amount": 39800, "version": 4})
    for line, amount in ((2, -39800), (3, 39800)):
        for name in ("authorizations", "captures"):
            same("the amount", api.post(f"/orders/{order}/{name}", operation((line, amount)))["amount"], amount)
    events = api.get(f"/orders/{order}/events")["events"]
    same("draft_id of the event", [event["draft_id"] for event in events if event.get("draft_id")], [draft["id"]])
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
    same("what each order's lines are", sorted(_line_ids(order) for order in api.completed(draft)), [[1, 3], [2]])


def orders_directly(api: Api) -> None:
    """An order is made without a draft, read and updated."""
    order = api.order(100, metadata={"a": 1})
    path = f"/orders/{order['order_id']}"
    same("the order as read", api.get(path), order)
    fields = {"courier_id": "C-17", "pickup_at": "2026-01-31T12:00:00Z", "delivery_id": "D-1"}
    after = api.put(path, fields)
    part("the updated order", after, {**fields, "version": 2, "metadata": {"a": 1}})
    items = [{"line_id": 1, "discount_lines": [{"amount": 10, "discount_subtype": "campaign"}], "net_amount": 90}]
    part("the order with a discount", api.put(path, {"items": items}), {"net_amount": 90, "total_discount": 10})
    api.refused("GET", f"/orders/{uuid4()}", status=404)
    api.refused("POST", "/orders", {"items": lines(5)})


def statuses(api: Api) -> None:
    """Open, close, cancel, and what each leaves behind."""
    path = f"/orders/{api.order(100)['order_id']}"
    same("open on an open order", api.post(f"{path}/open")["version"], 1)
    closed = api.post(f"{path}/close")
    same("closed", (closed["status"], "closed_at" in closed, "closed_by" in closed), ("closed", True, True))
    api.refused("POST", f"{path}/authorizations", operation((1, 100)))
    opened = api.post(f"{path}/open")
    same("opened again", (opened["status"], "closed_at" in opened), ("open", False))
    for reason in ("customer", "declined", "other"):
        cancelled = api.post(f"/orders/{api.order(100)['order_id']}/cancel", {"cancelled_reason": reason})
        part("the cancelled order", cancelled, {"status": "cancelled", "cancelled_reason": reason})
        same("when and by whom", ("cancelled_at" in cancelled, "cancelled_by" in cancelled), (True, True))
    same("without a body", api.post(f"{path}/cancel")["cancelled_reason"], "other")
    api.refused("POST", f"{path}/open")
    api.refused("POST", f"/orders/{api.paid(100)['order_id']}/cancel")


def operations(api: Api) -> None:
    """Each kind of operation is recorded, read, listed, and counted in what remains."""
    path = f"/orders/{api.order(100, 50)['order_id']}"
    details = {"processed_by": "psp", "metadata": {"n": 1}, "processed_at": "2026-01-31T12:00:00Z"}
    amounts = {"authorizations": 150, "captures": 120, "refunds": 40, "cancellations": 30}
    for name, amount in amounts.items():
        items = ((1, 100), (2, amount - 100)) if amount >= 100 else ((1 if name == "refunds" else 2, amount),)  # noqa: PLR2004 - lines of 100 and 50
        made = api.post(f"{path}/{name}", operation(*items, **details))
        part(f"of {name}", made, {"amount": amount, "success": True, **details, "payment_details": {"payment_id": "PID_123"}})
        same(f"{name} by id", api.get(f"{path}/{name}/{made['id']}"), made)
        same(f"{name} listed", api.get(f"{path}/{name}"), {name: [made]})
        same(f"{name} in the order", api.get(path)[name], [made])
        api.refused("GET", f"{path}/{name}/{uuid4()}", status=404)
    remaining = {"remaining_capture_amount": 0, "remaining_cancellation_amount": 0}
    part("what remains", api.get(path)["payment_details"], {**remaining, "remaining_refund_amount": 80, "amount_due": 30})
    created = [event.get("request", {}).get("path", "").rpartition("/")[2] for event in api.get(f"{path}/events")["events"]]
    same("an event for each", created[1:], list(amounts))


def limits_of_money(api: Api) -> None:
    """More than remains is refused, and so are unknown lines and a second authorization of a line."""
    path = f"/orders/{api.order(100)['order_id']}"
    api.refused("POST", f"{path}/captures", operation((1, 1)))
    api.refused("POST", f"{path}/authorizations", operation((1, 101)))
    api.refused("POST", f"{path}/authorizations", operation((7, 1)))
    api.refused("POST", f"{path}/authorizations", {"items": []})
    api.post(f"{path}/authorizations", operation((1, 60)))
    api.refused("POST", f"{path}/authorizations", operation((1, 40)))
    error = api.refused("POST", f"{path}/captures", operation((1, 61)))
    same("the line at fault", [fault.get("line_id") for fault in error.get("errors", [])], [1])
    api.refused("POST", f"{path}/refunds", operation((1, 1)))
    failed = api.post(f"{path}/captures", operation((1, 60), success=False))
    same("a failed capture", failed["success"], False)
    part(
        "what remains after it", api.get(path)["payment_details"], {"remaining_capture_amount": 60, "remaining_refund_amount": 0}
    )


def many_authorizations(api: Api) -> None:
    """With multiple authorizations each further operation names its own."""
    path = f"/orders/{api.order(100, multiple_authorizations=True)['order_id']}"
    one, two = (api.post(f"{path}/authorizations", operation((1, amount)))["id"] for amount in (60, 40))
    api.refused("POST", f"{path}/captures", operation((1, 10)))
    api.refused("POST", f"{path}/captures", operation((1, 41), authorization_id=two))
    same("what it names", api.post(f"{path}/captures", operation((1, 40), authorization_id=two))["authorization_id"], two)
    same("what remains", api.get(path)["payment_details"]["remaining_capture_amount"], 60)
    api.post(f"{path}/cancellations", operation((1, 60), authorization_id=one))


def payment_statuses(api: Api) -> None:
    """From pending to refunded."""
    path = f"/orders/{api.order(100)['order_id']}"
    found = [api.get(path)["payment_status"]]
    steps = (("authorizations", 100), ("captures", 40), ("captures", 60), ("refunds", 30), ("refunds", 70))
    for name, amount in steps:
        api.post(f"{path}/{name}", operation((1, amount)))
        found.append(api.get(path)["payment_status"])
    same("the statuses", found, ["pending", "pending", "partially_paid", "paid", "partially_refunded", "refunded"])


def sessions(api: Api) -> None:
    """A payment session is recorded with the lines that it is for."""
    path = f"/orders/{api.order(100)['order_id']}/sessions"
    url = {"return_url": "https://example.com/accept", "callback_url": "https://example.com/callback?method=GET"}
    session = api.post(path, {"items": [{"line_id": "1", "amount": 100}], "profile_id": "default", "url": url})
    part("the session", session, {"amount": 100, "items": [{"line_id": "1", "amount": 100}]})
    same("the session by id", api.get(f"{path}/{session['id']}"), session)
    same("the sessions", api.get(path), {"sessions": [session]})


def events(api: Api) -> None:
    """What services report, and what it combines to."""
    path = f"/orders/{api.order(100)['order_id']}"
    found = [api.get(f"{path}/events")["state"]]
    for service, state in (("kitchen", "pending"), ("kitchen", "success"), ("courier", "failure"), ("courier", "error")):
        event = {"service": service, "service_status": "ready_for_pickup", "state": state, "description": "food prepared"}
        part("the event", api.post(f"{path}/events", event), event)
        found.append(api.get(f"{path}/events")["state"])
    same("the states", found, ["pending", "pending", "success", "failure", "failure"])
    same("not asked for", api.get(path).get("events", []), [])
    asked = api.get(path, include_events="true")
    same("asked for", (len(asked["events"]), asked["state"]), (5, "failure"))
    for type_, number in (("service-event", 4), ("api-event", 1), ("false", 0)):
        same(f"include_events={type_}", len(api.get(path, include_events=type_)["events"]), number)


def comments(api: Api) -> None:
    """A comment is added, shown in the order, and marked as deleted."""
    path = f"/orders/{api.order(100)['order_id']}"
    comment = api.post(f"{path}/comments", {"body": "Leave it at the door"})
    part("the comment", comment, {"body": "Leave it at the door", "visibility": "private"})
    public = api.post(f"{path}/comments", {"body": "x", "visibility": "public"})
    same("the order's comments", api.get(path)["comments"], [comment, public])
    same("deleted", "deleted_at" in api.delete(f"{path}/comments/{comment['id']}"), True)


def lists(api: Api) -> None:
    """Newest first, in pages, with filters and a total."""
    store, customer = fresh(f"S-{uuid4().hex[:8]}-"), fresh(f"C-{uuid4().hex[:8]}-")
    made = [api.order(100, store={"id": store}, customer={"id": customer})["id"] for _ in range(5)][::-1]
    api.post(f"/orders/{made[0]}/close")
    for path in (f"/stores/{store}/orders", f"/customers/{customer}/orders"):
        same("newest first", _ids(api.get(path)["orders"]), made)
        first = api.raw("GET", path, query={"limit": 2, "total": "true"})
        same("a page", (_ids(expect(first, 200)["orders"]), first.headers.get("total-count")), (made[:2], "5"))
        same("the next page", _ids(api.get(path, limit=2, starting_after=made[1])["orders"]), made[2:4])
        same("by status", _ids(api.get(path, status="closed")["orders"]), made[:1])
        same("by payment status", _ids(api.get(path, payment_status="paid")["orders"]), [])
        oldest, since = (api.get(f"/orders/{id_}")["created_at"] for id_ in (made[4], made[1]))
        same("since", made[4] in _ids(api.get(path, created_at__gte=since)["orders"]), oldest >= since)
        same("until", made[4] in _ids(api.get(path, created_at__lte=since)["orders"]), True)
        same("with events", len(api.get(path, include_events="true")["orders"][0]["events"]), 2)
        same("one of them", api.get(f"{path}/{made[2]}")["id"], made[2])
    held = api.raw("GET", f"/orders/{made[1]}/authorizations", query={"total": "true"})
    same("what an order holds, counted", (expect(held, 200), held.headers.get("total-count")), ({"authorizations": []}, "0"))
    newest = _ids(api.get("/orders", limit=100)["orders"])
    same("all orders", [one for one in newest if one in made], made)
    same("by default", len(api.get("/orders")["orders"]) <= 10, True)  # noqa: PLR2004 - the default limit
    for query in ({"limit": 0}, {"limit": 101}, {"starting_after": "nothing"}, {"status": "lost"}):
        expect(api.raw("GET", "/orders", query=query), 400)
    api.refused("GET", f"/stores/other/orders/{made[0]}", status=404)
    api.refused("GET", f"/customers/other/orders/{made[0]}", status=404)


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
    extra = {"currency": "NOK", "items": lines(5), "no_such_field": 1, "status": "closed", "version": 7}
    pointed = lines(5)[0] | {"line_id": 1.0, "gross_amount": 5.0}
    part("whole numbers", api.post("/orders", {"currency": "NOK", "items": [pointed]}), {"gross_amount": 5})
    part("read-only and unknown fields", api.post("/orders", extra), {"status": "open", "version": 1})


def headers(api: Api) -> None:
    """CORS, errors, and headers that are accepted and ignored."""
    sent = {"Dintero-System-Name": "shop", "Dintero-System-Version": "1", "Dintero-System-Plugin-Name": "x"}
    answer = api.raw("GET", "/orders", headers=sent)
    expect(answer, 200)
    same("access-control-allow-origin", answer.headers.get("access-control-allow-origin"), "*")
    methods = answer.headers.get("access-control-allow-methods", "").split(",")
    same("access-control-allow-methods", sorted(methods), sorted(["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"]))
    same("an etag", "etag" in api.raw("GET", f"/orders/{api.order(5)['id']}").headers, True)
    error = api.refused("GET", f"/orders/{uuid4()}", status=404)
    same("the error's code", error.get("code"), "NOT FOUND")
    bare = api.raw("GET", "/orders", headers={"Authorization": "Bearer nothing"})
    if bare.status_code not in (401, 403):
        raise NotConformingError(f"a wrong token was answered {bare.status_code}")


def _ids(found: list[Any]) -> list[str]:
    return [one["id"] for one in found]


def _line_ids(order: Any) -> list[int]:
    return [line["line_id"] for line in order["items"]]


_D, _O = "/shopping/draft_orders", "/shopping/orders/{order_id}"
CHECKS = (
    Check("tokens", ("POST /auth/token", "Authorization"), tokens),
    Check(
        "a draft from making to completing",
        (
            f"POST {_D}",
            f"GET {_D}",
            f"GET {_D}/{{id}}",
            f"PUT {_D}/{{id}}",
            f"PUT {_D}/{{id}}/complete",
            f"POST {_D}/{{id}}/items",
            f"PUT {_D}/{{id}}/items/{{line_id}}",
            f"DELETE {_D}/{{id}}/items/{{line_id}}",
            "status of what is done",
            "Content-Type",
        ),
        draft_life,
    ),
    Check("a deleted draft", (f"DELETE {_D}/{{id}}",), draft_deleted),
    Check("links", ("links",), links),
    Check("order ids", ("order_id",), order_ids),
    Check("ids in paths", ("ids in paths",), ids_in_paths),
    Check("reversing a line and adding one", ("append and replace", "reversed lines"), amending),
    Check("replacing an order", ("append and replace",), replacing),
    Check("splitting a draft where it is asked for", ("split_draft",), splitting),
    Check("an order without a draft", ("POST /shopping/orders", f"GET {_O}", f"PUT {_O}"), orders_directly),
    Check(
        "opening, closing, cancelling",
        (f"POST {_O}/open", f"POST {_O}/close", f"POST {_O}/cancel", "open, close, cancel"),
        statuses,
    ),
    Check(
        "payment operations",
        (
            *(f"{method} {_O}/{name}" for name in OPERATIONS for method in ("GET", "POST")),
            *(f"GET {_O}/{name}/{{{name[:-1]}_id}}" for name in OPERATIONS),
            "what remains",
        ),
        operations,
    ),
    Check("what the rules of money refuse", ("over-capture and over-refund", "failed operations"), limits_of_money),
    Check("several authorizations of a line", ("multiple_authorizations",), many_authorizations),
    Check("payment statuses", ("payment_status",), payment_statuses),
    Check("sessions", (f"GET {_O}/sessions", f"POST {_O}/sessions", f"GET {_O}/sessions/{{session_id}}"), sessions),
    Check("events and state", (f"GET {_O}/events", f"POST {_O}/events", "include_events", "state"), events),
    Check("comments", (f"POST {_O}/comments", f"DELETE {_O}/comments/{{comment_id}}"), comments),
    Check(
        "lists",
        (
            "GET /shopping/orders",
            *(
                f"GET /shopping/{name}s/{{{name}_id}}/orders{one}"
                for name in ("store", "customer")
                for one in ("", "/{order_id}")
            ),
            "limit",
            "starting_after",
            "total",
            "total-count",
            "created_at.gte",
            "created_at.lte",
            "status",
            "payment_status",
            "include_events",
        ),
        lists,
    ),
    Check(
        "every field",
        (
            "read-only fields",
            "unknown fields",
            "numbers that are no amounts",
            "whole numbers",
            "payout trees, conversions",
            "time_to_live",
        ),
        every_field,
    ),
    Check(
        "headers and errors",
        ("Dintero-*", "access-control-allow-origin", "access-control-allow-methods", "etag", "error body"),
        headers,
    ),
)
