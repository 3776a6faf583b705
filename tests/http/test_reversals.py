"""What items say of other lines, over HTTP: of a new order, a draft, an order that is added to or changed."""

from service import Shop, faults_of, item


def test_what_an_item_is_related_to_is_checked_when_the_draft_is_completed(shop: Shop) -> None:
    wrong = [item(2, 5, related_item={"line_id": 1, "type": "required"})]
    made = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": wrong}})
    path = f"/draft_orders/{made['id']}"
    faults = shop.refused("PUT", f"{path}/complete")
    assert faults_of(faults) == [("unknown_line", "order.items[0].related_item.line_id")]
    shop.post(f"{path}/items", item(1, 100))
    shop.post(f"{path}/items", item(3, -101, related_item={"line_id": 1}, reversed_reason="Broken"))
    (fault,) = shop.refused("PUT", f"{path}/complete")
    assert (fault["code"], fault["path"]) == ("exceeds_reversible", "order.items[2].gross_amount")
    assert (fault["line_id"], fault["amount"], fault["remaining"]) == (1, -101, -100)
    shop.put(f"{path}/items/3", item(3, -100, related_item={"line_id": 1}, reversed_reason="Broken"))
    assert len(shop.put(f"{path}/complete")["orders"]) == 1


def test_a_line_is_reversed_once(shop: Shop) -> None:
    order = shop.order(100)

    def adding(line_id: int, gross: int) -> str:
        back = item(line_id, gross, related_item={"line_id": 1, "type": "reversed"})
        sent = {"options": {"order_id": order["id"]}, "order": {"currency": "NOK", "items": [back]}}
        return f"/draft_orders/{shop.post('/draft_orders', sent)['id']}/complete"

    first, second = adding(2, -60), adding(3, -60)
    shop.put(first)
    (fault,) = shop.refused("PUT", second)
    assert (fault["code"], fault["path"], fault["remaining"]) == ("exceeds_reversible", "items[0].gross_amount", -40)
    assert faults_of(shop.refused("PUT", f"/orders/{order['id']}", {"items": [{"line_id": 1, "gross_amount": 59}]})) == [
        ("line_reversed", "items[0]")
    ]
    shop.put(f"/orders/{order['id']}", {"items": [{"line_id": 2, "gross_amount": -40}]})
    shop.put(second)
    assert shop.get(f"/orders/{order['id']}")["net_amount"] == 0
    unknown = {"items": [{"line_id": 2, "related_item": {"line_id": 9}}]}
    assert faults_of(shop.refused("PUT", f"/orders/{order['id']}", unknown)) == [
        ("unknown_line", "items[0].related_item.line_id")
    ]
    body = {"currency": "NOK", "items": [item(1, 5), item(2, -6, related_item={"line_id": 1, "type": "reversed"})]}
    assert faults_of(shop.refused("POST", "/orders", body)) == [("exceeds_reversible", "items[1].gross_amount")]
