"""What belongs to no resource: health, CORS, the OpenAPI document, its page and its examples."""

from pathlib import Path
from typing import Any

import pytest

from ordre.api.examples import EXAMPLES
from ordre.api.openapi import document_text
from ordre.api.routes import ROUTES
from service import Service, Shop, item


def test_health(shop: Shop) -> None:
    assert shop.http.get("/health").json()["status"] == "ok"
    head = shop.http.head("/docs")
    assert (head.status_code, head.content) == (200, b"")
    path = f"/orders/{shop.order(5)['id']}"
    bare = shop.send("HEAD", path)
    assert (bare.status_code, bare.content, bare.headers["etag"]) == (200, b"", '"1"')
    assert shop.send("HEAD", "/orders/none").status_code == 404
    assert bare.headers["x-content-type-options"] == "nosniff"


def test_cors(shop: Shop) -> None:
    asked = shop.http.options(f"/v1/accounts/{shop.account_id}/shopping/orders", headers={"Origin": "https://shop.example"})
    assert asked.status_code == 204
    assert "PUT" in asked.headers["access-control-allow-methods"]
    assert "Idempotency-Key" in asked.headers["access-control-allow-headers"]
    ids = {shop.http.get("/health").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


def test_the_document_is_the_committed_one(service: Service, shop: Shop) -> None:
    committed = (Path(__file__).parents[2] / "openapi.json").read_text(encoding="utf-8")
    assert document_text() == committed, "run `ordre openapi --output openapi.json`"
    assert shop.http.get("/openapi.json").text == committed


def test_the_page_needs_no_other_host(shop: Shop) -> None:
    page = shop.http.get("/docs")
    assert "http" not in page.text.replace("<!doctype html>", "")
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    for asset in ("/docs/assets/swagger-ui.css", "/docs/assets/swagger-ui-bundle.js", "/docs/start.js"):
        assert f'"{asset}"' in page.text
        assert shop.http.get(asset).status_code == 200
    assert shop.http.get("/").headers["location"] == "/docs"


def test_every_operation_with_a_body_has_an_example() -> None:
    assert {route.id for route in ROUTES if route.body is not None} == EXAMPLES.keys()


@pytest.mark.parametrize("route", [route for route in ROUTES if route.body and route.scopes], ids=lambda route: route.id)
def test_every_example_works(shop: Shop, route: Any) -> None:
    body = EXAMPLES[route.id]
    draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": [item(1, 39800)]}})
    order = f"/orders/{shop.order(39800)['id']}"
    operation = EXAMPLES["aid_orders_id_authorization_post"]
    if route.id in ("aid_orders_id_capture_post", "aid_orders_id_refunds_post", "aid_orders_id_cancellation_post"):
        shop.post(f"{order}/authorizations", operation)
    if route.id == "aid_orders_id_refunds_post":
        shop.post(f"{order}/captures", operation)
    path = route.path.format_map({"aid": "", "id": draft["id"], "order_id": order.removeprefix("/orders/"), "line_id": "1"})
    answer = shop.send(route.method, path.partition("/shopping")[2], body)
    assert answer.status_code == 200, answer.text
