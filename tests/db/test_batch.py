"""The batch in memory: what each change sees of those before it, and what stands or falls together."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from given import adding, placing, recording

from ordre.api.wire.common import json_text
from ordre.api.wire.facts import DOCUMENTS
from ordre.api.wire.search import TERMS
from ordre.application.change import (
    Answer,
    Answered,
    Call,
    Change,
    DraftEvent,
    DraftWrite,
    EarlierFact,
    HeldDraft,
    HeldOrder,
    Loaded,
    Outcome,
    Wanted,
)
from ordre.application.ids import uuid7
from ordre.application.orders import append, execute
from ordre.application.store import OrderStore
from ordre.application.views import Subject
from ordre.db.batch import Batch
from ordre.domain.chain import START
from ordre.domain.draft import Draft, DraftItem, Options, Sketch
from ordre.domain.draft import created as drafted
from ordre.domain.ledger import Kind
from ordre.domain.lines import PricedItem
from ordre.domain.order.decide import Command, decide
from ordre.domain.order.facts import Commented
from ordre.domain.order.lifecycle import Close, Comment, DeleteComment, Erase, Open
from ordre.domain.order.parts import About, Moment
from ordre.domain.refusals import ExceedsRemaining, OrderClosed, OrderErased, Refused

ACCOUNT = "T00000001"
CALL = Call(account_id=ACCOUNT, by="c", at=1_700_000_000_000, event="{}")
KEYED = Call(account_id=ACCOUNT, by="c", at=CALL.at, event="{}", key="k", digest="d")
DRAFT = drafted(
    "d1",
    Sketch(
        currency="NOK",
        fields={},
        about=About(),
        items=(DraftItem(priced=PricedItem(line_id=2, gross=5), store_id=None, fields={}),),
    ),
    Options(target="one"),
    {},
    Moment(at=CALL.at, by="c"),
    10,
)


def change(command: Command, call: Call = CALL) -> Change:
    """The change of the order "one" that a command makes: the store that is asked for it runs nothing."""
    asked: list[Change] = []

    async def ask(one: Change) -> Outcome:
        asked.append(one)
        return Outcome(answer=Answer())

    store = cast("OrderStore", SimpleNamespace(documents=DOCUMENTS, change=ask))
    asyncio.run(execute(store, call, "one", command))
    return asked[0]


def held(*, content: bool = False) -> HeldOrder:
    """An order with one line, as an engine reads it: with its content only where that is wanted."""
    written = append(DOCUMENTS, None, decide(None, placing(100, id=uuid7(CALL.at), order_id="one", draft_id="d0"), {}), CALL)
    return HeldOrder(order=written.order, hash=START, content=written.content if content else None)


def without_content(order: HeldOrder) -> HeldOrder:
    return HeldOrder(order=order.order, hash=order.hash)


def subject(order: HeldOrder) -> Subject:
    return (ACCOUNT, order.order.id)


def batch_of(order: HeldOrder, *changes: Change, alone: bool = True) -> Batch:
    """A batch in which each of the changes has read the order."""
    batch = Batch(1, TERMS, held=alone)
    for one in changes:
        batch.add(one.wanted, Loaded(order=order))
    return batch


def refusal(batch: Batch, one: Change) -> type[object]:
    refused = batch.run(one).refused
    assert isinstance(refused, Refused)
    return type(refused.refusals[0])


def test_an_answer_about_what_another_change_wrote_goes_with_that_write() -> None:
    order, closing, again = held(), change(Close()), change(Close(), KEYED)
    batch = batch_of(order, closing, again)
    first, second = batch.run(closing), batch.run(again)
    assert first.saw == second.saw == {subject(order)}
    assert second.outcome is not None
    assert second.outcome.orders == ()
    assert batch.rows.answers[0][-1] == order.order.id
    closed = HeldOrder(order=first.outcome.orders[0].order, hash="h") if first.outcome else order
    alone = batch_of(closed, again)
    alone.run(again)
    assert alone.rows.answers[0][-1] is None


def test_changes_of_one_order_are_decided_one_after_another() -> None:
    order, twice = held(), (change(Close()), change(Close()))
    batch = batch_of(order, *twice)
    for one in twice:
        batch.run(one)
    ((before, after),) = batch.rows.heads.values()
    assert (before, after.order.version, len(batch.rows.facts)) == (1, 2, 1)


def test_of_two_captures_the_second_sees_the_first() -> None:
    order = held()
    paying = [change(recording(kind, (1, 100), id_=id_)) for kind, id_ in ((Kind.AUTHORIZATION, "a"), (Kind.CAPTURE, "b"))]
    more = change(recording(Kind.CAPTURE, (1, 1), id_="c"))
    batch = batch_of(order, *paying, more)
    assert [batch.run(one).refused for one in paying] == [None, None]
    assert refusal(batch, more) is ExceedsRemaining
    assert [fact.version for _, fact in batch.rows.facts] == [2, 3]


def test_what_is_refused_or_fails_writes_nothing_and_tells_what_it_saw() -> None:
    order, closing, paying = held(), change(Close()), change(recording(Kind.AUTHORIZATION, (1, 100)), KEYED)

    def fails(_: object) -> Outcome:
        raise ZeroDivisionError

    failing = Change(wanted=closing.wanted, decide=fails)
    batch = batch_of(order, closing, paying, failing)
    batch.run(closing)
    refused, failed = batch.run(paying), batch.run(failing)
    assert isinstance(refused.refused, Refused)
    assert isinstance(refused.refused.refusals[0], OrderClosed)
    assert isinstance(failed.refused, ZeroDivisionError)
    assert refused.saw == failed.saw == {subject(order)}
    assert (len(batch.rows.facts), batch.rows.answers) == (1, [])


def test_an_answer_that_no_write_guards_is_kept_only_under_a_lock() -> None:
    """The order is open already: another process may close it before this answer is written."""
    order, opening = held(), change(Open(), KEYED)
    free, locked = batch_of(order, opening, alone=False), batch_of(order, opening)
    assert (free.run(opening).unheld, free.rows.answers) == (True, [])
    assert (locked.run(opening).unheld, len(locked.rows.answers)) == (False, 1)
    again = free.run(opening)
    assert again.outcome is not None
    assert not again.outcome.replayed


def test_the_second_of_two_calls_with_one_key_gets_the_first_ones_answer() -> None:
    order, first, second = held(), change(Close(), KEYED), change(Close(), KEYED)
    batch = batch_of(order, first, second)
    made, again = batch.run(first).outcome, batch.run(second)
    assert made is not None
    assert again.outcome is not None
    assert (again.outcome.replayed, again.outcome.answer) == (True, made.answer)
    assert again.saw == {subject(order)}
    assert len(batch.rows.answers) == 1


def test_whoever_gets_an_answer_of_the_batch_depends_on_what_the_first_call_saw() -> None:
    """If that order was lost, both are run again."""
    order, first = held(), change(Close(), KEYED)
    other = Change(wanted=Wanted(account_id=ACCOUNT, key="k"), decide=first.decide)
    batch = batch_of(order, first, other)
    batch.run(first)
    ran = batch.run(other)
    assert ran.outcome is not None
    assert (ran.outcome.replayed, ran.saw) == (True, {subject(order)})


def test_an_answer_that_was_kept_before_is_read_once() -> None:
    order, again = held(), change(Close(), KEYED)
    batch, kept = Batch(1, TERMS, held=False), Answered(digest="d", answer=Answer(document="{}"))
    batch.add(again.wanted, Loaded(order=order, answered=kept))
    ran = batch.run(again)
    assert ran.outcome is not None
    assert (ran.outcome.replayed, ran.outcome.answer) == (True, kept.answer)
    assert (ran.unheld, batch.rows.answers, batch.rows.facts) == (False, [], [])


@pytest.mark.parametrize("writes", ["order", "draft"])
def test_an_answer_belongs_to_its_draft_where_there_is_one_and_else_to_its_order(writes: str) -> None:
    """Whichever is erased takes the answer with it."""
    order, closing = held(), change(Close(), KEYED)

    def completed(_: object) -> Outcome:
        write = append(DOCUMENTS, order, decide(order.order, Close(), {}), CALL)
        return Outcome(answer=Answer(), orders=(write,), answered=Answered(digest="d", answer=Answer()))

    both = Wanted(account_id=ACCOUNT, order="one", draft="d1", key="k")
    one = closing if writes == "order" else Change(wanted=both, decide=completed)
    batch = Batch(1, TERMS, held=True)
    batch.add(one.wanted, Loaded(order=order, draft=HeldDraft(draft=DRAFT) if writes == "draft" else None))
    batch.run(one)
    ((*_, owner, _hash, behind),) = batch.rows.answers
    assert (owner, behind) == (order.order.id if writes == "order" else "d1", order.order.id)


def test_a_draft_is_written_over_the_version_that_was_read() -> None:
    wanted = Wanted(account_id=ACCOUNT, draft="d1")
    batch = Batch(1, TERMS, held=False)

    def changed(to: int) -> Change:
        event = DraftEvent(version=to, at=CALL.at, by="c", event="{}")
        after = Draft(**{name: getattr(DRAFT, name) for name in DRAFT.__slots__} | {"version": to})
        return Change(
            wanted=wanted,
            decide=lambda _: Outcome(answer=Answer(), draft=DraftWrite(before=to - 1, draft=after, event=event)),
        )

    batch.add(wanted, Loaded(draft=HeldDraft(draft=DRAFT)))
    for to in (2, 3):
        batch.run(changed(to))
    ((before, after),) = batch.rows.drafts.values()
    assert (before, after.draft.version, [row[2] for row in batch.rows.draft_events]) == (1, 3, [2, 3])


@pytest.mark.parametrize("first", [True, False], ids=["with the first change", "with the second change"])
def test_content_joins_the_order_as_the_changes_before_left_it(*, first: bool) -> None:
    order = held(content=True)
    commenting, growing = change(Comment(id="c1", fields={"body": json_text("a remark")})), change(adding(2, 5))
    assert (commenting.wanted.content, growing.wanted.content) == (False, True)
    batch = Batch(1, TERMS, held=False)
    batch.add(commenting.wanted, Loaded(order=order if first else without_content(order)))
    batch.run(commenting)
    batch.add(growing.wanted, Loaded(order=without_content(order) if first else order))
    assert batch.run(growing).refused is None
    ((before, after),) = batch.rows.heads.values()
    assert (before, after.order.version, set(after.order.lines)) == (1, 3, {1, 2})
    assert set(batch.rows.bodies) == {subject(order)}
    assert set(batch.rows.recorded[subject(order)]) == {"comment c1"}, (
        "terms of what was recorded stay beside those of the new body"
    )


def test_what_a_later_change_read_does_not_replace_what_is_in_memory() -> None:
    order, closing, paying = held(), change(Close()), change(recording(Kind.AUTHORIZATION, (1, 100)))
    batch = batch_of(order, closing)
    batch.run(closing)
    batch.add(paying.wanted, Loaded(order=order))
    assert refusal(batch, paying) is OrderClosed


def test_an_erased_order_takes_its_drafts_along_and_later_changes_see_it() -> None:
    order, erasing, closing = held(content=True), change(Erase()), change(Close())
    batch = batch_of(order, erasing, closing)
    batch.run(erasing)
    (erasure,) = batch.rows.erasures
    assert (erasure.subject, erasure.order_id, erasure.version) == (subject(order), "one", 2)
    assert (erasure.by, erasure.at, erasure.drafts) == ("c", CALL.at, ("d0",))
    assert refusal(batch, closing) is OrderErased


@pytest.mark.parametrize("where", ["before the batch", "in the batch"])
def test_a_deleted_comment_is_emptied_and_found_no_more(where: str) -> None:
    order, commenting, deleting = (
        held(),
        change(Comment(id="c1", fields={"body": json_text("Kari rang")})),
        change(DeleteComment(id="c1")),
    )
    batch = batch_of(order, commenting)
    made = batch.run(commenting).outcome
    assert made is not None
    document, terms = made.orders[0].facts[0].document, batch.rows.recorded[subject(order)]["comment c1"]
    assert terms
    read = Loaded(order=order)
    if where == "before the batch":
        read = Loaded(
            order=HeldOrder(order=made.orders[0].order, hash="h"),
            earlier={"c1": EarlierFact(fact=Commented(id="c1"), document=document)},
        )
        batch = Batch(1, TERMS, held=True)
    batch.add(deleting.wanted, read)
    assert batch.run(deleting).refused is None
    ((about, emptied),) = batch.rows.emptied
    assert (about, emptied.ref, emptied.before) == (subject(order), "c1", document)
    assert "Kari" not in emptied.document + emptied.answer
    assert not batch.rows.recorded.get(subject(order))
    assert batch.rows.recorded_gone[subject(order)] == {"comment c1": terms}


def test_each_row_is_counted_with_the_write_that_it_goes_with() -> None:
    order, closing = held(), change(Close(), KEYED)
    batch = batch_of(order, closing)
    batch.run(closing)
    counted = {(kind, goes_with): count for (_, goes_with, kind), (count, _) in batch.rows.tallies.items()}
    assert counted == {("answers", order.order.id): 1}
    assert [(entry[1:4], goes_with) for entry, goes_with in batch.rows.entries] == [
        ((order.order.id, 2, "closed"), order.order.id)
    ]


def test_what_one_change_writes_is_written_together_and_so_is_what_shares_a_subject_with_it() -> None:
    order, batch = held(), Batch(1, TERMS, held=False)

    def into(id_: str) -> Change:
        draft = Draft(**{name: getattr(DRAFT, name) for name in DRAFT.__slots__} | {"id": id_})
        wanted = Wanted(account_id=ACCOUNT, draft=id_, of_draft=True)
        batch.add(wanted, Loaded(order=order, draft=HeldDraft(draft=draft)))

        def decided(loaded: Loaded) -> Outcome:
            assert loaded.order is not None
            write = append(DOCUMENTS, loaded.order, decide(loaded.order.order, Comment(id=id_, fields={"body": '"x"'}), {}), CALL)
            event = DraftEvent(version=2, at=CALL.at, by="c", event="{}")
            return Outcome(answer=Answer(), orders=(write,), draft=DraftWrite(before=1, draft=draft, event=event))

        return Change(wanted=wanted, decide=decided)

    for one in (into("d1"), into("d2")):
        assert batch.run(one).refused is None
    assert batch.rows.together == [{subject(order), (ACCOUNT, "d1"), (ACCOUNT, "d2")}]
