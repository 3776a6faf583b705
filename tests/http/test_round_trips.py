"""Whatever is answered fits the published schema, and is taken again where it came from, as it is."""

import json
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import quote

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from drawn import EVERY_FIELD, FIELDS, drawn
from lanes import Effort
from service import Shop

pytestmark = pytest.mark.once

BOUNDS = settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
    database=None,
)
"""Nothing is shrunk: a request over HTTP for each step takes minutes, and what failed is printed."""
OF_ITS_MAKING = {"id", "created_at", "created_by", "updated_at", "version", "order_id", "time_to_live_expires_at", "_links"}
_numbers = count()


def drawing(effort: Effort, check: Callable[..., None], **drawn_from: st.SearchStrategy[Any]) -> None:
    """Run a check of what is drawn; the first round draws the same values in every run."""
    for number in effort.rounds():
        settings(BOUNDS, derandomize=number == 0)(given(**drawn_from)(check))()


NAMES = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=20)


def send(shop: Shop, method: str, path: str, content: bytes) -> httpx.Response:
    """Send JSON as it is written; nothing of it may be ignored."""
    headers = {"Authorization": f"Bearer {shop.token}", "Content-Type": "application/json"}
    answer = shop.http.request(method, f"/v1/accounts/{shop.account_id}/shopping{path}", content=content, headers=headers)
    assert answer.status_code == 200, answer.text
    assert "x-ordre-ignored" not in answer.headers, answer.headers["x-ordre-ignored"]
    return answer


def changed(content: bytes, **fields: object) -> bytes:
    """Return a JSON object with other values for some of its fields, and not a byte changed in the rest."""
    return msgspec.json.encode({**msgspec.json.decode(content, type=dict[str, msgspec.Raw]), **fields})


def written(content: bytes | str) -> Any:
    """Return what a client wrote of an answer, each number as it was written."""
    found = json.loads(content, parse_int=str, parse_float=str)
    for line in found.get("items", []):
        line.pop("version", None)
    return {name: value for name, value in found.items() if name not in OF_ITS_MAKING}


def fresh(name: str) -> str:
    return f"{next(_numbers)}/{name}"


@pytest.mark.deep(0.2)
def test_an_order(shop: Shop, effort: Effort) -> None:
    @example(sent=EVERY_FIELD, name="every field")
    def check(sent: Any, name: str) -> None:
        first, second = fresh(name), fresh(name)
        made = send(shop, "POST", "/orders", json.dumps({**sent, "order_id": first}).encode())
        path = f"/orders/{quote(first, safe='')}"
        read = shop.send("GET", path)
        assert read.content == made.content
        again = send(shop, "POST", "/orders", changed(read.content, order_id=second))
        assert json.loads(again.content)["order_id"] == second
        assert written(again.content) == written(read.content)
        assert written(send(shop, "PUT", path, read.content).content) == written(read.content)
        assert written(shop.send("GET", path, params={"version": 1}).content) == written(read.content)

    drawing(effort, check, sent=FIELDS, name=NAMES)


OPTIONS = drawn("DraftOptions", "order_id", "replace", "split_draft")


@pytest.mark.deep(0.2)
def test_a_draft(shop: Shop, effort: Effort) -> None:
    @example(sent=EVERY_FIELD, options={}, name="every field")
    def check(sent: Any, options: Any, name: str) -> None:
        body = {"order": {**sent, "order_id": fresh(name)}, "options": options}
        made = send(shop, "POST", "/draft_orders", json.dumps(body).encode())
        path = f"/draft_orders/{made.json()['id']}"
        read = shop.send("GET", path)
        assert read.content == made.content

        def described(answer: httpx.Response) -> Any:
            found = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
            return {**written(bytes(found["order"])), "order_id": None}, written(bytes(found["options"]))

        after = send(shop, "PUT", path, read.content)
        assert described(after) == described(read)
        assert described(send(shop, "POST", "/draft_orders", after.content)) == described(read)
        for line in json.loads(read.content)["order"]["items"]:
            send(shop, "PUT", f"{path}/items/{line['line_id']}", json.dumps(line).encode())
        assert described(shop.send("GET", path)) == described(read)
        completed = shop.put(f"{path}/complete")["orders"][0]
        whole = shop.send("GET", f"/orders/{completed['id']}")
        drafted = described(read)[0]
        assert {name: value for name, value in written(whole.content).items() if name in drafted and name != "items"} == {
            name: value for name, value in drafted.items() if name not in ("order_id", "items")
        }

    drawing(effort, check, sent=FIELDS, options=OPTIONS, name=NAMES)


DETAILS = drawn("NewOperation", "items", "success", "id", "authorization_id", "amount")
CONVERSION = drawn("OperationItem", line_id=st.just(1), amount=st.just(100))


@pytest.mark.deep(0.2)
def test_an_operation(shop: Shop, effort: Effort) -> None:
    def check(sent: Any, line: Any, success: bool) -> None:
        one, other = (f"/orders/{shop.order(100)['id']}/authorizations" for _ in range(2))
        made = send(shop, "POST", one, json.dumps({**sent, "items": [line], "success": success}).encode())
        read = shop.send("GET", f"{one}/{made.json()['id']}")
        assert read.content == made.content
        assert written(send(shop, "POST", other, read.content).content) == written(read.content)

    drawing(effort, check, sent=DETAILS, line=CONVERSION, success=st.booleans())


def of_the_list(shop: Shop, path: str, name: str) -> bytes:
    """Return the last of a list, as it is written there."""
    found = msgspec.json.decode(shop.send("GET", path).content, type=dict[str, msgspec.Raw])
    return bytes(msgspec.json.decode(found[name], type=list[msgspec.Raw])[-1])


@pytest.mark.deep(0.2)
def test_an_event(shop: Shop, effort: Effort) -> None:
    def check(sent: Any) -> None:
        one, other = (f"/orders/{shop.order(100)['id']}/events" for _ in range(2))
        made = send(shop, "POST", one, json.dumps(sent).encode())
        read = of_the_list(shop, one, "events")
        assert read == made.content.rstrip()
        assert written(send(shop, "POST", other, read).content) == written(read)

    drawing(effort, check, sent=drawn("NewEvent", "id"))


@pytest.mark.deep(0.2)
def test_a_comment(shop: Shop, effort: Effort) -> None:
    def check(sent: Any) -> None:
        one, other = (f"/orders/{shop.order(100)['id']}" for _ in range(2))
        made = send(shop, "POST", f"{one}/comments", json.dumps(sent).encode())
        read = of_the_list(shop, one, "comments")
        assert read == made.content.rstrip()
        assert written(send(shop, "POST", f"{other}/comments", read).content) == written(read)

    drawing(effort, check, sent=drawn("NewComment"))
