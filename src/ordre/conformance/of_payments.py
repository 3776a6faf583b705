"""The checks of payment operations and sessions."""

from uuid import uuid4

from ordre.conformance.api import Api, expect, operation, part, same
from ordre.conformance.table import DERIVED, SEEN

OPERATIONS = ("authorizations", "captures", "refunds", "cancellations")


def operations(api: Api) -> None:
    """Each kind of operation is recorded, read, listed, and counted in what remains."""
    order = api.order(100, 50)
    path = f"/orders/{order['order_id']}"
    details = {"processed_by": "psp", "metadata": {"n": 1}, "processed_at": "2026-01-31T12:00:00Z"}
    amounts = {"authorizations": 150, "captures": 120, "refunds": 40, "cancellations": 30}
    for name, amount in amounts.items():
        items = ((1, 100), (2, amount - 100)) if amount >= 100 else ((1 if name == "refunds" else 2, amount),)  # noqa: PLR2004 - lines of 100 and 50
        made = api.post(f"{path}/{name}", operation(*items, **details))
        part(f"of {name}", made, {"amount": amount, "success": True, **details, "payment_details": {"payment_id": "PID_123"}})
        same(f"{name} in the order", api.read(order)[name], [made])
        with api.known_as(DERIVED if name == "cancellations" else SEEN):
            same(f"{name} listed", api.get(f"{path}/{name}"), {name: [made]})
        with api.known_as(SEEN if name == "cancellations" else DERIVED):
            same(f"{name} by id", api.get(f"{path}/{name}/{made['id']}"), made)
        with api.derived():
            api.refused("GET", f"{path}/{name}/{uuid4()}", status=404)
    with api.inferred():
        remaining = {"remaining_capture_amount": 0, "remaining_cancellation_amount": 0}
        owed = {**remaining, "remaining_refund_amount": 80, "amount_due": 30}
        part("what remains", api.read(order)["payment_details"], owed)
    created = [event.get("request", {}).get("path", "").rpartition("/")[2] for event in api.get(f"{path}/events")["events"]]
    same("an event for a capture and for a cancellation", {"captures", "cancellations"} <= set(created), True)
    with api.derived():
        same("an event for each", created[1:], list(amounts))
    with api.derived():
        other = f"/orders/{api.order(5)['order_id']}/authorizations"
        held = api.raw("GET", other, query={"total": "true"})
        same("what an order holds, counted", (expect(held, 200), held.headers.get("total-count")), ({"authorizations": []}, "0"))


def limits_of_money(api: Api) -> None:
    """More than remains is refused, and so are unknown lines and a second authorization of a line."""
    order = api.order(100)
    path = f"/orders/{order['order_id']}"
    with api.inferred():
        api.refused("POST", f"{path}/captures", operation((1, 1)))
        api.refused("POST", f"{path}/authorizations", operation((1, 101)))
        api.refused("POST", f"{path}/authorizations", operation((7, 1)))
        api.refused("POST", f"{path}/authorizations", {"items": []})
    api.post(f"{path}/authorizations", operation((1, 60)))
    for name in ("captures", "refunds"):
        api.refused("POST", f"{path}/{name}", {"success": True})
    with api.derived():
        api.refused("POST", f"{path}/authorizations", operation((1, 40)))
    failed = api.post(f"{path}/captures", operation((1, 60), success=False))
    same("a failed capture", failed["success"], False)
    with api.inferred():
        error = api.refused("POST", f"{path}/captures", operation((1, 61)))
        same("the line at fault", [fault.get("line_id") for fault in error.get("errors", [])], [1])
        api.refused("POST", f"{path}/refunds", operation((1, 1)))
        left = {"remaining_capture_amount": 60, "remaining_refund_amount": 0}
        part("what remains after it", api.read(order)["payment_details"], left)


def many_authorizations(api: Api) -> None:
    """With multiple authorizations each further operation names its own."""
    order = api.order(100, multiple_authorizations=True)
    path = f"/orders/{order['order_id']}"
    one, two = (api.post(f"{path}/authorizations", operation((1, amount)))["id"] for amount in (60, 40))
    api.refused("POST", f"{path}/captures", operation((1, 10)))
    with api.inferred():
        api.refused("POST", f"{path}/captures", operation((1, 41), authorization_id=two))
    same("what it names", api.post(f"{path}/captures", operation((1, 40), authorization_id=two))["authorization_id"], two)
    with api.inferred():
        same("what remains", api.read(order)["payment_details"]["remaining_capture_amount"], 60)
    api.post(f"{path}/cancellations", operation((1, 60), authorization_id=one))


def payment_statuses(api: Api) -> None:
    """From pending to refunded."""
    order = api.order(100)
    found = [api.read(order)["payment_status"]]
    same("at first", found, ["pending"])
    with api.inferred():
        steps = (("authorizations", 100), ("captures", 40), ("captures", 60), ("refunds", 30), ("refunds", 70))
        for name, amount in steps:
            api.post(f"/orders/{order['order_id']}/{name}", operation((1, amount)))
            found.append(api.read(order)["payment_status"])
        same("the statuses", found, ["pending", "pending", "partially_paid", "paid", "partially_refunded", "refunded"])


def sessions(api: Api) -> None:
    """A payment session is recorded with the lines that it is for."""
    path = f"/orders/{api.order(100)['order_id']}/sessions"
    url = {"return_url": "https://example.com/accept", "callback_url": "https://example.com/callback?method=GET"}
    session = api.post(path, {"items": [{"line_id": "1", "amount": 100}], "profile_id": "default", "url": url})
    part("the session", session, {"amount": 100, "items": [{"line_id": "1", "amount": 100}]})
    same("the session by id", api.get(f"{path}/{session['id']}"), session)
    with api.derived():
        same("the sessions", api.get(path), {"sessions": [session]})
