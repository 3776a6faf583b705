"""One order through HTTP under every sequence of requests, with the pure core as the oracle, on both engines.

Whatever a request comes to, the core comes to the same: done, or refused for the same faults at the same fields. After each
step the server's order is the core's order, to the last sum; nothing that was refused left a trace.
"""

import json
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from given import Given, named, placing, updating
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from lanes import Effort
from ordre.domain.ledger import Kind, payment_status, remains_on, total
from ordre.domain.lines import PricedItem, totals
from ordre.domain.order.decide import Command
from ordre.domain.order.facts import Recorded
from ordre.domain.order.lifecycle import Cancel, Close, Comment, DeleteComment, Erase, Open, Report
from ordre.domain.order.order import Order, Status
from ordre.domain.order.parts import EventState, Reason
from ordre.domain.order.paying import Record, StartSession
from ordre.domain.order.placing import AddLines, ItemChange, Replace
from ordre.domain.refusals import Refused
from service import Shop, faults_of, item

pytestmark = pytest.mark.once

PLURAL = {
    Kind.AUTHORIZATION: "authorizations",
    Kind.CAPTURE: "captures",
    Kind.REFUND: "refunds",
    Kind.CANCELLATION: "cancellations",
}
LINE_IDS = st.integers(1, 4)
AMOUNTS = st.sampled_from([0, 1, 2, 5, -1, -2, -5])
CURRENCIES = st.sampled_from(["NOK", "NOK", "JPY", "KWD"])
IDS = st.sampled_from(["p", "q", "r"])
STEPS, STEPS_OF_ONE = 500, 25
MOST_ROUNDS = 6
"""Of which one is mostly enough: what comes about in a round is chance."""
WANTED = {
    *(f"{name} done" for name in ("Record", "AddLines", "Replace", "Update", "StartSession", "Close", "Open", "Cancel", "Erase")),
    *(f"{name} refused" for name in ("Record", "AddLines", "Replace", "Update", "StartSession", "Report", "Close")),
}
_numbers = count(1)


class OrderOverHttp(RuleBasedStateMachine):
    shop: Shop
    done: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.given = Given()
        self.id = ""
        self.last: tuple[tuple[str, str, Any, dict[str, str]], Any] | None = None

    def step(self, command: Command, method: str, path: str, body: Any = None) -> Any:
        """Send the request with a key, ask the core, compare."""
        headers = {"Idempotency-Key": f"step-{next(_numbers)}"}
        answer = self.shop.send(method, path, body, headers=headers)
        name = type(command).__name__
        try:
            self.given.do(command)
        except Refused as refused:
            self.done[f"{name} refused"] += 1
            expected = named(refused)
        else:
            expected = []
        if expected:
            assert faults_of(answer.json()["error"]["errors"]) == expected, f"{name}: {answer.text}"
            return None
        assert answer.status_code == 200, f"the core does {name}, the server says {answer.text}"
        self.done[f"{name} done"] += 1
        self.last = ((method, path, body, headers), answer)
        return answer.json()

    @property
    def path(self) -> str:
        return f"/orders/{self.id}"

    @property
    def order(self) -> Order:
        assert self.given.order is not None
        return self.given.order

    @initialize(amounts=st.lists(AMOUNTS, min_size=1, max_size=3), multiple=st.booleans(), currency=CURRENCIES)
    def place(self, amounts: list[int], multiple: bool, currency: str) -> None:
        body = {"currency": currency, "multiple_authorizations": multiple, "items": [item(*one) for one in enumerate(amounts, 1)]}
        made = self.step(placing(*amounts, multiple=multiple, currency=currency), "POST", "/orders", body)
        self.id = made["id"]

    @rule(
        kind=st.sampled_from(list(Kind)),
        amounts=st.lists(st.tuples(LINE_IDS, AMOUNTS), min_size=1, max_size=3),
        id_=IDS | st.none(),
        success=st.sampled_from([True, True, True, False]),
        data=st.data(),
    )
    def record(self, kind: Kind, amounts: list[tuple[int, int]], id_: str | None, success: bool, data: Any) -> None:
        inside = data.draw(st.sampled_from([None, "nothing", *self.order.within])) if kind is not Kind.AUTHORIZATION else None
        self.recorded(kind, tuple(amounts), id_, success, inside)

    @rule(kind=st.sampled_from(list(Kind)), line_id=LINE_IDS, part=st.sampled_from([1, 2]), data=st.data())
    def record_what_may_fit(self, kind: Kind, line_id: int, part: int, data: Any) -> None:
        line = self.order.lines.get(line_id)
        amount = line.net // part if line else 1
        known: list[str | None] = [*self.order.within]
        inside = data.draw(st.sampled_from(known or [None])) if kind is not Kind.AUTHORIZATION else None
        self.recorded(kind, ((line_id, amount),), None, True, inside)

    def recorded(
        self, kind: Kind, amounts: tuple[tuple[int, int], ...], id_: str | None, success: bool, inside: str | None
    ) -> None:
        body: dict[str, Any] = {
            "items": [{"line_id": line_id, "amount": amount} for line_id, amount in amounts],
            "success": success,
            "id": id_ or f"n{next(_numbers)}",
        }
        if inside is not None:
            body["authorization_id"] = inside
        fingerprint = json.dumps({name: one for name, one in body.items() if name != "id"})
        command = Record(
            kind=kind, id=body["id"], items=amounts, success=success, authorization_id=inside, fingerprint=fingerprint
        )
        answer = self.step(command, "POST", f"{self.path}/{PLURAL[kind]}", body)
        if answer is not None:
            assert answer["amount"] == sum(dict(amounts).values())

    @rule(line_id=LINE_IDS, gross=AMOUNTS, currency=CURRENCIES, replaces=st.sampled_from([False, False, False, True]))
    def complete_a_draft_on_it(self, line_id: int, gross: int, currency: str, replaces: bool) -> None:
        options = {"order_id": self.id, **({"replace": "order"} if replaces else {})}
        body = {"options": options, "order": {"currency": currency, "items": [item(line_id, gross)]}}
        if self.order.deleted is not None:
            (fault,) = self.shop.refused("POST", "/draft_orders", body)
            assert (fault["code"], fault["path"]) == ("order_erased", "options.order_id")
            return
        draft = self.shop.post("/draft_orders", body)["id"]
        priced = PricedItem(line_id=line_id, gross=gross)
        command: Command = AddLines(currency=currency, items=(priced,), content={line_id: {}}, item_store_ids=(), draft_id=draft)
        if replaces:
            command = Replace(place=placing(currency=currency, items=(priced,)), draft_id=draft)
        self.step(command, "PUT", f"/draft_orders/{draft}/complete")

    @rule(line_id=LINE_IDS, gross=AMOUNTS | st.none(), discount=st.integers(0, 3) | st.none())
    def reprice(self, line_id: int, gross: int | None, discount: int | None) -> None:
        change: dict[str, Any] = {"line_id": line_id}
        if gross is not None:
            change["gross_amount"] = gross
        if discount is not None:
            change["discount_lines"] = [{"amount": discount, "discount_type": "manual", "discount_id": "d", "line_id": 1}]
        discounts = None if discount is None else ((discount, True),)
        command = updating(ItemChange(line_id=line_id, fields={}, gross=gross, discounts=discounts))
        self.step(command, "PUT", self.path, {"items": [change]})

    @rule(command=st.sampled_from([Open(), Close(), Open(), Cancel(reason=Reason.DECLINED)]))
    def set_status(self, command: Command) -> None:
        body = {"cancelled_reason": "declined"} if isinstance(command, Cancel) else None
        self.step(command, "POST", f"{self.path}/{type(command).__name__.lower()}", body)

    @rule(id_=IDS, state=st.sampled_from(EventState))
    def report(self, id_: str, state: EventState) -> None:
        body = {"id": id_, "service": "kitchen", "service_status": "x", "state": state.value}
        self.step(Report(id=id_, service="kitchen", state=state), "POST", f"{self.path}/events", body)

    @rule(again=st.booleans())
    def comment_and_delete_it(self, again: bool) -> None:
        answer = self.shop.send("POST", f"{self.path}/comments", {"body": "hello"})
        if answer.status_code != 200:
            assert self.given.refuses(Comment(id="none")) == faults_of(answer.json()["error"]["errors"])
            return
        id_ = answer.json()["id"]
        self.given.do(Comment(id=id_))
        for _ in range(2 if again else 1):
            self.step(DeleteComment(id=id_), "DELETE", f"{self.path}/comments/{id_}")

    @rule(line_id=LINE_IDS, amount=AMOUNTS | st.none(), id_=IDS)
    def start_a_session(self, line_id: int, amount: int | None, id_: str) -> None:
        line = {"line_id": str(line_id), **({} if amount is None else {"amount": amount})}
        body = {"id": id_, "profile_id": "p", "url": {}, "items": [line]}
        self.step(StartSession(id=id_, items=((line_id, amount),)), "POST", f"{self.path}/sessions", body)

    @rule(lot=st.integers(0, 9))
    def erase(self, lot: int) -> None:
        if lot == 0:
            self.step(Erase(), "DELETE", self.path)
            self.last = None

    @precondition(lambda self: self.last is not None)
    @rule()
    def send_the_last_one_again(self) -> None:
        assert self.last is not None
        (method, path, body, headers), first = self.last
        again = self.shop.send(method, path, body, headers=headers)
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["idempotency-replayed"] == "true"

    @rule(behind=st.integers(1, 3))
    def write_on_an_old_version(self, behind: int) -> None:
        stale = self.order.version - behind
        if stale >= 1:
            (fault,) = self.shop.refused("POST", f"{self.path}/close", headers={"If-Match": f'"{stale}"'}, status=412)
            assert (fault["current_version"], len(fault["events"])) == (self.order.version, self.shown_since(stale))

    def shown_since(self, version: int) -> int:
        return 1 if self.order.deleted is not None else self.order.version - version

    @precondition(lambda self: self.id)
    @invariant()
    def the_server_has_the_order_of_the_core(self) -> None:
        found, order = self.shop.get(self.path), self.order
        assert (found["id"], found["version"]) == (self.id, order.version)
        if order.status is Status.ERASED:
            assert found.keys() == {"id", "order_id", "created_at", "updated_at", "deleted_at", "deleted_by", "version"}
            return
        assert found["status"] == order.status
        assert found["payment_status"] == payment_status(order.lines)
        sums = totals(order.lines.values())
        lefts = [remains_on(line, cancelled_order=order.status is Status.CANCELLED) for line in order.lines.values()]
        left = total(lefts)
        assert (found["gross_amount"], found["net_amount"], found["total_discount"]) == sums[:3]
        shown = found["payment_details"]
        assert (
            tuple(shown[f"remaining_{one}_amount"] for one in ("authorization", "capture", "refund", "cancellation")) == left[:4]
        )
        assert shown["amount_due"] == left.due
        lines = {line["line_id"]: (line["gross_amount"], line["net_amount"]) for line in found["items"]}
        assert lines == {line_id: (line.gross, line.net) for line_id, line in order.lines.items()}
        for shown_line, line, left in zip(found["items"], order.lines.values(), lefts, strict=True):
            assert tuple(shown_line["payment_details"].values()) == (*line.sums, *left)
        recorded = [fact for fact in self.given.facts if isinstance(fact, Recorded)]
        for kind, plural in PLURAL.items():
            mine = [(fact.id, fact.success, fact.amounts) for fact in recorded if fact.kind is kind]
            assert mine == [
                (one["id"], one["success"], {line["line_id"]: line["amount"] for line in one["items"]}) for one in found[plural]
            ]
        assert len(found["sessions"]) == order.sessions
        assert len(found["comments"]) == order.comments


@pytest.mark.slow
@pytest.mark.deep(2)
def test_the_server_is_the_core(shop: Shop, effort: Effort, record_property: Callable[[str, object], None]) -> None:
    done = Counter[str]()
    machine = type("Machine", (OrderOverHttp,), {"shop": shop, "done": done})
    bounds = settings(
        max_examples=STEPS // STEPS_OF_ONE,
        stateful_step_count=STEPS_OF_ONE,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    for number in effort.rounds(MOST_ROUNDS):  # the first draws the same steps in every run of one version
        run_state_machine_as_test(machine, settings=settings(bounds, derandomize=number == 0))
        if done.keys() >= WANTED and not effort.deep:
            break
    record_property("requests compared with the core", sum(done.values()))
    assert done.keys() >= WANTED
