"""What both engines share: every read, the small writes on accounts, clients and keys, and whether changes are taken."""

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from ordre.application.change import Change, HeldDraft, Outcome
from ordre.application.directory import SERVICE, Account, Act, Client, SigningKey
from ordre.application.documents import Documents
from ordre.application.lists import PAGE_BYTES, EventPage, EventQuery, ListQuery, Made, Page, Term, fitting
from ordre.application.troubles import KeysUnreadable, StoreUnavailable, Trouble
from ordre.application.views import FactRow, Found, Place, StoredOrder, View
from ordre.auth.sealing import CannotUnseal, Sealer, is_sealed
from ordre.db import administration, codec, erasure, queries, tally
from ordre.db.administration import ACCOUNT, CLIENT, KEY, Bound
from ordre.db.codec import SEPARATOR
from ordre.db.events import events_among, facts_of_page, page_of_events
from ordre.db.folding import folded_to
from ordre.db.lists import DRAFTS, ORDERS, Finding, Listed, Statement
from ordre.db.schema import APPLIED, Engine, applied_from, shortfall
from ordre.db.scripts import Script, T
from ordre.db.within import Sized, size_of, until
from ordre.domain.order.facts import Fact
from ordre.domain.refusals import InvalidValue, Refused
from ordre.domain.tree import Head

Row = Sequence[Any]

_LAST = "~"
"""Behind every account, and every id."""
_ACCOUNT = "select account_id, name, disabled_at, created_at from accounts"
_CLIENT = """
select account_id, client_id, name, scopes, secret_digest, disabled_at, created_at, earlier_digest, earlier_until, last_used_on
from clients where account_id = $1"""
_PUT_ACCOUNT = """
insert into accounts (account_id, name, disabled_at, created_at, terms_version) values ($1, $2, $3, $4, $5)
on conflict (account_id) do update set name = excluded.name, disabled_at = excluded.disabled_at
"""
_PUT_CLIENT = """
insert into clients
    (account_id, client_id, name, scopes, secret_digest, disabled_at, created_at, earlier_digest, earlier_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (account_id, client_id) do update set name = excluded.name, scopes = excluded.scopes,
    secret_digest = excluded.secret_digest, disabled_at = excluded.disabled_at,
    earlier_digest = excluded.earlier_digest, earlier_until = excluded.earlier_until
"""
_MARK_USED = """
update clients set last_used_on = $3
where account_id = $1 and client_id = $2 and (last_used_on is null or last_used_on < $3)
returning 1
"""
_PUT_KEY = """
insert into signing_keys (kid, jwk, created_at, retired_at) values ($1, $2, $3, $4)
on conflict (kid) do update set retired_at = excluded.retired_at
"""
_KEYS = "select kid, jwk, created_at, retired_at from signing_keys order by created_at desc, kid"
_RESEAL_KEY = "update signing_keys set jwk = $3 where kid = $1 and jwk = $2 returning 1"
_TOUCH = "update schema_migrations set applied_at = applied_at + 1 - 2 * (applied_at % 2) where number = 1"
"""A write that is one: SQLite skips what changes nothing. It moves an instant that nobody reads by a millisecond, to and fro."""
_SERIAL = "update accounts set next_serial = next_serial + 1 where account_id = $1 returning next_serial - 1"


class SqlTables(ABC):
    """The tables of a store over SQL. Whoever derives from it says how rows are read and how one statement is written."""

    engine: Engine

    def __init__(self, documents: Documents, sealer: Sealer, by: str = SERVICE) -> None:
        self.documents, self.terms = documents, documents.terms
        self.by = by
        self._sealer = sealer

    @abstractmethod
    async def run(self, script: Script[T], account_id: str = "") -> T:
        """Run a script on one account, or on what is no account's, durably."""

    @abstractmethod
    async def rows(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read rows of one account, which is the first parameter."""

    async def walk(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read few rows by a query that may have to look at many."""
        return await self.rows(sql, *parameters)

    async def rows_within(self, query: Sized, most_bytes: int) -> Sequence[Row]:
        """Read rows until they are larger than this, and two at least; one that makes them larger is the last."""
        return until(await self.rows(query.sql, *query.parameters), most_bytes)

    @abstractmethod
    async def write(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement on one account, which is the first parameter, durably; return what it returns."""

    @abstractmethod
    async def shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Read what is no account's: accounts themselves, keys that sign, the schema."""

    @abstractmethod
    async def write_shared(self, sql: str, *parameters: object) -> Sequence[Row]:
        """Run one statement, durably, on what is no account's."""

    async def order(self, account_id: str, order: str) -> View | None:
        """Return an order to be shown, by its ``order_id`` or ``id``."""
        found = await self.rows(queries.VIEW_ONE, account_id, order)
        return _view(found[0]) if found else None

    async def with_events(self, account_id: str, view: View, types: frozenset[str]) -> View:
        """Return the order with its latest events of these types, up to its version."""
        facts = await facts_of_page(self, account_id, [view.order.id], types)
        if facts:
            return _with_facts(view, facts[view.order.id], types)
        query = EventQuery(types=types, up_to=view.order.version, latest=True)
        return replace(view, events=await self.events(account_id, view.order.id, query))

    async def orders(self, account_id: str, query: ListQuery, events: frozenset[str] | None = None) -> Page[View]:
        """Return a page of orders, newest first."""
        query = await self._resolved(account_id, query)
        page = await self._listed(ORDERS, account_id, query)
        if events is None or not page.rows:
            return Page(rows=Made(_view, page.rows), more=page.more, total=page.total, size=page.size)
        facts = await facts_of_page(self, account_id, [row[-1] for row in page.rows], events)
        if not facts:
            first = await self.with_events(account_id, _view(page.rows[0]), events)
            return Page(rows=[first], more=page.more or len(page.rows) > 1, total=page.total, size=first.size)
        shown = [row for row in page.rows if row[-1] in facts]
        return Page(
            rows=Made(lambda row: _with_facts(_view(row), facts[row[-1]], events), shown),
            more=page.more or len(shown) < len(page.rows),
            total=page.total,
            size=page.size + sum(fact.size for facts_of_one in facts.values() for fact in facts_of_one),
        )

    async def shown(self, account_id: str, order: str, type_: str) -> Sequence[str] | None:
        """Return the documents of the order's facts of one type, oldest first."""
        id_ = await self._id(account_id, order)
        if id_ is None:
            return None
        return [row[0] for row in await self.rows(queries.SHOWN_BY_TYPE, account_id, id_, type_)]

    async def shown_one(self, account_id: str, order: str, type_: str, ref: str) -> str | None:
        """Return the document of one operation, session or event."""
        found = await self.rows(queries.SHOWN_ONE, account_id, order, ref, type_)
        return found[0][0] if found else None

    async def version_at(self, account_id: str, order: str, at: int) -> int | None:
        """Return the version that the order had at this instant."""
        found = await self.rows(queries.VERSION_AT, account_id, order, at)
        version: int | None = found[0][0]
        return version

    def new_order(self, outcome: Outcome, id_: str) -> View | None:
        """Return the order if this change made it."""
        for write in outcome.orders:
            if write.order.id == id_ and write.before == 0 and write.content is not None:
                fields, items = codec.fields_text(write.content.fields), codec.items_text(write.content.items)
                return View(order=write.order, fields=fields, items=items)
        return None

    async def order_at(self, account_id: str, order: str, version: int) -> View | None:
        """Return the order as it was at a version, folded from its facts."""
        found = await self.rows(queries.WITH_VERSION, account_id, order, version)
        return await folded_to(self, account_id, found[0][0], version) if found else None

    async def facts(self, account_id: str, id_: str) -> Sequence[tuple[FactRow, Fact | None]]:
        """Return the order's facts, oldest first."""
        rows = [FactRow(*row) for row in await self.rows(queries.FACTS, account_id, id_)]
        return [(row, codec.fact_from(row.type, row.data) if row.data else None) for row in rows]

    async def events(self, account_id: str, id_: str, query: EventQuery) -> EventPage[FactRow]:
        """Return a page of an order's facts that show events."""
        return await page_of_events(self, account_id, id_, query)

    async def draft(self, account_id: str, draft_id: str, *, history: bool = False) -> HeldDraft | None:
        """Return a draft with the latest of its events, or with its whole history."""
        found = await self.rows(queries.DRAFT_WHOLE if history else queries.DRAFT_ONE, account_id, draft_id)
        return codec.held_draft(*found[0]) if found else None

    async def drafts(self, account_id: str, query: ListQuery) -> Page[HeldDraft]:
        """Return a page of drafts, newest first."""
        if query.after is not None and await self.draft(account_id, query.after) is None:
            raise Refused(InvalidValue(path="starting_after", reason="Must be the id of a draft of this account"))
        page = await self._listed(DRAFTS, account_id, query)
        return Page(rows=Made(_draft, page.rows), more=page.more, total=page.total, size=page.size)

    async def expired(self, account_id: str, at: int, most: int) -> Found:
        """Return the orders and drafts whose time to live has ended."""
        orders = await self.rows(erasure.EXPIRED.format(table="orders"), account_id, at, most)
        drafts = await self.rows(erasure.EXPIRED.format(table="drafts"), account_id, at, most)
        return Found(orders=[row[0] for row in orders], drafts=[row[0] for row in drafts])

    async def stranded(self, account_id: str) -> Sequence[str]:
        """Return the drafts that wait for an order that was erased."""
        return [row[0] for row in await self.rows(erasure.STRANDED, account_id)]

    async def mentioning(self, account_id: str, text: str, told: Callable[[int, int], None], *, anywhere: bool) -> Found:
        """Return the orders and drafts of which some version may hold this text."""
        escaped = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        edges = ["", *(id_ for _, id_ in await self.places(account_id, erasure.SEARCHED)), _LAST]
        of_orders = erasure.MENTIONING_ORDERS_ANYWHERE if anywhere else erasure.MENTIONING_ORDERS
        orders: list[Row] = []
        drafts: list[Row] = []
        for done, between in enumerate(pairwise(edges), 1):
            orders += await self.rows(of_orders, account_id, f"%{escaped}%", *between)
            drafts += await self.rows(erasure.MENTIONING_DRAFTS, account_id, f"%{escaped}%", *between)
            told(done, len(edges) - 1)
        return Found(orders=sorted(row[0] for row in orders), drafts=sorted(row[0] for row in drafts))

    async def accounts(self) -> Sequence[Account]:
        """Return every account, by id."""
        return [_account(row) for row in await self.shared(f"{_ACCOUNT} order by account_id")]

    async def account(self, account_id: str) -> Account | None:
        """Return one account."""
        found = await self.shared(f"{_ACCOUNT} where account_id = $1", account_id)
        return _account(found[0]) if found else None

    async def put_account(self, account: Account) -> None:
        """Store a new account, or its new name and state."""
        named = (account.account_id, account.name, account.disabled_at, account.created_at)
        await self._put(ACCOUNT, (account.account_id,), (_PUT_ACCOUNT, (*named, self.terms.version)))

    async def clients(self, account_id: str) -> Sequence[Client]:
        """Return the account's clients, by id."""
        return [_client(row) for row in await self.rows(f"{_CLIENT} order by client_id", account_id)]

    async def client(self, account_id: str, client_id: str) -> Client | None:
        """Return one client of the account."""
        found = await self.rows(f"{_CLIENT} and client_id = $2", account_id, client_id)
        return _client(found[0]) if found else None

    async def put_client(self, client: Client) -> None:
        """Store a new client, or its new name, scopes, secrets and state."""
        named = (client.account_id, client.client_id, client.name, " ".join(client.scopes))
        earlier = (client.earlier_digest, client.earlier_until)
        values = (*named, client.secret_digest, client.disabled_at, client.created_at, *earlier)
        await self._put(CLIENT, (client.account_id, client.client_id), (_PUT_CLIENT, values))

    async def mark_used(self, account_id: str, client_id: str, day: str) -> None:
        """Store the day on which the client was last given a token."""
        await self.write(_MARK_USED, account_id, client_id, day)

    async def signing_keys(self) -> Sequence[SigningKey]:
        """Return every key that ever signed a token, newest first."""
        return [self._signing_key(row) for row in await self.shared(_KEYS)]

    async def put_signing_key(self, key: SigningKey) -> None:
        """Store a new key, or when it was retired."""
        sealed = self._sealer.seal(key.jwk, about_key(key.kid))
        await self._put(KEY, (key.kid,), (_PUT_KEY, (key.kid, sealed, key.created_at, key.retired_at)))

    async def seal_signing_keys(self, *, plain: bool = False) -> int:
        """Write anew those keys that are not encrypted under the secret of now, or (``plain``) are encrypted; return how many."""
        sealer, changed = Sealer() if plain else self._sealer, 0
        for row in await self.shared(_KEYS):
            if not sealer.is_current(row[1]):
                key = self._signing_key(row)
                sealed = sealer.seal(key.jwk, about_key(key.kid))
                changed += await self._put(KEY, (key.kid,), (_RESEAL_KEY, (key.kid, row[1], sealed)))
        if changed:
            await self.count_overwritten()
        return changed

    async def acts(self, account_id: str | None = None) -> Sequence[Act]:
        """Return the log of administration, of one account or all of it, oldest first."""
        found = await (
            self.shared(administration.ACTS) if account_id is None else self.shared(administration.ACTS_OF, account_id)
        )
        return [administration.act_from(row) for row in found]

    async def _put(self, bound: Bound, key: Sequence[str], statement: Statement) -> bool:
        """Change one row of what is administered, and log that; return whether it changed anything."""
        script = administration.put(bound, key, statement, self.by, time.time_ns() // 1_000_000, self.engine)
        return await self.run(script, key[0] if bound is CLIENT else "")

    @abstractmethod
    async def count_overwritten(self) -> None:
        """Remember that the files may hold what no table does any more, so that ``settle`` rids them of it."""

    def _signing_key(self, row: Row) -> SigningKey:
        kid, stored, created_at, retired_at = row
        try:
            jwk = self._sealer.unseal(stored, about_key(kid))
        except CannotUnseal as error:
            raise KeysUnreadable(f"the key {kid} that signs tokens cannot be read: {error} (ORDRE_SECRET_KEY)") from error
        return SigningKey(kid=kid, jwk=jwk, created_at=created_at, retired_at=retired_at, encrypted=is_sealed(stored))

    async def serial(self, account_id: str) -> int:
        """Draw the account's next serial number."""
        found = await self.write_shared(_SERIAL, account_id)
        number: int = found[0][0]
        return number

    async def forget_answers(self, account_id: str, before: int) -> int:
        """Drop the account's idempotency rows made before this instant; return how many."""
        sql = "delete from idempotency where account_id = $1 and created_at < $2 returning hash"
        return await self.run(erasure.forgotten(account_id, before, sql), account_id)

    async def add_up(self, account_id: str) -> None:
        """Make one row of those that hold how much the account holds."""
        while await self.run(tally.add_up(account_id), account_id):
            pass

    async def count_orders(self, account_id: str | None) -> int:
        """Return how many orders there are, in one account or in all."""
        sql = "select count(*) from orders where account_id = $1"
        return sum([(await self.rows(sql, one))[0][0] for one in await self._accounts(account_id)])

    async def stored_orders(self, account_id: str | None) -> AsyncIterator[StoredOrder]:
        """Yield every order as it stands in the tables, with its facts, by account and id."""
        for account in await self._accounts(account_id):
            place = ""
            while found := await self.rows(queries.STORED_AFTER, account, place):
                for stored in await self._stored(account, found):
                    yield stored
                place = dict(zip(queries.STORED_COLUMNS, found[-1], strict=True))["id"]

    async def stored_order(self, account_id: str, order: str) -> StoredOrder | None:
        """Return one order as it stands in the tables, with its facts."""
        found = await self.rows(queries.STORED_ONE, account_id, order)
        return (await self._stored(account_id, found))[0] if found else None

    async def places(self, account_id: str | None, every: int) -> Sequence[Place]:
        """Return where each ``every``-th order stands."""
        found = [await self.rows(queries.PLACES, one, every) for one in await self._accounts(account_id)]
        return [(row[0], row[1]) for rows in found for row in rows]

    async def named(self, account_id: str, name: str) -> Sequence[str]:
        """Return the ``id`` of the order with this name, or of each with this number."""
        found = await self.rows(queries.NAMED, account_id, name)
        exact = [id_ for id_, place in found if place == 0]
        return exact[:1] or [id_ for id_, _ in found]

    async def heads(self, account_id: str) -> Sequence[Head]:
        """Return where the chain of every order of the account ends."""
        return [Head(order=row[0], version=row[1], hash=row[2]) for row in await self.rows(queries.HEADS, account_id)]

    async def _stored(self, account_id: str, rows: Sequence[Row]) -> list[StoredOrder]:
        """Return orders of an account with their facts and terms, all of which are read at once."""
        named = [dict(zip(queries.STORED_COLUMNS, row, strict=True)) for row in rows]
        facts: dict[str, list[FactRow]] = {one["id"]: [] for one in named}
        for id_, *row in await self.rows(queries.facts_of(len(facts)), account_id, *facts):
            facts[id_].append(FactRow(*row))
        terms: dict[str, list[Term]] = {id_: [] for id_ in facts}
        for id_, kind, term in await self.rows(queries.terms_in("order_terms", len(facts)), account_id, *facts):
            terms[id_].append((kind, term))
        return [
            StoredOrder(
                account_id=account_id,
                id=one["id"],
                columns={name: one[name] for name in queries.FILTER_COLUMNS},
                head=one["head"],
                hash=one["hash"],
                fields=one["fields"] or "",
                items=one["items"] or "",
                terms=frozenset(terms[one["id"]]),
                facts=tuple(facts[one["id"]]),
            )
            for one in named
        ]

    async def _accounts(self, account_id: str | None) -> Sequence[str]:
        return [account_id] if account_id is not None else [account.account_id for account in await self.accounts()]

    async def _id(self, account_id: str, order: str) -> str | None:
        found = await self.rows(queries.ORDER_ID, account_id, order)
        id_: str | None = found[0][0]
        return id_

    async def _resolved(self, account_id: str, query: ListQuery) -> ListQuery:
        if query.after is None:
            return query
        id_ = await self._id(account_id, query.after)
        if id_ is None:
            raise Refused(InvalidValue(path="starting_after", reason="Must be the id of an order of this account"))
        return replace(query, after=id_)

    async def _listed(self, listed: Listed, account_id: str, query: ListQuery) -> Page[Row]:
        """Return a page's rows; the last column is the id."""
        finding = Finding(listed, account_id, query)
        if finding.probed:
            finding.choose((await self._rows(finding.probe()))[0])
        rows = await self.rows_within(finding.page(), PAGE_BYTES)
        total = (await self._rows(finding.count()))[0][0] if query.total else None
        sizes = [size_of(row) for row in rows]
        fits = min(fitting(sizes, PAGE_BYTES), query.limit)
        return Page(rows=rows[:fits], more=len(rows) > fits, size=sum(sizes[:fits]), total=total)

    async def _rows(self, statement: Statement) -> Sequence[Row]:
        sql, parameters = statement
        return await self.walk(sql, *parameters)


class SqlStore(SqlTables):
    """A store over SQL. An engine says how a change is run."""

    engine: Engine

    def __init__(self, documents: Documents, sealer: Sealer, by: str = SERVICE) -> None:
        super().__init__(documents, sealer, by)
        self._trouble: Trouble | None = None

    @abstractmethod
    async def changed(self, change: Change) -> Outcome:
        """Run a change."""

    async def change(self, change: Change) -> Outcome:
        """Run a change; remember why the database did not take it."""
        try:
            outcome = await self.changed(change)
        except StoreUnavailable as error:
            self._trouble = error.trouble
            raise
        self._trouble = None
        return outcome

    async def take_room(self) -> None:
        """Write what needs more room on the disk than there was, where the engine has a way to."""

    async def ping(self) -> None:
        """Ask the database for a row; where the last change failed, write one, which tells whether it takes changes again."""
        await self.shared("select 1")
        if self._trouble is not None:
            await self.write_shared(_TOUCH)
            if self._trouble is Trouble.FULL:
                await self.take_room()
            self._trouble = None

    async def check_schema(self) -> None:
        """Refuse a schema that this version cannot serve, such as one that was migrated meanwhile."""
        lacking = shortfall(applied_from(await self.shared(APPLIED)), self.engine)
        if lacking is not None:
            raise StoreUnavailable(lacking, Trouble.SCHEMA)


def about_key(kid: str) -> str:
    """Return what the sealed text of a key is of."""
    return f"signing key {kid}"


def _view(row: Row) -> View:
    head, fields, items, shown = row[:4]
    entries = [entry.partition(" ") for entry in shown.split(SEPARATOR)] if shown else []
    return View(order=codec.order_from(head), fields=fields, items=items, shown=[(type_, text) for type_, _, text in entries])


def _draft(row: Row) -> HeldDraft:
    return codec.held_draft(*row[:-1])


def _with_facts(view: View, facts: Sequence[FactRow], types: frozenset[str]) -> View:
    """Return an order with the events of before it was read that its facts show."""
    return replace(view, events=events_among(facts, types, view.order.version))


def _account(row: Row) -> Account:
    return Account(account_id=row[0], name=row[1], disabled_at=row[2], created_at=row[3])


def _client(row: Row) -> Client:
    return Client(
        account_id=row[0],
        client_id=row[1],
        name=row[2],
        scopes=tuple(row[3].split()),
        secret_digest=row[4],
        disabled_at=row[5],
        created_at=row[6],
        earlier_digest=row[7],
        earlier_until=row[8],
        last_used_on=row[9],
    )
