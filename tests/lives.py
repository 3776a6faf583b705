"""Orders with lives drawn by chance, over HTTP: whatever may happen to an order happens to some of them."""

import random
from typing import Any
from urllib.parse import quote

from service import Shop, item, operation

MOST_STEPS = 14


class Life:
    """What happens to one order. Much of it is refused, which leaves it as it is."""

    def __init__(self, shop: Shop, order: dict[str, Any], chance: random.Random) -> None:
        self._shop, self._chance = shop, chance
        self._path = f"/orders/{quote(order['id'], safe='')}"
        self._id, self._lines = order["id"], {one["line_id"]: one["net_amount"] for one in order["items"]}
        self._authorizations: list[str] = []
        self._comments: list[str] = []

    def run(self) -> None:
        steps = (
            self._operation,
            self._operation,
            self._operation,
            self._operation,
            self._session,
            self._comment,
            self._delete_comment,
            self._report,
            self._update,
            self._reprice,
            self._draft,
            lambda: self._send("POST", "/close"),
            lambda: self._send("POST", "/open"),
            lambda: self._send("POST", "/cancel", {"cancelled_reason": self._chance.choice(["customer", "declined", "other"])}),
            lambda: self._send("PUT", "/items", {"items": [{"line_id": self._line(), "status": "packed"}]}),
        )
        for _ in range(self._chance.randrange(MOST_STEPS)):
            self._chance.choice(steps)()

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._shop.send(method, f"{self._path}{path}", body)
        assert answer.status_code < 500, answer.text
        return answer.json() if answer.status_code == 200 else None

    def _line(self) -> int:
        line: int = self._chance.choice(list(self._lines))
        return line

    def _operation(self) -> None:
        kind = self._chance.choice(["authorizations", "authorizations", "captures", "refunds", "cancellations"])
        line = self._line()
        body = operation((line, self._lines[line] // self._chance.choice([1, 1, 2, 3])), success=self._chance.random() < 0.9)
        if self._chance.random() < 0.3:
            body["id"] = f"own/{self._chance.randrange(10**9)}"
        if kind != "authorizations" and self._authorizations:
            body["authorization_id"] = self._chance.choice(self._authorizations)
        if self._chance.random() < 0.3:
            body |= {"payment_details": {"payment_id": "P1", "card": {"brand": "Visa"}}, "metadata": {"n": 1.50, "æ": [None]}}
        made = self._send("POST", f"/{kind}", body)
        if made and kind == "authorizations":
            self._authorizations.append(made["id"])

    def _session(self) -> None:
        line = {"line_id": str(self._line())}
        self._send("POST", "/sessions", {"items": [line], "profile_id": "p", "url": {}, "metadata": {"k": "v"}})

    def _comment(self) -> None:
        made = self._send("POST", "/comments", {"body": f"remark {self._chance.random()}", "visibility": "public"})
        if made:
            self._comments.append(made["id"])

    def _delete_comment(self) -> None:
        if self._comments:
            self._send("DELETE", f"/comments/{self._chance.choice(self._comments)}")

    def _report(self) -> None:
        state = self._chance.choice(["error", "pending", "success"])
        self._send("POST", "/events", {"service": "kitchen", "service_status": "x", "state": state, "description": "so far"})

    def _update(self) -> None:
        change = {"comment": self._chance.choice(["new", None]), "customer": {"id": f"C{self._chance.randrange(9)}"}}
        self._send("PUT", "", dict(self._chance.sample(sorted(change.items()), self._chance.randrange(1, 3))))

    def _reprice(self) -> None:
        line, amount = self._line(), self._chance.randrange(1, 500)
        made = self._send("PUT", "", {"items": [{"line_id": line, "gross_amount": amount, "discount_lines": []}]})
        if made:
            self._lines = {one["line_id"]: one["net_amount"] for one in made["items"]}

    def _draft(self) -> None:
        options = {"order_id": self._id, **({"replace": "order"} if self._chance.random() < 0.3 else {})}
        currency = self._shop.get(self._path)["currency"]
        new = item(max(self._lines) + 1, self._chance.randrange(1, 900))
        made = self._shop.send("POST", "/draft_orders", {"options": options, "order": {"currency": currency, "items": [new]}})
        if made.status_code == 200 and self._shop.send("PUT", f"/draft_orders/{made.json()['id']}/complete").status_code == 200:
            self._lines = {one["line_id"]: one["net_amount"] for one in self._shop.get(self._path)["items"]}
