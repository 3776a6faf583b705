"""The store contract: what the use cases need of a database."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from ordre.application.change import Change, HeldDraft, Outcome
from ordre.application.directory import AccountStore
from ordre.application.documents import Documents
from ordre.application.feed import FeedPage, FeedQuery
from ordre.application.hooks import HookStore
from ordre.application.lists import EventPage, EventQuery, ListQuery, Page
from ordre.application.views import FactRow, Found, StoredOrder, Subject, View
from ordre.domain.merkle import Head
from ordre.domain.order.facts import Fact
from ordre.domain.order.order import Order


class OrderStore(Protocol):
    """Orders and drafts of an account. Nothing here reaches another account."""

    documents: Documents

    async def change(self, change: Change) -> Outcome:
        """Run the change; return after it is durable.

        Raises:
            Refused: By the change's own ``decide``; nothing is written.
            StoreUnavailable: The database cannot take it now; nothing is written, unless it says that it is ``unsure``.
        """
        ...

    async def order(self, account_id: str, order: str) -> View | None: ...
    async def head(self, account_id: str, order: str) -> Order | None:
        """Return the order without what it shows: that grows with every operation, this does not."""
        ...

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

    def export(self, account_id: str, query: ListQuery, *, events: bool, most_bytes: int) -> AsyncGenerator[Sequence[View], None]:
        """Yield all orders that the query finds, oldest first, as they are at one instant, in chunks of about so many bytes.

        ``limit`` and ``after`` are of the whole. With ``events`` each has all of its events. Until its end, or until it is
        closed, it holds a connection of its own.

        Raises:
            Refused: There is no order that it is to go on after.
            StoreUnavailable: The database cannot be read, or not any more.
        """
        ...

    async def shown(self, account_id: str, order: str, type_: str) -> Sequence[str] | None:
        """Return the documents of the order's facts of one type, oldest first; None where there is no such order."""
        ...

    async def shown_one(self, account_id: str, order: str, type_: str, ref: str) -> str | None: ...
    async def facts(self, account_id: str, id_: str) -> Sequence[tuple[FactRow, Fact | None]]:
        """Return the facts of the order with this ``id``, oldest first; None where it is erased or cannot be read."""
        ...

    async def events(self, account_id: str, id_: str, query: EventQuery) -> EventPage[FactRow]: ...
    async def draft(self, account_id: str, draft_id: str, *, history: bool = False) -> HeldDraft | None: ...
    async def drafts(self, account_id: str, query: ListQuery) -> Page[HeldDraft]: ...
    async def feed_end(self, account_id: str) -> int:
        """Return the position of the newest entry of the account's feed, 0 where there is none."""
        ...

    async def feed(self, account_id: str, query: FeedQuery) -> FeedPage: ...
    async def feed_moved(self, account_id: str, after: int, seconds: float) -> bool:
        """Wait until the feed of the account goes beyond a position, at most so long; return whether it does.

        Nobody waits any more once ``stop_waiting`` was called.
        """
        ...

    @property
    def lets_wait(self) -> bool:
        """Whether ``feed_moved`` waits: not any more after ``stop_waiting``."""
        ...

    def stop_waiting(self) -> None:
        """Let those go who wait for a feed, and nobody wait from now on: the process is about to stop."""
        ...

    def stored_orders(self, account_id: str | None) -> AsyncIterator[StoredOrder]:
        """Yield every order with its facts, by account and id. The operator's tools alone may leave ``account_id`` out."""
        ...

    async def stored_order(self, account_id: str, order: str) -> StoredOrder | None:
        """Return one order with its facts, by its ``order_id`` or ``id``."""
        ...

    async def places(self, account_id: str | None, every: int) -> Sequence[Subject]:
        """Return where each ``every``-th order stands, by account and id: where work on all of them is divided."""
        ...

    async def there(self, account_id: str, named: Sequence[str]) -> Sequence[tuple[str, str]]:
        """Return the (``id``, ``order_id``) of each order that has one of these names as either."""
        ...

    async def views(self, account_id: str, ids: Sequence[str]) -> Mapping[str, View]:
        """Return the orders that have one of these ids, by id."""
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
    """The purpose for which a store is opened."""

    READ = "read"
    """Nothing is made, migrated or changed."""
    CHANGE = "change"
    """An embedded database is migrated, but has to be there."""
    MAKE = "make"
    """An embedded database is made and migrated where needed."""


class Store(AccountStore, OrderStore, HookStore, Protocol):
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
        """Grant a database role read and write access, without ownership.

        Raises:
            StoreUnavailable: The database has no roles, or not this one.
        """
        ...

    async def grant_backup(self, role: str) -> None:
        """Grant a database role read access to everything, for backups.

        Raises:
            StoreUnavailable: The database has no roles, or not this one.
        """
        ...

    async def unbound(self) -> str | None:
        """Return the current role if row-level security does not apply to it."""
        ...

    async def unsafe(self) -> Sequence[str]:
        """Return the settings of the database, such as ``fsync=off``, under which it may lose acknowledged writes."""
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
        """Add the account's tallies up into one row of each kind: every batch adds rows."""
        ...

    async def renew(self) -> None:
        """Write anew what an earlier version of Ordre stored otherwise, as far as there is any. It is read meanwhile, too."""
        ...

    async def settle(self, most_bytes: int | None = None) -> None:
        """Rid the files of an embedded database of what was erased; a server looks after its own.

        A larger file than ``most_bytes`` is left as it is but for its log, since writers would wait long.
        """
        ...
