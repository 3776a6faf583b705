"""How a draft changes, and how it becomes orders: all of them, or none."""

import secrets
from collections.abc import Callable, Sequence

from ordre.application.change import Answer, Call, Change, DraftEvent, DraftWrite, HeldDraft, Loaded, OrderWrite, Outcome, Wanted
from ordre.application.documents import Documents
from ordre.application.history import changed
from ordre.application.orders import answered, append, replay
from ordre.application.store import OrderStore, Store
from ordre.application.troubles import StoreUnavailable, Trouble
from ordre.domain import draft as drafts
from ordre.domain.draft import Draft, DraftStatus, Names, OrderIdStyle
from ordre.domain.order.conditions import LIMITS, Limits
from ordre.domain.order.decide import decide
from ordre.domain.order.order import Status
from ordre.domain.order.placing import Place
from ordre.domain.refusals import NotTakenOver, OrderErased, Refused, UnknownDraft, UnknownOrder, VersionDiffers

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Of generated order ids: no 0, O, 1 or I, which people misread."""

MOST_TRIES = 20
"""So often a draft that others change meanwhile is looked at again."""

Edit = Callable[[Draft], Draft]
Shown = Callable[[HeldDraft], str]
NewId = Callable[[], str]


async def create(store: OrderStore, call: Call, draft: Draft, shown: Shown) -> Outcome:
    """Store a new draft; the answer is the draft as ``shown``.

    Raises:
        Refused: The order that it is to be added to was erased.
    """
    target = draft.options.target

    def decided(loaded: Loaded) -> Outcome:
        if loaded.answered is not None:
            return replay(call, loaded.answered, loaded)
        _check_target(loaded)
        return _written(call, None, draft, shown)

    wanted = Wanted(account_id=call.account_id, order=target, key=call.key)
    return await store.change(Change(wanted=wanted, decide=decided, several=target is not None))


async def edit(store: OrderStore, call: Call, draft_id: str, change: Edit, shown: Shown) -> Outcome:
    """Change one draft by a pure function; the answer is the draft as ``shown``.

    Raises:
        Refused: The draft is unknown, of another version than the call names, or does not take the change; or the order that it
            is to be added to from now on was erased.
    """
    target = None
    for _ in range(MOST_TRIES):
        try:
            return await _edit(store, call, draft_id, change, shown, target)
        except _Retargeted as retargeted:
            target = retargeted.order
    raise _moving()


class _Retargeted(Exception):  # noqa: N818 - it is named for what happened
    """The change lets the draft be added to another order than before, which was not looked at."""

    def __init__(self, order: str) -> None:
        super().__init__(order)
        self.order = order


async def _edit(store: OrderStore, call: Call, draft_id: str, change: Edit, shown: Shown, target: str | None) -> Outcome:
    """Change a draft, seeing to it that ``target``, which it is to be added to from now on, is not erased meanwhile."""

    def decided(loaded: Loaded) -> Outcome:
        if loaded.answered is not None and not _is_gone(loaded):
            return replay(call, loaded.answered, loaded)
        held = _known(call, loaded)
        after = change(held.draft)
        if after is held.draft:
            answer = Answer(document=shown(held), version=after.version)
            return Outcome(answer=answer, answered=answered(call, answer))
        aimed = after.options.target
        if aimed is not None and aimed != held.draft.options.target:
            if aimed != target:
                raise _Retargeted(aimed)
            _check_target(loaded)
        return _written(call, held, after, shown)

    wanted = Wanted(account_id=call.account_id, order=target, draft=draft_id, key=call.key)
    return await store.change(Change(wanted=wanted, decide=decided, several=target is not None))


def _check_target(loaded: Loaded) -> None:
    """Refuse a draft that is to be added to an order that was erased: what it says would outlive the erasure."""
    if loaded.order is not None and loaded.order.order.status is Status.ERASED:
        raise Refused(OrderErased(path="options.order_id"))


def _is_gone(loaded: Loaded) -> bool:
    """Whether the key is about an erased draft, which is then unknown, as it is without the key."""
    return loaded.draft is None and loaded.answered is not None and loaded.answered.erased


async def complete(store: Store, call: Call, draft_id: str, new_id: NewId, limits: Limits = LIMITS) -> Outcome:
    """Make the draft's orders, or add it to the order that it names. A completed draft is answered with its orders again.

    Raises:
        Refused: The draft is unknown or deleted, or the order it names does not take it.
    """
    lacking = _Lacking()
    serials: list[str] = []
    for _ in range(MOST_TRIES):
        try:
            return await store.change(
                _completion(store.documents, call, draft_id, serials, new_id, limits, several=lacking.several)
            )
        except _Lacking as found:
            lacking = found
            serials += [f"{await store.serial(call.account_id)}{found.suffix}" for _ in range(found.serials)]
    raise _moving()


def _moving() -> StoreUnavailable:
    return StoreUnavailable("the draft is changed again and again", Trouble.BUSY)


class _Lacking(Exception):  # noqa: N818 - it is named for what happened
    """What the draft turned out to want was not there yet.

    That is another order than the one that was read, numbers for its orders (so many, with this suffix), or a transaction.
    """

    def __init__(self, *, serials: int = 0, suffix: str | None = None, several: bool = False) -> None:
        super().__init__()
        self.serials, self.suffix, self.several = serials, suffix, several


def _completion(
    documents: Documents, call: Call, draft_id: str, serials: Sequence[str], new_id: NewId, limits: Limits, *, several: bool
) -> Change:
    def decided(loaded: Loaded) -> Outcome:
        if loaded.draft is None:
            raise Refused(UnknownDraft())
        if loaded.answered is not None:
            return replay(call, loaded.answered, loaded)
        draft = _known(call, loaded).draft
        if draft.status is DraftStatus.COMPLETED:
            again = Answer(orders=draft.orders, many=True)
            return Outcome(answer=again, answered=answered(call, again))
        _check_nothing_lacks(draft, loaded, serials, several=several)
        return _completed(documents, call, draft, loaded, serials, new_id, limits)

    wanted = Wanted(account_id=call.account_id, content=True, draft=draft_id, of_draft=True, key=call.key)
    return Change(wanted=wanted, decide=decided, several=several)


def _check_nothing_lacks(draft: Draft, loaded: Loaded, serials: Sequence[str], *, several: bool) -> None:
    orders = len(drafts.parts(draft)) if draft.status is DraftStatus.OPEN else 0
    suffix = draft.options.serial_suffix
    numbered = suffix is not None and not draft.sketch.order_number and (draft.options.target is None or draft.options.replaces)
    missing = max(0, orders - len(serials)) if numbered else 0
    if missing or (orders > 1 and not several) or draft.order_name != loaded.name:
        raise _Lacking(serials=missing, suffix=suffix, several=orders > 1)


def _completed(
    documents: Documents, call: Call, draft: Draft, loaded: Loaded, serials: Sequence[str], new_id: NewId, limits: Limits
) -> Outcome:
    names = [_names(draft, serials[index] if serials else None, new_id) for index in range(len(drafts.parts(draft)))]
    if draft.options.target is not None:
        writes = [_added(documents, call, draft, loaded, names[0], limits)]
    else:
        writes = [_placed(documents, call, place, loaded, limits) for place in drafts.orders_from(draft, names)]
    after = drafts.completed(draft, [write.order for write in writes], call.at)
    answer = Answer(orders=after.orders, many=True)
    return Outcome(
        answer=answer,
        orders=tuple(writes),
        draft=DraftWrite(before=draft.version, draft=after, event=_event(call, after)),
        answered=answered(call, answer),
    )


def _placed(documents: Documents, call: Call, place: Place, loaded: Loaded, limits: Limits) -> OrderWrite:
    held = loaded.order.order if loaded.order else None
    return append(documents, None, decide(held, place, {}, limits), call)


def _added(documents: Documents, call: Call, draft: Draft, loaded: Loaded, called: Names, limits: Limits) -> OrderWrite:
    command = drafts.addition_from(draft, called)
    if call.strict and (left := drafts.not_taken_over(draft)):
        raise Refused(*(NotTakenOver(path=path) for path in left))
    if loaded.order is None:
        raise Refused(UnknownOrder(path="options.order_id"))
    facts = decide(loaded.order.order, command, {}, limits, loaded.order.content)
    return append(documents, loaded.order, facts, call)


def _names(draft: Draft, serial: str | None, new_id: NewId) -> Names:
    id_ = new_id()
    generated = id_
    if draft.options.generate_order_id is OrderIdStyle.ALPHANUMERIC_9:
        generated = "".join(secrets.choice(ALPHABET) for _ in range(9))
    return Names(id=id_, order_id=draft.sketch.order_id or generated, order_number=draft.sketch.order_number or serial)


def _known(call: Call, loaded: Loaded) -> HeldDraft:
    if loaded.draft is None:
        raise Refused(UnknownDraft())
    current = loaded.draft.draft.version
    if call.version is not None and call.version != current:
        raise Refused(VersionDiffers(current_version=current))
    return loaded.draft


def _written(call: Call, held: HeldDraft | None, draft: Draft, shown: Shown) -> Outcome:
    event = _event(call, draft)
    after = changed(held, draft, event)
    answer = Answer(document=shown(after), version=draft.version)
    write = DraftWrite(before=held.draft.version if held else 0, draft=draft, event=event)
    return Outcome(answer=answer, draft=write, answered=answered(call, answer))


def _event(call: Call, draft: Draft) -> DraftEvent:
    return DraftEvent(version=draft.version, at=call.at, by=call.by, event=call.event)
