"""Checks of the parts that are the same: they use nothing that the original does not have."""

from uuid import uuid4

from ordre.conformance.api import Api, Check, NotConformingError, expect, same
from ordre.conformance.of_drafts import amending, draft_deleted, draft_life, links, order_ids, replacing, splitting
from ordre.conformance.of_hooks import subscriptions
from ordre.conformance.of_orders import comments, events, every_field, ids_in_paths, lists, orders_directly, statuses
from ordre.conformance.of_payments import OPERATIONS, limits_of_money, many_authorizations, operations, payment_statuses, sessions
from ordre.conformance.table import DERIVED, INFERRED


def tokens(api: Api) -> None:
    """A token is for the client's credentials; wrong ones are refused."""
    token = expect(api.token(), 200)
    same("token_type", token["token_type"], "Bearer")
    same("the type of expires_in", type(token["expires_in"]), int)
    with api.derived():
        error = expect(api.token(secret="wrong"), 401)["error"]  # noqa: S106 - it is to be refused
        same("the error's message", type(error["message"]), str)
        expect(api.token({"grant_type": "magic", "audience": api.root}), 400)


def headers(api: Api) -> None:
    """CORS, errors, and headers that are accepted and ignored."""
    answer = api.raw("GET", "/draft_orders")
    expect(answer, 200)
    same("access-control-allow-origin", answer.headers.get("access-control-allow-origin"), "*")
    methods = answer.headers.get("access-control-allow-methods", "").split(",")
    same("access-control-allow-methods", sorted(methods), sorted(["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"]))
    bare = api.raw("GET", "/draft_orders", headers={"Authorization": "Bearer nothing"})
    if bare.status_code not in (401, 403):
        raise NotConformingError(f"a wrong token was answered {bare.status_code}")
    with api.derived():
        sent = {"Dintero-System-Name": "shop", "Dintero-System-Version": "1", "Dintero-System-Plugin-Name": "x"}
        expect(api.raw("GET", "/orders", headers=sent), 200)
        same("an etag", "etag" in api.raw("GET", f"/orders/{api.order(5)['id']}").headers, True)
        error = api.refused("GET", f"/orders/{uuid4()}", status=404)
        same("the error's code", error.get("code"), "NOT FOUND")


_D, _O, _H = "/shopping/draft_orders", "/shopping/orders/{order_id}", "/hooks/subscriptions"
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
    Check("a deleted draft", (f"DELETE {_D}/{{id}}",), draft_deleted, evidence=INFERRED),
    Check("links", ("links",), links, evidence=DERIVED),
    Check("order ids", ("order_id",), order_ids),
    Check("ids in paths", ("ids in paths",), ids_in_paths, evidence=INFERRED),
    Check("reversing a line and adding one", ("append and replace", "reversed lines"), amending),
    Check("replacing an order", ("append and replace",), replacing),
    Check("splitting a draft where it is asked for", ("split_draft",), splitting, evidence=DERIVED),
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
    Check("comments", (f"POST {_O}/comments", f"DELETE {_O}/comments/{{comment_id}}"), comments, evidence=INFERRED),
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
        "webhooks",
        (
            f"GET {_H}",
            f"POST {_H}",
            f"GET {_H}/{{hid}}",
            f"DELETE {_H}/{{hid}}",
            f"POST {_H}/{{hid}}/ping",
            f"GET {_H}/{{hid}}/deliveries",
            f"GET {_H}/{{hid}}/deliveries/{{delivery_id}}",
            "include_deleted",
        ),
        subscriptions,
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
        evidence=DERIVED,
    ),
    Check(
        "headers and errors",
        ("Dintero-*", "access-control-allow-origin", "access-control-allow-methods", "etag", "error body"),
        headers,
    ),
)
