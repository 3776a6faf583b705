"""One run through every operation with the bodies of the documentation: what it answers is the documentation's example.

`script/examples.py` records it, `tests/http/test_examples.py` runs it again and compares.
"""

import json
import re
from hashlib import sha256
from itertools import count
from typing import Any

import httpx

from ordre.api.document.examples import EXAMPLES, QUERIES
from ordre.api.operations.table import OPERATIONS

CLOCK = "2026-01-31T12:00:00Z"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BY_ID = {route.id: route for route in OPERATIONS}


class Run:
    """Calls operations by their id, and keeps each first answer with the path that it was asked at."""

    def __init__(self, http: httpx.Client, account_id: str, client_id: str, secret: str) -> None:
        self.http, self.account_id, self.client_id, self.secret = http, account_id, client_id, secret
        self.kept: dict[str, Any] = {}
        self.token = ""

    def call(self, operation: str, **path: str) -> Any:
        route = _BY_ID[operation]
        named = {"aid": self.account_id, **path}
        sent: dict[str, Any] = {"params": QUERIES.get(operation, {}), "headers": {"Authorization": f"Bearer {self.token}"}}
        if operation in EXAMPLES:
            sent["json"] = EXAMPLES[operation]
        if route.access.by_secret:
            sent["headers"], sent["auth"] = {}, (self.client_id, self.secret)
        answer = self.http.request(route.method, route.path.format_map(named), **sent)
        assert answer.status_code == (200 if route.answer else 204), f"{operation}: {answer.text}"
        answered = answer.json() if route.answer else None
        self.kept.setdefault(operation, {"path": named if "{" in route.path else {}, "answer": answered})
        return answered

    def every_operation(self) -> dict[str, Any]:
        self.token = self.call("aid_auths_oauth_token_post")["access_token"]
        self._drafts()
        self._order()
        self._payments()
        self._hooks()
        for operation in (
            "aid_orders_get",
            "aid_orders_export_get",
            "jwks_get",
            "health_get",
            "health_live_get",
            "health_ready_get",
        ):
            self.call(operation)
        self.call("aid_stores_id_orders_get", store_id="S-1")
        self.call("aid_customers_id_orders_get", customer_id="C-17")
        self.call("aid_feed_get")
        return self._steady({route.id: self.kept[route.id] for route in OPERATIONS})

    def _drafts(self) -> None:
        draft = self.call("aid_draft_orders_post")["id"]
        self.call("aid_draft_orders_id_get", id=draft)
        self.call("aid_draft_orders_id_put", id=draft)
        self.call("aid_draft_orders_id_items_post", id=draft)
        self.call("aid_draft_orders_id_items_line_id_put", id=draft, line_id="1")
        self.call("aid_draft_orders_id_items_line_id_delete", id=draft, line_id="2")
        self.call("aid_draft_orders_get")
        self.call("aid_draft_orders_id_complete_put", id=draft)
        self.call("aid_draft_orders_id_delete", id=self.call("aid_draft_orders_post")["id"])

    def _order(self) -> None:
        order = self.call("aid_orders_post")["id"]
        for operation in (
            "aid_orders_id_put",
            "aid_orders_id_items_put",
            "aid_orders_id_get",
            "aid_orders_id_diff_get",
            "aid_orders_id_sessions_post",
            "aid_orders_id_events_post",
            "aid_orders_id_close_post",
            "aid_orders_id_open_post",
            "aid_orders_id_events_get",
            "aid_orders_id_sessions_get",
        ):
            self.call(operation, order_id=order)
        self.call("aid_stores_id_orders_id_get", store_id="S-1", order_id=order)
        self.call("aid_customers_id_orders_id_get", customer_id="C-17", order_id=order)
        session = self.kept["aid_orders_id_sessions_post"]["answer"]["id"]
        self.call("aid_orders_id_sessions_session_id_get", order_id=order, session_id=session)
        comment = self.call("aid_orders_id_comments_post", order_id=order)["id"]
        self.call("aid_orders_id_comments_comment_id_delete", order_id=order, comment_id=comment)
        self.call("aid_orders_id_cancel_post", order_id=order)
        self.call("aid_orders_id_delete", order_id=order)

    def _payments(self) -> None:
        paid = self.call("aid_orders_post")["id"]
        half = self.call("aid_orders_post")["id"]
        authorization = self.call("aid_orders_id_authorization_post", order_id=paid)["id"]
        capture = self.call("aid_orders_id_capture_post", order_id=paid)["id"]
        refund = self.call("aid_orders_id_refunds_post", order_id=paid)["id"]
        self.call("aid_orders_id_authorization_post", order_id=half)
        cancellation = self.call("aid_orders_id_cancellation_post", order_id=half)["id"]
        for name, kind, order, id_ in (
            ("authorizations", "authorization", paid, authorization),
            ("captures", "capture", paid, capture),
            ("refunds", "refund", paid, refund),
            ("cancellations", "cancellation", half, cancellation),
        ):
            self.call(f"aid_orders_id_{name}_get", order_id=order)
            self.call(f"aid_orders_id_{name}_{kind}_id_get", order_id=order, **{f"{kind}_id": id_})

    def _hooks(self) -> None:
        hook = self.call("aid_hooks_subscriptions_post")["id"]
        self.call("aid_hooks_subscriptions_hid_ping_post", hid=hook)
        for operation in ("get", "hid_get", "hid_redeliver_post", "hid_resume_post"):
            self.call(f"aid_hooks_subscriptions_{operation}", hid=hook)
        (ping, *_) = self.call("aid_hooks_subscriptions_hid_deliveries_get", hid=hook)
        for operation in ("get", "redeliver_post"):
            self.call(f"aid_hooks_subscriptions_hid_deliveries_id_{operation}", hid=hook, delivery_id=ping["id"])
        self.call("aid_hooks_subscriptions_hid_delete", hid=hook)

    def _steady(self, kept: dict[str, Any]) -> dict[str, Any]:
        """What differs from run to run, in the form of an example: ids by when they come, one instant, no keys."""
        kept["aid_auths_oauth_token_post"]["answer"]["access_token"] = "eyJhbGciOiJFZERTQSJ9.eyJhdWQiOiIuLi4ifQ.c2ln"
        for key in kept["jwks_get"]["answer"]["keys"]:
            key.update(kid="k1", x="11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
        (made,) = kept["aid_draft_orders_id_complete_put"]["answer"]["orders"]
        text = json.dumps(kept, ensure_ascii=False, indent=1)
        text = text.replace(made["order_id"], "K7M2PQ9XA").replace(self.client_id, "client-1")
        numbers, given = count(1), dict[str, str]()
        for id_ in _UUID.findall(text):
            if id_ not in given:
                given[id_] = f"019c1404-6800-7000-8000-{next(numbers):012d}"
        text = _UUID.sub(lambda found: given[found[0]], text)
        text = re.sub(r"2026-01-31T12:\d\d:\d\d\.\d{3}Z", "2026-01-31T12:00:00.000Z", text)
        text = re.sub(r'(?<=")[0-9a-f]{64}(?=")', sha256(b"an example").hexdigest(), text)
        steady: dict[str, Any] = json.loads(text)
        return steady
