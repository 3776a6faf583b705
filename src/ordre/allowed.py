"""The values that settings may have: the rule of each, and the checks of texts."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

_INSTANT = r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
_SECRET_CHARACTERS = 32
SECRETS = f"at least {_SECRET_CHARACTERS} characters without a space: try `openssl rand -base64 32`"
LARGEST_PORT = 65_535
ROOT_KEY = "what `ordre key root` prints: 43 letters, digits, '-' and '_'"
_DATABASE = r"sqlite:///.+|postgres(ql)?://.+|memory:"


def is_database(text: str) -> bool:
    """Whether a text is a URL of a database, with ports that are numbers."""
    if re.fullmatch(_DATABASE, text) is None:
        return False
    if not text.startswith("postgres"):
        return True
    try:
        parts = urlsplit(text)
        named = [one.rpartition("]")[2].rpartition(":") for one in parts.netloc.rpartition("@")[2].split(",")]
        ports = [port for _, colon, port in named if colon] + parse_qs(parts.query).get("port", [])
    except ValueError:  # such as brackets that are not closed
        return False
    return all(_is_port(port) for one in ports for port in one.split(","))


def _is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdecimal() and int(text) <= LARGEST_PORT)


def is_instant(text: str) -> bool:
    """Whether a text is empty, or a date-time with an offset on a day of the calendar."""
    try:
        return not text or (re.fullmatch(_INSTANT, text) is not None and bool(datetime.fromisoformat(text)))
    except ValueError:
        return False


def are_networks(text: str) -> bool:
    """Whether a text is empty, or addresses and networks separated by commas."""
    try:
        return not text or all(ip_network(one) for one in networks_in(text))
    except ValueError:
        return False


def networks_in(text: str) -> list[str]:
    """Return the addresses and networks that are named."""
    return [one.strip() for one in text.split(",") if text]


def are_secrets(text: str) -> bool:
    """Whether a text is empty, or secrets that are long enough, separated by spaces."""
    secrets = text.split()
    return not text or (bool(secrets) and all(len(secret) >= _SECRET_CHARACTERS for secret in secrets))


def is_root_key(text: str) -> bool:
    """Whether a text is empty, or may be a key that signs roots."""
    return not text or re.fullmatch(r"[A-Za-z0-9_-]{43}", text) is not None


def may_be_path(text: str) -> bool:
    """Whether a text may be the path of a file."""
    return "\0" not in text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """The purpose of a setting, and its allowed values: a number within bounds, one of ``words``, or a text that ``fits``."""

    about: str
    least: float = 0
    most: float | None = None
    words: tuple[str, ...] = ()
    fits: Callable[[str], object] | None = None
    expected: str = ""
    """What fits, in words."""
    flag: bool = False
    """Whether `ordre serve` takes it as a flag."""
    secret: bool = False
    """Whether no value of it is ever printed."""
    password: bool = False
    """Whether it is a URL that may hold a password."""

    def fault(self, value: Any) -> str | None:
        """Return, of a value that is not allowed, what it must be."""
        if self.words:
            return None if value in self.words else self.allowed
        if self.fits:
            return None if self.fits(value) else self.allowed
        if isinstance(value, str) or (self.least <= value and (self.most is None or value <= self.most)):
            return None
        return self.allowed

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if self.words:
            return f"one of {', '.join(self.words)}"
        if self.fits:
            return self.expected
        return f"{self.least:g} or more" if self.most is None else f"between {self.least:g} and {self.most:g}"

    def quoted(self, value: Any) -> str:
        """Return the value as a message may hold it."""
        return "not valid" if self.secret or self.password else repr(value)

    def masked(self, value: Any) -> str:
        """Return the value as it may be printed."""
        if self.secret:
            return "(hidden)" if value else ""
        return _without_password(str(value)) if self.password else str(value)


def _without_password(url: str) -> str:
    if not url.startswith("postgres"):
        return url
    scheme, separator, rest = url.partition("://")
    user, at, address = rest.rpartition("@")  # the last one: a password may hold any character
    if ":" in user:
        user = f"{user.partition(':')[0]}:***"
    return scheme + separator + re.sub(r"(?i)(password)=[^&]*", r"\1=***", f"{user}{at}{address}")
