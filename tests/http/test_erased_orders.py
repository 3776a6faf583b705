"""Erasing an order over HTTP: what is kept, what is gone, and what may still be asked."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from lanes import Effort
from service import Shop, faults_of, item, items, operation

KEPT = {"id", "order_id", "order_number", "external_ids", "created_at", "updated_at", "deleted_at", "deleted_by", "version"}


@pytest.fixture
def order(shop: Shop) -> Any:
    """A paid order from a draft, with one of everything on it."""
    external = [{"id": "E-1", "source": "till"}]
    named = {"order_id": "web-1", "order_number": "N-1", "external_ids": external}
    described = {"currency": "NOK", "items": items(100), "customer": {"id": "C1", "email": "kari@example.com"}}
    draft = shop.post("/draft_orders", {"order": {**described, **named}})
    (made,) = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    path = f"/orders/{made['id']}"
    for kind, amount in (("authorizations", 60), ("captures", 50), ("refunds", 50)):
        shop.post(f"{path}/{kind}", operation((1, amount), id=f"{kind}-1"))
    shop.post(f"{path}/cancellations", operation((1, 60), success=False))
    shop.post(f"{path}/comments", {"body": "Kari called"})
    shop.post(f"{path}/events", {"service": "kitchen", "service_status": "ready", "state": "success"})
    shop.post(f"{path}/sessions", {"profile_id": "p", "url": {}, "items": [{"line_id": "1"}]})
    return {**shop.get(path), "draft": draft["id"]}


def test_what_is_kept(shop: Shop, order: Any) -> None:
    erased = shop.delete(f"/orders/{order['id']}")
    assert erased.keys() == KEPT
    for name in KEPT - {"deleted_at", "deleted_by", "version"}:
        assert erased[name] == order[name]
    assert (erased["deleted_by"], erased["version"]) == (shop.client_id, order["version"] + 1)
    assert erased["deleted_at"] > order["updated_at"]
    for name in (order["id"], "web-1"):
        answer = shop.send("GET", f"/orders/{name}", params={"include_events": "true"})
        assert answer.json() == erased
        assert answer.headers["etag"] == f'"{erased["version"]}"'


def test_what_is_gone(shop: Shop, order: Any) -> None:
    path = f"/orders/{order['id']}"
    shop.delete(path)
    for name in ("authorizations", "captures", "refunds", "cancellations", "sessions"):
        assert shop.get(f"{path}/{name}") == {name: []}
    assert faults_of(shop.refused("GET", f"{path}/captures/captures-1", status=404)) == [("unknown_operation", "")]
    events = shop.get(f"{path}/events")
    assert events["state"] == "pending"
    (event,) = events["events"]
    assert event["request"] == {"path": f"/v1/accounts/{shop.account_id}/shopping{path}", "method": "DELETE", "body": ""}
    assert faults_of(shop.refused("GET", f"/draft_orders/{order['draft']}", status=404)) == [("unknown_draft", "")]
    for query in ({"version": 1}, {"version": order["version"]}, {"at": order["created_at"]}):
        assert faults_of(shop.refused("GET", path, params=query, status=404)) == [("version_erased", "")]
    assert faults_of(shop.refused("GET", f"{path}/diff", status=404)) == [("version_erased", "")]
    assert shop.get(path, params={"version": order["version"] + 1}).keys() == KEPT
    for place in ("/orders", "/customers/C1/orders", "/draft_orders"):
        (rows,) = shop.get(place).values()
        assert rows == []
    for query in ({"q": "kari"}, {"customer_id": "C1"}, {"payment_status": "pending"}, {"order_number": "N-1"}):
        assert shop.get("/orders", params={**query, "total": "true"}) == {"orders": []}
    shop.refused("GET", f"/customers/C1/orders/{order['id']}", status=404)


def test_nothing_changes_it_any_more(shop: Shop, order: Any) -> None:
    path = f"/orders/{order['id']}"
    amending = {"options": {"order_id": "web-1"}, "order": {"currency": "NOK", "items": [item(2, 5)]}}
    waiting = shop.post("/draft_orders", amending)
    erased = shop.delete(path)
    assert faults_of(shop.refused("GET", f"/draft_orders/{waiting['id']}", status=404)) == [("unknown_draft", "")]
    refused = [("order_erased", "")]
    assert faults_of(shop.refused("PUT", path, {"comment": "x"})) == refused
    assert faults_of(shop.refused("POST", f"{path}/refunds", operation((1, 1)))) == refused
    for verb in ("open", "close", "cancel"):
        assert faults_of(shop.refused("POST", f"{path}/{verb}", {})) == refused
    assert faults_of(shop.refused("POST", f"{path}/comments", {"body": "x"})) == refused
    taken = shop.refused("POST", "/orders", {"currency": "NOK", "items": items(1), "order_id": "web-1"})
    assert faults_of(taken) == [("order_id_taken", "order_id")]
    assert shop.delete(path) == erased
    assert shop.get(path) == erased


@pytest.mark.parametrize("named", ["order_id", "id"])
@pytest.mark.parametrize("options", [{}, {"replace": "order"}], ids=["appended", "replaced"])
def test_drafts_that_wait_for_it_go_and_none_comes_after(shop: Shop, named: str, options: dict[str, str]) -> None:
    made = shop.order(5, order_id="web-2")
    at_it = {"options": {**options, "order_id": made[named]}}
    described = {"order": {"currency": "NOK", "items": [item(2, 5)], "customer": {"email": "kari@example.com"}}}
    waiting = shop.post("/draft_orders", {**at_it, **described}, headers={"Idempotency-Key": "waiting"})["id"]
    turned = shop.post("/draft_orders", described)["id"]
    shop.put(f"/draft_orders/{turned}", at_it)
    beside = shop.post("/draft_orders", described)["id"]
    shop.delete(f"/orders/{made['id']}")
    for gone in (waiting, turned):
        assert faults_of(shop.refused("GET", f"/draft_orders/{gone}", status=404)) == [("unknown_draft", "")]
    at_target = [("order_erased", "options.order_id")]
    assert faults_of(shop.refused("POST", "/draft_orders", {**at_it, **described})) == at_target
    assert faults_of(shop.refused("PUT", f"/draft_orders/{beside}", at_it)) == at_target
    assert shop.get(f"/draft_orders/{beside}")["version"] == 1
    again = shop.refused("POST", "/draft_orders", {**at_it, **described}, headers={"Idempotency-Key": "waiting"})
    assert faults_of(again) == [("order_erased", "")]
    assert [draft["id"] for draft in shop.get("/draft_orders")["draft_orders"]] == [beside]


MADE_UNDER_A_KEY: dict[str, tuple[str, dict[str, Any]]] = {
    "an order": ("/orders", {"currency": "NOK", "items": items(5), "customer": {"email": "kari@example.com"}}),
    "an order of a name": ("/orders", {"currency": "NOK", "items": items(5), "order_id": "web-3"}),
    "a draft": ("/draft_orders", {"order": {"currency": "NOK", "customer": {"email": "kari@example.com"}, "items": items(5)}}),
}


@pytest.mark.parametrize("what", MADE_UNDER_A_KEY)
def test_who_sends_again_what_made_it_does_not_make_it_anew(shop: Shop, what: str) -> None:
    (path, body), headers = MADE_UNDER_A_KEY[what], {"Idempotency-Key": "made"}
    made = shop.post(path, body, headers=headers)
    completing = {"Idempotency-Key": "completed"}
    if path == "/draft_orders":
        (order,) = shop.put(f"/draft_orders/{made['id']}/complete", headers=completing)["orders"]
    else:
        order = made
    shop.delete(f"/orders/{order['id']}")
    code = "order_erased" if what == "an order of a name" else "key_erased"
    for _ in range(2):
        assert faults_of(shop.refused("POST", path, body, headers=headers)) == [(code, "")]
        assert faults_of(shop.refused("POST", path, {**body, "x": 1}, headers=headers)) == [(code, "")]
    if path == "/draft_orders":
        complete = f"/draft_orders/{made['id']}/complete"
        assert faults_of(shop.refused("PUT", complete, headers=completing, status=404)) == [("unknown_draft", "")]
    assert shop.get("/orders")["orders"] == []
    assert shop.get("/draft_orders")["draft_orders"] == []
    shop.post(path, {**body, "order_id": "other"} if path == "/orders" else body, headers={"Idempotency-Key": "another"})


def test_as_any_write_it_takes_a_version_and_a_key(shop: Shop, order: Any) -> None:
    path = f"/orders/{order['id']}"
    (stale,) = shop.refused("DELETE", path, headers={"If-Match": '"1"'}, status=412)
    assert stale["current_version"] == order["version"]
    headers = {"If-Match": f'"{order["version"]}"', "Idempotency-Key": "erase-1"}
    first = shop.send("DELETE", path, headers=headers)
    again = shop.send("DELETE", path, headers=headers)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true"
    assert faults_of(shop.refused("DELETE", "/orders/none", status=404)) == [("unknown_order", "")]


def test_a_body_that_comes_along_is_not_kept(shop: Shop, order: Any) -> None:
    path = f"/orders/{order['id']}"
    shop.delete(path, body={"reason": "Kari Nordmann asked"})
    (event,) = shop.get(f"{path}/events")["events"]
    assert event["request"]["body"] == ""


def test_a_key_used_on_the_order_before_does_not_bring_it_back(shop: Shop, order: Any) -> None:
    path = f"/orders/{order['id']}"
    headers = {"Idempotency-Key": "capture-1"}
    shop.post(f"{path}/captures", operation((1, 1)), headers=headers)
    shop.post(f"{path}/open", headers={"Idempotency-Key": "open-1"})
    shop.delete(path)
    assert faults_of(shop.refused("POST", f"{path}/captures", operation((1, 1)), headers=headers)) == [("order_erased", "")]
    assert faults_of(shop.refused("POST", f"{path}/open", headers={"Idempotency-Key": "open-1"})) == [("order_erased", "")]


def test_of_a_split_draft_one_order_takes_the_draft_along(shop: Shop) -> None:
    split = [item(1, 10, store={"id": "S1"}), item(2, 20, store={"id": "S2"})]
    draft = shop.post("/draft_orders", {"options": {"split_draft": True}, "order": {"currency": "NOK", "items": split}})
    one, other = shop.put(f"/draft_orders/{draft['id']}/complete")["orders"]
    shop.delete(f"/orders/{one['id']}")
    shop.refused("GET", f"/draft_orders/{draft['id']}", status=404)
    assert shop.get(f"/orders/{other['id']}") == other


def test_it_needs_the_scope_of_an_administrator(service: Any, shop: Shop, order: Any) -> None:
    with service.shop("write:shopping", account_id=shop.account_id) as writer:
        assert faults_of(writer.refused("DELETE", f"/orders/{order['id']}", status=403)) == [("missing_scope", "")]


def test_writers_at_once_with_an_eraser(shop: Shop) -> None:
    """Whoever is answered with success before it is erased with it; nobody writes after."""
    path = f"/orders/{shop.order(10_000)['id']}"
    shop.post(f"{path}/authorizations", operation((1, 10_000)))
    work: list[tuple[str, str, Any, dict[str, str]]] = []
    for number in range(60):
        verb, body = ("captures", operation((1, 1), metadata={"secret": number})) if number % 2 else ("open", None)
        work.append(("POST", f"{path}/{verb}", body, {"Idempotency-Key": f"key-{path}-{number}"}))
    work.insert(30, ("DELETE", path, None, {}))
    shop.sign_in()
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda one: shop.send(*one[:3], headers=one[3]), work))
    assert {answer.status_code for answer in answers} <= {200, 400}
    erased = shop.get(path)
    assert erased.keys() >= {"deleted_at"}
    won = sum(answer.status_code == 200 and "captures" in one[1] for one, answer in zip(work, answers, strict=True))
    assert erased["version"] == won + 3
    for method, url, body, headers in work:
        assert shop.send(method, url, body, headers=headers).status_code == (200 if method == "DELETE" else 400)


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.deep
def test_everything_that_could_outlive_it_beside_its_erasure(
    service: Any, shop: Shop, effort: Effort, record_property: Callable[[str, object], None]
) -> None:
    """Drafts that are made, turned to it and completed into it, and the request that made it: beside it, again and again."""
    counted: Counter[str] = Counter()
    shop.sign_in()
    with ThreadPoolExecutor(16) as pool:
        for number in effort.rounds(6):
            name, headers = f"web-{number}", {"Idempotency-Key": f"made-{number}"}
            body = {"currency": "NOK", "items": items(5), "comment": f"secret-{number}-x"}
            made = shop.post("/orders", body, headers=headers)["id"]
            described = {"order": {"currency": "NOK", "items": [item(2, 5)], "comment": f"secret-{number}-x"}}
            at_it = {"options": {"order_id": made}}
            drafts = [shop.post("/draft_orders", described)["id"] for _ in range(4)]
            waiting = [shop.post("/draft_orders", {**at_it, **described})["id"] for _ in range(2)]
            work: list[tuple[str, str, Any, dict[str, str]]] = [
                *[("POST", "/draft_orders", {**at_it, **described}, {"Idempotency-Key": f"{name}-{one}"}) for one in range(4)],
                *[("PUT", f"/draft_orders/{one}", at_it, {}) for one in drafts],
                ("DELETE", f"/orders/{made}", None, {}),
                *[("PUT", f"/draft_orders/{one}/complete", None, {}) for one in waiting],
                *[("POST", "/orders", body, headers)] * 3,
                *[("PUT", f"/draft_orders/{one}", {"order": {"comment": f"secret-{number}-x"}}, {}) for one in waiting],
            ]
            Random(number).shuffle(work)
            answers = list(pool.map(lambda one: shop.send(*one[:3], headers=one[3]), work))
            assert {answer.status_code for answer in answers} <= {200, 400, 404}, Counter(one.status_code for one in answers)
            for one, answer in zip(work, answers, strict=True):
                counted[f"{one[0]} {answer.status_code}"] += 1
            for draft in shop.get("/draft_orders", params={"limit": 100, "status": "open"})["draft_orders"]:
                assert draft["id"] in drafts
                assert "order_id" not in draft["options"]
                shop.delete(f"/draft_orders/{draft['id']}")
            assert shop.get("/orders")["orders"] == []
            assert shop.refused("POST", "/orders", body, headers=headers)
            for one in work:
                if one[:2] == ("POST", "/draft_orders"):
                    assert shop.send(*one[:3], headers=one[3]).status_code == 400
        for word in ("POST 200", "POST 400", "PUT 200", "PUT 400"):
            assert counted[word] > 0, counted
    record_property("writes beside an erasure", sum(counted.values()))
