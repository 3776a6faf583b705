"""Given an order, when an operation is recorded, then facts or a refusal: the table of payment rules, in order of precedence."""

import pytest
from given import MOMENT, A, C, Given, R, X, adding, placing, recording

from ordre.domain.ledger import Kind
from ordre.domain.money import MAX_AMOUNT
from ordre.domain.order.conditions import Limits
from ordre.domain.order.decide import Command
from ordre.domain.order.facts import Closed, Recorded, SessionStarted
from ordre.domain.order.lifecycle import Cancel, Close
from ordre.domain.order.order import evolve
from ordre.domain.order.paying import Record, StartSession

PAID = (placing(100, 50), recording(A, (1, 100), (2, 50)), recording(C, (1, 100), (2, 50)))
HELD = (placing(100), recording(A, (1, 60), id_="a"))
MULTIPLE = (placing(100, multiple=True), recording(A, (1, 60), id_="a1"), recording(A, (1, 40), id_="a2"))


@pytest.mark.parametrize(
    ("given", "when"),
    [
        ((placing(100),), recording(A, (1, 100))),
        ((placing(100),), recording(A, (1, 1))),
        ((placing(100, -50),), recording(A, (1, 100), (2, -50), amount=50)),
        ((placing(-100),), recording(A, (1, -100))),
        ((placing(100),), recording(C, (1, 100), success=False)),
        ((placing(100),), recording(A, (1, 5000), success=False)),
        ((placing(100), recording(A, (1, 60), success=False)), recording(A, (1, 100))),
        ((placing(100), recording(A, (1, 100))), recording(C, (1, 60))),
        ((placing(100), recording(A, (1, 100)), recording(C, (1, 60))), recording(C, (1, 40))),
        ((placing(100), recording(A, (1, 100)), recording(C, (1, 60))), recording(X, (1, 40))),
        (PAID, recording(R, (1, 100), (2, 50))),
        ((*PAID, Close()), recording(R, (1, 1))),
        ((placing(100), recording(A, (1, 100)), Cancel()), recording(X, (1, 100))),
        ((*PAID, recording(R, (1, 100), (2, 50), id_="all"), Cancel()), recording(R, (1, 1), success=False)),
        # A voided authorization gives its room back; a used one does not stand in the way of the next.
        ((*HELD, recording(X, (1, 60))), recording(A, (1, 100), id_="b")),
        ((*HELD, recording(C, (1, 60))), recording(A, (1, 40), id_="b")),
        ((*HELD, recording(C, (1, 20)), recording(X, (1, 40))), recording(A, (1, 80), id_="b")),
        ((*HELD, recording(C, (1, 20)), recording(C, (1, 40), id_="c2")), recording(A, (1, 40), id_="b")),
        ((*HELD, recording(C, (1, 60)), recording(R, (1, 60))), recording(A, (1, 40), id_="b")),
        ((placing(-9), recording(A, (1, -9)), recording(X, (1, -9))), recording(A, (1, -9), id_="b")),
        ((*MULTIPLE, recording(X, (1, 60), inside="a1")), recording(A, (1, 60), id_="b")),
        ((*MULTIPLE, recording(C, (1, 20), inside="a1"), recording(X, (1, 40), inside="a1")), recording(A, (1, 40), id_="b")),
        (MULTIPLE, recording(C, (1, 60), inside="a1")),
        ((*MULTIPLE, recording(C, (1, 60), inside="a1")), recording(C, (1, 40), inside="a2")),
        ((placing(100), recording(A, (1, 60), inside="anything")), recording(C, (1, 60), inside="ignored here")),
    ],
)
def test_recorded(given: tuple[Command, ...], when: Record) -> None:
    (fact,) = Given(*given).do(when)
    assert isinstance(fact, Recorded)
    assert (fact.kind, fact.id, dict(fact.amounts)) == (when.kind, when.id, dict(when.items))


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ((), recording(A, (1, 1)), [("unknown_order", "")]),
        ((placing(100), Close()), recording(A, (1, 100)), [("order_closed", "")]),
        ((placing(100), recording(A, (1, 100)), Close()), recording(C, (1, 100)), [("order_closed", "")]),
        ((placing(100), Cancel()), recording(A, (1, 100)), [("order_cancelled", "")]),
        ((placing(100), recording(A, (1, 100)), Cancel()), recording(C, (1, 100)), [("order_cancelled", "")]),
        ((placing(100), recording(A, (1, 9), id_="x")), recording(A, (1, 8), id_="x"), [("already_used", "id")]),
        ((placing(100), recording(A, (1, 9), id_="x")), recording(C, (1, 9), id_="x"), [("already_used", "id")]),
        (MULTIPLE, recording(C, (1, 1)), [("authorization_required", "authorization_id")]),
        (MULTIPLE, recording(X, (1, 1)), [("authorization_required", "authorization_id")]),
        (MULTIPLE, recording(C, (1, 1), inside="a9"), [("unknown_authorization", "authorization_id")]),
        (
            (placing(9, multiple=True), recording(A, (1, 9), id_="no", success=False)),
            recording(C, (1, 1), inside="no"),
            [("unknown_authorization", "authorization_id")],
        ),
        ((placing(100),), recording(A), [("no_items", "items")]),
        ((placing(100),), recording(A, (9, 1)), [("unknown_line", "items[0].line_id")]),
        ((placing(100),), recording(A, (1, 1), (1, 1)), [("duplicate_line", "items[1].line_id")]),
        ((placing(100),), recording(A, (1, 0)), [("zero_amount", "items[0].amount")]),
        ((placing(100),), recording(A, (1, -1)), [("wrong_sign", "items[0].amount")]),
        ((placing(-100),), recording(A, (1, 1)), [("wrong_sign", "items[0].amount")]),
        ((placing(100),), recording(A, (1, -1), success=False), [("wrong_sign", "items[0].amount")]),
        ((placing(0),), recording(A, (1, 1)), [("exceeds_remaining", "items[0].amount")]),
        ((placing(100),), recording(A, (1, 101)), [("exceeds_remaining", "items[0].amount")]),
        ((placing(100), recording(A, (1, 9))), recording(A, (1, 1)), [("already_authorized", "items[0].line_id")]),
        # While anything of it is neither captured nor cancelled, there is no second one, though it would fit.
        ((*HELD, recording(C, (1, 20))), recording(A, (1, 40), id_="b"), [("already_authorized", "items[0].line_id")]),
        ((*HELD, recording(X, (1, 59))), recording(A, (1, 99), id_="b"), [("already_authorized", "items[0].line_id")]),
        ((*HELD, recording(C, (1, 59))), recording(A, (1, 999), id_="b"), [("already_authorized", "items[0].line_id")]),
        (PAID, recording(A, (1, 1), id_="b"), [("exceeds_remaining", "items[0].amount")]),
        ((*PAID, recording(R, (1, 100))), recording(A, (1, 1), id_="b"), [("exceeds_remaining", "items[0].amount")]),
        ((*HELD, recording(X, (1, 60))), recording(A, (1, 101), id_="b"), [("exceeds_remaining", "items[0].amount")]),
        (
            (*HELD, recording(C, (1, 20)), recording(X, (1, 40))),
            recording(A, (1, 81), id_="b"),
            [("exceeds_remaining", "items[0].amount")],
        ),
        (
            (*MULTIPLE, recording(X, (1, 60), inside="a1"), recording(A, (1, 60), id_="a3")),
            recording(C, (1, 1), inside="a1"),
            [("exceeds_remaining", "items[0].amount")],
        ),
        (
            (placing(MAX_AMOUNT), recording(A, (1, MAX_AMOUNT)), recording(X, (1, 9))),
            recording(X, (1, MAX_AMOUNT), id_="y"),
            [("exceeds_remaining", "items[0].amount")],
        ),
        (
            (placing(MAX_AMOUNT), recording(A, (1, MAX_AMOUNT)), recording(X, (1, MAX_AMOUNT))),
            recording(A, (1, 1), id_="b"),
            [("amounts_too_large", "items[0].amount")],
        ),
        ((placing(100),), recording(C, (1, 1)), [("exceeds_remaining", "items[0].amount")]),
        ((placing(100), recording(A, (1, 60))), recording(C, (1, 61)), [("exceeds_remaining", "items[0].amount")]),
        ((placing(-100), recording(A, (1, -60))), recording(C, (1, -61)), [("exceeds_remaining", "items[0].amount")]),
        ((*PAID,), recording(C, (1, 1)), [("exceeds_remaining", "items[0].amount")]),
        ((*PAID,), recording(X, (1, 1)), [("exceeds_remaining", "items[0].amount")]),
        ((*PAID, recording(R, (1, 60))), recording(R, (1, 60), id_="two"), [("exceeds_remaining", "items[0].amount")]),
        (MULTIPLE, recording(C, (1, 41), inside="a2"), [("exceeds_remaining", "items[0].amount")]),
        (MULTIPLE, recording(A, (1, 1)), [("exceeds_remaining", "items[0].amount")]),
        # Every item at fault is named, each by the first rule that it breaks.
        (
            (placing(100, 50, -10),),
            recording(A, (1, 101), (2, 0), (3, 10), (4, 1)),
            [
                ("exceeds_remaining", "items[0].amount"),
                ("zero_amount", "items[1].amount"),
                ("wrong_sign", "items[2].amount"),
                ("unknown_line", "items[3].line_id"),
            ],
        ),
        # What the operation says that its items add up to comes last.
        ((placing(100, 50),), recording(A, (1, 60), (2, 50), amount=100), [("amount_mismatch", "amount")]),
        ((placing(100),), recording(A, (1, 60), amount=0, success=False), [("amount_mismatch", "amount")]),
        ((placing(100),), recording(A, (1, 101), amount=100), [("exceeds_remaining", "items[0].amount")]),
        ((placing(9), recording(A, (1, 9), id_="x")), recording(A, (1, 9), id_="x", amount=8), [("already_used", "id")]),
        # Precedence: state before identity, identity before authorization, authorization before items.
        ((placing(9), recording(A, (1, 9), id_="x"), Close()), recording(A, (1, 8), id_="x"), [("order_closed", "")]),
        ((*MULTIPLE, recording(C, (1, 1), id_="x", inside="a1")), recording(C, (1, 2), id_="x"), [("already_used", "id")]),
        (MULTIPLE, recording(C, (9, 0)), [("authorization_required", "authorization_id")]),
    ],
)
def test_refused(given: tuple[Command, ...], when: Record, then: list[tuple[str, str]]) -> None:
    assert Given(*given).refuses(when) == then


def test_a_repeat_with_the_same_content_makes_no_second_fact() -> None:
    given = Given(placing(100), recording(A, (1, 100), id_="a"), recording(C, (1, 60), id_="c"), Close())
    assert given.do(recording(C, (1, 60), id_="c")) == ()
    assert given.order is not None
    assert given.order.lines[1].sums.captured == 60


def test_a_repeat_may_say_its_amount_or_leave_it_out() -> None:
    given = Given(placing(100), recording(A, (1, 60), id_="a"), recording(C, (1, 60), id_="c", amount=60))
    assert given.do(recording(A, (1, 60), id_="a", amount=60)) == given.do(recording(C, (1, 60), id_="c")) == ()


def test_a_session_says_what_its_items_add_up_to() -> None:
    given = Given(placing(100, 50))
    asked = ((1, None), (2, 20))
    assert given.refuses(StartSession(id="s", items=asked, amount=100)) == [("amount_mismatch", "amount")]
    assert given.do(StartSession(id="s", items=asked, amount=120))


def test_a_failed_operation_is_counted_and_moves_nothing() -> None:
    given = Given(placing(100), recording(A, (1, 100), success=False))
    assert given.order is not None
    assert (given.order.operations, given.order.lines[1].sums.authorized, given.order.version) == (1, 0, 2)


@pytest.mark.parametrize("kind", list(Kind))
def test_an_order_holds_so_many_operations(kind: Kind) -> None:
    given = Given(placing(100), recording(A, (1, 100)))
    command = recording(kind, (1, 1), id_="one more", success=False)
    assert given.refuses(command, Limits(operations=1)) == [("limit_reached", "")]


def test_two_refunds_of_60_on_100() -> None:
    given = Given(placing(100), recording(A, (1, 100)), recording(C, (1, 100)), recording(R, (1, 60), id_="r1"))
    assert given.refuses(recording(R, (1, 60), id_="r2")) == [("exceeds_remaining", "items[0].amount")]


def test_a_line_that_reverses_another_has_a_ledger_of_its_own() -> None:
    given = Given(placing(100), recording(A, (1, 100)), recording(C, (1, 100)), adding(2, -100))
    given.do(recording(A, (2, -100)))
    given.do(recording(C, (2, -100)))
    given.do(recording(R, (2, -30)))
    assert given.order is not None
    assert given.order.lines[2].sums == (-100, -100, -30, 0)


@pytest.mark.parametrize(
    ("given", "items", "then"),
    [
        ((placing(100), Close()), ((1, 1),), [("order_closed", "")]),
        ((placing(100), Cancel()), ((1, 1),), [("order_cancelled", "")]),
        ((placing(100),), ((2, 1),), [("unknown_line", "items[0].line_id")]),
        ((placing(100),), ((1, 0),), [("zero_amount", "items[0].amount")]),
        ((placing(100),), ((1, -1),), [("wrong_sign", "items[0].amount")]),
        ((placing(100),), ((1, 101),), [("exceeds_remaining", "items[0].amount")]),
        ((placing(100),), ((1, 1), (1, 2)), [("duplicate_line", "items[1].line_id")]),
        ((placing(100), recording(A, (1, 100))), ((1, None),), [("zero_amount", "items[0].amount")]),
    ],
)
def test_a_session_is_refused(
    given: tuple[Command, ...], items: tuple[tuple[int, int | None], ...], then: list[tuple[str, str]]
) -> None:
    assert Given(*given).refuses(StartSession(id="s", items=items)) == then


def test_a_session_after_a_voided_authorization_is_for_all_of_the_line() -> None:
    given = Given(*HELD, recording(X, (1, 60)))
    (fact,) = given.do(StartSession(id="s", items=((1, None),)))
    assert fact == SessionStarted(id="s", amounts={1: 100})


def test_a_session_is_for_what_remains_to_be_authorized_unless_it_says() -> None:
    given = Given(placing(100, 50), recording(A, (1, 40)))
    (fact,) = given.do(StartSession(id="s", items=((1, None), (2, 20))))
    assert fact == SessionStarted(id="s", amounts={1: 60, 2: 20})


def test_an_order_is_placed_once() -> None:
    given = Given(placing(1))
    with pytest.raises(AssertionError, match="placed once"):
        evolve(given.order, given.facts[0], MOMENT)
    with pytest.raises(AssertionError, match="begins by being placed"):
        evolve(None, Closed(), MOMENT)
