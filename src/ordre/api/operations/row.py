"""What the tables of routes are written with: the row of an operation, who may call it, and the paths."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import msgspec
from starlette.requests import Request
from starlette.types import ASGIApp

from ordre.api.http.context import Context, Reply
from ordre.api.http.shared import Api
from ordre.application.accounts import ACCOUNT_ID

B = TypeVar("B", bound=msgspec.Struct)
Q = TypeVar("Q", bound=msgspec.Struct)
Handler = Callable[[Context, B, Q], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Who may call an operation, and what for."""

    scopes: tuple[str, ...] = ()
    """A token with one of these is needed; no token where there are none."""
    writes: bool = False
    """Whether the operation changes an order or a draft: it takes an Idempotency-Key and If-Match, and its request is kept."""
    by_secret: bool = False
    """Whether a client shows its id and secret instead, which its address may guess only so often."""


READ = Access(scopes=("admin:shopping", "write:shopping", "read:shopping"))
WRITE = Access(scopes=("admin:shopping", "write:shopping"), writes=True)
ERASE = Access(scopes=("admin:shopping",), writes=True)
READ_EVENTS = Access(scopes=("admin:shopping", "read:shopping", "write:shopping", "read:shopping:/orders/ANY/events"))
WRITE_EVENTS = Access(scopes=("admin:shopping", "write:shopping", "write:shopping:/orders/ANY/events"), writes=True)
READ_HOOKS = Access(scopes=("admin:hooks", "write:hooks", "read:hooks"))
WRITE_HOOKS = Access(scopes=("admin:hooks", "write:hooks"))
BY_SECRET = Access(by_secret=True)
ANYONE = Access()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A part of a path that stands for a value. As text it is what a path has in its place."""

    name: str
    about: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})

    def __str__(self) -> str:
        """Return the part as it stands in a path."""
        return f"{{{self.name}}}"


AID = Parameter(
    name="aid",
    about="The account: T (test) or P (production) and eight digits",
    schema={"type": "string", "pattern": f"^{ACCOUNT_ID}$"},
)
DRAFT_ID = Parameter(name="id", about="The draft's id")
ORDER_ID = Parameter(name="order_id", about="The order's order_id or id, a slash in it as %2F")
LINE_ID = Parameter(name="line_id", about="The line's line_id", schema={"type": "integer", "minimum": 0})
AUTHORIZATION_ID = Parameter(name="authorization_id", about="The authorization's id")
CAPTURE_ID = Parameter(name="capture_id", about="The capture's id")
REFUND_ID = Parameter(name="refund_id", about="The refund's id")
CANCELLATION_ID = Parameter(name="cancellation_id", about="The cancellation's id")
SESSION_ID = Parameter(name="session_id", about="The session's id")
COMMENT_ID = Parameter(name="comment_id", about="The comment's id")
STORE_ID = Parameter(name="store_id", about="The store's id")
CUSTOMER_ID = Parameter(name="customer_id", about="The customer's id")
HID = Parameter(name="hid", about="The subscription's id")
DELIVERY_ID = Parameter(name="delivery_id", about="The delivery's id")

PARAMETERS = {
    one.name: one
    for one in (
        AID,
        DRAFT_ID,
        ORDER_ID,
        LINE_ID,
        AUTHORIZATION_ID,
        CAPTURE_ID,
        REFUND_ID,
        CANCELLATION_ID,
        SESSION_ID,
        COMMENT_ID,
        STORE_ID,
        CUSTOMER_ID,
        HID,
        DELIVERY_ID,
    )
}
"""Name in a path -> parameter."""

ACCOUNT = f"/v1/accounts/{AID}"
DRAFTS = f"{ACCOUNT}/shopping/draft_orders"
DRAFT = f"{DRAFTS}/{DRAFT_ID}"
ORDERS = f"{ACCOUNT}/shopping/orders"
ORDER = f"{ORDERS}/{ORDER_ID}"
STORE_ORDERS = f"{ACCOUNT}/shopping/stores/{STORE_ID}/orders"
CUSTOMER_ORDERS = f"{ACCOUNT}/shopping/customers/{CUSTOMER_ID}/orders"
HOOKS = f"{ACCOUNT}/hooks/subscriptions"
HOOK = f"{HOOKS}/{HID}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What an operation makes: the parameter that names it in other paths, and where the answer has its value (RFC 6901)."""

    parameter: Parameter
    at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """An operation that follows on another, by its handler, and the body of its request, as an OpenAPI link has it."""

    handler: Handler[Any, Any]
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[B, Q]):
    """The row of one operation. Its handler takes what ``body`` and ``query`` are decoded as.

    A table of rows has no annotation: under ``Route[Any, Any]`` mypy would compare nothing.
    """

    id: str
    """The operationId."""
    method: str
    path: str
    tag: str
    """The section of the documentation."""
    summary: str
    access: Access
    body: type[B]
    """``NoBody`` where none is read."""
    body_optional: bool = False
    """Whether the body may be left out, or be null: it is then what its type is without any field."""
    form: bool = False
    """Whether the body may be a form instead of JSON."""
    query: type[Q]
    answer: type[msgspec.Struct] | None
    """None where it is answered with 204."""
    bare_list: bool = False
    """Whether it is answered with a list of these, in no envelope."""
    streams: tuple[str, ...] = ()
    """The media types of what is answered in its place, as long as it comes: lines of such answers, or files."""
    or_erased: bool = False
    """Whether it may be answered with an erased order instead."""
    handler: Handler[B, Q]
    completes: Parameter | None = None
    """What names the draft in the path whose orders this makes."""
    made: Made | None = None
    followed_by: tuple[Next, ...] = ()
    """The operations of payments that follow on it."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """A token with one of these is needed; no token where there are none."""
        return self.access.scopes

    @property
    def writes(self) -> bool:
        """Whether it changes an order or a draft."""
        return self.access.writes

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What stands for a value in the path, from the left."""
        return tuple(PARAMETERS[name] for name in re.findall(r"{(\w+)}", self.path))


AnyRoute = Route[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainRoute:
    """The row of what is no operation: it reads the request itself, asks nobody for a token, and is not in the document."""

    method: str
    path: str
    only_with: Literal["clock", "ephemeral"] | None = None
    """The setting without which it is not served."""
    handler: Callable[[Api, Request], Awaitable[ASGIApp]]
