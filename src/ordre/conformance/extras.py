"""Checks of the parts that differ or are extra: they run against Ordre alone."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from ordre.conformance.api import Api, Check, expect, fresh, lines, operation, part, same
from ordre.conformance.of_hooks import going_back
from ordre.conformance.table import EXTRA_PARAMETERS, Evidence, Verdict


def idempotency(api: Api) -> None:
    """The same key has one effect, and stands for one request."""
    path = f"/orders/{api.order(100)['id']}"
    key = {"Idempotency-Key": uuid4().hex}
    first, again = (api.raw("POST", f"{path}/authorizations", operation((1, 60)), headers=key) for _ in range(2))
    same("the answer again", (expect(again, 200), again.headers.get("idempotency-replayed")), (expect(first, 200), "true"))
    expect(api.raw("POST", f"{path}/authorizations", operation((1, 61)), headers=key), 422)
    same("what was recorded", len(api.get(path)["authorizations"]), 1)


def versions(api: Api) -> None:
    """Writes on a version, and reading the past."""
    path = f"/orders/{api.order(100)['id']}"
    same("the etag", api.raw("GET", path).headers.get("etag"), '"1"')
    expect(api.raw("PUT", path, {"comment": "one"}, headers={"If-Match": '"1"'}), 200)
    (fault,) = expect(api.raw("PUT", path, {"comment": "two"}, headers={"If-Match": '"1"'}), 412)["error"]["errors"]
    same("the version and the events since", (fault["current_version"], len(fault["events"])), (2, 1))
    same("not modified", api.raw("GET", path, headers={"If-None-Match": '"2"'}).status_code, 304)
    past = api.get(path, version=1)
    same("the order as it was", ("comment" in past, past["version"]), (False, 1))
    at_once = api.get(path)["updated_at"] == past["updated_at"]
    same("at an instant", api.get(path, at=past["updated_at"])["version"], 2 if at_once else 1)
    paths = [change["path"] for change in api.get(f"{path}/diff", **{"from": 1, "to": 2})["changes"]]
    same("the difference", "comment" in paths, True)
    events = api.get(f"{path}/events", include_events="service-event", limit=1)
    same("events of a type", events["events"], [])


def feed(api: Api) -> None:
    """Every change has a position, and what it shows."""
    since = api.get("/feed", limit=1, after=2**52)["end"]
    order = api.order(100, store={"id": "S-feed"})
    path = f"/orders/{order['id']}"
    made = api.post(f"{path}/authorizations", operation((1, 60)))
    asked = {"kind": "placed,authorization", "store_id": "S-feed", "include": "document"}
    page = api.get("/feed", after=since, limit=10, wait=1, **asked)
    found = [(entry["type"], entry["id"], entry["version"], entry["kind"]) for entry in page["entries"]]
    same("the entries", found, [("order", order["id"], 1, "placed"), ("order", order["id"], 2, "authorization")])
    same("what one shows", page["entries"][1]["document"], made)
    refused = api.raw("GET", "/feed", headers={"Accept": "text/event-stream", "Last-Event-ID": "x"})
    same("a stream from no position", refused.status_code, 400)
    same("of a kind", [entry["kind"] for entry in api.get("/feed", after=since, kind="capture")["entries"]], [])


def erasing(api: Api) -> None:
    """Of an erased order its names and times are kept; lists leave it out."""
    mark = uuid4().hex[:12]
    order = api.paid(100, order_number=f"N-{mark}", comment=f"private {mark}")
    path = f"/orders/{order['id']}"
    erased = api.delete(path)
    for name in ("id", "order_id", "order_number", "created_at", "updated_at"):
        same(name, erased[name], api.get(path)[name])
    same("what it says", (mark in erased["order_number"], "deleted_at" in erased, "comment" in erased), (True, True, False))
    same("in a list", api.get("/orders", order_number=f"N-{mark}"), {"orders": []})
    api.refused("POST", f"{path}/open")


def repeating(api: Api) -> None:
    """A repeated request has one effect."""
    draft = api.draft({}, 100)
    (order,) = api.completed(draft)
    same("completing again", api.completed(draft), [order])
    path = f"/orders/{order['id']}/authorizations"
    sent = operation((1, 60), id=fresh("op-"))
    same("the same operation again", api.post(path, sent), api.post(path, sent))
    api.refused("POST", path, {**sent, "success": False}, status=409)


def finding(api: Api) -> None:
    """Every extra filter finds the order, and only it."""
    mark = uuid4().hex[:12]
    api.order(5)
    order = api.paid(
        39800,
        order_number=f"N-{mark}",
        customer={"id": f"C-{mark}", "first_name": "Kari"},
        store={"id": f"S-{mark}"},
        external_ids=[{"id": f"E-{mark}"}],
        metadata={"mark": mark},
    )
    asked: dict[str, dict[str, Any]] = {
        "customer_id": {"customer_id": f"C-{mark}"},
        "store_id": {"store_id": f"S-{mark}"},
        "order_number": {"order_number": f"N-{mark}"},
        "external_id": {"external_id": f"E-{mark}"},
        "metadata.<key>": {"metadata.mark": mark},
        "q": {"q": f"kari n-{mark[:8]}"},
        "payment_id": {"payment_id": "PID_123", "metadata.mark": mark},
        "currency": {"currency": "NOK", "metadata.mark": mark},
        "net_amount.gte": {"net_amount.gte": 39800, "metadata.mark": mark},
        "net_amount.lte": {"net_amount.lte": 39800, "metadata.mark": mark},
        "updated_at.gte": {"updated_at.gte": order["updated_at"], "metadata.mark": mark},
        "updated_at.lte": {"updated_at.lte": "2999-01-01T00:00:00Z", "metadata.mark": mark},
    }
    same("the filters that are tried", set(asked), set(EXTRA_PARAMETERS))
    for name, query in asked.items():
        found = expect(api.raw("GET", "/orders", query=query), 200)["orders"]
        same(name, [one["id"] for one in found], [order["id"]])
    page = api.raw("GET", "/orders", query={"limit": 1})
    same("a link to the next page", 'rel="next"' in page.headers.get("link", ""), True)


def refusals(api: Api) -> None:
    """What the original may take and Ordre refuses."""
    error = expect(api.raw("GET", "/orders", query={"sort": "up"}), 400)["error"]
    same("an unknown parameter", error["errors"][0]["path"], "sort")
    wrong = {**lines(100)[0], "net_amount": 99}
    api.refused("POST", "/orders", {"currency": "NOK", "items": [wrong]})
    api.refused("POST", "/orders", {"currency": "NOK", "items": [{**lines(5)[0], "gross_amount": 5.5}]})
    api.refused("POST", "/orders", {"currency": "NOX", "items": lines(5)})
    api.refused("POST", "/orders", {"currency": "NOK", "items": lines(5), "shipping_address": {"country": "XX"}})
    one = {**lines(5)[0], "store": {"id": "a"}}
    two = {**lines(5, 5)[1], "store": {"id": "b"}}
    draft = api.post("/draft_orders", {"order": {"currency": "NOK", "items": [one, two]}})
    same("a draft that does not ask to be split", len(api.completed(draft)), 1)


def money(api: Api) -> None:
    """Authorizing again after a void, reversing a line, what a cancelled order owes, and what an operation says of itself."""
    path = f"/orders/{api.order(100)['id']}"
    api.refused("POST", f"{path}/authorizations", operation((1, 100), amount=99))
    made = api.post(f"{path}/authorizations", operation((1, 100), amount=100, authorization_id="gateway"))
    same("the authorization_id", made["authorization_id"], "gateway")
    api.post(f"{path}/cancellations", operation((1, 100)))
    same("what may be authorized", api.get(path)["payment_details"]["remaining_authorization_amount"], 100)
    back = {**lines(0, -101)[1], "related_item": {"line_id": 1, "type": "reversed"}}
    for wrong in (back, {**back, "related_item": {"line_id": 7}}):
        api.refused("POST", "/orders", {"currency": "NOK", "items": [lines(100)[0], wrong]})
    api.post(f"{path}/authorizations", operation((1, 60)))
    owed = api.post(f"{path}/cancel")["payment_details"]
    nothing = {"amount_due": 0, "remaining_authorization_amount": 0, "remaining_capture_amount": 0}
    part("what a cancelled order owes", owed, {**nothing, "remaining_cancellation_amount": 60})


def exporting(api: Api) -> None:
    """An export has orders as they are read one by one, oldest first, or as rows of a table."""
    customer = {"id": fresh("C")}
    orders = [api.order(amount, customer=customer) for amount in (100, 200)]
    query = {"customer_id": customer["id"], "format": "ndjson"}
    lines_ = api.raw("GET", "/orders/export", query=query).content.splitlines()
    same("the lines", lines_, [api.raw("GET", f"/orders/{one['id']}").content.strip() for one in orders])
    rows = api.raw("GET", "/orders/export", query={**query, "format": "csv", "rows": "lines"}).text.splitlines()
    same("the rows", [row.partition(",")[0] for row in rows], ["id", *(one["id"] for one in orders)])


def strict(api: Api) -> None:
    """Fields that are ignored are refused on request, and named on test accounts."""
    body = {"currency": "NOK", "items": lines(5), "no_such_field": 1}
    answer = api.raw("POST", "/orders", body, headers={"Prefer": "handling=strict"})
    same("what is refused", [one["path"] for one in expect(answer, 400)["error"]["errors"]], ["no_such_field"])
    same("preference-applied", answer.headers.get("preference-applied"), "handling=strict")
    ignored = "no_such_field" if api.account.startswith("T") else None
    same("x-ordre-ignored", api.raw("POST", "/orders", body).headers.get("x-ordre-ignored"), ignored)


def shapes(api: Api) -> None:
    """Values in another shape than the documented one are taken, and answered in that one."""
    line = {"id": "A", "line_id": "1", "gross_amount": 100, "manual_payout": ["any"], "payout": {"destinations": [1, "x"]}}
    taxed = {**line, "line_id": "2", "tax_lines": [{"percentage": 25}], "discount_lines": [{"amount": 1, "discount_type": "own"}]}
    customer = {"type": "own", "phone_number": "(+47) 999 12-345"}
    sent = {"currency": "NOK", "items": [line, taxed], "customer": customer, "shipping_address": {"country": "no"}}
    order = api.post("/orders", sent)
    part("the customer", order["customer"], customer)
    same("the country", order["shipping_address"]["country"], "NO")
    same("the lines", [(one["line_id"], one["tax_lines"]) for one in order["items"]], [(1, []), (2, taxed["tax_lines"])])
    for name in ("manual_payout", "payout"):
        same(name, order["items"][0][name], line[name])
    path = f"/orders/{order['id']}"
    session = api.post(f"{path}/sessions", {"items": [{"line_id": 1}], "profile_id": "p", "url": {}})
    same("the session's line", session["items"][0]["line_id"], "1")
    made = api.post(f"{path}/authorizations", {"items": [{"line_id": "1", "amount": 100}]})
    same("the operation's line", made["items"][0]["line_id"], 1)


def more(api: Api) -> None:
    """Item statuses, amounts of sessions, discounts of orders, headers of our own."""
    discounts = [{"id": "D", "refs": [{"id": "r", "amount": 5}]}]
    order = api.order(100, discounts=discounts)
    path = f"/orders/{order['id']}"
    part("the order", order, {"discounts": discounts})
    statuses = api.put(f"{path}/items", {"items": [{"line_id": 1, "status": "packed"}]})
    same("the item's status", statuses["items"][0]["status"], "packed")
    session = api.post(f"{path}/sessions", {"items": [{"line_id": "1"}], "profile_id": "p", "url": {}})
    same("the session's amount", (session["amount"], "url" in session), (100, False))
    answer = api.raw("GET", path)
    for name in ("x-request-id", "x-content-type-options", "access-control-expose-headers"):
        same(name, name in answer.headers, True)
    allowed = answer.headers.get("access-control-allow-headers", "").split(",")
    same("access-control-allow-headers", {"Authorization", "total-count", "page-count", "Idempotency-Key"} <= set(allowed), True)
    same("cache-control", api.token().headers.get("cache-control"), "no-store")
    same("www-authenticate", "www-authenticate" in api.token(secret="wrong").headers, True)  # noqa: S106 - it is to be refused
    same("allow", "allow" in api.raw("PATCH", path).headers, True)


def _own(name: str, covers: tuple[str, ...], run: Callable[[Api], None]) -> Check:
    return Check(name, covers, run, Verdict.EXTRA, Evidence.NONE)


EXTRAS = (
    _own("idempotency keys", ("Idempotency-Key", "idempotency-replayed"), idempotency),
    _own(
        "versions and the past",
        ("If-Match", "If-None-Match", "etag", "version", "at", "from", "to", "GET /shopping/orders/{order_id}/diff"),
        versions,
    ),
    _own("the feed", ("GET /shopping/feed", "after", "wait", "kind", "include", "Accept", "Last-Event-Id"), feed),
    _own("erasing", ("DELETE /shopping/orders/{order_id}", "an erased order"), erasing),
    _own("doing again", ("completing twice", "a repeated operation id"), repeating),
    _own("finding", (*EXTRA_PARAMETERS, "link"), finding),
    _own("shapes", ("words without a published list", "phone numbers", "line_id", "tax_lines"), shapes),
    _own(
        "refusing",
        ("amounts", "unknown query parameters", "currencies and countries", "split_draft"),
        refusals,
    ),
    _own(
        "money",
        (
            "related_item",
            "a voided authorization",
            "a cancelled order",
            "an operation's own amount",
            "authorization_id without multiple_authorizations",
        ),
        money,
    ),
    _own("exporting", ("GET /shopping/orders/export", "format", "rows", "content-disposition", "transfer-encoding"), exporting),
    _own(
        "webhooks",
        (
            "POST /hooks/subscriptions/{hid}/resume",
            "POST /hooks/subscriptions/{hid}/redeliver",
            "POST /hooks/subscriptions/{hid}/deliveries/{delivery_id}/redeliver",
            "secrets of webhooks",
        ),
        going_back,
    ),
    _own("strict", ("Prefer", "preference-applied", "x-ordre-ignored"), strict),
    _own(
        "more",
        (
            "PUT /shopping/orders/{order_id}/items",
            "a session's amounts",
            "discounts of an order",
            "x-request-id",
            "x-content-type-options",
            "access-control-expose-headers",
            "access-control-allow-headers",
            "page-count",
            "cache-control",
            "www-authenticate",
            "allow",
        ),
        more,
    ),
)
