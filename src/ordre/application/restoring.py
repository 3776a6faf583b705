"""An order out of what happened to it elsewhere: each step decided by the rules, in the order in which it happened.

Nothing is believed that the rules can tell. What comes out is one write, of all facts at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ordre.application.change import Answer, Call, Change, Loaded, NewFact, OrderWrite, Outcome, Wanted
from ordre.application.documents import Documents
from ordre.domain.ledger import Kind
from ordre.domain.order.conditions import Limits, full, refuse, used
from ordre.domain.order.decide import NO_EXTRA_FIELDS, Command, decide
from ordre.domain.order.facts import CommentDeleted, Fact, LinesAdded, Recorded, SessionStarted, Updated
from ordre.domain.order.order import Order, after
from ordre.domain.order.parts import Content, JsonFields, Moment
from ordre.domain.order.paying import Record, StartSession
from ordre.domain.refusals import AmountMismatch, InvalidValue, Refused, UnknownLine

MOST_TRIES = 20_000
"""How often the rules are asked at most in which order the steps of one instant happened."""
_Mark = tuple[Order | None, Content | None, int]
IMPORT = "import"
"""Who did what nobody says who did it."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Something was changed, and what the order says now is all that is known of it."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A draft was completed into the order. Which lines it brought nobody says."""

    draft_id: str


What = Command | Touched | Joined


@dataclass(slots=True, kw_only=True)
class Step:
    """Something that happened. ``where`` names it in the document; ``lane`` is that of what happened in a known order.

    ``at`` is in milliseconds; ``event`` is the request that did it, in JSON, empty where nobody knows it. ``drafts`` are those
    that the order came from by then, where it shows them.
    """

    at: int
    by: str
    what: What
    where: str = ""
    lane: str = ""
    event: str = ""
    extra: JsonFields = field(default_factory=dict)
    drafts: Sequence[str] = ()


class StepRefused(Refused):
    """The rules refuse a step."""

    def __init__(self, step: Step, refused: Refused) -> None:
        super().__init__(*refused.refusals)
        self.where = step.where


def restored(documents: Documents, account_id: str, steps: Sequence[Step], limits: Limits) -> OrderWrite:
    """Return the order after these steps, in their order, of which the first places it.

    Where the rules refuse one, those of the same instant are tried before it, each lane in its own order: who kept instants in
    seconds did not keep which came first.

    Raises:
        StepRefused: The rules do not take a step in any such order.
    """
    folding = _Folding(documents, account_id, limits)
    for group in _by_instant(steps):
        _arrange(folding, group)
    return folding.write()


def _by_instant(steps: Sequence[Step]) -> Iterator[list[Step]]:
    group: list[Step] = []
    for step in steps:
        if group and step.at != group[0].at:
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def _arrange(folding: "_Folding", group: Sequence[Step]) -> None:
    """Let the steps of one instant happen in the first order that the rules take, beginning with the one that they have."""
    lanes: dict[str, list[int]] = {}
    for place, step in enumerate(group):
        lanes.setdefault(step.lane, []).append(place)
    gone = dict.fromkeys(lanes, 0)
    taken: list[tuple[str, _Mark]] = []
    first: StepRefused | None = None
    last, tries = -1, 0
    while len(taken) < len(group):
        able = sorted(places[gone[lane]] for lane, places in lanes.items() if gone[lane] < len(places))
        found = None
        for place in (one for one in able if one > last):
            tries += 1
            try:
                found = place, folding.facts_of(group[place])
                break
            except Refused as refused:
                first = first or StepRefused(group[place], refused)
        if found is not None:
            place, facts = found
            taken.append((group[place].lane, folding.mark()))
            folding.take(group[place], facts)
            gone[group[place].lane] += 1
            last = -1
        elif first is not None and (not taken or tries > MOST_TRIES):
            raise first
        else:
            lane, mark = taken.pop()
            folding.back_to(mark)
            gone[lane] -= 1
            last = lanes[lane][gone[lane]]


class _Folding:
    """The order after the steps so far."""

    def __init__(self, documents: Documents, account_id: str, limits: Limits) -> None:
        self._documents, self._account_id, self._limits = documents, account_id, limits
        self._order: Order | None = None
        self._content: Content | None = None
        self._earlier: dict[str, Fact] = {}
        self._shown: dict[str, str] = {}
        self._facts: list[NewFact] = []

    def facts_of(self, step: Step) -> Sequence[Fact]:
        """Return the facts that a step makes, after the drafts that it came after."""
        order, joined = self._order, list[Fact]()
        if order is not None:
            last = next((draft for draft in reversed(step.drafts) if draft not in order.drafts), None)
            if last is not None:
                upto = step.drafts[: step.drafts.index(last) + 1]
                joined = [_join(draft) for draft in upto if draft not in order.drafts]
        return [*joined, *self._made(order, step)]

    def _made(self, order: Order | None, step: Step) -> Sequence[Fact]:
        match step.what:
            case Touched():
                return [_touch(order)]
            case Joined(draft_id=draft):
                is_new = order is None or draft not in order.drafts
                return [_join(draft)] if is_new else [_touch(order)] if step.event else []
            case StartSession() | Record(success=False) as command if order is not None:
                return [_moving_nothing(order, command, self._earlier, self._limits)]
            case command:
                found = decide(order, command, self._earlier, self._limits, self._content)
                return found or ([_touch(order)] if step.event else [])

    def mark(self) -> "_Mark":
        """Return where it is now."""
        return self._order, self._content, len(self._facts)

    def back_to(self, mark: "_Mark") -> None:
        """Take back what happened since."""
        self._order, self._content, facts = mark
        for new in self._facts[facts:]:
            if new.fact.ref is not None:
                del self._earlier[new.fact.ref], self._shown[new.fact.ref]
        del self._facts[facts:]

    def take(self, step: Step, facts: Sequence[Fact]) -> None:
        """Let the facts of a step happen."""
        for fact in facts:
            moment = Moment(at=step.at, by=step.by)
            self._order, self._content = after(self._order, self._content, fact, moment)
            call = Call(account_id=self._account_id, by=step.by, at=step.at, event=step.event)
            earlier = self._shown.get(fact.id, "") if isinstance(fact, CommentDeleted) else ""
            extra = NO_EXTRA_FIELDS if isinstance(fact, LinesAdded | Updated | CommentDeleted) else step.extra
            document = self._documents.show(fact, extra, self._order, call, earlier)
            version, event = self._order.version, step.event
            if isinstance(fact, LinesAdded) and not isinstance(step.what, Joined):
                event = ""
            self._facts.append(NewFact(fact=fact, version=version, at=step.at, by=step.by, document=document, event=event))
            if fact.ref is not None:
                self._earlier[fact.ref], self._shown[fact.ref] = fact, document

    def write(self) -> OrderWrite:
        """Return the order, to be written."""
        if self._order is None:
            raise AssertionError("the first step places the order")
        return OrderWrite(before=0, order=self._order, content=self._content, facts=tuple(self._facts))


def _touch(order: Order | None) -> Updated:
    if order is None:
        raise AssertionError("the first step places the order")
    return Updated(fields={}, items={}, lines={}, about=order.about, order_number=order.order_number)


def _join(draft: str) -> LinesAdded:
    return LinesAdded(lines={}, items={}, item_store_ids=(), draft_id=draft)


def _moving_nothing(order: Order, command: StartSession | Record, earlier: Mapping[str, Fact], limits: Limits) -> Fact:
    """Return the fact of a session or of a failed operation.

    It moves nothing, and its lines may have had other amounts then, so that these are not compared with those of now.
    """
    refuse(used(command.id, earlier))
    asked = [(line_id, amount or 0) for line_id, amount in command.items]
    amounts = dict(asked)
    if len(amounts) < len(asked):
        raise Refused(InvalidValue(path="items", reason="Must name each line once"))
    if command.amount not in (None, expected := sum(amounts.values())):
        raise Refused(AmountMismatch(path="amount", sent=command.amount or 0, expected=expected))
    if isinstance(command, StartSession):  # its lines may be gone, where a draft took the place of the order
        refuse(full(order.sessions, limits.operations))
        return SessionStarted(id=command.id, amounts=amounts)
    refuse(full(order.operations, limits.operations))
    unknown = [(place, line_id) for place, line_id in enumerate(amounts) if line_id not in order.lines]
    refuse([UnknownLine(path=f"items[{place}].line_id", line_id=line_id) for place, line_id in unknown])
    inside = order.multiple_authorizations and command.kind is not Kind.AUTHORIZATION
    return Recorded(
        kind=command.kind,
        id=command.id,
        amounts=amounts,
        success=False,
        authorization_id=command.authorization_id if inside else None,
        fingerprint=command.fingerprint,
    )


def bringing(account_id: str, write: OrderWrite) -> Change:
    """Return the change that writes an order that is not there yet; it is answered without an order where it is."""

    def decided(loaded: Loaded) -> Outcome:
        if loaded.order is not None:
            return Outcome(answer=Answer())
        return Outcome(answer=Answer(orders=((write.order.id, write.order.version),)), orders=(write,))

    return Change(wanted=Wanted(account_id=account_id, order=write.order.order_id), decide=decided)
