from given import A, C, Given, placing, recording

from ordre.domain.order.facts import Erased
from ordre.domain.order.lifecycle import Cancel, Close, Erase, Open
from ordre.domain.order.order import Status, evolve, rewrite
from ordre.domain.order.parts import Content, Moment

ERASE = Erase()
SHOWN = Content(fields={"external_ids": '[{"id":"E"}]', "comment": '"x"'}, items={1: {}})


def paid() -> Given:
    return Given(placing(100, order_number="N-1", content=SHOWN), recording(A, (1, 100)), recording(C, (1, 60)))


def test_the_fact_says_everything_that_is_kept() -> None:
    given = paid()
    before = given.order
    assert before is not None
    (fact,) = given.do(ERASE)
    assert isinstance(fact, Erased)
    later = Moment(at=9_000, by="somebody")
    alone = evolve(None, fact, later)
    assert alone == evolve(before, fact, later)
    assert (alone.order_number, alone.version, alone.status) == ("N-1", before.version + 1, Status.ERASED)
    assert (alone.created, alone.updated_at, alone.deleted) == (before.created, before.updated_at, later)
    assert (alone.lines, alone.operations, alone.currency, alone.expires_at) == ({}, 0, "", None)
    assert rewrite(None, fact) == Content(fields={"external_ids": '[{"id":"E"}]'}, items={})


def test_whatever_the_status() -> None:
    for command in (Close(), Cancel()):
        (fact,) = Given(placing(100), command).do(ERASE)
        assert isinstance(fact, Erased)


def test_nothing_follows() -> None:
    given = Given(placing(100), ERASE)
    for command in (Open(), Close(), Cancel(), recording(A, (1, 1))):
        assert given.refuses(command) == [("order_erased", "")]
    assert given.do(ERASE) == ()
