"""Every way Ordre says no, each with a stable code.

    Refusal
    ├── Unknown          nothing by that name in this account      (404)
    │   ├── UnknownOrder  UnknownVersion  VersionErased  UnknownDraft  UnknownDraftLine  UnknownOperation  UnknownSession
    │   └── UnknownComment  UnknownAccount
    ├── Invalid          what was sent is wrong, whatever the state (400)
    │   ├── InvalidValue  MissingField  UnknownField  UnknownParameter  UnknownCurrency  TooMany
    │   ├── DuplicateLine  NoItems  ZeroAmount  WrongSign
    │   └── AmountMismatch  AmountsTooLarge  DiscountExceedsGross  AdditionsExceedGross  TaxOutsideLine
    ├── NotNow           right in itself, refused by the state      (400)
    │   ├── OrderClosed  OrderCancelled  OrderErased  OrderCaptured  OrderHasOperations  LineHasOperations
    │   ├── ExceedsReversible  LineReversed
    │   ├── UnknownLine  UnknownAuthorization  AuthorizationRequired  AlreadyAuthorized  ExceedsRemaining
    │   ├── OrderIdTaken  CurrencyDiffers  SplitNeedsNoOrderId  NotTakenOver  DraftNotOpen  DraftDeleted  LimitReached
    │   └── KeyErased
    ├── AlreadyUsed      an id is used for something else           (409)
    ├── VersionDiffers   the caller's version is not the current    (412)
    └── KeyReused        the idempotency key was sent with another request (422)

A refusal is a value that names one fault; ``Refused`` is raised with all the faults of a request. Statuses are given in one
table, ``api/http/errors.py``; the page ``docs/errors.md`` lists every code. Those of webhooks stand in ``hook_refusals``.
"""

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One fault: a stable ``code``, a ``message`` for people and the ``path`` of the field in the request, if one is at fault.

    A kind of it that has no values of its own is no dataclass again: to make one takes a millisecond of each start.
    """

    code: ClassVar[str]
    path: str = ""

    @property
    def message(self) -> str:
        """A sentence about the state, for people."""
        raise NotImplementedError

    def details(self) -> dict[str, object]:
        """Return the values that a program needs to react, by name."""
        named = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "path"}
        return {name: value for name, value in named.items() if value is not None and not name.startswith("_")}


class Refused(Exception):  # noqa: N818 - it is named for what happened, as facts are
    """The request is refused; nothing was changed. ``refusals`` holds every fault that was found, never none."""

    def __init__(self, *refusals: Refusal) -> None:
        super().__init__("; ".join(f"{refusal.code}: {refusal.message}" for refusal in refusals))
        self.refusals = refusals


class Unknown(Refusal):
    """Nothing by that name in this account."""

    __slots__ = ()


class UnknownOrder(Unknown):
    __slots__ = ()
    code = "unknown_order"
    message = "Order not found"


class UnknownVersion(Unknown):
    __slots__ = ()
    code = "unknown_version"
    message = "The order has no such version, or did not exist yet"


class VersionErased(Unknown):
    __slots__ = ()
    code = "version_erased"
    message = "The order was erased; earlier versions are gone"


class UnknownDraft(Unknown):
    __slots__ = ()
    code = "unknown_draft"
    message = "Draft order not found"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownDraftLine(Unknown):
    code = "unknown_draft_line"
    line_id: int

    @property
    def message(self) -> str:
        return f"The draft has no line {self.line_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownOperation(Unknown):
    code = "unknown_operation"
    kind: str

    @property
    def message(self) -> str:
        return f"{self.kind.capitalize()} not found on this order"


class UnknownSession(Unknown):
    __slots__ = ()
    code = "unknown_session"
    message = "Session not found on this order"


class UnknownComment(Unknown):
    __slots__ = ()
    code = "unknown_comment"
    message = "Comment not found on this order"


class UnknownAccount(Unknown):
    __slots__ = ()
    code = "unknown_account"
    message = "Account not found"


class Invalid(Refusal):
    """Wrong in itself, whatever the state of the order or draft."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidValue(Invalid):
    code = "invalid_value"
    reason: str

    @property
    def message(self) -> str:
        return self.reason

    def details(self) -> dict[str, object]:
        return {}


class MissingField(Invalid):
    __slots__ = ()
    code = "missing_field"
    message = "This field is required"


class UnknownField(Invalid):
    __slots__ = ()
    code = "unknown_field"
    message = "Unknown field"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownParameter(Invalid):
    code = "unknown_parameter"
    parameter: str
    allowed: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        if not self.allowed:
            return "Unknown parameter; this operation takes none"
        return f"Unknown parameter; the known ones are {', '.join(self.allowed)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownCurrency(Invalid):
    code = "unknown_currency"
    currency: str

    @property
    def message(self) -> str:
        return f"{self.currency!r} is not a current ISO 4217 currency"


@dataclass(frozen=True, slots=True, kw_only=True)
class TooMany(Invalid):
    code = "too_many"
    limit: int

    @property
    def message(self) -> str:
        return f"At most {self.limit:,} are allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateLine(Invalid):
    code = "duplicate_line"
    line_id: int

    @property
    def message(self) -> str:
        return f"Line {self.line_id} appears more than once"


class NoItems(Invalid):
    __slots__ = ()
    code = "no_items"
    message = "At least one item is needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroAmount(Invalid):
    code = "zero_amount"
    line_id: int | None = None
    message = "Must not be zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongSign(Invalid):
    code = "wrong_sign"
    line_id: int | None = None
    message = "Must have the same sign as the amount of its line"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountMismatch(Invalid):
    code = "amount_mismatch"
    sent: int
    expected: int

    @property
    def message(self) -> str:
        return f"Is {self.sent}, but the amounts add up to {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountsTooLarge(Invalid):
    code = "amounts_too_large"
    limit: int

    @property
    def message(self) -> str:
        return f"The amounts add up to more than {self.limit}, the largest sum allowed"


class DiscountExceedsGross(Invalid):
    __slots__ = ()
    code = "discount_exceeds_gross"
    message = "The discount lines take away more than the gross amount"


class AdditionsExceedGross(Invalid):
    __slots__ = ()
    code = "additions_exceed_gross"
    message = "The additions are part of the gross amount and add up to more than it"


class TaxOutsideLine(Invalid):
    __slots__ = ()
    code = "tax_outside_line"
    message = "Must be between zero and the line's gross amount"


class NotNow(Refusal):
    """Valid in itself, but refused by the state of the order or draft."""

    __slots__ = ()


class OrderClosed(NotNow):
    __slots__ = ()
    code = "order_closed"
    message = "The order is closed; open it first"


class OrderCancelled(NotNow):
    __slots__ = ()
    code = "order_cancelled"
    message = "The order is cancelled"


class OrderErased(NotNow):
    __slots__ = ()
    code = "order_erased"
    message = "The order was erased and can no longer be changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCaptured(NotNow):
    code = "order_captured"
    line_id: int
    captured: int
    refunded: int

    @property
    def message(self) -> str:
        return f"Line {self.line_id} has {self.captured} captured and {self.refunded} refunded; refund the rest first"


class OrderHasOperations(NotNow):
    __slots__ = ()
    code = "order_has_operations"
    message = "An order can be replaced only while no payment operation is recorded on it"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineHasOperations(NotNow):
    code = "line_has_operations"
    line_id: int

    @property
    def message(self) -> str:
        return f"Line {self.line_id} has payment operations, so its amounts can no longer change; reverse it with a new line"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceedsReversible(NotNow):
    code = "exceeds_reversible"
    line_id: int
    amount: int
    remaining: int

    @property
    def message(self) -> str:
        return f"{self.amount} is not between 0 and {self.remaining}, which is what is left of line {self.line_id} to reverse"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReversed(NotNow):
    code = "line_reversed"
    line_id: int
    reversed: int

    @property
    def message(self) -> str:
        return f"Line {self.line_id} is reversed by {self.reversed} in all; its amounts cannot be less than that"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownLine(NotNow):
    code = "unknown_line"
    line_id: int

    @property
    def message(self) -> str:
        return f"The order has no line {self.line_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownAuthorization(NotNow):
    code = "unknown_authorization"
    authorization_id: str

    @property
    def message(self) -> str:
        return f"The order has no successful authorization {self.authorization_id!r}"


class AuthorizationRequired(NotNow):
    __slots__ = ()
    code = "authorization_required"
    message = "authorization_id is required on an order with multiple_authorizations"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyAuthorized(NotNow):
    code = "already_authorized"
    line_id: int
    live: int

    @property
    def message(self) -> str:
        return (
            f"Line {self.line_id} has {self.live} authorized that is neither captured nor cancelled,"
            " and the order was made without multiple_authorizations"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExceedsRemaining(NotNow):
    code = "exceeds_remaining"
    line_id: int
    amount: int
    remaining: int

    @property
    def message(self) -> str:
        return f"Line {self.line_id} has {self.remaining} remaining, less than {self.amount}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderIdTaken(NotNow):
    code = "order_id_taken"
    order_id: str

    @property
    def message(self) -> str:
        return f"The account already has an order {self.order_id!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyDiffers(NotNow):
    code = "currency_differs"
    currency: str

    @property
    def message(self) -> str:
        return f"The order is in {self.currency}"


class SplitNeedsNoOrderId(NotNow):
    __slots__ = ()
    code = "split_needs_no_order_id"
    message = "split_draft must be false where an order id is given"


class NotTakenOver(NotNow):
    __slots__ = ()
    code = "not_taken_over"
    message = "The draft is added to an existing order, which does not take this over"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftNotOpen(NotNow):
    code = "draft_not_open"
    status: str

    @property
    def message(self) -> str:
        return f"The draft is {self.status} and can no longer be changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitReached(NotNow):
    code = "limit_reached"
    limit: int

    @property
    def message(self) -> str:
        return f"The order holds {self.limit:,} of these, which is the limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyUsed(Refusal):
    code = "already_used"
    id: str

    @property
    def message(self) -> str:
        return f"The id {self.id!r} is already used on this order"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionDiffers(Refusal):
    code = "version_differs"
    current_version: int

    @property
    def message(self) -> str:
        return f"The current version is {self.current_version}, not the one that If-Match names"


class KeyReused(Refusal):
    __slots__ = ()
    code = "key_reused"
    message = "This Idempotency-Key was already sent with another request"


class KeyErased(NotNow):
    __slots__ = ()
    code = "key_erased"
    message = "What was made under this Idempotency-Key was erased"
