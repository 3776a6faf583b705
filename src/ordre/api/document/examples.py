"""Bodies, queries and answers for the documentation, by operationId: the tests send them to a running server and compare."""

import json
from importlib.resources import files
from typing import Any

_ITEM = {
    "id": "175938",
    "line_id": 1,
    "quantity": 2,
    "gross_amount": 39800,
    "tax_lines": [{"amount": 7960, "percentage": 25}],
    "description": "Stablestol for utendørsbruk",
    "description_alias": "Stablestol",
}
_ORDER = {"currency": "NOK", "items": [_ITEM]}
_OPERATION = {"items": [{"amount": 39800, "line_id": 1}], "payment_details": {"payment_id": "PID_123"}, "success": True}
_PART = {"items": [{"amount": 1000, "line_id": 1}], "payment_details": {"payment_id": "PID_123"}, "success": True}

EXAMPLES: dict[str, Any] = {
    "aid_auths_oauth_token_post": {
        "grant_type": "client_credentials",
        "audience": "http://127.0.0.1:8080/v1/accounts/T00000001",
    },
    "aid_draft_orders_post": {"options": {"generate_order_id": "ALPHANUMERIC_9"}, "order": _ORDER},
    "aid_draft_orders_id_put": {"order": {"customer": {"email": "customer@example.com"}}},
    "aid_draft_orders_id_complete_put": {},
    "aid_draft_orders_id_items_post": {**_ITEM, "line_id": 2},
    "aid_draft_orders_id_items_line_id_put": {**_ITEM, "gross_amount": 19900, "quantity": 1, "tax_lines": []},
    "aid_orders_post": {
        **_ORDER,
        "order_number": "2026-1042",
        "customer": {"id": "C-17", "first_name": "Kari", "last_name": "Nordmann", "phone_number": "+4799999999"},
        "store": {"id": "S-1", "name": "SC Oslo"},
        "metadata": {"channel": "pos"},
    },
    "aid_orders_id_put": {"courier_id": "C-17", "pickup_at": "2026-01-31T12:00:00Z"},
    "aid_orders_id_items_put": {"items": [{"line_id": 1, "status": "packed"}]},
    "aid_orders_id_cancel_post": {"cancelled_reason": "customer"},
    "aid_orders_id_authorization_post": _OPERATION,
    "aid_orders_id_capture_post": _OPERATION,
    "aid_orders_id_refunds_post": _PART,
    "aid_orders_id_cancellation_post": _PART,
    "aid_orders_id_sessions_post": {
        "items": [{"line_id": "1"}],
        "profile_id": "default",
        "url": {
            "return_url": "https://example.com/accept",
            "callback_url": "https://example.com/callback?method=GET",
            "merchant_terms_url": "https://example.com/terms.html",
        },
    },
    "aid_orders_id_events_post": {
        "state": "success",
        "service": "kitchen",
        "service_status": "ready_for_pickup",
        "description": "food prepared",
    },
    "aid_orders_id_comments_post": {"body": "Leave it at the door"},
    "aid_hooks_subscriptions_post": {
        "config": {
            "url": "https://shop.example/webhooks",
            "content_type": "application/json",
            "secret": {"type": "HMAC-SHA1", "value": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
            "insecure_ssl": 0,
        },
        "events": ["shopping_draft_complete", "shopping_order_update", "shopping_order_delete"],
        "fields": "id,order_id,version,status,payment_status,items(line_id,payment_details)",
    },
    "aid_hooks_subscriptions_hid_redeliver_post": {"after": 0},
}

_LIST = {"limit": 20, "total": "true", "status": "open", "created_at.gte": "2026-01-01T00:00:00Z"}
QUERIES: dict[str, dict[str, Any]] = {
    "aid_draft_orders_get": {**_LIST, "q": "stablestol"},
    "aid_orders_get": {**_LIST, "payment_status": "paid,partially_refunded", "q": "kari stablestol", "metadata.channel": "pos"},
    "aid_orders_export_get": {"limit": 1},
    "aid_orders_id_get": {"version": 2},
    "aid_hooks_subscriptions_get": {"limit": 20, "total": "true"},
    "aid_hooks_subscriptions_hid_deliveries_get": {"limit": 20, "total": "true"},
    "aid_orders_id_diff_get": {"from": 1, "to": 3},
    "aid_orders_id_events_get": {"include_events": "service-event", "limit": 10},
    "aid_feed_get": {"after": 0, "limit": 2, "kind": "authorization", "include": "document"},
    "aid_stores_id_orders_get": {**_LIST, "currency": "NOK"},
    "aid_customers_id_orders_get": {**_LIST, "net_amount.gte": 39800},
    "aid_stores_id_orders_id_get": {"include_events": "true"},
}


def recorded() -> dict[str, Any]:
    """Return, by operationId, the path parameters of a run and what was answered, with even ids and instants."""
    text = (files("ordre.api.document") / "example_answers.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
