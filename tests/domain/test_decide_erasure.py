from given import A, C, Given, placing, recording

from ordre.domain.commands import Cancel, Close, Erase, Open
from ordre.domain.order import Content, Erased, Moment, Status, evolve, rewrite

ERASE = Erase(external_ids='[{"id":"E"}]')


def paid() -> Given:
    return Given(placing(100, order_number="N-1"), recording(A, (1, 100)), recording(C, (1, 60)))


def test_the_fact_says_everything_that_is_kept() -> None:
    given = paid()
    before = given.order
    assert before is not None
    (fact,) = given.do(ERASE)
    assert isinstance(fact, Erased)
    alone = evolve(None, fact, 9_000, "somebody")
    assert alone == evolve(before, fact, 9_000, "somebody")
    assert (alone.order_number, alone.version, alone.status) == ("N-1", before.version + 1, Status.ERASED)
    assert (alone.created, alone.updated_at, alone.deleted) == (
        before.created,
        before.updated_at,
        Moment(at=9_000, by="somebody"),
    )
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
