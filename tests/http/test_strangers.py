"""T1 and T2: every operation, with another account's ids and tokens, and with tokens that lack the scope."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from ordre.api.document.examples import EXAMPLES
from ordre.api.operations.row import AnyRoute
from ordre.api.operations.table import OPERATIONS
from ordre.domain.access import SCOPES, allows
from service import Service, Shop, faults_of, items, operation

GUARDED = [route for route in OPERATIONS if route.scopes]
IDS = [route.id for route in GUARDED]


@pytest.fixture(scope="module")
def owner(service: Service) -> Iterator[tuple[Shop, dict[str, str]]]:
    """An account with one of everything, and the ids of it all."""
    with service.shop() as shop:
        order = shop.order(39800, customer={"id": "C1"}, store={"id": "S1"}, order_id="their-order")
        path = f"/orders/{order['id']}"
        hook = shop.subscribe("https://their.example/webhooks")["id"]
        draft = shop.post("/draft_orders", {"order": {"currency": "NOK", "items": items(5)}})
        yield (
            shop,
            {
                "id": draft["id"],
                "order_id": order["id"],
                "line_id": "1",
                "store_id": "S1",
                "customer_id": "C1",
                "authorization_id": shop.post(f"{path}/authorizations", operation((1, 100)))["id"],
                "capture_id": shop.post(f"{path}/captures", operation((1, 100)))["id"],
                "refund_id": shop.post(f"{path}/refunds", operation((1, 10)))["id"],
                "cancellation_id": shop.post(f"{path}/cancellations", operation((1, 10), success=False))["id"],
                "session_id": shop.post(
                    f"{path}/sessions", {"profile_id": "p", "url": {}, "items": [{"line_id": "1", "amount": 5}]}
                )["id"],
                "hid": hook,
                "delivery_id": shop.hooks("GET", f"/{hook}/deliveries")[0]["id"],
                "comment_id": shop.post(f"{path}/comments", {"body": "theirs"})["id"],
            },
        )


def url(route: AnyRoute, account_id: str, ids: dict[str, str]) -> str:
    return route.path.format_map({**ids, "aid": account_id})


def send(http: Any, route: AnyRoute, path: str, token: str | None) -> Any:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return http.request(route.method, path, headers=headers, json=EXAMPLES.get(route.id))


def snapshot(shop: Shop, ids: dict[str, str]) -> tuple[Any, ...]:
    hooks = [{**one, "position": 0} for one in shop.hooks("GET", params={"include_deleted": "true", "limit": 100})]
    return (shop.get(f"/orders/{ids['order_id']}"), shop.get(f"/draft_orders/{ids['id']}"), shop.get("/orders"), hooks)


@pytest.mark.parametrize("route", GUARDED, ids=IDS)
def test_a_strangers_token_gets_nothing(owner: tuple[Shop, dict[str, str]], shop: Shop, route: AnyRoute) -> None:
    their, ids = owner
    before = snapshot(their, ids)
    in_their_account = send(shop.http, route, url(route, their.account_id, ids), shop.token)
    assert (in_their_account.status_code, faults_of(in_their_account.json()["error"]["errors"])) == (403, [("forbidden", "")])
    in_mine = send(shop.http, route, url(route, shop.account_id, ids), shop.token)
    unknown = send(
        shop.http,
        route,
        url(route, shop.account_id, {name: "00000000-0000-7000-8000-000000000000" if name != "line_id" else "1" for name in ids}),
        shop.token,
    )
    creates_or_lists = not {"id", "order_id", "hid"} & {
        part.strip("{}") for part in route.path.split("/") if part.startswith("{")
    }
    if creates_or_lists:
        assert in_mine.status_code == 200
        assert "their" not in in_mine.text
        if route.method == "GET":
            assert in_mine.text == unknown.text
    else:
        assert in_mine.status_code == 404
        assert in_mine.json() == unknown.json(), "another account's id is answered as one that is nowhere"
    assert snapshot(their, ids) == before


@pytest.mark.once
@pytest.mark.parametrize("route", GUARDED, ids=IDS)
def test_nothing_without_a_token(owner: tuple[Shop, dict[str, str]], route: AnyRoute) -> None:
    their, ids = owner
    path = url(route, their.account_id, ids)
    for headers in (
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Basic abc"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer a.b.c"},
    ):
        answer = their.http.request(route.method, path, headers=headers, json=EXAMPLES.get(route.id))
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.fixture(scope="module")
def narrow(service: Service, owner: tuple[Shop, dict[str, str]]) -> Iterator[dict[str, Shop]]:
    """A client of the same account for each scope alone."""
    with ExitStack() as stack:
        yield {scope: stack.enter_context(service.shop(scope, account_id=owner[0].account_id)) for scope in SCOPES}


@pytest.mark.once
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("route", GUARDED, ids=IDS)
def test_a_token_does_only_what_its_scopes_say(
    owner: tuple[Shop, dict[str, str]], narrow: dict[str, Shop], route: AnyRoute, scope: str
) -> None:
    their, _ = owner
    nothing = dict.fromkeys(owner[1], "none") | {"line_id": "1"}
    answer = send(their.http, route, url(route, their.account_id, nothing), narrow[scope].token)
    if allows([scope], route.scopes):
        assert answer.status_code in (200, 204, 404), answer.text
    else:
        assert (answer.status_code, faults_of(answer.json()["error"]["errors"])) == (403, [("missing_scope", "")])


def test_the_table_of_scopes() -> None:
    """What each scope admits to, said a second way."""
    for route in GUARDED:
        events = route.path.endswith("/events")
        of = "hooks" if "/hooks/" in route.path else "shopping"
        other = {"hooks": "shopping", "shopping": "hooks"}[of]
        assert allows([f"admin:{of}"], route.scopes)
        assert allows([f"write:{of}"], route.scopes) == (route.id != "aid_orders_id_delete")
        assert allows([f"read:{of}"], route.scopes) == (route.method == "GET")
        assert not allows([f"{level}:{other}" for level in ("admin", "read", "write")], route.scopes)
        assert allows(["read:shopping:/orders/ANY/events"], route.scopes) == (events and route.method == "GET")
        assert allows(["write:shopping:/orders/ANY/events"], route.scopes) == (events and route.method == "POST")
