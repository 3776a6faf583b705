"""Settings: one row each, from which checks, the help of flags and docs/settings.md follow."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ordre.allowed import (
    LARGEST_PORT,
    ROOT_KEY,
    SECRETS,
    Rule,
    are_networks,
    are_secrets,
    is_database,
    is_instant,
    is_root_key,
    may_be_path,
)

PREFIX = "ORDRE_"
DEFAULT = "default"
"""Where a setting comes from that is neither a flag nor in the environment."""
BACKUP_VARIABLE = "ORDRE_BACKUP_PASSPHRASE"
OTHER_VARIABLES = frozenset({"ORDRE_URL", "ORDRE_ACCOUNT", "ORDRE_CLIENT_ID", "ORDRE_CLIENT_SECRET", BACKUP_VARIABLE})
"""Variables that are no settings: clients read them, such as `ordre conformance` and the examples, and `ordre backup`."""


class BadSetting(Exception):  # noqa: N818 - it is named for the state it tells of
    """A setting has a value that it cannot have."""


def _setting(default: Any, about: str, **bounds: Any) -> Any:
    return field(default=default, repr=not bounds.get("secret"), metadata={"rule": Rule(about=about, **bounds)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, with its default. Sizes in bytes, times in seconds."""

    database: str = _setting(
        "sqlite:///data/ordre.sqlite",
        "Database URL: `sqlite:///path`, `postgresql://user@host/name`, or `memory:` to keep nothing when the server ends",
        fits=is_database,
        expected="sqlite:///path or postgresql://user@host/name, its port a number and its password quoted, as `%40` for `@`"
        " (or memory:, for `ordre serve`)",
        password=True,
        flag=True,
    )
    clock: str = _setting(
        "",
        "With `memory:`, start a clock at this instant that moves only when it is told to; empty: the machine's clock",
        fits=is_instant,
        expected="an instant such as 2026-01-01T00:00:00Z",
        flag=True,
    )
    host: str = _setting("127.0.0.1", "Address to listen on", fits=bool, expected="an address or a host name", flag=True)
    port: int = _setting(8080, "Port to listen on; `0` picks a free port and prints it", most=LARGEST_PORT, flag=True)
    workers: int = _setting(1, "Number of server processes", least=1, flag=True)
    pool_size: int = _setting(10, "PostgreSQL connections of each process; half of them write", least=4)
    unsafe_storage: str = _setting(
        "refuse",
        "Whether to serve on a PostgreSQL with `fsync` or `full_page_writes` off, which may lose what was acknowledged when its"
        " machine stops",
        words=("refuse", "allow"),
    )
    body_bytes: int = _setting(1024 * 1024, "Largest request body", least=1)
    json_depth: int = _setting(32, "Deepest nesting of JSON in a request body", least=1)
    max_lines: int = _setting(1_000, "Largest number of lines on an order", least=1)
    max_operations: int = _setting(2_000, "Largest number of payment operations on an order", least=1)
    max_events: int = _setting(10_000, "Largest number of service events on an order", least=1)
    max_subscriptions: int = _setting(20, "Largest number of subscriptions to webhooks of an account", least=1)
    token_seconds: int = _setting(86_400, "How long a token is valid", least=1)
    idempotency_seconds: int = _setting(86_400, "How long the answer to an Idempotency-Key is kept", least=1)
    token_failures_per_minute: int = _setting(
        60,
        "Wrong secrets a minute for one client from one address, ten times as many from one address in all; in each process;"
        " `0`: no limit",
    )
    trusted_proxies: str = _setting(
        "",
        "Addresses and networks of proxies, separated by commas, whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed",
        fits=are_networks,
        expected="addresses or networks separated by commas, such as 10.0.0.7, 10.1.0.0/16, fd00::/8",
    )
    client_requests_per_second: int = _setting(
        0, "Requests a second of one client, in each process, with bursts of twice as many; `0`: no limit"
    )
    account_cost_per_second: int = _setting(
        4_000,
        "What one account's requests may cost a second, in each process, with bursts of 30 s' worth: 1 a request, and 1 for each"
        " 16 KiB of body and answer; `0`: no limit",
    )
    tidy_seconds: float = _setting(
        60.0, "Time between rounds of erasing what has expired, in each server process; `0` leaves it to `ordre worker`"
    )
    vacuum_bytes: int = _setting(
        268_435_456,
        "Largest SQLite file that servers rewrite after an erasure; `ordre worker` and `ordre erase` rewrite any",
    )
    hook_poll_seconds: float = _setting(
        0.5, "Time between looks for webhooks to be sent, in each server process; `0` leaves it to `ordre worker`"
    )
    hook_seconds: float = _setting(30.0, "How long the receiver of a webhook may take to answer", least=0.01)
    hook_retry_seconds: float = _setting(
        5.0, "Time until a webhook that failed is sent again; then 12, 120 and 720 times as long, each more or less a fifth"
    )
    hook_networks: str = _setting(
        "",
        "Addresses and networks, separated by commas, that webhooks are sent to although they are not on the public internet",
        fits=are_networks,
        expected="addresses or networks separated by commas, such as 127.0.0.0/8, 10.1.0.0/16, fd00::/8",
    )
    hook_log_seconds: int = _setting(2_592_000, "How long it is kept what became of a webhook", least=1)
    body_seconds: float = _setting(15.0, "How long the body of a request may take to arrive", least=0.01)
    request_seconds: float = _setting(30.0, "How long a request may take", least=0.01)
    drain_seconds: float = _setting(
        0.0, "How long a server that is told to stop goes on serving, while `/health/ready` already answers 503"
    )
    log_level: str = _setting("info", "Lowest level that is logged", words=("debug", "info", "warning", "error"), flag=True)
    log_format: str = _setting(
        "auto",
        "Lines for people (`text`), one JSON object a line (`json`), or `text` on a terminal and `json` otherwise (`auto`)",
        words=("auto", "json", "text"),
        flag=True,
    )
    secret_key: str = _setting(
        "",
        "Encrypts, in the database, the keys that sign tokens. Several are separated by spaces: the first one encrypts, each"
        " decrypts",
        fits=are_secrets,
        expected=SECRETS,
        secret=True,
    )
    secret_key_file: str = _setting(
        "", "A file that holds the value of `ORDRE_SECRET_KEY`", fits=may_be_path, expected="the path of a file"
    )
    root_key: str = _setting(
        "",
        "Signs roots, those of proofs and witnesses too; if not set, the key that signs tokens does, which the database holds",
        fits=is_root_key,
        expected=ROOT_KEY,
        secret=True,
    )
    root_key_file: str = _setting(
        "", "A file that holds the value of `ORDRE_ROOT_KEY`", fits=may_be_path, expected="the path of a file"
    )

    def __post_init__(self) -> None:
        for one in fields(self):
            _check(one.name, one, getattr(self, one.name))
        for name in ("secret_key", "root_key"):
            if getattr(self, name) and getattr(self, f"{name}_file"):
                raise BadSetting(f"{variable_of(name)} and {variable_of(name)}_FILE are both set: one of them is enough")
        if self.ephemeral and self.workers != 1:
            raise BadSetting("a server in memory is one process: --workers (ORDRE_WORKERS) must be 1")
        if self.clock and not self.ephemeral:
            raise BadSetting("--clock (ORDRE_CLOCK) goes with a server in memory only: use --ephemeral")

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
        return _key_in("secret_key_file", self.secret_key_file, are_secrets, SECRETS).split()

    def own_root_key(self) -> str:
        """Return the key that signs roots and that the database does not hold; empty, if not set.

        Raises:
            BadSetting: The file cannot be read, or holds no such key.
        """
        if not self.root_key_file:
            return self.root_key
        return _key_in("root_key_file", self.root_key_file, is_root_key, ROOT_KEY)

    @property
    def sqlite_path(self) -> Path | None:
        """The file of an SQLite database."""
        path = self.database.removeprefix("sqlite:///")
        return None if path == self.database else Path(path)


def _key_in(name: str, path: str, fits: Callable[[str], bool], expected: str) -> str:
    """Return the contents of a setting's file, without the white space around them."""
    try:
        found = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        raise BadSetting(f"{variable_of(name)} cannot be read: {error}") from error
    if not found or not fits(found):
        raise BadSetting(f"the file {path} ({variable_of(name)}) must hold {expected}")
    return found


def rule_of(name: str) -> Rule:
    """Return the rule of the setting with this name."""
    return _rule(next(one for one in fields(Settings) if one.name == name))


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def flag_of(name: str) -> str:
    """Return the flag of a setting."""
    return f"--{name.replace('_', '-')}"


def settings_from(environment: Mapping[str, str], **flags: object) -> Settings:
    """Return the settings: a flag that is not None, else the environment, else the default. An empty variable counts as unset.

    Raises:
        BadSetting: A value does not fit.
    """
    values: dict[str, Any] = {}
    for one in fields(Settings):
        origin = origin_of(one.name, environment, flags)
        if origin == DEFAULT:
            continue
        values[one.name] = _read(origin, one, environment[origin] if origin in environment else flags[one.name])
        _check(origin, one, values[one.name])
    return Settings(**values)


def origin_of(name: str, environment: Mapping[str, str], flags: Mapping[str, object]) -> str:
    """Return where a setting comes from: its flag, its environment variable, or the default."""
    if flags.get(name) is not None:
        return flag_of(name)
    return variable_of(name) if environment.get(variable_of(name)) else DEFAULT


def described(environment: Mapping[str, str], flags: Mapping[str, object]) -> list[dict[str, str]]:
    """Return each setting with its value and where it comes from, and no secret among them.

    Raises:
        BadSetting: A value does not fit.
    """
    settings = settings_from(environment, **flags)
    return [
        {
            "setting": variable_of(one.name),
            "value": _rule(one).masked(getattr(settings, one.name)),
            "from": origin_of(one.name, environment, flags),
        }
        for one in fields(Settings)
    ]


def environment_of(settings: Settings) -> dict[str, str]:
    """Return the environment that gives these settings to another process."""
    return {variable_of(one.name): str(getattr(settings, one.name)) for one in fields(Settings)}


def current() -> Settings:
    """Return the settings of this process's environment."""
    return settings_from(os.environ)


def unknown_variables(environment: Collection[str]) -> Iterator[str]:
    """Return a sentence for each ``ORDRE_*`` variable that nothing reads, with the nearest name that something does."""
    known = sorted({variable_of(one.name) for one in fields(Settings)} | OTHER_VARIABLES)
    words = [name.removeprefix(PREFIX) for name in known]
    for name in sorted(environment):
        if name.startswith(PREFIX) and name not in known:
            nearest = get_close_matches(name.removeprefix(PREFIX), words, 1)
            yield f"{name} is not a setting" + (f"; did you mean {PREFIX}{nearest[0]}?" if nearest else "; see docs/settings.md")


def _rule(one: "Field[Any]") -> Rule:
    rule: Rule = one.metadata["rule"]
    return rule


def _read(origin: str, one: "Field[Any]", value: Any) -> Any:
    try:
        match one.default:
            case int():
                return int(value)
            case float():
                return float(value)
            case _:
                return value
    except ValueError as error:
        kind = "a whole number" if isinstance(one.default, int) else "a number"
        raise BadSetting(f"{origin} is {_rule(one).quoted(value)}; it must be {kind}") from error


def _check(origin: str, one: "Field[Any]", value: Any) -> None:
    fault = _rule(one).fault(value)
    if fault is not None:
        raise BadSetting(f"{origin} is {_rule(one).quoted(value)}; it must be {fault}")
