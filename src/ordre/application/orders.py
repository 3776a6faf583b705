"""How an order changes: ``execute``. Load, decide, evolve, append; there is no other way."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from ordre.application.ports import (
    Answer,
    Answered,
    Change,
    Emptied,
    HeldOrder,
    Loaded,
    NewFact,
    OrderStore,
    OrderWrite,
    Outcome,
    Wanted,
)
from ordre.domain.commands import AddLines, Command, DeleteComment, Record, Report, StartSession, Update
from ordre.domain.decide import LIMITS, Limits, decide, deletion_of
from ordre.domain.order import (
    CommentDeleted,
    Commented,
    Fact,
    Order,
    Recorded,
    ServiceReported,
    SessionStarted,
    Status,
    evolve,
    rewrite,
)
from ordre.domain.refusals import KeyErased, KeyReused, OrderErased, Refused, UnknownOrder, VersionDiffers


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Who asks for a write, when and how. ``at`` is in milliseconds; ``event`` is the request as an event shows it, in JSON.

    ``key`` is the idempotency key and ``digest`` what identifies the request under it; ``version`` is what If-Match names.
    With ``strict`` a write is refused that would leave out part of what it was asked for.
    """

    account_id: str
    by: str
    at: int
    event: str
    key: str | None = None
    digest: str = ""
    version: int | None = None
    strict: bool = False


Shown = Callable[[Fact, Order], str]
"""Makes, from a fact and the order after it, the JSON that the fact shows in its order and that its request is answered with."""


async def execute(
    store: OrderStore,
    call: Call,
    order: str,
    command: Command,
    shown: Shown | None = None,
    limits: Limits = LIMITS,
    emptied: Emptied | None = None,
) -> Outcome:
    """Change one order. With ``shown`` the answer is what the fact shows, without it the order.

    ``emptied`` is what becomes of an earlier fact, where a new one takes its text away.

    Raises:
        Refused: By the rules; nothing was changed.
        StoreUnavailable: Nothing was changed.
    """
    wanted = Wanted(
        account_id=call.account_id,
        order=order,
        content=isinstance(command, AddLines | Update),
        ref=_ref_of(command),
        key=call.key,
    )

    def decided(loaded: Loaded) -> Outcome:
        if loaded.answered is not None:
            return replay(call, loaded.answered, loaded)
        held = loaded.order
        check_version(call, held.order.version if held else None)
        earlier = {ref: found.fact for ref, found in loaded.earlier.items()}
        facts = decide(held.order if held else None, command, earlier, limits, held.content if held else None)
        write = append(held, facts, call, shown)
        if write is not None:
            write = replace(write, emptied=emptied)
        return outcome(call, command, loaded, write, shown)

    return await store.change(Change(wanted=wanted, decide=decided, erases=emptied is not None))


def append(held: HeldOrder | None, facts: tuple[Fact, ...], call: Call, shown: Shown | None = None) -> OrderWrite | None:
    """Return the order with the facts on it, ready to be written; None where there are no facts."""
    if not facts:
        return None
    order = held.order if held else None
    content = held.content if held else None
    before, new = order.version if order else 0, []
    for fact in facts:
        order = evolve(order, fact, call.at, call.by)
        content = rewrite(content, fact)
        document = shown(fact, order) if shown else ""
        new.append(
            NewFact(
                fact=fact,
                version=order.version,
                at=call.at,
                by=call.by,
                ref=ref_of(fact),
                document=document,
                event=call.event,
            )
        )
    if order is None:
        raise AssertionError("facts make an order")
    changed = content if held is None or content is not held.content else None
    return OrderWrite(before=before, order=order, content=changed, facts=tuple(new))


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


def ref_of(fact: Fact) -> str | None:
    """Return the name by which a later command can find the fact."""
    match fact:
        case Recorded(id=id) | SessionStarted(id=id) | ServiceReported(id=id) | Commented(id=id):
            return id
        case CommentDeleted(id=id):
            return deletion_of(id)
        case _:
            return None


def _ref_of(command: Command) -> str | None:
    match command:
        case Record(id=id) | StartSession(id=id) | Report(id=id) | DeleteComment(id=id):
            return id
        case _:
            return None


def outcome(call: Call, command: Command, loaded: Loaded, write: OrderWrite | None, shown: Shown | None = None) -> Outcome:
    """Return what becomes of a command: what is written, if anything, and what the call is answered."""
    order = write.order if write else loaded.order.order if loaded.order else None
    if order is None:
        raise AssertionError("a command that is not refused has an order")
    if shown is None:
        answer = Answer(orders=((order.id, order.version),), version=order.version)
    else:
        document = write.facts[-1].document if write else _earlier_document(command, loaded)
        answer = Answer(document=document, version=order.version)
    return Outcome(answer=answer, orders=(write,) if write else (), answered=answered(call, answer), replayed=False)


def _earlier_document(command: Command, loaded: Loaded) -> str:
    """Return what the first of two equal calls was answered."""
    match command:
        case DeleteComment(id=id):
            return loaded.earlier[deletion_of(id)].document
        case Record(id=id):
            return loaded.earlier[id].document
        case _:
            raise AssertionError("only an operation and a deleted comment are answered again")
