"""Subscriptions and their deliveries: the same tables on both engines."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from ordre.application.feed import FeedEntry
from ordre.application.hooks import (
    MOST_ATTEMPTS_KEPT,
    Attempt,
    Delivery,
    DeliveryPage,
    DeliveryState,
    HookQuery,
    Look,
    Standing,
    Subscription,
    SubscriptionPage,
)
from ordre.application.troubles import KeysUnreadable
from ordre.auth.sealing import CannotUnseal, Sealer
from ordre.db.scripts import Script
from ordre.db.sql import Row, Statements
from ordre.domain.refusals import InvalidValue, Refused

_COLUMNS = """
account_id, id, url, events, fields, secret_type, secret, insecure, active, created_at, created_by, updated_at, position,
revision, failures, suspended_at, suspended_reason, deleted_at, deleted_by""".replace("\n", " ").strip()
_SECRET, _MORE = 6, 19
"""The place of the secret, and the first one behind all of these."""
_OF = "from subscriptions where account_id = $1"
_ONE = f"select {_COLUMNS} {_OF} and id = $2"
_ACCOUNTS = "select account_id from accounts where hooks > 0 and disabled_at is null order by account_id"
_MARK = "update accounts set hooks = 1 where account_id = $1"
"""Whoever makes a subscription holds the row meanwhile, so that two together do not make more than there may be."""
_COUNT = f"select count(*) {_OF} and deleted_at is null"
_END_OF_FEED = "select coalesce((select position from feeds where account_id = $1), 0)"
_ADD = f"""
insert into subscriptions ({_COLUMNS})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, null, null, null, null)
"""
_CHANGED = "revision = revision + 1"
_DELETE = f"""
update subscriptions set {_CHANGED}, deleted_at = $4, deleted_by = $3, updated_at = $4, secret = null
where account_id = $1 and id = $2
"""
_DROP_WAITING = "delete from deliveries where account_id = $1 and subscription_id = $2 and due_at is not null"
_RESUME = f"""
update subscriptions set {_CHANGED}, active = 1, failures = 0, suspended_at = null, suspended_reason = null, updated_at = $3
where account_id = $1 and id = $2 and deleted_at is null
"""
_SUSPEND = f"""
update subscriptions set {_CHANGED}, suspended_at = $4, suspended_reason = $3, updated_at = $4
where account_id = $1 and id = $2 and suspended_at is null and deleted_at is null
"""
_TOUCH = f"update subscriptions set {_CHANGED} where account_id = $1 and id = $2"
_GO_BACK = f"update subscriptions set {_CHANGED}, position = $3 where account_id = $1 and id = $2 and position > $3"
_DROP_LATER = "delete from deliveries where account_id = $1 and subscription_id = $2 and due_at is not null and position > $3"
_CLAIM = f"""
update subscriptions set held_by = $3, held_until = {{now}} + cast($5 as bigint) - cast($4 as bigint)
where account_id = $1 and id = $2 and active = 1 and suspended_at is null and deleted_at is null
    and (held_by is null or held_by = $3 or held_until <= {{now}})
returning {_COLUMNS}
"""
_NOW = {"sqlite": "cast($4 as bigint)", "postgres": "(extract(epoch from clock_timestamp()) * 1000)::bigint"}
"""Several machines share the clock of the database; an embedded one is on the machine of whoever writes to it."""
_RELEASE = "update subscriptions set held_by = null, held_until = null where account_id = $1 and id = $2 and held_by = $3"
_DELIVERY = "id, event, position, subject, version, kind, at, actor, hash, state, created_at, due_at, attempts, log"
_OF_ONE = "from deliveries where account_id = $1 and subscription_id = $2"
_WAITING = f"select {_DELIVERY} {_OF_ONE} and due_at is not null order by position, id limit $3"
_ADVANCE = """
update subscriptions set position = $4
where account_id = $1 and id = $2 and position = $3 and held_by = $5
    and active = 1 and suspended_at is null and deleted_at is null
returning 1
"""
_MAKE = f"""
insert into deliveries (account_id, subscription_id, {_DELIVERY})
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
on conflict (account_id, subscription_id, id) do update
    set state = excluded.state, due_at = excluded.due_at, attempts = excluded.attempts
"""
_ATTEMPTED = """
update deliveries set state = $4, due_at = $5, attempts = $6, log = $7
where account_id = $1 and subscription_id = $2 and id = $3 and due_at is not null
"""
_FAILURES = "update subscriptions set failures = $3 where account_id = $1 and id = $2 and failures <> $3"
_AGAIN = """
update deliveries set state = 'waiting', due_at = $4, attempts = 0
where account_id = $1 and subscription_id = $2 and id = $3 and due_at is null
"""
_FORGET = "delete from deliveries where account_id = $1 and created_at < $2 and due_at is null returning 1"
_OF_SUBSCRIPTION = "from deliveries d where d.account_id = s.account_id and d.subscription_id = s.id"
_STANDINGS = f"""
select {_COLUMNS}, held_by, held_until,
    (select count(*) {_OF_SUBSCRIPTION} and d.due_at is not null),
    (select count(*) {_OF_SUBSCRIPTION} and d.due_at <= $2),
    (select count(*) {_OF_SUBSCRIPTION} and d.state = 'failed'),
    (select min(d.due_at) {_OF_SUBSCRIPTION} and d.due_at is not null),
    coalesce((select f.position from feeds f where f.account_id = s.account_id), 0) - s.position
from subscriptions s where account_id = $1 and deleted_at is null order by id
"""
_LOOKS = f"""
select id, revision, active, suspended_at, held_by, held_until,
    (select min(d.due_at) {_OF_SUBSCRIPTION} and d.due_at is not null),
    coalesce((select f.position from feeds f where f.account_id = s.account_id), 0) - s.position
from subscriptions s where account_id = $1 and deleted_at is null order by id
"""
_SEALED = f"select id, secret {_OF} and secret is not null"
_RESEAL = "update subscriptions set secret = $4 where account_id = $1 and id = $2 and secret = $3 returning 1"
_attempts = msgspec.json.Decoder(tuple[Attempt, ...]).decode


class HookTables(Statements):
    """The subscriptions of a store, and their deliveries."""

    async def subscribe(self, subscription: Subscription, ping: Delivery, most: int) -> bool:
        """Store a new subscription with its first delivery."""
        return await self.run(_subscribed(subscription, ping, most, self._sealer), subscription.account_id)

    async def subscriptions(self, account_id: str, query: HookQuery) -> SubscriptionPage:
        """Return a page of subscriptions, newest first."""
        deleted = "" if query.deleted else " and deleted_at is null"
        if query.after is not None and await self.subscription(account_id, query.after) is None:
            raise Refused(InvalidValue(path="starting_after", reason="Must be the id of a subscription of this account"))
        sql = f"select {_COLUMNS} {_OF}{deleted} and (cast($2 as text) is null or id < $2) order by id desc limit $3"
        rows = await self.rows(sql, account_id, query.after, query.limit + 1)
        total = (await self.rows(f"select count(*) {_OF}{deleted}", account_id))[0][0] if query.total else None
        found = [self._subscription(row) for row in rows[: query.limit]]
        return SubscriptionPage(rows=found, more=len(rows) > query.limit, total=total)

    async def subscription(self, account_id: str, hook_id: str) -> Subscription | None:
        """Return one subscription."""
        found = await self.rows(_ONE, account_id, hook_id)
        return self._subscription(found[0]) if found else None

    async def unsubscribe(self, account_id: str, hook_id: str, by: str, at: int) -> None:
        """Delete a subscription, with its secret and what waits to be sent."""
        await self.run(_all((_DELETE, (account_id, hook_id, by, at)), (_DROP_WAITING, (account_id, hook_id))), account_id)

    async def resume(self, account_id: str, hook_id: str, at: int) -> None:
        """Let a subscription go on where it stopped."""
        await self.write(_RESUME, account_id, hook_id, at)

    async def suspend(self, account_id: str, hook_id: str, reason: str, at: int) -> None:
        """Send nothing to a subscription until it is resumed."""
        await self.write(_SUSPEND, account_id, hook_id, reason, at)

    async def add_ping(self, account_id: str, hook_id: str, ping: Delivery) -> None:
        """Store a delivery that tries the receiver."""
        await self.run(_all(_made(account_id, hook_id, ping), (_TOUCH, (account_id, hook_id))), account_id)

    async def deliveries(self, account_id: str, hook_id: str, query: HookQuery) -> DeliveryPage:
        """Return a page of deliveries, newest first."""
        if query.after is not None and await self.delivery(account_id, hook_id, query.after) is None:
            raise Refused(InvalidValue(path="starting_after", reason="Must be the id of a delivery of this subscription"))
        sql = f"select {_DELIVERY} {_OF_ONE} and (cast($3 as text) is null or id < $3) order by id desc limit $4"
        rows = await self.rows(sql, account_id, hook_id, query.after, query.limit + 1)
        total = (await self.rows(f"select count(*) {_OF_ONE}", account_id, hook_id))[0][0] if query.total else None
        found = [_delivery(row) for row in rows[: query.limit]]
        return DeliveryPage(rows=found, more=len(rows) > query.limit, total=total)

    async def delivery(self, account_id: str, hook_id: str, delivery_id: str) -> Delivery | None:
        """Return one delivery."""
        found = await self.rows(f"select {_DELIVERY} {_OF_ONE} and id = $3", account_id, hook_id, delivery_id)
        return _delivery(found[0]) if found else None

    async def send_again(self, account_id: str, hook_id: str, delivery_id: str, at: int) -> None:
        """Let a delivery be sent as if it had not been."""
        again = (_AGAIN, (account_id, hook_id, delivery_id, at))
        await self.run(_all(again, (_TOUCH, (account_id, hook_id))), account_id)

    async def go_back(self, account_id: str, hook_id: str, position: int) -> None:
        """Let all deliveries after a position be made again; those of them that wait are made anew."""
        back = (account_id, hook_id, position)
        await self.run(_all((_GO_BACK, back), (_DROP_LATER, back)), account_id)

    async def accounts_with_hooks(self) -> Sequence[str]:
        """Return the accounts that may have subscriptions."""
        return [row[0] for row in await self.shared(_ACCOUNTS)]

    async def standings(self, account_id: str, at: int) -> Sequence[Standing]:
        """Return where each subscription that is not deleted stands."""
        return [self._standing(row, at) for row in await self.rows(_STANDINGS, account_id, at)]

    async def looks(self, account_id: str) -> Sequence[Look]:
        """Return whether there is something to do for each subscription that is not deleted."""
        return [
            Look(
                id=row[0],
                revision=row[1],
                active=bool(row[2]) and row[3] is None,
                held_by=row[4],
                held_until=row[5] or 0,
                due_at=row[6],
                unread=row[7],
            )
            for row in await self.rows(_LOOKS, account_id)
        ]

    async def claim(self, account_id: str, hook_id: str, by: str, at: int, until: int) -> Subscription | None:
        """Hold a subscription, where nobody else does."""
        found = await self.write(_CLAIM.format(now=_NOW[self.engine]), account_id, hook_id, by, at, until)
        if not found:
            return None
        subscription = self._subscription(found[0])
        if subscription.secret is None:
            return subscription
        return replace(subscription, secret=opened_secret(self._sealer, hook_id, subscription.secret))

    async def release(self, account_id: str, hook_id: str, by: str) -> None:
        """Hold a subscription no more."""
        await self.write(_RELEASE, account_id, hook_id, by)

    async def waiting(self, account_id: str, hook_id: str, most: int) -> Sequence[Delivery]:
        """Return the deliveries that wait, in the order of the feed."""
        return [_delivery(row) for row in await self.rows(_WAITING, account_id, hook_id, most)]

    async def make_deliveries(self, subscription: Subscription, made: Sequence[Delivery], position: int, by: str) -> bool:
        """Store the deliveries that follow from the feed up to a position."""
        return await self.run(_advanced(subscription, made, position, by), subscription.account_id)

    async def attempted(self, account_id: str, hook_id: str, results: Sequence[Delivery], failures: int) -> None:
        """Store what became of deliveries that waited."""
        statements = [
            (_ATTEMPTED, (account_id, hook_id, one.id, one.state.value, one.due_at, one.attempts, _log_text(one)))
            for one in results
        ]
        await self.run(_all(*statements, (_FAILURES, (account_id, hook_id, failures))), account_id)

    async def forget_deliveries(self, account_id: str, before: int) -> int:
        """Drop old deliveries that do not wait; return how many."""
        return len(await self.write(_FORGET, account_id, before))

    async def seal_hook_secrets(self, *, plain: bool = False) -> int:
        """Encrypt every secret of a subscription under the store's secret of now, or (``plain``) decrypt it; return how many."""
        sealer, changed = Sealer() if plain else self._sealer, 0
        for (account_id,) in await self.shared("select account_id from accounts where hooks > 0 order by account_id"):
            for hook_id, secret in await self.rows(_SEALED, account_id):
                if not sealer.is_current(secret):
                    sealed = sealer.seal(opened_secret(self._sealer, hook_id, secret), about_secret(hook_id))
                    changed += len(await self.write(_RESEAL, account_id, hook_id, secret, sealed))
        return changed

    def _subscription(self, row: Row) -> Subscription:
        """Return the subscription of a row, its secret as it is stored."""
        return Subscription(
            account_id=row[0],
            id=row[1],
            url=row[2],
            events=tuple(row[3].split()),
            fields=row[4],
            secret_type=row[5],
            secret=row[_SECRET],
            insecure=bool(row[7]),
            active=bool(row[8]),
            created_at=row[9],
            created_by=row[10],
            updated_at=row[11],
            position=row[12],
            revision=row[13],
            failures=row[14],
            suspended_at=row[15],
            suspended_reason=row[16],
            deleted_at=row[17],
            deleted_by=row[18],
        )

    def _standing(self, row: Row, at: int) -> Standing:
        held_by, held_until, waiting, due, failed, oldest, unread = row[_MORE:]
        return Standing(
            subscription=self._subscription(row),
            held_by=held_by if held_by is not None and held_until > at else None,
            unread=unread,
            waiting=waiting,
            due=due,
            failed=failed,
            oldest_due_at=oldest,
        )


def about_secret(hook_id: str) -> str:
    """Return the label that a sealed secret is bound to, so that it cannot stand in for another."""
    return f"secret of subscription {hook_id}"


def opened_secret(sealer: Sealer, hook_id: str, stored: str) -> str:
    """Return the secret of a subscription, from how it is stored.

    Raises:
        KeysUnreadable: It is encrypted under another secret.
    """
    try:
        return sealer.unseal(stored, about_secret(hook_id))
    except CannotUnseal as error:
        raise KeysUnreadable(f"the {about_secret(hook_id)} cannot be read: {error} (ORDRE_SECRET_KEY)") from error


def _all(*statements: tuple[str, Sequence[object]]) -> Script[None]:
    for statement in statements:  # noqa: UP028 - `yield from` would hand on what they return, which a tuple does not take
        yield statement


def _subscribed(one: Subscription, ping: Delivery, most: int, sealer: Sealer) -> Script[bool]:
    yield _MARK, (one.account_id,)
    ((count,),) = yield _COUNT, (one.account_id,)
    if count >= most:
        return False
    ((position,),) = yield _END_OF_FEED, (one.account_id,)
    secret = None if one.secret is None else sealer.seal(one.secret, about_secret(one.id))
    told = (one.url, " ".join(one.events), one.fields, one.secret_type, secret, int(one.insecure), int(one.active))
    made = (one.created_at, one.created_by, one.updated_at)
    yield _ADD, (one.account_id, one.id, *told, *made, position, one.revision, one.failures)
    if one.active:
        yield _made(one.account_id, one.id, ping)
    return True


def _made(account_id: str, hook_id: str, one: Delivery) -> tuple[str, Sequence[object]]:
    entry = one.entry
    caused = (None,) * 6 if entry is None else (entry.id, entry.version, entry.kind, entry.at, entry.by, entry.hash)
    state = (one.state.value, one.created_at, one.due_at, one.attempts, _log_text(one))
    return _MAKE, (account_id, hook_id, one.id, one.event, one.position, *caused, *state)


def _advanced(subscription: Subscription, made: Sequence[Delivery], position: int, by: str) -> Script[bool]:
    place = (subscription.account_id, subscription.id, subscription.position, position, by)
    if not (yield _ADVANCE, place):
        return False
    for one in made:
        yield _made(subscription.account_id, subscription.id, one)
    return True


def _log_text(one: Delivery) -> str:
    return msgspec.json.encode(one.log[-MOST_ATTEMPTS_KEPT:]).decode()


def _delivery(row: Row) -> Delivery:
    id_, event, position, subject, version, kind, at, actor, hash_, state, created_at, due_at, attempts, log = row
    entry = None
    if subject is not None:
        entry = FeedEntry(position=position, id=subject, version=version, kind=kind, at=at, by=actor, hash=hash_)
    return Delivery(
        id=id_,
        event=event,
        entry=entry,
        state=DeliveryState(state),
        created_at=created_at,
        due_at=due_at,
        attempts=attempts,
        log=_attempts(log),
    )
