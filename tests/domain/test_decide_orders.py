"""Given an order, when it is placed, changed, opened, closed or cancelled, then facts or a refusal."""

from typing import Any

import pytest
from given import A, C, Given, R, adding, placing, recording, updating

from ordre.domain.lines import Line, PricedItem
from ordre.domain.order.conditions import Limits
from ordre.domain.order.decide import Command
from ordre.domain.order.facts import Cancelled, Closed, CommentDeleted, Fact, LinesAdded, Opened, Placed, Replaced, Updated
from ordre.domain.order.lifecycle import Cancel, Close, Comment, DeleteComment, Open, Report
from ordre.domain.order.order import Status, rewrite, state_of
from ordre.domain.order.parts import Content, EventState, Reason
from ordre.domain.order.placing import ItemChange, Place, Replace

PAID = (placing(100), recording(A, (1, 100)), recording(C, (1, 100)))
BACK = (*PAID, recording(R, (1, 100)))


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ((placing(100),), Open(), ()),
        ((placing(100),), Close(), (Closed(),)),
        ((placing(100),), Cancel(), (Cancelled(reason=Reason.OTHER),)),
        ((placing(100), Close()), Open(), (Opened(),)),
        ((placing(100), Close()), Close(), ()),
        ((placing(100), Close()), Cancel(reason=Reason.CUSTOMER), (Cancelled(reason=Reason.CUSTOMER),)),
        ((placing(100), Cancel()), Cancel(reason=Reason.DECLINED), ()),
        ((placing(100), recording(A, (1, 100))), Cancel(), (Cancelled(reason=Reason.OTHER),)),
        (BACK, Cancel(), (Cancelled(reason=Reason.OTHER),)),
    ],
)
def test_the_table_of_statuses(given: tuple[Command, ...], when: Command, then: tuple[Fact, ...]) -> None:
    assert Given(*given).do(when) == then


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ((), Open(), "unknown_order"),
        ((), Close(), "unknown_order"),
        ((), Cancel(), "unknown_order"),
        ((placing(100), Cancel()), Open(), "order_cancelled"),
        ((placing(100), Cancel()), Close(), "order_cancelled"),
        (PAID, Cancel(), "order_captured"),
        ((*PAID, recording(R, (1, 99))), Cancel(), "order_captured"),
        ((*PAID, Close()), Cancel(), "order_captured"),
    ],
)
def test_the_table_of_statuses_refuses(given: tuple[Command, ...], when: Command, then: str) -> None:
    assert Given(*given).refuses(when) == [(then, "")]


def test_reopening_takes_closed_away() -> None:
    given = Given(placing(100), Close())
    given.do(Open())
    assert given.order is not None
    assert given.order.closed is None
    assert (given.order.status, given.order.version) == (Status.OPEN, 3)


@pytest.mark.parametrize(
    ("when", "then"),
    [
        (placing(100, currency="NOX"), [("unknown_currency", "currency")]),
        (placing(), [("no_items", "items")]),
        (placing(1, 1, 1, 1), [("too_many", "items")]),
        (placing(2**53 - 1, 1), [("amounts_too_large", "items")]),
        (placing(2**53 - 1, -1), [("amounts_too_large", "items")]),
        (placing(100, gross=99), [("amount_mismatch", "gross_amount")]),
        (placing(100, net=99), [("amount_mismatch", "net_amount")]),
        (
            placing(items=(PricedItem(line_id=1, gross=1), PricedItem(line_id=1, gross=2, net=3)), net=7),
            [("duplicate_line", "items[1].line_id"), ("amount_mismatch", "items[1].net_amount")],
        ),
        (
            placing(currency="X", items=(PricedItem(line_id=1, gross=1, net=3),)),
            [("unknown_currency", "currency"), ("amount_mismatch", "items[0].net_amount")],
        ),
    ],
)
def test_an_order_is_not_placed(when: Place, then: list[tuple[str, str]]) -> None:
    assert Given().refuses(when, Limits(lines=3)) == then


def test_an_order_id_is_used_once() -> None:
    assert Given(placing(100)).refuses(placing(100, id="o2")) == [("order_id_taken", "order_id")]


def test_placed() -> None:
    (fact,) = Given().do(placing(100, -40))
    assert isinstance(fact, Placed)
    assert fact.lines == {1: Line(100, 0, 0, 100), 2: Line(-40, 0, 0, -40)}


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ((placing(100), Close()), adding(2, 1), [("order_closed", "")]),
        ((placing(100), Cancel()), adding(2, 1), [("order_cancelled", "")]),
        ((placing(100),), adding(2, 1, currency="SEK"), [("currency_differs", "currency")]),
        ((placing(2**53 - 1),), adding(2, -1), [("amounts_too_large", "items")]),
        ((placing(100),), adding(1, 1), [("duplicate_line", "items[0].line_id")]),
        ((placing(1, 1, 1),), adding(4, 1), [("too_many", "items")]),
    ],
)
def test_lines_are_not_added(given: tuple[Command, ...], when: Command, then: list[tuple[str, str]]) -> None:
    assert Given(*given).refuses(when, Limits(lines=3)) == then


def test_lines_are_added_after_payment() -> None:
    given = Given(*PAID)
    (fact,) = given.do(adding(2, -100))
    assert isinstance(fact, LinesAdded)
    assert given.order is not None
    assert sum(line.net for line in given.order.lines.values()) == 0


def test_an_order_is_replaced_only_before_operations() -> None:
    replacement = Replace(place=placing(7, 8, currency="SEK"), draft_id="d")
    given = Given(placing(100))
    (fact,) = given.do(replacement)
    assert isinstance(fact, Replaced)
    assert given.order is not None
    assert (given.order.currency, len(given.order.lines), given.order.version, given.order.drafts) == ("SEK", 2, 2, ("d",))
    failed = Given(placing(100), recording(A, (1, 100), success=False))
    assert failed.refuses(replacement) == [("order_has_operations", "")]
    assert Given(placing(100), Close()).refuses(replacement) == [("order_closed", "")]


def change(line_id: int = 1, **more: Any) -> ItemChange:
    return ItemChange(line_id=line_id, fields={"status": '"packed"'}, **more)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ((placing(100),), updating(currency="SEK"), [("currency_differs", "currency")]),
        ((placing(100),), updating(order_id="o2"), [("invalid_value", "order_id")]),
        ((placing(100),), updating(multiple_authorizations=True), [("invalid_value", "multiple_authorizations")]),
        ((placing(100),), updating(change(2)), [("unknown_line", "items[0].line_id")]),
        ((placing(100),), updating(change(), change()), [("duplicate_line", "items[1].line_id")]),
        ((placing(100),), updating(change(net=99)), [("amount_mismatch", "items[0].net_amount")]),
        ((placing(100),), updating(change(discounts=((101, False),))), [("discount_exceeds_gross", "items[0].discount_lines")]),
        ((placing(100),), updating(gross=99), [("amount_mismatch", "gross_amount")]),
        (PAID, updating(change(discounts=((1, False),))), [("line_has_operations", "items[0]")]),
        (PAID, updating(change(gross=101)), [("line_has_operations", "items[0]")]),
        ((placing(100), Close()), updating(change(gross=101)), [("order_closed", "")]),
        ((placing(100), Cancel()), updating(change(gross=101)), [("order_cancelled", "")]),
    ],
)
def test_an_update_is_refused(given: tuple[Command, ...], when: Command, then: list[tuple[str, str]]) -> None:
    assert Given(*given).refuses(when) == then


def test_an_update_of_what_the_rules_do_not_read_goes_through_on_a_closed_and_paid_order() -> None:
    given = Given(*PAID, Close())
    (fact,) = given.do(updating(change(gross=100, net=100, discounts=()), order_id="o1", currency="NOK", gross=100, net=100))
    assert isinstance(fact, Updated)
    assert fact.lines == {}
    assert fact.items == {1: {"status": '"packed"'}}


def test_amounts_of_an_unpaid_line_may_change_and_are_shown_in_step() -> None:
    given = Given(placing(100))
    (fact,) = given.do(updating(change(discounts=((30, True),)), net=70))
    assert isinstance(fact, Updated)
    assert fact.lines == {1: Line(100, 30, 30, 70)}
    assert fact.items[1]["net_amount"] == "70"
    given.do(updating(change(gross=90)))
    assert given.order is not None
    assert given.order.lines[1] == Line(90, 30, 30, 60)


def test_null_takes_a_field_away() -> None:
    content = Content(fields={"comment": '"x"', "type": '"y"'}, items={1: {"status": '"a"', "id": '"1"'}})
    (fact,) = Given(placing(100)).do(updating(change()))
    assert isinstance(fact, Updated)
    changed = Updated(fields={"comment": "null"}, items={1: {"status": "null"}}, lines={}, about=fact.about, order_number=None)
    assert rewrite(content, changed) == Content(fields={"type": '"y"'}, items={1: {"id": '"1"'}})


def test_events_and_comments_are_taken_whatever_the_status() -> None:
    for given in (Given(placing(1)), Given(placing(1), Close()), Given(placing(1), Cancel())):
        given.do(Report(id="e", service="kitchen", state=EventState.SUCCESS))
        given.do(Comment(id="c"))
        assert given.do(DeleteComment(id="c")) == (CommentDeleted(id="c"),)
        assert given.do(DeleteComment(id="c")) == ()
        assert given.refuses(DeleteComment(id="d")) == [("unknown_comment", "")]
        assert given.refuses(DeleteComment(id="e")) == [("unknown_comment", "")]
        assert given.refuses(Report(id="e", service="kitchen", state=EventState.SUCCESS)) == [("already_used", "id")]


def test_events_and_comments_have_limits() -> None:
    given = Given(placing(1), Report(id="e", service="kitchen", state=EventState.SUCCESS), Comment(id="c"))
    few = Limits(events=1, comments=1)
    assert given.refuses(Report(id="e2", service="kitchen", state=EventState.SUCCESS), few) == [("limit_reached", "")]
    assert given.refuses(Comment(id="c2"), few) == [("limit_reached", "")]


@pytest.mark.parametrize(
    ("reports", "state"),
    [
        ([], "pending"),
        ([("a", "success")], "success"),
        ([("a", "pending")], "pending"),
        ([("a", "pending"), ("a", "success")], "success"),
        ([("a", "success"), ("b", "pending")], "pending"),
        ([("a", "success"), ("a", "pending")], "pending"),
        ([("a", "failure"), ("a", "success")], "failure"),
        ([("a", "success"), ("b", "error")], "failure"),
    ],
)
def test_the_combined_state(reports: list[tuple[str, str]], state: str) -> None:
    assert state_of([(service, EventState(one)) for service, one in reports]) == state
