"""The checks of webhooks, as far as they go without a receiver."""

from typing import Any
from uuid import uuid4

from ordre.conformance.api import Api, expect, part, same

_RECEIVER = "https://receiver.invalid/webhooks"
"""Nobody has this name, and nobody ever will (RFC 2606)."""


def subscriptions(api: Api) -> None:
    """A subscription is made, read, listed, tried and deleted; what was to be sent is listed."""
    config: dict[str, Any] = {"url": _RECEIVER, "secret": {"type": "HMAC-SHA1", "value": uuid4().hex}, "insecure_ssl": 0}
    sent = {"config": config, "events": ["shopping_order_update", "shopping_order_delete"], "fields": "id,items(line_id)"}
    made = expect(api.hooks("POST", "", sent), 200)
    path = f"/{made['id']}"
    part("the subscription", made, {"events": sent["events"], "active": True, "fields": sent["fields"]})
    same("where it sends", (made["config"]["url"], made["config"]["insecure_ssl"]), (_RECEIVER, 0))
    same("the subscription as read", expect(api.hooks("GET", path), 200)["id"], made["id"])
    same("the answer to a ping", api.hooks("POST", f"{path}/ping").status_code, 204)
    sent_to = expect(api.hooks("GET", f"{path}/deliveries", query={"limit": 1, "total": "true"}), 200)
    with api.inferred():
        same("the page", (len(sent_to), sent_to[0]["event"]), (1, "ping"))
    same("one delivery", expect(api.hooks("GET", f"{path}/deliveries/{sent_to[0]['id']}"), 200)["id"], sent_to[0]["id"])
    for asked in ({"total": "true"}, {"limit": 100}):
        found = expect(api.hooks("GET", "", query=asked), 200)
        same("whether it is listed", made["id"] in [one["id"] for one in found], True)
    same("deleted", expect(api.hooks("DELETE", path), 200)["id"], made["id"])
    same("what is listed", made["id"] in [one["id"] for one in expect(api.hooks("GET", ""), 200)], False)
    every = expect(api.hooks("GET", "", query={"include_deleted": "true", "limit": 100}), 200)
    same("what is listed with what was deleted", made["id"] in [one["id"] for one in every], True)
    with api.derived():
        expect(api.hooks("GET", f"/{uuid4()}"), 404)
        expect(api.hooks("POST", "", {**sent, "events": ["no_such_event"]}), 400)


def going_back(api: Api) -> None:
    """A subscription is resumed and told again; its secret is shown to nobody."""
    secret = uuid4().hex
    config = {"url": _RECEIVER, "secret": {"type": "HMAC-SHA1", "value": secret}}
    sent = {"config": config, "events": ["shopping_order_update"], "active": False}
    answer = api.hooks("POST", "", sent)
    path = f"/{expect(answer, 200)['id']}"
    same("whether the secret is answered", secret in answer.text, False)
    same("the state", answer.json()["state"], "inactive")
    expect(api.hooks("POST", f"{path}/ping"), 400)
    same("the state once resumed", expect(api.hooks("POST", f"{path}/resume"), 200)["state"], "active")
    same("its place", expect(api.hooks("POST", f"{path}/redeliver", {"after": 0}), 200)["position"], 0)
    expect(api.hooks("POST", f"{path}/ping"), 204)
    (ping, *_) = expect(api.hooks("GET", f"{path}/deliveries"), 200)
    same("what is sent again", expect(api.hooks("POST", f"{path}/deliveries/{ping['id']}/redeliver"), 200)["id"], ping["id"])
    expect(api.hooks("DELETE", path), 200)
    expect(api.hooks("POST", f"{path}/resume"), 400)
