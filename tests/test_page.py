"""The page at /docs in a real browser: one step from id and secret to a token, and lists that show what is there."""

import gzip
import json
import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from browsing import browser
from ordre.api.document.openapi import document_text
from service import Service, Shop

pytestmark = [pytest.mark.slow, pytest.mark.once]

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as made:
        yield made


@pytest.fixture
def page(chromium: Browser, service: Service) -> Iterator[Page]:
    """The page, with nothing asked of any other host, and nothing complained of."""
    made = chromium.new_page(base_url=service.url)
    asked: list[str] = []
    complaints: list[str] = []
    made.on("request", lambda request: asked.append(request.url))
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    made.goto("/docs")
    yield made
    assert [url for url in asked if not url.startswith((service.url, "data:", "blob:"))] == []
    assert [one for one in complaints if "401" not in one] == []
    made.close()


def sign_in(page: Page, shop: Shop, secret: str | None = None) -> None:
    form = page.get_by_role("form", name="Sign in", exact=True)
    form.get_by_label("Account").fill(shop.account_id)
    form.get_by_label("Client id").fill(shop.client_id)
    form.get_by_label("Client secret").fill(secret or shop.secret)
    form.get_by_role("button").click()


def execute(page: Page, operation: str) -> str:
    """Try an operation as it stands; return what was answered."""
    block = page.locator(f"[id$='-{operation}']")
    if "is-open" not in (block.get_attribute("class") or ""):
        block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table .response-col_description .highlight-code code").first.inner_text()


def test_from_id_and_secret_to_the_shops_orders_in_one_step(page: Page, shop: Shop) -> None:
    order = shop.order(39800)
    sign_in(page, shop)
    expect(page.get_by_role("form", name="Signed in")).to_contain_text(shop.account_id)
    expect(page.get_by_role("form", name="Sign in", exact=True)).to_be_hidden()
    assert [one["id"] for one in json.loads(execute(page, "aid_orders_get"))["orders"]] == [order["id"]]


@pytest.mark.long
def test_a_reload_keeps_the_token_and_signing_out_drops_it(page: Page, shop: Shop) -> None:
    sign_in(page, shop)
    expect(page.locator("#account")).to_have_text(shop.account_id)
    page.reload()
    expect(page.locator("#account")).to_have_text(shop.account_id)
    assert json.loads(execute(page, "aid_draft_orders_get")) == {"draft_orders": []}
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("form", name="Sign in", exact=True)).to_be_visible()
    page.reload()
    expect(page.get_by_role("form", name="Sign in", exact=True)).to_be_visible()


@pytest.mark.long
def test_the_secret_is_kept_nowhere(page: Page, shop: Shop) -> None:
    sign_in(page, shop)
    expect(page.locator("#account")).to_have_text(shop.account_id)
    kept = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie, location.href])")
    assert shop.secret not in kept
    assert page.locator("input[name=secret]").input_value() == ""


def test_a_wrong_secret_is_told_at_once(page: Page, shop: Shop) -> None:
    sign_in(page, shop, "wrong")
    expect(page.get_by_role("alert")).to_be_visible()
    assert len(page.get_by_role("alert").inner_text()) > 10


def test_sections_are_named_for_people(page: Page) -> None:
    expect(page.locator(".opblock-tag").first).to_be_visible()
    names = [re.split(r"\n", one)[0] for one in page.locator(".opblock-tag").all_inner_texts()]
    assert names[:2] == ["Tokens", "Drafts"]
    assert not [one for one in names if re.fullmatch("[a-z]+", one)]


def test_the_document_is_compressed_and_sent_once(shop: Shop) -> None:
    url = f"{shop.http.base_url}/openapi.json"
    whole = httpx.get(url, headers={"Accept-Encoding": "identity"})
    assert whole.text == document_text()
    with httpx.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as packed:
        sent = b"".join(packed.iter_raw())
    assert packed.headers["vary"] == "accept-encoding"
    assert gzip.decompress(sent) == whole.content
    assert len(sent) < len(whole.content) / 8
    again = httpx.get(url, headers={"If-None-Match": whole.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/docs/nothing.js", "/docs/assets/index.css", "/docs/docs.html"])
def test_no_other_file_is_served(shop: Shop, path: str) -> None:
    assert shop.http.get(path).status_code == 404
