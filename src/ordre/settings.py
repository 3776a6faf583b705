"""Settings: one table, read from the environment (``ORDRE_*``) and from flags; docs/settings.md is checked against it."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

_LAST_PORT = 65_535
_MAY_BE_ZERO = ("token_requests_per_minute", "client_requests_per_second", "tidy_seconds", "vacuum_bytes")
_SECRET_CHARACTERS = 32
_LEVELS = ("debug", "info", "warning", "error")
_INSTANT = r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"


class BadSetting(Exception):  # noqa: N818 - it is named for the state it tells of
    """A setting has a value that it cannot have."""


def _setting(default: Any, about: str, *, secret: bool = False) -> Any:
    return field(default=default, repr=not secret, metadata={"about": about, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, with its default. Sizes in bytes, times in seconds."""

    database: str = _setting(
        "sqlite:///data/ordre.sqlite",
        "`sqlite:///path`, `postgresql://user@host/name`, or `memory:` for a server that forgets everything at its end",
    )
    clock: str = _setting("", "With `memory:`, the instant at which a clock starts that moves only when told; else time runs")
    host: str = _setting("127.0.0.1", "The address to listen on")
    port: int = _setting(8080, "The port to listen on")
    workers: int = _setting(1, "Server processes")
    pool_size: int = _setting(10, "PostgreSQL connections of each process")
    body_bytes: int = _setting(1024 * 1024, "The largest request body")
    json_depth: int = _setting(32, "The deepest nesting of a request body")
    max_lines: int = _setting(1_000, "Lines of an order")
    max_operations: int = _setting(2_000, "Payment operations of an order")
    max_events: int = _setting(10_000, "Service events of an order")
    token_seconds: int = _setting(86_400, "How long a token is good")
    idempotency_seconds: int = _setting(86_400, "How long the answer to an Idempotency-Key is kept")
    token_requests_per_minute: int = _setting(
        60, "Tokens asked for by one address on one account, in each process; `0`, and with `memory:`: any number"
    )
    client_requests_per_second: int = _setting(
        0, "Requests of one client, in each process, at once twice as many; `0`: any number"
    )
    tidy_seconds: float = _setting(
        60.0, "Between rounds of erasing what has expired, in each server process; `0` leaves it to `ordre worker`"
    )
    vacuum_bytes: int = _setting(
        268_435_456,
        "The largest SQLite file that servers write anew after an erasure; `ordre worker` and `ordre erase` do so with any",
    )
    body_seconds: float = _setting(15.0, "How long the body of a request may take to come")
    request_seconds: float = _setting(30.0, "How long a request may take")
    log_level: str = _setting("info", "`debug`, `info`, `warning` or `error`")
    secret_key: str = _setting(
        "",
        "Encrypts the keys that sign tokens where the database keeps them: at least 32 characters. Several, with spaces between: "
        "the first encrypts, each decrypts",
        secret=True,
    )
    secret_key_file: str = _setting("", "A file that holds what `ORDRE_SECRET_KEY` would")

    def __post_init__(self) -> None:
        for one in fields(self):
            _check_number(one.name, getattr(self, one.name))
        if not 0 <= self.port <= _LAST_PORT:
            raise BadSetting(f"port is {self.port}, and must be between 0 and {_LAST_PORT}")
        if self.log_level not in _LEVELS:
            raise BadSetting(f"log_level is {self.log_level!r}, and must be one of {', '.join(_LEVELS)}")
        if self.secret_key and self.secret_key_file:
            raise BadSetting("secret_key and secret_key_file are both given: one of them is enough")
        if self.secret_key:
            _check_secrets("secret_key", self.secret_key.split())
        if not self.ephemeral and not self.database.startswith(("sqlite:///", "postgresql://", "postgres://")):
            raise BadSetting("database is sqlite:///path or postgresql://user@host/name")
        if self.ephemeral and self.workers != 1:
            raise BadSetting("a server in memory is one process: workers is 1")
        if self.clock and not self.ephemeral:
            raise BadSetting("a clock that can be moved goes with a server in memory alone")
        if self.clock and not _is_instant(self.clock):
            raise BadSetting("clock is an instant such as 2026-01-01T00:00:00Z")

    @property
    def ephemeral(self) -> bool:
        """Whether everything is kept in memory, and forgotten at the end."""
        return self.database == "memory:"

    def secret_keys(self) -> list[str]:
        """Return the secrets that encrypt what the database keeps: the first one encrypts, each decrypts; none, if not set.

        Raises:
            BadSetting: The file cannot be read, is empty, or holds a secret that is too short.
        """
        if not self.secret_key_file:
            return self.secret_key.split()
        try:
            found = Path(self.secret_key_file).read_text(encoding="utf-8").split()
        except (OSError, ValueError) as error:
            raise BadSetting(f"secret_key_file cannot be read: {error}") from error
        _check_secrets(f"the file {self.secret_key_file}", found)
        return found

    @property
    def sqlite_path(self) -> Path | None:
        """The file of an SQLite database."""
        path = self.database.removeprefix("sqlite:///")
        return None if path == self.database else Path(path)


def settings_from(environment: Mapping[str, str], **flags: object) -> Settings:
    """Return the settings: a flag that is not None, else the environment, else the default.

    Raises:
        BadSetting: A value does not fit.
    """
    values: dict[str, Any] = {}
    for one in fields(Settings):
        name = f"ORDRE_{one.name.upper()}"
        if flags.get(one.name) is not None:
            values[one.name] = flags[one.name]
        elif name in environment:
            values[one.name] = _read(name, environment[name], one.default)
    return Settings(**values)


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment that gives these settings to another process."""
    return {f"ORDRE_{one.name.upper()}": str(getattr(settings, one.name)) for one in fields(Settings)}


def current() -> Settings:
    """Return the settings of this process's environment."""
    return settings_from(os.environ)


def _is_instant(text: str) -> bool:
    """Tell whether a text is a date-time with an offset, on a day that there is."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return re.fullmatch(_INSTANT, text) is not None


def _check_number(name: str, value: object) -> None:
    if name == "port" or not isinstance(value, int | float):
        return
    may_be_zero = name in _MAY_BE_ZERO
    if value < 0 or (value == 0 and not may_be_zero):
        raise BadSetting(f"{name} is {value}, and must be {'0 or more' if may_be_zero else 'more than 0'}")


def _check_secrets(name: str, secrets: Sequence[str]) -> None:
    if not secrets or any(len(secret) < _SECRET_CHARACTERS for secret in secrets):
        raise BadSetting(
            f"{name} must hold at least {_SECRET_CHARACTERS} characters without a space: try `openssl rand -base64 32`"
        )


def _read(name: str, text: str, default: Any) -> Any:
    try:
        return type(default)(text)
    except ValueError as error:
        raise BadSetting(f"{name} is {text!r}, and must be a {type(default).__name__}") from error
