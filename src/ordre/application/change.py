"""A change, the unit of what the store does: what it wants loaded, and a pure function from that to what is to be written.

The store runs it as one atomic step, perhaps together with others, perhaps more than once; it answers after the commit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ordre.domain.draft import Draft
from ordre.domain.order.facts import Fact
from ordre.domain.order.order import Order
from ordre.domain.order.parts import Content


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to write: by whom, when, how. ``at`` is in milliseconds; ``event`` is the request as an event shows it, in JSON.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The data that a change wants. ``order`` is an ``order_id`` or ``id``; ``refs`` are those of earlier facts, two at most.

    ``of_draft`` says that the order is the one that the draft, as it is stored, names.
    """

    account_id: str
    order: str | None = None
    content: bool = False
    refs: tuple[str, ...] = ()
    draft: str | None = None
    of_draft: bool = False
    key: str | None = None

    def order_name(self, draft: Draft | None) -> str | None:
        """Return the name of the order, where ``draft`` is the one that is wanted, as it is stored."""
        return draft.order_name if self.of_draft and draft is not None else self.order


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOrder:
    """An order as stored. ``hash`` is the last of its chain; ``content`` is loaded only where wanted."""

    order: Order
    hash: str
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftEvent:
    """One change of a draft. ``event`` is the request as an event shows it, in JSON."""

    version: int
    at: int
    by: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDraft:
    """A draft as stored, and the latest of its events, oldest first: as many as ``latest`` leaves. ``hash`` ends its chain."""

    draft: Draft
    hash: str = ""
    events: tuple[DraftEvent, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierFact:
    """A fact that the change refers to, and the JSON that was answered for it."""

    fact: Fact
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to a write: a JSON document, or orders, each at a version, as one object or (``many``) as a list."""

    document: str | None = None
    version: int | None = None
    orders: tuple[tuple[str, int], ...] = ()
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """An idempotency row: the digest of the request that the key stands for, and its answer.

    What it is about was erased where there is no digest: all that is left is that the key was used.
    """

    digest: str
    answer: Answer

    @property
    def erased(self) -> bool:
        """Whether what it is about was erased since."""
        return not self.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a change wanted, as far as it is there. ``name`` is the one by which its order was looked for."""

    name: str | None = None
    order: HeldOrder | None = None
    earlier: Mapping[str, EarlierFact] = field(default_factory=dict)
    draft: HeldDraft | None = None
    answered: Answered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """A fact with its circumstances. ``document`` is what it shows as part of the order, ``event`` as an event, in JSON."""

    fact: Fact
    version: int
    at: int
    by: str
    document: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Emptied:
    """An earlier fact whose text a new one takes away: a comment that is deleted. Its event and its salt go too.

    ``before`` is the document that it showed, ``document`` what it shows from now on; where ``before`` is kept as an answer to
    the request that made the fact, ``answer`` takes its place.
    """

    ref: str
    before: str
    document: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderWrite:
    """An order after its new facts. ``before`` is the version it was decided on, 0 for a new one."""

    before: int
    order: Order
    content: Content | None
    """Given where it changed."""
    facts: tuple[NewFact, ...]
    emptied: Emptied | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftWrite:
    before: int
    draft: Draft
    event: DraftEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a change. ``replayed`` says that the answer is the first one, given again."""

    answer: Answer
    orders: tuple[OrderWrite, ...] = ()
    draft: DraftWrite | None = None
    answered: Answered | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A write. ``decide`` is pure but for drawing names, may raise ``Refused``, and may be called again after a lost race.

    What it writes is written all together or not at all. ``several`` says that this may be more than one new order, or that what
    it reads is to stay as it is until it is written, though it writes to something else: it has a transaction of its own.
    ``erases`` says that it takes away what is stored: an ``Erased`` fact the order and its drafts, ``Emptied`` one fact's text.
    """

    wanted: Wanted
    decide: Callable[[Loaded], Outcome]
    several: bool = False
    erases: bool = False
