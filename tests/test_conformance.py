"""A server is judged by what is known of the original, as far as is asked for; what it breaks is told by how well it is known."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import httpx
import pytest

from commands import run as ordre
from commands import run_json
from ordre.conformance import table
from ordre.conformance.api import Api, Check, same
from ordre.conformance.checks import CHECKS
from ordre.conformance.run import Result, checks, fields_of, junit, run, summary
from ordre.conformance.table import DERIVED, INFERRED, NONE, SEEN, Evidence, Verdict
from service import Service, Shop
from throwaway import free_port

pytestmark = [pytest.mark.slow, pytest.mark.once]

LEVELS = (SEEN, DERIVED, INFERRED)
NOT_SEEN_PARAMETERS = {"limit", "starting_after", "total"}
Change = Callable[[httpx.Request, int, Any], tuple[int, Any]]


class Between(httpx.BaseTransport):
    """Passes requests on to a server, and changes what it answers: a server that has another idea of what is not published."""

    def __init__(self, change: Change, refuses: Callable[[httpx.Request], bool] = lambda _: False) -> None:
        self._change, self._refuses = change, refuses
        self._on = httpx.HTTPTransport()
        self.asked: list[tuple[str, str]] = []

    def close(self) -> None:
        self._on.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "/shopping" in request.url.path:
            self.asked.append((request.method, request.url.path.partition("/shopping")[2]))
        if self._refuses(request):
            return httpx.Response(501, json={"error": {"message": "There is no such thing"}}, request=request)
        answer = self._on.handle_request(request)
        answer.read()
        status, content = self._change(request, answer.status_code, answer.json() if answer.content else None)
        kept = {name: value for name, value in answer.headers.items() if name not in ("content-length", "content-encoding")}
        return httpx.Response(status, json=content, headers=kept, request=request)


def judged(shop: Shop, transport: httpx.BaseTransport, level: Evidence) -> list[Result]:
    with httpx.Client(transport=transport, timeout=30) as http:
        api = Api(http, str(shop.http.base_url), shop.account_id, shop.client_id, shop.secret, level)
        return list(run(api, checks(extras=False, level=level)))


UNSEEN = [
    (row.name.split(" ")[0], re.compile(re.sub(r"{\w+}", "[^/]+", row.name.split(" ")[1].removeprefix("/shopping")) + r"\Z"))
    for row in table.OPERATIONS
    if row.evidence is not SEEN and "/shopping" in row.name
]
"""The operations that no public page of the original shows."""


def is_unseen(request: httpx.Request) -> bool:
    below = request.url.path.partition("/shopping")[2]
    operation = any(request.method == method and path.match(below) for method, path in UNSEEN)
    return operation or ("/shopping" in request.url.path and bool(NOT_SEEN_PARAMETERS & set(request.url.params)))


def another_idea(request: httpx.Request, status: int, content: Any) -> tuple[int, Any]:
    """Change whatever no public page says: statuses, versions, sums, orders of lists, errors, names of what is refused."""
    if request.url.path.endswith("/auth/token") or (status < 400 and "/hooks/" in request.url.path):
        return status, content
    if status == 200 and request.method == "POST":
        status = 201
    if status in (400, 404, 409):
        status, content = 422, {"error": {"message": "No"}}
    return status, changed(content)


def changed(value: Any) -> Any:
    if isinstance(value, list):
        return [changed(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {name: changed(one) for name, one in value.items()}
    for name in ("orders", "draft_orders"):
        found |= {name: found[name][::-1]} if name in found else {}
    if isinstance(found.get("version"), int):
        found["version"] = found["version"] * 7
    if "payment_details" in found and "amount_due" in found["payment_details"]:
        found["payment_details"] = dict.fromkeys(found["payment_details"], 1)
    found.pop("_links", None)
    return found


def test_a_server_that_does_what_is_seen_and_no_more_is_as_it_should_be_by_that(shop: Shop) -> None:
    transport = Between(another_idea, is_unseen)
    results = judged(shop, transport, SEEN)
    assert [(one.check.name, one.text) for one in results if one.faults] == []
    assert [one for one in transport.asked if any(one[0] == method and path.match(one[1]) for method, path in UNSEEN)] == []
    assert {check.name for check in CHECKS if check.evidence is SEEN} == {one.check.name for one in results}
    assert len(results) > 10


@pytest.mark.parametrize("level", [DERIVED, INFERRED])
def test_what_it_breaks_beyond_that_is_told_by_its_class(shop: Shop, level: Evidence) -> None:
    results = judged(shop, Between(another_idea, is_unseen), level)
    broken = {name for one in results for name in one.broken}
    assert broken == {"derived", "inferred"} if level is INFERRED else {"derived"}
    assert all(fault.text for one in results for fault in one.faults)


@pytest.mark.long
def test_a_level_asks_for_all_that_the_firmer_ones_ask_for(shop: Shop) -> None:
    named = [{one.name for one in checks(extras=False, level=level)} for level in LEVELS]
    assert named[0] < named[1] < named[2] == {one.name for one in CHECKS}
    asked = []
    for level in LEVELS:
        transport = Between(lambda _, status, content: (status, content))
        results = judged(shop, transport, level)
        assert [(one.check.name, one.text) for one in results if one.faults] == []
        asked.append(len(transport.asked))
    assert asked[0] < asked[1] < asked[2]


def without_state(_: httpx.Request, status: int, content: Any) -> tuple[int, Any]:
    return status, {name: value for name, value in content.items() if name != "state"} if isinstance(content, dict) else content


@pytest.mark.parametrize("level", LEVELS)
def test_what_is_seen_and_broken_is_told_at_every_level(shop: Shop, level: Evidence) -> None:
    (broken,) = (one for one in judged(shop, Between(without_state), level) if one.faults)
    assert (broken.check.name, broken.broken, broken.text) == ("events and state", ["seen"], "seen: KeyError: 'state'")


def test_a_check_goes_on_after_what_is_known_less_well(shop: Shop) -> None:
    def several(api: Api) -> None:
        with api.inferred():
            same("the amount", 1, 2)
        with api.derived():
            same("the sum", 3, 4)
            api.faults.clear()  # is not come to
        same("the name", "a", "b")

    def own(_api: Api) -> None:
        same("the extra", 5, 6)

    wanted = [Check("several", (), several), Check("own", (), own, Verdict.EXTRA, NONE)]
    found = {}
    for level in LEVELS:
        api = Api(shop.http, str(shop.http.base_url), shop.account_id, shop.client_id, shop.secret, level)
        found[level] = list(run(api, wanted))
    assert [one.broken for one in found[SEEN]] == [["seen"], ["own"]]
    assert [one.broken for one in found[DERIVED]] == [["seen", "derived"], ["own"]]
    text = "inferred: the amount: 1, not 2; derived: the sum: 3, not 4; seen: the name: 'a', not 'b'"
    assert [one.text for one in found[INFERRED]] == [text, "own: the extra: 5, not 6"]
    assert (
        summary(found[INFERRED])
        == "2 checks, 2 failed: 1 on what is seen, 1 on what is derived, 1 on what is inferred, 1 on what is own"
    )
    printed = fields_of(found[INFERRED][0])
    assert (printed["broke"], printed["result"]) == (["seen", "derived", "inferred"], text)
    failures = fromstring(junit(found[INFERRED], "http://x")).iter("failure")  # noqa: S314 - it is our own
    assert [(one.get("type"), one.get("message")) for one in failures] == [
        ("seen derived inferred", text),
        ("own", "own: the extra: 5, not 6"),
    ]


def test_a_server_that_cannot_be_asked_is_said_in_one_sentence(service: Service) -> None:
    with service.shop() as shop:
        account = ["--account", shop.account_id, "--client-id", shop.client_id, "--client-secret"]
        wrong = ordre("conformance", service.url, *account, "wrong", status=1)
        assert wrong.startswith(f"ordre: the server at {service.url} does not know this client of {shop.account_id}: ")
        elsewhere = ordre("conformance", f"{service.url}/docs", *account, shop.secret, status=1)
        assert "answers 404: " in elsewhere
        nowhere = ordre("conformance", f"http://127.0.0.1:{free_port()}", *account, shop.secret, status=1)
        assert nowhere.startswith("ordre: cannot reach http://127.0.0.1:")
        unreadable = ordre("conformance", "127.0.0.1:8080", *account, shop.secret, status=1)
        assert unreadable.startswith("ordre: cannot reach 127.0.0.1:8080: ")
    assert {said.count("\n") for said in (wrong, elsewhere, nowhere, unreadable)} == {1}


@pytest.mark.long
def test_the_command_takes_a_level(service: Service, tmp_path: Path) -> None:
    with service.shop() as shop:
        account = ["--account", shop.account_id, "--client-id", shop.client_id, "--client-secret", shop.secret]
        for level in LEVELS:
            wanted = checks(extras=False, level=level)
            found = run_json("conformance", service.url, *account, "--no-extras", "--evidence", level.value)
            assert [(one["result"], one["broke"]) for one in found] == [("as it should be", [])] * len(wanted)
            beyond = {other.value for other in LEVELS if not other.counts_at(level)}
            assert not beyond & {name for one in found for name in one["evidence"]}
        report = tmp_path / "junit.xml"
        printed = ordre("conformance", service.url, *account, "--evidence", "seen", "--junit", str(report))
        assert f"{len(checks(extras=True, level=SEEN))} checks, 0 failed" in printed
        assert "<failure" not in report.read_text(encoding="utf-8")
        ordre("conformance", service.url, *account, "--evidence", "guessed", status=2)
