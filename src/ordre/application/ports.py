"""What the use cases need from outside: the store contract, and the values that pass through it.

A change is the unit of the contract: what it wants loaded, and a pure function from what was loaded to what is to be written.
The store runs it as one atomic step, perhaps together with others, perhaps more than once; it answers after the commit.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

from ordre.application.lists import EventPage, EventQuery, ListQuery, Page, Term
from ordre.application.views import StoredFact, View
from ordre.domain.draft import Draft
from ordre.domain.order import Content, Fact, Order
from ordre.domain.tree import Head

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a change wants loaded. ``order`` is an ``order_id`` or ``id``; ``ref`` the id of an earlier operation or comment."""

    account_id: str
    order: str | None = None
    content: bool = False
    ref: str | None = None
    draft: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOrder:
    """An order as stored. ``hash`` is the last of its chain; ``content`` is loaded only where wanted."""

    order: Order
    hash: str
    content: Content | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDraft:
    """A draft as stored, and the latest of its events, oldest first: as many as ``latest`` leaves. ``hash`` ends its chain."""

    draft: Draft
    hash: str = ""
    events: tuple["DraftEvent", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftEvent:
    """One change of a draft. ``event`` is the request as an event shows it, in JSON."""

    version: int
    at: int
    by: str
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierFact:
    """A fact that the change refers to, and the JSON that was answered for it."""

    fact: Fact
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a write is answered with: a JSON document, or orders, each at a version, as one object or (``many``) as a list."""

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
    order: HeldOrder | None = None
    earlier: Mapping[str, EarlierFact]
    draft: HeldDraft | None = None
    answered: Answered | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFact:
    """A fact with its circumstances. ``document`` is what it shows as part of the order, ``event`` as an event, in JSON."""

    fact: Fact
    version: int
    at: int
    by: str
    ref: str | None
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
    """What a change comes to. ``replayed`` says that the answer is the first one, given again."""

    answer: Answer
    orders: tuple[OrderWrite, ...] = ()
    draft: DraftWrite | None = None
    answered: Answered | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A write. ``decide`` is pure but for drawing names, may raise ``Refused``, and may be called again after a lost race.

    ``several`` says that it may write more than one order or draft, which then happens all together or not at all, or that what
    it reads is to stay as it is until it is written, though it writes to something else.
    ``erases`` says that it takes away what is stored: an ``Erased`` fact the order and its drafts, ``Emptied`` one fact's text.
    """

    wanted: Wanted
    decide: Callable[[Loaded], Outcome]
    several: bool = False
    erases: bool = False


Place = tuple[str, str]
"""(account id, id): where an order stands among all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """Everything the store holds of one order, for verifying it. ``columns`` are those that lists filter by."""

    account_id: str
    id: str
    columns: Mapping[str, object]
    head: str
    hash: str
    fields: str
    items: str
    terms: frozenset[Term]
    facts: tuple[StoredFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Ids of orders and of drafts."""

    orders: Sequence[str] = ()
    drafts: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    account_id: str
    name: str
    disabled_at: int | None
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client of the API. Its secret is known only by its digest.

    The earlier secret, where there is one, is good until ``earlier_until``, in milliseconds. ``last_used_on`` is the day, in UTC,
    on which the client was last given a token, such as 2026-01-31.
    """

    account_id: str
    client_id: str
    name: str
    scopes: tuple[str, ...]
    secret_digest: str
    disabled_at: int | None
    created_at: int
    earlier_digest: str | None = None
    earlier_until: int | None = None
    last_used_on: str | None = None

    def earlier_until_after(self, at: int) -> int | None:
        """Return until when the earlier secret is good, in milliseconds, if it still is at this instant."""
        until = self.earlier_until if self.earlier_digest is not None else None
        return until if until is not None and at < until else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An Ed25519 key, as a private JWK in JSON. A retired key signs nothing, but what it signed is still good.

    ``encrypted`` says how the store keeps it; how a new one is stored follows from the store's own secret.
    """

    kid: str
    jwk: str
    created_at: int
    retired_at: int | None
    encrypted: bool = False


SERVICE = "ordre"
"""Who acts where nobody does: the service by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One row of the log of administration: who did what, to which account, client, key or migration (``kind``, ``subject``).

    ``at`` is in milliseconds. ``detail`` is JSON: columns as they are after the act, or ``[before, after]``; ``digest`` is of the
    row as it stands after it, ``hash`` chains the act to the one before.
    """

    number: int
    at: int
    by: str
    act: str
    kind: str
    account_id: str
    subject: str
    detail: str
    digest: str
    hash: str


class AccountStore(Protocol):
    """Accounts, their clients, and the keys that sign tokens. Whatever changes them is logged, under whom the store works for."""

    async def accounts(self) -> Sequence[Account]: ...
    async def account(self, account_id: str) -> Account | None: ...
    async def put_account(self, account: Account) -> None: ...
    async def clients(self, account_id: str) -> Sequence[Client]: ...
    async def client(self, account_id: str, client_id: str) -> Client | None: ...
    async def put_client(self, client: Client) -> None:
        """Store a new client, or what has changed of it; when it was last used is not changed by this."""
        ...

    async def mark_used(self, account_id: str, client_id: str, day: str) -> None:
        """Store that the client was given a token on this day, unless it was given one later."""
        ...

    async def signing_keys(self) -> Sequence[SigningKey]:
        """Return every key, newest first.

        Raises:
            KeysUnreadable: See there.
        """
        ...

    async def put_signing_key(self, key: SigningKey) -> None: ...
    async def seal_signing_keys(self, *, plain: bool = False) -> int:
        """Encrypt every key under the store's secret of now, or (``plain``) decrypt it; return how many that changed."""
        ...

    async def acts(self, account_id: str | None = None) -> Sequence[Act]:
        """Return the log of administration, of one account or all of it, oldest first."""
        ...

    async def serial(self, account_id: str) -> int:
        """Draw the account's next serial number. Numbers may have gaps."""
        ...


class OrderStore(Protocol):
    """Orders and drafts of an account. Nothing here reaches another account."""

    async def change(self, change: Change) -> Outcome:
        """Run the change; return after it is durable.

        Raises:
            Refused: By the change's own ``decide``; nothing is written.
            StoreUnavailable: The database cannot take it now; nothing is written, unless it says that it is ``unsure``.
        """
        ...

    async def order(self, account_id: str, order: str) -> View | None: ...
    async def order_at(self, account_id: str, order: str, version: int) -> View | None:
        """Return the order as it was at this version; None where it had no such version.

        Raises:
            Refused: The order was erased after it.
        """
        ...

    async def with_events(self, account_id: str, view: View, types: frozenset[str]) -> View:
        """Return the order with its latest events of these types, up to its version: as many as fit into a page."""
        ...

    async def version_at(self, account_id: str, order: str, at: int) -> int | None:
        """Return the version that the order had at this instant; None where it was not there yet."""
        ...

    def new_order(self, outcome: Outcome, id_: str) -> View | None:
        """Return the order if this change made it: it need not be read again."""
        ...

    async def orders(self, account_id: str, query: ListQuery, events: frozenset[str] | None = None) -> Page[View]:
        """Return a page of orders, newest first, each with its latest events of these types where there are any."""
        ...

    async def shown(self, account_id: str, order: str, type_: str) -> Sequence[str] | None:
        """Return the documents of the order's facts of one type, oldest first; None where there is no such order."""
        ...

    async def shown_one(self, account_id: str, order: str, type_: str, ref: str) -> str | None: ...
    async def facts(self, account_id: str, id_: str, up_to: int | None = None) -> Sequence[StoredFact]:
        """Return the facts of the order with this ``id``, oldest first."""
        ...

    async def events(self, account_id: str, id_: str, query: EventQuery) -> EventPage[StoredFact]: ...
    async def draft(self, account_id: str, draft_id: str, *, history: bool = False) -> HeldDraft | None: ...
    async def drafts(self, account_id: str, query: ListQuery) -> Page[HeldDraft]: ...
    def stored_orders(self, account_id: str | None) -> AsyncIterator[StoredOrder]:
        """Yield every order with its facts, by account and id. The operator's tools alone may leave ``account_id`` out."""
        ...

    async def stored_order(self, account_id: str, order: str) -> StoredOrder | None:
        """Return one order with its facts, by its ``order_id`` or ``id``."""
        ...

    async def places(self, account_id: str | None, every: int) -> Sequence[Place]:
        """Return where each ``every``-th order stands, by account and id: where work on all of them is divided."""
        ...

    async def named(self, account_id: str, name: str) -> Sequence[str]:
        """Return the ``id`` of the order with this ``order_id`` or ``id``; where there is none, of each with this number."""
        ...

    async def heads(self, account_id: str) -> Sequence[Head]:
        """Return where the chain of every order of the account ends, by id."""
        ...

    async def count_orders(self, account_id: str | None) -> int: ...

    async def expired(self, account_id: str, at: int, most: int) -> Found:
        """Return the orders and drafts whose time to live has ended by this instant, the longest ended first."""
        ...

    async def stranded(self, account_id: str) -> Sequence[str]:
        """Return the drafts that wait to be added to an order that was erased."""
        ...

    async def erase_drafts(self, account_id: str, drafts: Sequence[str], by: str, at: int, expired_by: int | None = None) -> None:
        """Drop drafts with all that is held of them but that they were there: all of these, or what has expired by an instant."""
        ...

    async def mentioning(self, account_id: str, text: str, told: Callable[[int, int], None], *, anywhere: bool) -> Found:
        """Return the orders and drafts of which some version may hold this text, in ASCII and whatever the case.

        It may stand in what the order or draft says of itself or, ``anywhere``, in whatever was said of it. Where JSON may have
        escaped the text, what holds an escape is returned as well. ``told`` is called with how much was searched, of how much.
        """
        ...


class Access(StrEnum):
    """What a store is opened for."""

    READ = "read"
    """Nothing is made, migrated or changed."""
    CHANGE = "change"
    """An embedded database is migrated, but has to be there."""
    MAKE = "make"
    """An embedded database is made and migrated where needed."""


class Store(AccountStore, OrderStore, Protocol):
    """One contract, two engines."""

    async def open(self) -> None:
        """Connect; on an embedded database, migrate, unless it is opened to be read alone.

        Raises:
            StoreUnavailable: The database is not there or cannot be reached, or its schema is not the one this version needs.
        """
        ...

    async def close(self) -> None: ...
    async def migrate(self) -> Sequence[str]:
        """Bring the schema up to this version; return the names of the migrations that were applied."""
        ...

    async def grant(self, role: str) -> None:
        """Let a role of the database's use it, and change nothing about it.

        Raises:
            StoreUnavailable: The database has no roles, or not this one.
        """
        ...

    async def grant_backup(self, role: str) -> None:
        """Let a role of the database's read everything of every account, for backups.

        Raises:
            StoreUnavailable: The database has no roles, or not this one.
        """
        ...

    async def unbound(self) -> str | None:
        """Return the role that this is, if the database's own rules on whose rows it sees do not bind it."""
        ...

    async def unsafe(self) -> Sequence[str]:
        """Return what the database is told, such as ``fsync=off``, by which it may lose what it has acknowledged."""
        ...

    async def ping(self) -> None:
        """Raise ``StoreUnavailable`` unless the database answers; after a write that failed, unless it takes one."""
        ...

    async def check_schema(self) -> None:
        """Raise ``StoreUnavailable`` if this version cannot serve the schema that the database has now."""
        ...

    async def forget_answers(self, account_id: str, before: int) -> int:
        """Drop the account's idempotency rows made before this instant; return how many."""
        ...

    async def add_up(self, account_id: str) -> None:
        """Make one row of those that hold how much the account holds: each batch adds one."""
        ...

    async def settle(self, most_bytes: int | None = None) -> None:
        """Rid the files of an embedded database of what was erased; a server looks after its own.

        A larger file than ``most_bytes`` is left as it is but for its log, since writers would wait long.
        """
        ...
