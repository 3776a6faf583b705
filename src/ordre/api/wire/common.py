"""What every wire type shares: field types with their limits, decoding with every fault named, encoding that keeps numbers."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ordre.domain.money import DIGITS, MAX_AMOUNT
from ordre.domain.order.parts import JsonFields

EXPECTED = "expected"
"""Where ``Meta.extra`` says in words what a value must be, for messages."""
OTHERWISE = "otherwise"
"""Where it has what makes the value of the type out of another shape of it (a number of its text), or None."""

T = TypeVar("T")
Maybe: TypeAlias = T | UnsetType | None
"""A field that may be left out, or be null."""


def whole(pattern: str) -> str:
    r"""Return a pattern that the whole of a text must match.

    Not ``$``, which in Python also stands before a newline at the end. ``published`` makes of it what a schema says. A pattern
    is written in what Python and ECMA 262 read in the same way: ``[0-9]`` and not ``\d``, which in Python is any script's digit.
    """
    return rf"^{pattern}\Z"


def published(pattern: str) -> str:
    """Return the pattern of a field as a JSON Schema says it, in ECMA 262, where ``$`` is the very end."""
    return pattern.removesuffix(r"\Z") + "$" if pattern.endswith(r"\Z") else pattern


_DATE = (
    "(?!0000)"  # RFC 3339 has that year, and hardly a library of dates does
    "(?:[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    "|(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29)"
)
"""A day that there is, leap years included."""
_HOUR = "(?:[01][0-9]|2[0-3])"
_TIME = rf"T{_HOUR}:[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]{{1,9}})?(?:Z|[+-]{_HOUR}:[0-5][0-9])"
_SPACES = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
PRINTABLE = r"[^\x00-\x1f\x7f]"
"""Any character but a control character of ASCII."""

_MINOR_UNITS = {EXPECTED: "a whole number of minor units"}
NO_CONTROLS = {EXPECTED: "text without control characters"}
_IN_A_PATH = {EXPECTED: "text without control characters, and not one or two dots alone"}
_TIME_WORDS = {EXPECTED: "a date-time with an offset, such as 2026-01-31T12:00:00Z"}
_DATE_WORDS = {EXPECTED: "a date such as 2026-01-31"}
_PHONE_WORDS = {EXPECTED: "a phone number such as +47 999 99 999"}
_BETWEEN_DIGITS = r"[ \u00a0()./\u2010-\u2015-]*"
_EMAIL_WORDS = {EXPECTED: "an e-mail address"}

_LINE_NUMBER = "[0-9]{1,10}"
KNOWN_WORDS = "x-known-words"


def word(*known: str) -> Meta:
    """Return the limits of a word whose list is not published: another than the known ones is taken too, unless strictly.

    ``KNOWN_WORDS`` in its ``extra_json_schema`` is where a walk of the types finds them.
    """
    return Meta(max_length=255, examples=list(known), extra_json_schema={KNOWN_WORDS: list(known)})


Amount = Annotated[int, Meta(ge=-MAX_AMOUNT, le=MAX_AMOUNT, description="Whole minor units of the currency", extra=_MINOR_UNITS)]
Size = Annotated[
    int, Meta(ge=0, le=MAX_AMOUNT, description="Whole minor units of the currency, not negative", extra=_MINOR_UNITS)
]


def _line_number(value: object) -> int | None:
    return int(value) if isinstance(value, str) and re.fullmatch(_LINE_NUMBER, value) else None


def _line_text(value: object) -> str | None:
    return str(value) if type(value) is int and re.fullmatch(_LINE_NUMBER, str(value)) else None


LineId = Annotated[
    int,
    Meta(
        ge=0,
        le=2**31 - 1,
        description='The line\'s identity inside the order. Its text (`"1"`) is taken too',
        extra={EXPECTED: "the number of a line", OTHERWISE: _line_number},
    ),
]
LineText = Annotated[
    str,
    Meta(
        pattern=whole(_LINE_NUMBER),
        description="The line's identity inside the order, as text. Its number is taken too",
        extra={EXPECTED: "the number of a line as text, such as '1'", OTHERWISE: _line_text},
    ),
]
AnyJson = Raw
"""A value of a shape that nobody published: kept as it was sent, and answered so."""
Text = Annotated[str, Meta(max_length=4_000)]
ShortText = Annotated[str, Meta(max_length=255)]
Id = Annotated[str, Meta(min_length=1, max_length=255, pattern=whole(f"{PRINTABLE}+"), extra=NO_CONTROLS)]
_IN_PATHS = whole(rf"(?!\.{{1,2}}$){PRINTABLE}+")
"""An id that stands in paths, quoted. Not ``.`` or ``..``: clients take these out of a path, quoted or not."""
OrderId = Annotated[str, Meta(min_length=1, max_length=255, pattern=_IN_PATHS, extra=_IN_A_PATH)]
OperationId = Annotated[str, Meta(min_length=1, max_length=40, pattern=_IN_PATHS, extra=_IN_A_PATH)]
DateTime = Annotated[str, Meta(pattern=whole(_DATE + _TIME), extra_json_schema={"format": "date-time"}, extra=_TIME_WORDS)]
Date = Annotated[str, Meta(pattern=whole(_DATE), extra_json_schema={"format": "date"}, extra=_DATE_WORDS)]
Currency = Annotated[
    str,
    Meta(
        title="Currency",
        pattern=whole("[A-Z]{3}"),
        description="ISO 4217, of those in use. `x-digits`: the digits of the minor unit that amounts are whole numbers of",
        examples=["NOK"],
        extra_json_schema={"enum": sorted(DIGITS), "x-digits": dict(sorted(DIGITS.items()))},
        extra={EXPECTED: "a currency code of three capital letters, such as NOK"},
    ),
]
_COUNTRIES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH
CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN
GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI
LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM
PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD
TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRIES.split())
"""ISO 3166-1 alpha-2, and XK for Kosovo, which carriers and tax offices use though the standard leaves it open."""
Country = Annotated[
    str,
    Meta(
        title="Country",
        description="ISO 3166-1 alpha-2, and XK. Small letters are taken too, and answered as capitals",
        examples=["NO"],
        extra_json_schema={"enum": sorted(COUNTRIES)},
    ),
]
Uuid = Annotated[str, Meta(extra_json_schema={"format": "uuid"})]
Phone = Annotated[
    str,
    Meta(
        max_length=40,
        pattern=whole(rf"[ (]*\+?(?:{_BETWEEN_DIGITS}[0-9]){{2,20}}{_BETWEEN_DIGITS}"),
        description="Digits, with spaces, dashes, dots, slashes and brackets between them; best as E.164. Kept as it was sent",
        examples=["+4799999999"],
        extra=_PHONE_WORDS,
    ),
]
Email = Annotated[str, Meta(max_length=320, pattern=whole(f"[^@{_SPACES}]+@[^@{_SPACES}]+"), extra=_EMAIL_WORDS)]
Metadata = dict[str, Raw]
"""Any JSON object of at most 16 KiB, kept as it was sent."""

_INSTANT = re.compile(_DATE + _TIME)
METADATA_BYTES = 16 * 1024
_NUMBER_DIGITS = 40
_TOO_PRECISE = f"Must be a number of at most {_NUMBER_DIGITS} digits"


class FieldError(ValueError):
    """A check of an object has found one of its fields wrong: its name on the wire, and in words what it must be."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


class Number(Decimal):
    """A JSON number, kept digit by digit. Never an amount of money: those are whole."""

    __slots__ = ()


class Wire(Struct, omit_defaults=True, repr_omit_defaults=True, kw_only=True):
    """A wire type. Fields that it does not know are ignored. A check of our own raises ``FieldError``."""

    def __post_init__(self) -> None:
        metadata = getattr(self, "metadata", UNSET)
        if isinstance(metadata, dict) and len(text := encode(metadata)) > METADATA_BYTES:
            raise FieldError("metadata", f"Must be at most {METADATA_BYTES:,} bytes of JSON, is {len(text):,}")


class Link(Wire):
    """Where something that belongs to it is found.

    Attributes:
        href: The path of the other resource
        rel: What it is to this one, such as `draft`
    """

    href: str
    rel: str


def draft_links(account_id: str, drafts: Sequence[str]) -> list[Link]:
    """Return links to drafts of the account."""
    path = f"/v1/accounts/{account_id}/shopping/draft_orders"
    return [Link(href=f"{path}/{draft}", rel="draft") for draft in drafts]


def order_links(account_id: str, orders: Sequence[str]) -> list[Link]:
    """Return links to orders of the account, by their ``id``."""
    path = f"/v1/accounts/{account_id}/shopping/orders"
    return [Link(href=f"{path}/{order}", rel="order") for order in orders]


def _decode_hook(type_: type, value: object) -> object:
    if type_ is not Number:
        raise NotImplementedError
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("Must be a number")  # noqa: TRY004 - msgspec turns it into a fault with a path
    number = Number(value)
    if len(number.as_tuple().digits) > _NUMBER_DIGITS or abs(number.adjusted()) > _NUMBER_DIGITS:
        raise ValueError(_TOO_PRECISE)
    return number


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(_TOO_PRECISE) from error


def _encode_hook(value: object) -> Decimal:
    if isinstance(value, Number):
        return Decimal(value)
    raise NotImplementedError


_encoder = msgspec.json.Encoder(decimal_format="number", enc_hook=_encode_hook)


def encode(value: object) -> bytes:
    """Return compact JSON; decimals as the numbers that they were."""
    return _encoder.encode(value)


def json_text(value: object) -> str:
    """Return ``encode`` as text."""
    return _encoder.encode(value).decode()


def decoder(type_: type[T]) -> msgspec.json.Decoder[T]:
    """Return a decoder of the type that keeps numbers digit by digit."""
    return msgspec.json.Decoder(type_, dec_hook=_decode_hook, float_hook=_decimal)


def json_fields(value: Struct, *leave_out: str) -> JsonFields:
    """Return the fields that were sent, each as JSON text; nulls are kept for the caller to read."""
    found = {}
    for attribute, name in zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True):
        if name not in leave_out and (given := getattr(value, attribute)) is not UNSET:
            found[name] = json_text(given)
    return found


def without_nulls(fields: JsonFields) -> dict[str, str]:
    """Return the fields that hold a value."""
    return {name: value for name, value in fields.items() if value != "null"}


def given(value: Maybe[T]) -> T | None:
    """Return the value, or None where it was left out or null."""
    return None if isinstance(value, UnsetType) else value


def instant(at: int) -> str:
    """Return milliseconds since 1970 as an RFC 3339 date-time in UTC."""
    seconds, thousandths = divmod(at, 1000)
    days, second = divmod(seconds, 86_400)
    return f"{_day(days)}T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}.{thousandths:03d}Z"


@lru_cache(maxsize=1024)
def _day(days: int) -> str:
    return (date(1970, 1, 1) + timedelta(days)).isoformat()


def milliseconds(text: str, *, up: bool = False) -> int:
    """Return an RFC 3339 date-time as milliseconds since 1970, rounded down, or ``up``.

    Raises:
        ValueError: It is no date-time, or has no offset.
    """
    if not _INSTANT.fullmatch(text):
        raise ValueError(no_such_day(text) or f"Must be {_TIME_WORDS[EXPECTED]}, is {text[:40]!r}")
    since = datetime.fromisoformat(text.replace(":60", ":59")) - datetime(1970, 1, 1, tzinfo=UTC)
    microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return -(-microseconds // 1000) if up else microseconds // 1000


def no_such_day(text: str) -> str | None:
    """Return that there is no such day, where a text looks like a date or a date-time and its day is in no calendar."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].{1,30})?", text):
        return None
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return f"There is no day {text[:10]}"
    return None


def object_text(fields: Mapping[str, str]) -> str:
    """Return one JSON object of fields that are JSON already."""
    return "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"
