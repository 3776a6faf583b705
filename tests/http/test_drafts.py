"""Drafts and their items: made, changed, completed, refused. What other accounts see of them is in test_strangers."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from database import sql
from service import Service, Shop, faults_of, item, items, operation


def drafted(shop: Shop, *amounts: int, options: dict[str, Any] | None = None, **order: Any) -> Any:
    return shop.post("/draft_orders", {"options": options or {}, "order": {"currency": "NOK", "items": items(*amounts), **order}})


def complete(shop: Shop, draft: Any) -> Any:
    return shop.put(f"/draft_orders/{draft['id']}/complete", {})["orders"]


def test_create_and_read(shop: Shop) -> None:
    made = drafted(shop, 100, 50, options={"split_draft": False}, order_number="17", customer={"email": "a@example.com"})
    assert (made["status"], made["version"], made["created_by"]) == ("open", 1, shop.client_id)
    assert made["options"] == {"split_draft": False}
    assert made["order"]["net_amount"] == 150
    assert made["order"]["order_number"] == "17"
    assert [event["version"] for event in made["events"]] == [1]
    assert made["events"][0]["request"]["method"] == "POST"
    assert '"order_number":"17"' in made["events"][0]["request"]["body"].replace(" ", "")
    assert shop.get(f"/draft_orders/{made['id']}") == made


def test_a_draft_needs_only_a_currency(shop: Shop) -> None:
    made = shop.post("/draft_orders", {"order": {"currency": "JPY"}})
    assert (made["order"]["items"], made["order"]["gross_amount"]) == ([], 0)
    faults = shop.refused("PUT", f"/draft_orders/{made['id']}/complete", {})
    assert faults_of(faults) == [("no_items", "order.items")]


def test_update_keeps_what_is_left_out_and_null_takes_away(shop: Shop) -> None:
    made = drafted(shop, 100, comment="first", customer={"id": "C1"}, metadata={"a": 1.10})
    after = shop.put(
        f"/draft_orders/{made['id']}", {"order": {"comment": None, "type": "delivery"}, "options": {"order_id": "x"}}
    )
    assert "comment" not in after["order"]
    assert after["order"]["customer"] == {"id": "C1"}
    assert after["order"]["type"] == "delivery"
    assert after["options"] == {"order_id": "x"}
    assert (after["version"], len(after["events"])) == (2, 2)
    again = shop.put(f"/draft_orders/{made['id']}", {"order": {"items": items(7)}})
    assert [line["gross_amount"] for line in again["order"]["items"]] == [7]
    assert again["options"] == {"order_id": "x"}


def test_items_come_change_and_go(shop: Shop) -> None:
    made = drafted(shop, 100)
    path = f"/draft_orders/{made['id']}/items"
    assert len(shop.post(path, item(2, 50))["order"]["items"]) == 2
    changed = shop.put(f"{path}/2", item(2, 40, discount_lines=[{"amount": 10, "discount_type": "manual"}]))
    assert (changed["order"]["net_amount"], changed["order"]["total_manual_discount_amount"]) == (130, 10)
    assert changed["order"]["items"][1]["version"] == 3
    after = shop.delete(f"{path}/1")
    assert [line["line_id"] for line in after["order"]["items"]] == [2]
    assert faults_of(shop.refused("POST", path, item(2, 1))) == [("duplicate_line", "line_id")]
    assert faults_of(shop.refused("PUT", f"{path}/9", item(9, 1), status=404)) == [("unknown_draft_line", "")]
    assert faults_of(shop.refused("DELETE", f"{path}/9", status=404)) == [("unknown_draft_line", "")]
    assert faults_of(shop.refused("DELETE", f"{path}/nine")) == [("invalid_value", "line_id")]
    assert faults_of(shop.refused("PUT", f"{path}/2", item(3, 1))) == [("invalid_value", "line_id")]


def test_delete(shop: Shop) -> None:
    made = drafted(shop, 100)
    gone = shop.delete(f"/draft_orders/{made['id']}")
    assert (gone["status"], gone["deleted_by"]) == ("deleted", shop.client_id)
    assert shop.delete(f"/draft_orders/{made['id']}") == gone
    for method, path, body in (
        ("PUT", "", {"order": {}}),
        ("POST", "/items", item(2, 1)),
        ("PUT", "/items/1", item(1, 1)),
        ("DELETE", "/items/1", None),
        ("PUT", "/complete", {}),
    ):
        assert faults_of(shop.refused(method, f"/draft_orders/{made['id']}{path}", body)) == [("draft_not_open", "")]


def test_complete_needs_no_body(shop: Shop) -> None:
    made = drafted(shop, 100)
    assert len(shop.put(f"/draft_orders/{made['id']}/complete")["orders"]) == 1


def test_completing_twice_answers_the_same_orders(shop: Shop) -> None:
    made = drafted(shop, 100)
    (first,) = complete(shop, made)
    (second,) = complete(shop, made)
    assert first == second
    shop.post(f"/orders/{first['id']}/close")
    assert complete(shop, made) == [first], "the orders as completing made them"
    draft = shop.get(f"/draft_orders/{made['id']}")
    assert draft["status"] == "completed"
    assert first["_links"][0]["href"].endswith(made["id"])


def test_completing_at_once_makes_one_order(shop: Shop) -> None:
    made = drafted(shop, 100, options={"generate_order_id": "ALPHANUMERIC_9"})
    shop.sign_in()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: complete(shop, made)[0]["id"], range(16)))
    assert len(set(found)) == 1
    assert len(shop.get("/orders")["orders"]) == 1


def test_split_by_store(shop: Shop) -> None:
    lines = [item(1, 100, store={"id": "A"}), item(2, 50), item(3, 25, store={"id": "A"}), item(4, 5, store={"id": "B"})]
    made = shop.post("/draft_orders", {"options": {"split_draft": True}, "order": {"currency": "NOK", "items": lines}})
    orders = complete(shop, made)
    assert [order["net_amount"] for order in orders] == [125, 50, 5]
    assert [[line["line_id"] for line in order["items"]] for order in orders] == [[1, 3], [2], [4]]
    assert [order["id"] for order in shop.get("/stores/A/orders")["orders"]] == [orders[0]["id"]]


def test_custom_order_id(shop: Shop) -> None:
    (order,) = complete(shop, drafted(shop, 100, order_id="web-1001"))
    assert order["order_id"] == "web-1001"
    assert shop.get("/orders/web-1001")["id"] == shop.get(f"/orders/{order['id']}")["id"]
    faults = shop.refused("PUT", f"/draft_orders/{drafted(shop, 5, order_id='web-1001')['id']}/complete", {})
    assert faults_of(faults) == [("order_id_taken", "order_id")]
    split = {"options": {"split_draft": True}, "order": {"currency": "NOK", "order_id": "x"}}
    assert faults_of(shop.refused("POST", "/draft_orders", split)) == [("split_needs_no_order_id", "options.split_draft")]


def test_serial_order_numbers(shop: Shop) -> None:
    numbers = [
        complete(shop, drafted(shop, 1, options={"serial_order_number_suffix": suffix}))[0]["order_number"]
        for suffix in ("-A", "")
    ]
    assert numbers == ["1-A", "2"]
    (own,) = complete(shop, drafted(shop, 1, options={"serial_order_number_suffix": "-A"}, order_number="mine"))
    assert own["order_number"] == "mine"


def test_append_to_an_order(shop: Shop) -> None:
    order = shop.paid(100)
    draft = drafted(shop, options={"order_id": order["order_id"]}, items=[item(2, 50)])
    (amended,) = complete(shop, draft)
    assert (amended["id"], amended["version"], amended["net_amount"]) == (order["id"], 4, 150)
    events = shop.get(f"/orders/{order['id']}/events")["events"]
    assert [event.get("draft_id") for event in events] == [None, None, None, draft["id"]]


def test_a_completed_draft_names_the_orders_that_it_became(shop: Shop) -> None:
    lines = [item(1, 100, store={"id": "A"}), item(2, 50, store={"id": "B"})]
    split = shop.post("/draft_orders", {"options": {"split_draft": True}, "order": {"currency": "NOK", "items": lines}})
    named = drafted(shop, 100, order_id="2026/17")
    generated = drafted(shop, 100, options={"generate_order_id": "ALPHANUMERIC_9"})
    assert not {"order_ids", "_links", "not_taken_over"} & (split.keys() | named.keys())
    appended = drafted(shop, options={"order_id": "2026/17"}, items=[item(2, 5)])
    for draft in (split, named, generated, appended):
        orders = complete(shop, draft)
        for found in (shop.get(f"/draft_orders/{draft['id']}"), shop.get("/draft_orders")["draft_orders"]):
            one = found if isinstance(found, dict) else next(other for other in found if other["id"] == draft["id"])
            assert one["order_ids"] == [order["order_id"] for order in orders]
            assert [link["rel"] for link in one["_links"]] == ["order"] * len(orders)
            linked = [shop.get(link["href"].partition("/shopping")[2])["id"] for link in one["_links"]]
            assert linked == [order["id"] for order in orders]
    gone = shop.delete(f"/draft_orders/{drafted(shop, 1)['id']}")
    assert not {"order_ids", "_links"} & gone.keys()


def test_a_draft_that_an_earlier_version_completed_names_its_orders_by_their_id(shop: Shop, service: Service) -> None:
    draft = drafted(shop, 100, order_id="mine")
    (order,) = complete(shop, draft)
    sql(service.database, "update drafts set draft = replace(draft, ',\"order_ids\":[\"mine\"]', '') where id = $1", draft["id"])
    assert shop.get(f"/draft_orders/{draft['id']}")["order_ids"] == [order["id"]]


def test_a_draft_says_what_an_order_that_is_there_does_not_take_over(shop: Shop) -> None:
    order = shop.order(100)
    told = {"customer": {"id": "C"}, "comment": "x", "order_number": "7", "multiple_authorizations": True, "order_id": "other"}
    lost = [f"order.{name}" for name in ("customer", "comment", "order_id", "order_number", "multiple_authorizations")]
    draft = drafted(shop, options={"order_id": order["id"], "generate_order_id": "ALPHANUMERIC_9"}, items=[item(2, 5)], **told)
    path = f"/draft_orders/{draft['id']}"
    assert draft["not_taken_over"] == [*lost, "options.generate_order_id"] == shop.get(path)["not_taken_over"]
    replacing = shop.put(path, {"options": {"order_id": order["id"], "replace": "order"}})
    assert replacing["not_taken_over"] == ["order.order_id"]
    alone = shop.put(path, {"options": None})
    assert "not_taken_over" not in alone
    shop.put(path, {"options": {"order_id": order["id"]}})
    (after,) = complete(shop, draft)
    assert shop.get(path)["not_taken_over"] == lost
    for name in ("customer", "comment", "order_number"):
        assert name not in after
    assert (after["order_id"], after["multiple_authorizations"]) == (order["order_id"], False)


def test_completing_says_what_an_order_does_not_take_over_on_every_account(service: Service) -> None:
    with service.shop(account_id=f"P{time.time_ns() % 10**8:08d}") as shop:
        order = shop.order(100)
        draft = drafted(shop, options={"order_id": order["id"]}, items=[item(2, 5)], customer={"id": "C"}, comment="x")
        path = f"/draft_orders/{draft['id']}/complete"
        for _ in range(2):
            assert shop.send("PUT", path).headers["x-ordre-ignored"] == "order.customer, order.comment"
        nothing = drafted(shop, options={"order_id": order["id"]}, items=[item(3, 5)])
        assert "x-ordre-ignored" not in shop.send("PUT", f"/draft_orders/{nothing['id']}/complete").headers
        assert "x-ordre-ignored" not in shop.send("PUT", f"/draft_orders/{drafted(shop, 1)['id']}/complete").headers


def test_a_draft_that_is_added_draws_no_serial_number(shop: Shop) -> None:
    order = shop.order(100)
    complete(shop, drafted(shop, options={"order_id": order["id"], "serial_order_number_suffix": ""}, items=[item(2, 5)]))
    (made,) = complete(shop, drafted(shop, 1, options={"serial_order_number_suffix": ""}))
    assert made["order_number"] == "1"


def test_operations_sessions_and_events_link_to_the_drafts_of_their_order(shop: Shop) -> None:
    drafts = [drafted(shop, 100)]
    (order,) = complete(shop, drafts[0])
    path = f"/orders/{order['id']}"
    made = [shop.post(f"{path}/authorizations", operation((1, 60)))]
    drafts.append(drafted(shop, options={"order_id": order["id"]}, items=[item(2, 50)]))
    complete(shop, drafts[1])
    made += [shop.post(f"{path}/{name}", operation((1, 10))) for name in ("captures", "cancellations")]
    made.append(shop.post(f"{path}/refunds", operation((1, 5))))
    made.append(shop.post(f"{path}/sessions", {"items": [{"line_id": "2"}], "profile_id": "p", "url": {}}))
    made.append(shop.post(f"{path}/events", {"service": "a", "service_status": "b"}))
    links = [{"href": f"/v1/accounts/{shop.account_id}/shopping/draft_orders/{draft['id']}", "rel": "draft"} for draft in drafts]
    assert [one["_links"] for one in made] == [links[:1], *[links] * 5]
    after = shop.get(path)
    assert after["_links"] == links
    names = ("authorizations", "captures", "cancellations", "refunds", "sessions")
    assert [after[name][-1]["_links"] for name in names] == [one["_links"] for one in made[:-1]]
    for link in links:
        assert shop.get(link["href"].partition("/shopping")[2])["status"] == "completed"


def test_an_operation_links_to_ten_drafts_at_most(shop: Shop) -> None:
    order = shop.order(1)
    drafts = [drafted(shop, options={"order_id": order["id"]}, items=[item(line, 1)]) for line in range(2, 14)]
    for draft in drafts:
        complete(shop, draft)
    made = shop.post(f"/orders/{order['id']}/authorizations", operation((13, 1)))
    assert [link["href"].rpartition("/")[2] for link in made["_links"]] == [draft["id"] for draft in drafts[-10:]]
    assert len(shop.get(f"/orders/{order['id']}")["_links"]) == 12


@pytest.mark.parametrize(
    ("line", "currency", "then"),
    [
        (item(1, 5), "NOK", ("duplicate_line", "items[0].line_id")),
        (item(2, 5), "SEK", ("currency_differs", "currency")),
    ],
)
def test_append_is_refused_and_the_draft_stays_open(shop: Shop, line: Any, currency: str, then: tuple[str, str]) -> None:
    order = shop.order(100)
    draft = drafted(shop, options={"order_id": order["id"]}, items=[line], currency=currency)
    assert faults_of(shop.refused("PUT", f"/draft_orders/{draft['id']}/complete", {})) == [then]
    assert shop.get(f"/draft_orders/{draft['id']}")["status"] == "open"
    assert shop.get(f"/orders/{order['id']}")["version"] == 1


def test_append_to_an_unknown_order(shop: Shop) -> None:
    draft = drafted(shop, 5, options={"order_id": "nowhere"})
    faults = shop.refused("PUT", f"/draft_orders/{draft['id']}/complete", {}, status=404)
    assert faults_of(faults) == [("unknown_order", "options.order_id")]


def test_replace_an_order_while_nothing_is_recorded(shop: Shop) -> None:
    order = shop.order(100, comment="old", order_number="7")
    (after,) = complete(shop, drafted(shop, 5, 6, options={"order_id": order["id"], "replace": "order"}, type="new"))
    assert (after["id"], after["net_amount"], after["version"], after["type"]) == (order["id"], 11, 2, "new")
    assert "comment" not in after
    assert after["order_number"] == "7"
    shop.post(f"/orders/{order['id']}/authorizations", operation((1, 5), success=False))
    draft = drafted(shop, 5, options={"order_id": order["id"], "replace": "order"})
    assert faults_of(shop.refused("PUT", f"/draft_orders/{draft['id']}/complete", {})) == [("order_has_operations", "")]


def test_list(shop: Shop) -> None:
    made = [drafted(shop, amount) for amount in (1, 2, 3)]
    complete(shop, made[0])
    shop.delete(f"/draft_orders/{made[1]['id']}")
    assert [draft["id"] for draft in shop.get("/draft_orders")["draft_orders"]] == [draft["id"] for draft in reversed(made)]
    for status, place in (("completed", 0), ("deleted", 1), ("open", 2)):
        found = shop.get("/draft_orders", params={"status": status})["draft_orders"]
        assert [draft["id"] for draft in found] == [made[place]["id"]]
    page = shop.send("GET", "/draft_orders", params={"limit": 2, "total": "true"})
    assert page.headers["total-count"] == "3"
    assert f"starting_after={made[1]['id']}" in page.headers["link"]
    rest = shop.get("/draft_orders", params={"starting_after": made[1]["id"]})["draft_orders"]
    assert [draft["id"] for draft in rest] == [made[0]["id"]]
    assert faults_of(shop.refused("GET", "/draft_orders", params={"starting_after": "no"})) == [
        ("invalid_value", "starting_after")
    ]


def test_unknown_draft(shop: Shop) -> None:
    for method, path, body in (
        ("GET", "", None),
        ("PUT", "", {"order": {}}),
        ("DELETE", "", None),
        ("PUT", "/complete", {}),
        ("POST", "/items", item(1, 1)),
        ("PUT", "/items/1", item(1, 1)),
        ("DELETE", "/items/1", None),
    ):
        assert faults_of(shop.refused(method, f"/draft_orders/none{path}", body, status=404)) == [("unknown_draft", "")]
