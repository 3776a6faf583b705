"""What belongs to no resource: health, CORS, the OpenAPI document, its page and its examples."""

from pathlib import Path

import pytest

from ordre.api.document.openapi import document_text
from service import Service, Shop

pytestmark = pytest.mark.once


def test_health(shop: Shop) -> None:
    for path in ("/health", "/health/live", "/health/ready"):
        assert shop.http.get(path).json()["status"] == "ok"
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
    for asset in ("/docs/assets/swagger-ui.css", "/docs/assets/swagger-ui-bundle.js", "/docs/docs.js", "/docs/docs.css"):
        assert f'"{asset}"' in page.text
        assert shop.http.get(asset).status_code == 200
    assert shop.http.get("/").headers["location"] == "/docs"
