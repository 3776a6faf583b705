"""Webhooks: subscriptions as a client writes them, and what is answered."""

from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ordre.api.wire.common import (
    EXPECTED,
    DateTime,
    FieldError,
    Maybe,
    Uuid,
    Wire,
    encode,
    given,
    instant,
    json_text,
    whole,
)
from ordre.api.wire.feed import Entry, Kind
from ordre.api.wire.queries import Limit
from ordre.application.feed import DRAFT_KINDS, FeedEntry
from ordre.application.hooks import Attempt, Delivery, HookQuery, Subscription
from ordre.domain.hooks import BadMask, mask_of

Event = Literal[
    "shopping_draft_add",
    "shopping_draft_update",
    "shopping_draft_complete",
    "shopping_order_update",
    "shopping_order_event_add",
    "shopping_order_delete",
]
SecretType = Literal["HMAC-SHA1", "Authorization", "AWS4-HMAC-SHA256"]
_Secret = Annotated[
    str, Meta(min_length=1, max_length=1_000, pattern=whole("[ -~]+"), extra={EXPECTED: "printable characters of ASCII"})
]
_URL = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=2_000,
        pattern=whole(r"https?://[!-~]+"),
        examples=["https://shop.example/webhooks"],
        extra={EXPECTED: "a URL that begins with https:// or http://"},
    ),
]
_AWS4 = ("aws_access_key_id", "aws_secret_access_key", "region", "service")


class NewHookSecret(Wire, kw_only=True):
    """How a receiver knows who sends. It is encrypted where it is kept, and shown to nobody.

    Attributes:
        type: `HMAC-SHA1`: the body is signed with `value`. `Authorization`: `value` is the header of that name.
            `AWS4-HMAC-SHA256`: the request is signed for AWS with the other four
        value: The secret, or the value of the header, such as `Bearer <token>`. A secret that begins with `whsec_` is, for
            the signature of Standard Webhooks, the key in base64 behind that
        aws_access_key_id: The id of the key
        aws_secret_access_key: The key
        region: The region, such as `eu-north-1`
        service: The service, such as `execute-api`
    """

    type: SecretType
    value: Maybe[_Secret] = UNSET
    aws_access_key_id: Maybe[_Secret] = UNSET
    aws_secret_access_key: Maybe[_Secret] = UNSET
    region: Maybe[_Secret] = UNSET
    service: Maybe[_Secret] = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in _AWS4 if self.type == "AWS4-HMAC-SHA256" else ("value",):
            if given(getattr(self, name)) is None:
                raise FieldError(name, f"Must be given with {self.type}")


class NewHookConfig(Wire, kw_only=True):
    """Where to send, and how.

    Attributes:
        url: Where to send, `https://` or `http://`
        content_type: How the body is written
        secret: How the receiver knows who sends. Left out, nothing is signed
        insecure_ssl: 1 takes any certificate
    """

    url: _URL
    content_type: Maybe[Literal["application/json"]] = UNSET
    secret: Maybe[NewHookSecret] = UNSET
    insecure_ssl: Maybe[Literal[0, 1]] = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        fault = _fault_of(self.url)
        if fault is not None:
            raise FieldError("url", fault)


class NewSubscription(Wire, kw_only=True):
    """A receiver, and what it is told of.

    Attributes:
        config: Where to send, and how
        events: The events that it is told of
        active: Whether it is told of anything yet. Left out, true; `resume` makes it so
        fields: The fields of the order, draft or event that are sent, such as `id,version,items(line_id,payment_details)`; `a/b`
            is `b` of `a`, and `*` is any. Left out, all
    """

    config: NewHookConfig
    events: Annotated[list[Event], Meta(min_length=1, max_length=20)]
    active: Maybe[bool] = UNSET
    fields: Maybe[Annotated[str, Meta(min_length=1, max_length=2_000)]] = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        fields = given(self.fields)
        if fields is not None:
            try:
                mask_of(fields)
            except BadMask as error:
                raise FieldError("fields", f"Must be a mask such as id,items(line_id): {error}") from error


class HookSecret(Wire, kw_only=True):
    """How a receiver knows who sends. The secret itself is shown to nobody.

    Attributes:
        type: The kind of secret
    """

    type: SecretType


class HookConfig(Wire, kw_only=True):
    """Where to send, and how.

    Attributes:
        url: Where to send
        content_type: How the body is written
        secret: How the receiver knows who sends
        insecure_ssl: 1 where any certificate is taken
    """

    url: str
    content_type: Literal["application/json"]
    secret: HookSecret | UnsetType = UNSET
    insecure_ssl: Literal[0, 1]


class SubscriptionAnswer(Wire, kw_only=True):
    """A receiver, and what it is told of.

    Attributes:
        id: The subscription's id
        created_at: When it was made
        created_by: The id of the client that made it
        updated_at: When it last changed
        deleted_at: When it was deleted
        deleted_by: The id of the client that deleted it
        config: Where to send, and how
        events: The events that it is told of
        active: Whether it is told of anything now
        fields: The fields of the order, draft or event that are sent
        state: `suspended` after deliveries in a row were given up: `resume` lets it go on
        suspended_at: When it was suspended
        suspended_reason: Why it was suspended
        position: How far in the account's feed its deliveries are made
        failures: How many deliveries in a row were given up
    """

    id: Uuid
    created_at: DateTime
    created_by: str
    updated_at: DateTime
    deleted_at: DateTime | UnsetType = UNSET
    deleted_by: str | UnsetType = UNSET
    config: HookConfig
    events: list[Event]
    active: bool
    fields: str | UnsetType = UNSET
    state: Literal["active", "inactive", "suspended", "deleted"]
    suspended_at: DateTime | UnsetType = UNSET
    suspended_reason: str | UnsetType = UNSET
    position: int
    failures: int


class AttemptAnswer(Wire, kw_only=True):
    """One request to a receiver. Nothing of its answer is kept but the status.

    Attributes:
        created_at: When it was sent
        milliseconds: How long it took
        status: The status that it was answered with
        error: Why there is none
    """

    created_at: DateTime
    milliseconds: int
    status: int | UnsetType = UNSET
    error: str | UnsetType = UNSET


class DeliveryAnswer(Wire, kw_only=True):
    """One event for one receiver. Nothing of what was sent is kept.

    Attributes:
        id: The delivery's id, the same each time that it is sent
        created_at: When it was made
        event: The event
        state: `delivered` after an answer of 2xx, `ignored` after a 400, `failed` after the last attempt, else `waiting`
        next_attempt_at: When it is sent, or sent again
        attempts: The latest attempts, oldest first, ten at most
        feed: What happened. A `ping` has none
    """

    id: Uuid
    created_at: DateTime
    event: Event | Literal["ping"]
    state: Literal["waiting", "delivered", "ignored", "failed"]
    next_attempt_at: DateTime | UnsetType = UNSET
    attempts: list[AttemptAnswer]
    feed: Entry | UnsetType = UNSET


class Redelivery(Wire, kw_only=True):
    """From where a subscription is to be told again.

    Attributes:
        after: Everything after this position of the account's feed is sent again, under the ids that it had; 0: everything
    """

    after: Annotated[int, Meta(ge=0, le=2**53 - 1)]


class DeliveryList(Wire):
    """A page of a list, newest first.

    Attributes:
        limit: How many at most
        starting_after: The id of the last one seen: the page goes on from there
        total: Whether the header `total-count` is wanted
    """

    limit: Limit = 10
    starting_after: str | None = None
    total: bool = False


class SubscriptionList(DeliveryList):
    """A page of subscriptions, newest first.

    Attributes:
        include_deleted: Whether those that were deleted are wanted, too
    """

    include_deleted: bool = False


def hook_query(asked: DeliveryList) -> HookQuery:
    """Return the query for the store."""
    deleted = isinstance(asked, SubscriptionList) and asked.include_deleted
    return HookQuery(limit=asked.limit, after=asked.starting_after, total=asked.total, deleted=deleted)


def new_subscription(sent: NewSubscription, account_id: str, id_: str, at: int, by: str) -> Subscription:
    """Return the subscription that is asked for."""
    secret = given(sent.config.secret)
    return Subscription(
        account_id=account_id,
        id=id_,
        url=sent.config.url,
        events=tuple(dict.fromkeys(sent.events)),
        fields=given(sent.fields),
        secret_type=None if secret is None else secret.type,
        secret=None if secret is None else _secret_text(secret),
        insecure=given(sent.config.insecure_ssl) == 1,
        active=given(sent.active) is not False,
        created_at=at,
        created_by=by,
        updated_at=at,
        position=0,
    )


def subscription_answer(one: Subscription) -> SubscriptionAnswer:
    """Return a subscription as it is answered: without its secret."""
    return SubscriptionAnswer(
        id=one.id,
        created_at=instant(one.created_at),
        created_by=one.created_by,
        updated_at=instant(one.updated_at),
        deleted_at=_instant(one.deleted_at),
        deleted_by=UNSET if one.deleted_by is None else one.deleted_by,
        config=HookConfig(
            url=one.url,
            content_type="application/json",
            secret=UNSET if one.secret_type is None else msgspec.convert({"type": one.secret_type}, HookSecret),
            insecure_ssl=1 if one.insecure else 0,
        ),
        events=msgspec.convert(one.events, list[Event]),
        active=one.state.value == "active",
        fields=UNSET if one.fields is None else one.fields,
        state=one.state.value,
        suspended_at=_instant(one.suspended_at),
        suspended_reason=UNSET if one.suspended_reason is None else one.suspended_reason,
        position=one.position,
        failures=one.failures,
    )


def delivery_answer(one: Delivery) -> DeliveryAnswer:
    """Return a delivery as it is answered."""
    return DeliveryAnswer(
        id=one.id,
        created_at=instant(one.created_at),
        event=msgspec.convert(one.event, Event | Literal["ping"]),
        state=one.state.value,
        next_attempt_at=UNSET if one.due_at is None else instant(max(one.due_at, one.created_at)),
        attempts=[_attempt(attempt) for attempt in one.log],
        feed=UNSET if one.entry is None else told(one.entry),
    )


def told(entry: FeedEntry) -> Entry:
    """Return an entry of the feed as a receiver is told of it: as the feed has it."""
    return Entry(
        position=entry.position,
        type="draft_order" if entry.kind in DRAFT_KINDS else "order",
        id=entry.id,
        version=entry.version,
        kind=msgspec.convert(entry.kind, Kind),
        created_at=instant(entry.at),
        created_by=entry.by,
        hash=entry.hash,
    )


def bare(documents: Sequence[Wire]) -> bytes:
    """Return a list in no envelope, as the original answers subscriptions and deliveries."""
    return encode(documents)


def _attempt(one: Attempt) -> AttemptAnswer:
    return AttemptAnswer(
        created_at=instant(one.at),
        milliseconds=one.milliseconds,
        status=UNSET if one.status is None else one.status,
        error=UNSET if one.error is None else one.error,
    )


def _instant(at: int | None) -> str | UnsetType:
    return UNSET if at is None else instant(at)


def _secret_text(secret: NewHookSecret) -> str:
    names = _AWS4 if secret.type == "AWS4-HMAC-SHA256" else ("value",)
    return json_text({"type": secret.type, **{name: getattr(secret, name) for name in names}})


def _fault_of(url: str) -> str | None:
    """Return in words why nothing can be sent to a URL; None where it can."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "Must be a URL with a port that is a number"
    if not parts.hostname or port == 0:
        return "Must name a host"
    if parts.username is not None or parts.password is not None:
        return "Must not hold a user or a password: use a secret of the type Authorization"
    return "Must not have a part behind #" if parts.fragment or url.endswith("#") else None
