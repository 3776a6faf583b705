"""One order under every sequence of commands, small amounts on both sides of zero: M1 to M5, H1; a refusal changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from given import Given, adding, folded, named, placing, recording, updating
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from lanes import Effort
from ordre.domain.ledger import Kind, holds, live, payment_status, remains_on, total
from ordre.domain.lines import NOTHING, Sums, totals
from ordre.domain.order.decide import Command
from ordre.domain.order.facts import Recorded
from ordre.domain.order.lifecycle import Cancel, Close, Comment, Open, Report
from ordre.domain.order.order import Order
from ordre.domain.order.parts import EventState
from ordre.domain.order.placing import ItemChange
from ordre.domain.refusals import Refused

EXAMPLES = 100
LINE_IDS = st.integers(1, 4)
AMOUNTS = st.integers(-4, 4)
OPERATION_IDS = st.sampled_from(["p", "q", "r", "s", "t"])


class OneOrder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.given = Given()
        self.refused = 0

    def do(self, command: Command) -> None:
        before, facts = self.given.order, len(self.given.facts)
        try:
            self.given.do(command)
        except Refused as refused:
            self.refused += len(named(refused))
            assert self.given.order is before
            assert len(self.given.facts) == facts

    @initialize(amounts=st.lists(AMOUNTS, min_size=1, max_size=3), multiple=st.booleans())
    def place(self, amounts: list[int], multiple: bool) -> None:
        self.do(placing(*amounts, multiple=multiple))

    @rule(kind=st.sampled_from(list(Kind)), line_id=LINE_IDS, success=st.booleans(), id_=OPERATION_IDS | st.none())
    def record_what_remains(self, kind: Kind, line_id: int, success: bool, id_: str | None) -> None:
        line = self.order.lines.get(line_id)
        amount = line.net if line else 1
        for inside in [None, *self.order.within]:
            self.do(recording(kind, (line_id, amount), id_=id_ or f"n{len(self.given.facts)}", success=success, inside=inside))

    @rule(
        kind=st.sampled_from(list(Kind)),
        amounts=st.lists(st.tuples(LINE_IDS, AMOUNTS), min_size=1, max_size=3),
        id_=OPERATION_IDS | st.none(),
        success=st.booleans(),
        data=st.data(),
    )
    def record(self, kind: Kind, amounts: list[tuple[int, int]], id_: str | None, success: bool, data: Any) -> None:
        inside = data.draw(st.sampled_from([None, "nothing", *self.order.within]))
        self.do(recording(kind, *amounts, id_=id_ or f"n{len(self.given.facts)}", success=success, inside=inside))

    @rule(line_id=LINE_IDS, gross=AMOUNTS)
    def add_line(self, line_id: int, gross: int) -> None:
        self.do(adding(line_id, gross))

    @rule(line_id=LINE_IDS, gross=AMOUNTS | st.none(), discount=st.integers(0, 3) | st.none())
    def reprice(self, line_id: int, gross: int | None, discount: int | None) -> None:
        discounts = None if discount is None else ((discount, True),)
        self.do(updating(ItemChange(line_id=line_id, fields={}, gross=gross, discounts=discounts)))

    @rule(command=st.sampled_from([Open(), Close(), Cancel()]))
    def set_status(self, command: Command) -> None:
        self.do(command)

    @rule(command=st.sampled_from([Comment(id="c"), Report(id="e", service="s", state=EventState.PENDING)]))
    def say(self, command: Command) -> None:
        self.do(command)

    @property
    def order(self) -> Order:
        assert self.given.order is not None
        return self.given.order

    @precondition(lambda self: self.given.order is not None)
    @invariant()
    def m1_and_m3_the_sums_are_those_of_the_successful_operations(self) -> None:
        for line_id, line in self.order.lines.items():
            assert line.sums == self.sums(line_id, None)
            assert holds(line.net, line.sums)
        left = total(remains_on(line) for line in self.order.lines.values())
        authorized, captured, refunded, cancelled = (
            sum(kind) for kind in zip(*(one.sums for one in self.order.lines.values()), strict=True)
        )
        net = totals(self.order.lines.values()).net
        open_amount = authorized - captured - cancelled
        assert left == (net - authorized + cancelled, open_amount, captured - refunded, open_amount, net - captured)
        assert (payment_status(self.order.lines) == "pending") == (
            net != 0 and all(line.sums.captured == 0 for line in self.order.lines.values())
        )

    @precondition(lambda self: self.given.order is not None)
    @invariant()
    def without_multiple_authorizations_a_line_has_one_live_one(self) -> None:
        if self.order.multiple_authorizations:
            return
        for line_id in self.order.lines:
            live = 0
            for fact in self.given.facts:
                if isinstance(fact, Recorded) and fact.success and line_id in fact.amounts:
                    assert fact.kind is not Kind.AUTHORIZATION or live == 0
                    moved = {Kind.AUTHORIZATION: 1, Kind.REFUND: 0}.get(fact.kind, -1)
                    live += moved * fact.amounts[line_id]

    @rule(line_id=LINE_IDS, data=st.data())
    def void_and_authorize_again(self, line_id: int, data: Any) -> None:
        inside = data.draw(st.sampled_from([None, *self.order.within]))
        held = self.order.lines.get(line_id)
        if held is None:
            return
        sums = self.order.within[inside].get(line_id, NOTHING) if inside else held.sums
        self.do(recording(Kind.CANCELLATION, (line_id, live(sums)), id_=f"n{len(self.given.facts)}", inside=inside))
        left = held.net - self.order.lines[line_id].sums.authorized + self.order.lines[line_id].sums.cancelled
        self.do(recording(Kind.AUTHORIZATION, (line_id, left), id_=f"n{len(self.given.facts)}"))

    @precondition(lambda self: self.given.order is not None)
    @invariant()
    def m5_holds_inside_each_authorization(self) -> None:
        for authorization, inside in self.order.within.items():
            for line_id, sums in inside.items():
                assert sums == self.sums(line_id, authorization)
                assert holds(self.order.lines[line_id].net, sums)

    @precondition(lambda self: self.given.order is not None)
    @invariant()
    def m2_totals_are_the_sums_of_the_lines(self) -> None:
        lines = self.order.lines.values()
        assert totals(lines).gross == sum(line.gross for line in lines)
        assert all(line.gross - line.discount == line.net for line in lines)

    @precondition(lambda self: self.given.order is not None)
    @invariant()
    def h1_folding_the_facts_gives_the_order(self) -> None:
        assert folded(self.given.facts) == self.given.order
        assert self.order.version == len(self.given.facts)

    def sums(self, line_id: int, authorization: str | None) -> Sums:
        found = [0, 0, 0, 0]
        for fact in self.given.facts:
            if not isinstance(fact, Recorded) or not fact.success:
                continue
            inside = fact.id if fact.kind is Kind.AUTHORIZATION else fact.authorization_id
            if authorization is None or inside == authorization:
                found[list(Kind).index(fact.kind)] += fact.amounts.get(line_id, 0)
        return Sums(*found)


@pytest.mark.deep
def test_one_order(effort: Effort, record_property: Callable[[str, object], None]) -> None:
    rounds = 0
    for _ in effort.rounds():
        rounds += 1
        run_state_machine_as_test(OneOrder, settings=settings(max_examples=EXAMPLES, stateful_step_count=30, deadline=None))
    record_property("sequences of commands", EXAMPLES * rounds)
