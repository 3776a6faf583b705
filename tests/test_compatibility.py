"""The table of compatibility and the code say the same, in both directions; and a running server does as its checks ask."""

import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from commands import run as ordre
from commands import run_json
from contract import DOCUMENT
from ordre.api.operations.table import OPERATIONS
from ordre.api.wire.common import KNOWN_WORDS
from ordre.conformance import table
from ordre.conformance.api import Api, Check, same
from ordre.conformance.checks import CHECKS
from ordre.conformance.extras import EXTRAS
from ordre.conformance.fields import ENUMS, OBJECTS
from ordre.conformance.run import checks, junit, run
from ordre.conformance.table import Verdict
from service import Service, Shop

pytestmark = [pytest.mark.slow, pytest.mark.once]

SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]
STANDARDS = {"Currency", "Country"}
"""Enums that are lists of a standard, and tested against it elsewhere."""
NO_FIELDS = {"Completion"}
SENT = {
    "webhooks",
    "what webhooks say",
    "feed of webhooks",
    "signatures of Standard Webhooks",
    "fields of a subscription",
    "an order without a draft",
    "a receiver that fails",
    "callback_url of a session",
}
"""Of what a receiver is sent, which is none of the client's: tests/test_webhooks.py."""


def test_operations() -> None:
    ours = [f"{route.method} {route.path.partition('{aid}')[2]}" for route in OPERATIONS if route.path.startswith("/v1")]
    assert sorted(row.name for row in table.OPERATIONS) == sorted(ours)


def of_route(operation: str, path: str, method: str) -> list[str]:
    """The groups of the table that an operation's parameters belong to."""
    below = path.partition("/shopping")[2]
    if operation == "aid_draft_orders_get":
        return ["lists of orders and drafts"]
    if method == "get" and below.endswith("/orders"):
        return ["lists of orders and drafts", "lists of orders"]
    if operation == "aid_orders_export_get":
        return ["lists of orders and drafts", "lists of orders", "exports"]
    if operation == "aid_hooks_subscriptions_get":
        return ["subscriptions", "subscriptions and deliveries"]
    if operation == "aid_hooks_subscriptions_hid_deliveries_get":
        return ["subscriptions and deliveries"]
    if operation == "aid_orders_id_diff_get":
        return ["two versions of an order"]
    if operation == "aid_feed_get":
        return ["the feed"]
    if operation == "aid_orders_id_events_get":
        return ["what an order holds", "an order's events"]
    if re.fullmatch(r"/orders/{order_id}/(authorizations|captures|refunds|cancellations|sessions)", below):
        return ["what an order holds"]
    return ["orders, reading and writing", *(["an order"] if operation == "aid_orders_id_get" else [])]


def test_parameters() -> None:
    seen = set()
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            found = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
            if found:
                groups = of_route(operation["operationId"], path, method)
                seen |= set(groups)
                named = {row.name for group in groups for row in table.PARAMETERS[group]} - {"metadata.<key>"}
                assert found == named, operation["operationId"]
    assert seen == table.PARAMETERS.keys()


def test_request_headers() -> None:
    operations = [operation for path in DOCUMENT["paths"].values() for operation in path.values()]
    named = {one["name"] for operation in operations for one in operation["parameters"] if one["in"] == "header"}
    source = "".join(page.read_text() for page in (Path(__file__).parents[1] / "src" / "ordre" / "api").rglob("*.py"))
    read = {name.title() for name in re.findall(r'header(?:s\.get\(|_of\(request, b)"([a-z-]+)"', source)} - {"Content-Length"}
    assert read | named == {row.name for row in table.REQUEST_HEADERS} - {"Dintero-*"}


@pytest.mark.parametrize("one", OBJECTS, ids=lambda one: one.name)
def test_fields(one: Any) -> None:
    ours = {name for schema in one.schemas.split() for name in SCHEMAS[schema]["properties"]}
    listed = [name for group in one.groups for name in group.fields if not group.absent]
    assert (len(listed), set(listed)) == (len(set(listed)), ours)
    assert not ours & {name for group in one.groups for name in group.fields if group.absent}


def test_every_schema_is_an_object_of_the_table() -> None:
    listed = [schema for one in OBJECTS for schema in one.schemas.split()]
    assert len(listed) == len(set(listed))
    assert set(listed) == SCHEMAS.keys() - STANDARDS - NO_FIELDS


def enums() -> dict[str, set[str]]:
    """Every enum of the document by the name that the table has for it."""
    names = {schema: one.name for one in OBJECTS for schema in one.schemas.split()}
    names |= {"Events": "Order", "Cancellation": "Order", "DraftOptions": "Draft.options"}
    found: dict[str, set[str]] = {}
    for schema, content in SCHEMAS.items():
        for name, one in content.get("properties", {}).items():
            for choice in [one, *one.get("anyOf", [])]:
                values = choice.get("enum") or choice.get(KNOWN_WORDS) or ([choice["const"]] if "const" in choice else [])
                if values:
                    found.setdefault(f"{names[schema]}.{name}", set()).update(str(value) for value in values if value is not None)
    for operations in DOCUMENT["paths"].values():
        for operation in operations.values():
            for parameter in operation["parameters"]:
                if values := parameter["schema"].get("items", {}).get("enum"):
                    of = {"aid_draft_orders_get": "Draft", "aid_feed_get": "Feed's entry"}.get(operation["operationId"], "Order")
                    name = parameter["name"] if parameter["name"] == "include_events" else f"{of}.{parameter['name']}"
                    found.setdefault(name, set()).update(values)
    return found


def test_enums() -> None:
    assert enums() == {one.name: set(one.values.split()) for one in ENUMS}


def test_every_row_is_checked_or_says_why_not() -> None:
    named = {row.name for row in table.rows()}
    covered = {name for check in (*CHECKS, *EXTRAS) for name in check.covers}
    assert covered <= named
    unchecked = named - covered
    assert unchecked == {
        "retry-after",  # only a server in trouble sends it
        "ratelimit",  # of a server whose accounts have budgets: tests/test_fairness.py
        "ratelimit-policy",
        *SENT,
        "Accept-Encoding",  # of the document and its page: tests/test_page.py
    }
    same_rows = {row.name for row in table.rows() if row.verdict is Verdict.SAME}
    assert same_rows - {name for check in CHECKS for name in check.covers} - SENT == {"retry-after"}
    own = {row.name for row in table.rows() if row.verdict is Verdict.EXTRA}
    assert not own & {name for check in CHECKS for name in check.covers} - {"include_events", "status", "limit"}


def test_a_running_server_does_as_the_table_says_and_sends_no_other_header(shop: Shop) -> None:
    api = Api(shop.http, str(shop.http.base_url), shop.account_id, shop.client_id, shop.secret)
    results = list(run(api, checks(extras=True)))
    assert [(one.check.name, one.text) for one in results if one.faults] == []
    everywhere = {"date", "content-type", "content-length"}
    assert api.headers - everywhere <= {row.name for row in table.RESPONSE_HEADERS}
    assert {row.name for row in table.RESPONSE_HEADERS} - api.headers == {"page-count", "retry-after"}


@pytest.mark.long
def test_the_command(service: Service, tmp_path: Path) -> None:
    with service.shop() as shop:
        account = ["--account", shop.account_id, "--client-id", shop.client_id, "--client-secret", shop.secret]
        printed = ordre("conformance", service.url, *account, "--junit", str(tmp_path / "j.xml"))
        assert f"{len(CHECKS) + len(EXTRAS)} checks, 0 failed" in printed
        suites = fromstring((tmp_path / "j.xml").read_text(encoding="utf-8"))  # noqa: S314 - it is our own
        assert (suites.get("tests"), suites.get("failures")) == (str(len(CHECKS) + len(EXTRAS)), "0")
        found = run_json("conformance", f"{service.url}/v1", *account, "--no-extras")
        assert [one["result"] for one in found] == ["as it should be"] * len(CHECKS)
        assert found[0]["evidence"] == ["seen"]
        account[-1] = "wrong"
        printed = ordre("conformance", service.url, *account, status=1)
        assert "does not know this client" in printed


def test_what_is_otherwise_is_a_failure(shop: Shop) -> None:
    api = Api(shop.http, str(shop.http.base_url), shop.account_id, shop.client_id, shop.secret)

    def wrong(_api: Api) -> None:
        same("the amount", 1, 2)

    def broken(_api: Api) -> None:
        raise KeyError("orders")

    results = list(run(api, [Check("wrong", (), wrong), Check("broken", (), broken)]))
    assert [one.text for one in results] == ["seen: the amount: 1, not 2", "seen: KeyError: 'orders'"]
    assert junit(results, "http://x").count('<failure type="seen" message=') == 2
