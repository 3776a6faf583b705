"""The batch in memory: what stands or falls together."""

from given import placing

from ordre.api.context import uuid7
from ordre.api.wire.facts import DOCUMENTS
from ordre.api.wire.search import TERMS
from ordre.application.change import Answer, Answered, Call, Change, HeldOrder, Loaded, Outcome, Wanted
from ordre.application.orders import append
from ordre.db.batch import Batch, Read
from ordre.domain.chain import START
from ordre.domain.order.decide import Command, decide
from ordre.domain.order.running import Close

CALL = Call(account_id="T00000001", by="c", at=1_700_000_000_000, event="{}")


def held() -> HeldOrder:
    id_ = uuid7(CALL.at)
    written = append(DOCUMENTS, None, decide(None, placing(100, id=id_, order_id="one"), {}), CALL)
    return HeldOrder(order=written.order, hash=START)


def change(command: Command, key: str | None = None) -> Change:
    def decided(loaded: Loaded) -> Outcome:
        assert loaded.order is not None
        facts = decide(loaded.order.order, command, {})
        write = append(DOCUMENTS, loaded.order, facts, CALL) if facts else None
        answered = Answered(digest="d", answer=Answer()) if key else None
        return Outcome(answer=Answer(), orders=(write,) if write else (), answered=answered)

    return Change(wanted=Wanted(account_id="T00000001", order="one", key=key), decide=decided)


def test_an_answer_about_what_another_change_wrote_goes_with_that_write() -> None:
    order, batch = held(), Batch(1, TERMS, held=True)
    closing, again, alone = change(Close()), change(Close(), "k"), Batch(1, TERMS, held=True)
    for one in (closing, again):
        batch.add(one.wanted, Read(order=order))
    first, second = batch.run(closing), batch.run(again)
    assert first.saw == second.saw == {("T00000001", order.order.id)}
    assert second.outcome is not None
    assert second.outcome.orders == ()
    assert batch.rows.answers[0][-1] == order.order.id
    closed = HeldOrder(order=first.outcome.orders[0].order, hash="h") if first.outcome else order
    alone.add(again.wanted, Read(order=closed))
    alone.run(again)
    assert alone.rows.answers[0][-1] is None


def test_changes_of_one_order_are_decided_one_after_another() -> None:
    order, batch = held(), Batch(1, TERMS, held=True)
    for one in (change(Close()), change(Close())):
        batch.add(one.wanted, Read(order=order))
        batch.run(one)
    ((before, after),) = batch.rows.heads.values()
    assert (before, after.order.version, len(batch.rows.facts)) == (1, 2, 1)
