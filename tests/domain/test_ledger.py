import pytest

from ordre.domain.ledger import Kind, PaymentStatus, add, holds, payment_status, remaining, remains_on, total
from ordre.domain.lines import Line, Sums


def line(net: int, authorized: int = 0, captured: int = 0, refunded: int = 0, cancelled: int = 0) -> Line:
    return Line(net, 0, 0, net, Sums(authorized, captured, refunded, cancelled))


@pytest.mark.parametrize(
    ("kind", "left"), [(Kind.AUTHORIZATION, 30), (Kind.CAPTURE, 40), (Kind.CANCELLATION, 40), (Kind.REFUND, 15)]
)
def test_what_remains(kind: Kind, left: int) -> None:
    assert remaining(kind, 100, Sums(80, 30, 15, 10)) == left
    assert remaining(kind, -100, Sums(-80, -30, -15, -10)) == -left


@pytest.mark.parametrize(
    ("net", "sums", "kept"),
    [
        (100, Sums(100, 60, 60, 40), True),
        (100, Sums(101, 0, 0, 0), False),
        # What is cancelled gives its room back.
        (100, Sums(200, 100, 0, 100), True),
        (100, Sums(201, 100, 0, 100), False),
        (100, Sums(150, 60, 60, 50), True),
        (100, Sums(900, 0, 0, 800), True),
        (100, Sums(100, 0, 0, 101), False),
        (-100, Sums(-200, -100, 0, -100), True),
        (-100, Sums(-201, -100, 0, -100), False),
        (100, Sums(50, 51, 0, 0), False),
        (100, Sums(100, 60, 0, 41), False),
        (100, Sums(100, 60, 61, 0), False),
        (100, Sums(100, 60, -1, 0), False),
        (100, Sums(100, 60, 0, -1), False),
        (-100, Sums(-100, -60, -60, -40), True),
        (-100, Sums(1, 0, 0, 0), False),
        (0, Sums(0, 0, 0, 0), True),
        (0, Sums(1, 1, 0, 0), False),
        (0, Sums(1, 0, 0, 1), False),
    ],
)
def test_m1(net: int, sums: Sums, kept: bool) -> None:
    assert holds(net, sums) is kept


@pytest.mark.parametrize("kind", list(Kind))
def test_an_operation_adds_to_its_own_sum(kind: Kind) -> None:
    before = Sums(1, 2, 3, 4)
    place = list(Kind).index(kind)
    assert add(before, kind, 10) == tuple(value + 10 * (index == place) for index, value in enumerate(before))


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([line(100)], PaymentStatus.PENDING),
        ([line(100, 100)], PaymentStatus.PENDING),
        ([line(100, 100, 99)], PaymentStatus.PARTIALLY_PAID),
        ([line(100, 100, 100), line(50)], PaymentStatus.PARTIALLY_PAID),
        ([line(100, 100, 100)], PaymentStatus.PAID),
        ([line(100, 100, 100, 1)], PaymentStatus.PARTIALLY_REFUNDED),
        ([line(100, 100, 60, 20)], PaymentStatus.PARTIALLY_REFUNDED),
        ([line(100, 100, 60, 60)], PaymentStatus.REFUNDED),
        ([line(100, 100, 100, 100)], PaymentStatus.REFUNDED),
        # It costs nothing, so it is paid, whatever was captured or refunded on the way.
        ([line(0)], PaymentStatus.PAID),
        ([], PaymentStatus.PAID),
        ([line(100), line(-100)], PaymentStatus.PAID),
        ([line(100, 100), line(-100)], PaymentStatus.PAID),
        ([line(100, 100, 40), line(-100)], PaymentStatus.PAID),
        ([line(100, 100, 100, 30), line(-100)], PaymentStatus.PAID),
        ([line(0), line(1)], PaymentStatus.PENDING),
        ([line(100, 100, 100), line(-100, -100, -100)], PaymentStatus.PAID),
        ([line(100, 100, 100, 100), line(-100)], PaymentStatus.PAID),
        # The reversal is not captured yet: more was captured than the lines are worth.
        ([line(100, 100, 100), line(-90)], PaymentStatus.PAID),
        ([line(100, 100, 100, 100), line(-90)], PaymentStatus.REFUNDED),
        # Captures of either side of zero that add up to 0 are captures.
        ([line(50, 50, 50), line(-50, -50, -50), line(10)], PaymentStatus.PARTIALLY_PAID),
        # A credit: everything on the other side of zero.
        ([line(-100)], PaymentStatus.PENDING),
        ([line(-100, -100, -40)], PaymentStatus.PARTIALLY_PAID),
        ([line(-100, -100, -100)], PaymentStatus.PAID),
        ([line(-100, -100, -100, -50)], PaymentStatus.PARTIALLY_REFUNDED),
        ([line(100), line(-40, -40, -40)], PaymentStatus.PARTIALLY_PAID),
    ],
)
def test_payment_status(lines: list[Line], status: PaymentStatus) -> None:
    assert payment_status(dict(enumerate(lines))) is status


def test_what_remains_of_an_order_is_the_sum_over_its_lines() -> None:
    lines = [line(100, 80, 30, 15, 10), line(-50, -50, -20), line(50, 50, 0, 0, 40)]
    left = total(remains_on(one) for one in lines)
    assert left == (70, 20, -5, 20, 90)


def test_a_cancelled_order_owes_nothing_and_takes_nothing() -> None:
    assert remains_on(line(100, 80, 30, 30, 10), cancelled_order=True) == (0, 0, 0, 40, 0)
    assert remains_on(line(-50, -50), cancelled_order=True) == (0, 0, 0, -50, 0)


def test_nothing_remains_where_there_are_no_lines() -> None:
    assert total([]) == (0, 0, 0, 0, 0)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("one", [line(100, 80, 30, 15, 10), line(-50, -50, -20), line(50, 90, 0, 0, 80)])
def test_what_remains_is_what_the_rules_let_through(kind: Kind, one: Line) -> None:
    assert remains_on(one)[list(Kind).index(kind)] == remaining(kind, one.net, one.sums)
