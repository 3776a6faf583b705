"""How an order changes: ``execute``. Load, decide, evolve, append; there is no other way."""

from collections.abc import Sequence

from ordre.application.change import (
    Answer,
    Answered,
    Call,
    Change,
    EarlierFact,
    Emptied,
    HeldOrder,
    Loaded,
    NewFact,
    OrderWrite,
    Outcome,
    Wanted,
)
from ordre.application.documents import Documents
from ordre.application.store import OrderStore
from ordre.domain.order.conditions import LIMITS, Limits
from ordre.domain.order.decide import NO_EXTRA_FIELDS, Command, decide, extra_fields, needs
from ordre.domain.order.facts import Fact
from ordre.domain.order.order import Status, after
from ordre.domain.order.parts import JsonFields, Moment
from ordre.domain.refusals import KeyErased, KeyReused, OrderErased, Refused, UnknownOrder, VersionDiffers


async def execute(store: OrderStore, call: Call, order: str, command: Command, limits: Limits = LIMITS) -> Outcome:
    """Change one order. The answer is what the command's fact shows; where it shows nothing of its own, the order.

    Raises:
        Refused: By the rules; nothing was changed.
        StoreUnavailable: Nothing was changed.
    """
    needed = needs(command)
    wanted = Wanted(account_id=call.account_id, order=order, content=needed.content, refs=needed.refs, key=call.key)

    def decided(loaded: Loaded) -> Outcome:
        if loaded.answered is not None:
            return replay(call, loaded.answered, loaded)
        held = loaded.order
        check_version(call, held.order.version if held else None)
        earlier = {ref: found.fact for ref, found in loaded.earlier.items()}
        facts = decide(held.order if held else None, command, earlier, limits, held.content if held else None)
        about = next((loaded.earlier[ref] for ref in needed.refs if ref in loaded.earlier), None)
        write = append(store.documents, held, facts, call, extra_fields(command), about) if facts else None
        return _outcome(call, needed.refs, loaded, write)

    return await store.change(Change(wanted=wanted, decide=decided, erases=needed.empties))


def append(
    documents: Documents,
    held: HeldOrder | None,
    facts: Sequence[Fact],
    call: Call,
    extra: JsonFields = NO_EXTRA_FIELDS,
    about: EarlierFact | None = None,
) -> OrderWrite:
    """Return the order with these facts on it, one at least, ready to be written.

    ``extra`` are fields that the command gives its fact to show; ``about`` the earlier fact that the new one is about.
    """
    order, content = (held.order, held.content) if held else (None, None)
    before, new = order.version if order else 0, []
    earlier_document, emptied = about.document if about else "", None
    for fact in facts:
        order, content = after(order, content, fact, Moment(at=call.at, by=call.by))
        document = documents.show(fact, extra, order, call, earlier_document)
        new.append(NewFact(fact=fact, version=order.version, at=call.at, by=call.by, document=document, event=call.event))
        left = documents.rest_of_earlier(fact, earlier_document)
        if about is not None and about.fact.ref is not None and left is not None:
            emptied = Emptied(ref=about.fact.ref, before=earlier_document, document=left, answer=document)
    if order is None:
        raise AssertionError("facts make an order")
    changed = content if held is None or content is not held.content else None
    return OrderWrite(before=before, order=order, content=changed, facts=tuple(new), emptied=emptied)


def answered(call: Call, answer: Answer) -> Answered | None:
    """Return the idempotency row to be written with the change, where the call has a key."""
    return Answered(digest=call.digest, answer=answer) if call.key is not None else None


def replay(call: Call, first: Answered, loaded: Loaded) -> Outcome:
    """Return the first answer again; refuse a key that stands for another request, or for what was erased since."""
    if first.erased:
        of_erased = loaded.order is not None and loaded.order.order.status is Status.ERASED
        raise Refused(OrderErased() if of_erased else KeyErased())
    if first.digest != call.digest:
        raise Refused(KeyReused())
    return Outcome(answer=first.answer, replayed=True)


def check_version(call: Call, current: int | None) -> None:
    """Refuse a write whose If-Match names another version than the current one."""
    if call.version is None:
        return
    if current is None:
        raise Refused(UnknownOrder())
    if call.version != current:
        raise Refused(VersionDiffers(current_version=current))


def _outcome(call: Call, refs: Sequence[str], loaded: Loaded, write: OrderWrite | None) -> Outcome:
    """Return the write, if any, and the answer: of a command that changes nothing again, that of the first one."""
    order = write.order if write else loaded.order.order if loaded.order else None
    if order is None:
        raise AssertionError("a command that is not refused has an order")
    document = write.facts[-1].document if write else loaded.earlier[refs[-1]].document if refs else ""
    shown = Answer(document=document, version=order.version)
    answer = shown if document else Answer(orders=((order.id, order.version),), version=order.version)
    return Outcome(answer=answer, orders=(write,) if write else (), answered=answered(call, answer))
