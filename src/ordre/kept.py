"""Roots that somebody keeps elsewhere, and whether a database still holds the orders that they cover.

A kept root is one line of JSON: the hash over all orders of an account at an instant, signed, with the heads that it is over. The
later lines of an account in a file hold only the heads that changed, and name the root before. Heads are signed by their hash.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ordre.api.wire.common import instant
from ordre.application.directory import Act, SigningKey
from ordre.application.views import StoredOrder
from ordre.auth.roots import is_signed, sign
from ordre.db.verify import Difference
from ordre.domain.merkle import Head, leaf, root

INSIDE = (
    "the root is signed with a key that the database holds: whoever can write there can sign another. Keep one outside with"
    " ORDRE_ROOT_KEY_FILE (`ordre key root`)"
)
"""What to say where the key that signs roots does not stand outside the database."""
HeadRow = tuple[str, int, str]
"""(order, version, hash of the last fact)."""


class BadKept(Exception):  # noqa: N818 - it is named for the state it tells of
    """A file does not hold kept roots, was changed, lacks lines, or has a name that is taken."""


class Kept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The root of an account at an instant ``at``, in milliseconds since 1970.

    ``acts`` is the number of the last act in the log of administration then, and ``log`` its hash. ``after`` is the root that the
    line follows, whose heads hold where ``heads`` names no other; empty, where ``heads`` are all. ``changed`` is their hash.
    """

    account_id: str
    orders: int
    root: str
    at: int
    acts: int
    log: str
    after: str
    changed: str
    signature: str
    heads: tuple[HeadRow, ...]

    def content(self) -> dict[str, Any]:
        """Return the content that is signed."""
        return {name: getattr(self, name) for name in self.__struct_fields__ if name not in ("signature", "heads")}


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Kept).decode


def signed_kept(key: SigningKey, account_id: str, heads: Sequence[Head], acts: Sequence[Act], at: int, before: "State") -> Kept:
    """Return the root over heads as a line that follows what was kept before; ``heads`` are all of the account's, by id."""
    rows = [(head.order, head.version, head.hash) for head in heads]
    news = tuple(row for row in rows if before.heads.get(row[0]) != row[1:])
    unsigned = Kept(
        account_id=account_id,
        orders=len(heads),
        root=root(leaf(account_id, head) for head in heads),
        at=at,
        acts=acts[-1].number if acts else 0,
        log=acts[-1].hash if acts else "",
        after=before.root,
        changed=_hash_of(news),
        signature="",
        heads=news,
    )
    return msgspec.structs.replace(unsigned, signature=sign(key, unsigned.content()))


def line_of(kept: Kept) -> bytes:
    """Return the line of a file."""
    return _encode(kept) + b"\n"


def _hash_of(heads: Sequence[HeadRow]) -> str:
    return sha256(_encode(heads)).hexdigest()


@dataclass(slots=True)
class State:
    """The heads of an account as kept roots say them, by order, and the last root; empty, where there is none."""

    root: str = ""
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    lines: list[Kept] = field(default_factory=list)

    def add(self, line: Kept) -> None:
        """Add a line.

        Raises:
            BadKept: It does not follow the one before, or its heads are not those that are signed.
        """
        if _hash_of(line.heads) != line.changed:
            raise BadKept("its heads are not those that are signed")
        if line.after:
            if line.after != self.root:
                raise BadKept("follows a root that the file does not have before it: lines are missing")
        else:
            self.heads = {}
        self.heads.update({order: (version, hash_) for order, version, hash_ in line.heads})
        self.root = line.root
        self.lines.append(line)

    def go_on(self, line: Kept) -> None:
        """Add a line, and drop those before it: the heads have all that is asked of them."""
        self.add(line)
        self.lines = [line]

    def as_last(self) -> "State":
        """Return the same as one line, of all heads as they were last."""
        rows = tuple((order, *one) for order, one in self.heads.items())
        return State(root=self.root, heads=self.heads, lines=[msgspec.structs.replace(self.lines[-1], heads=rows)])

    def is_whole(self, account_id: str) -> bool:
        """Whether the heads are those that the last root covers."""
        rows = sorted(self.heads.items())
        return root(leaf(account_id, Head(order=order, version=one[0], hash=one[1])) for order, one in rows) == self.root


@dataclass(slots=True)
class KeptFile:
    """The contents of a file of kept roots, by account, and the numbers of its incomplete lines."""

    accounts: dict[str, State] = field(default_factory=dict)
    torn: list[int] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """The number of its roots."""
        return sum(len(state.lines) for state in self.accounts.values())


def read_kept(file: Path, content: bytes) -> KeptFile:
    """Read a file of kept roots: one, as `ordre verify --root` writes it, or many, as `ordre witness` does.

    Raises:
        BadKept: See there.
    """
    found = KeptFile()
    for number, text in enumerate(_lines(content), 1):
        try:
            line = _decode(text)
        except msgspec.MsgspecError as error:
            if b'"signature"' in text and b'"heads"' not in text:
                raise BadKept(
                    f"{file} holds a root of an earlier version, without heads: it cannot be said what is gone since"
                ) from error
            if _is_json(text):
                raise BadKept(f"{file}, line {number}: it is not a kept root: {error}") from error
            found.torn.append(number)
            continue
        try:
            found.accounts.setdefault(line.account_id, State()).add(line)
        except BadKept as error:
            raise BadKept(f"{file}, line {number}: {error}") from error
    if found.torn and not found.accounts:
        raise BadKept(f"{file} is not a file of kept roots")
    for account_id, state in found.accounts.items():
        if not state.is_whole(account_id):
            raise BadKept(f"{file}: the heads of {account_id} are not those that its last root is over")
    return found


def _lines(content: bytes) -> list[bytes]:
    return [content] if _is_json(content) else [line for line in content.split(b"\n") if line]


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def check_signed(file: Path, kept: KeptFile, keys: Iterable[SigningKey]) -> None:
    """Check that every root of a file is signed with one of the keys.

    Raises:
        BadKept: One is not.
    """
    known = list(keys)
    for state in kept.accounts.values():
        for line in state.lines:
            if not is_signed(line.signature, line.content(), known):
                raise BadKept(
                    f"{file}: the root of {line.account_id} at {instant(line.at)} is not signed with the key that is known here;"
                    " name the file of its public key with --keys"
                )


def hashes_of(acts: Iterable[Act]) -> dict[int, str]:
    """Return the hashes of acts by their numbers."""
    return {act.number: act.hash for act in acts}


class Comparison:
    """Compares orders, one after another, with kept roots: today's chain of each must begin with the chain of then."""

    def __init__(self, accounts: Mapping[str, State]) -> None:
        self._accounts = accounts
        self._left: dict[str, dict[str, list[tuple[int, str, int]]]] = {}
        for account_id, state in accounts.items():
            mine = self._left.setdefault(account_id, {})
            for line in state.lines:
                for order, version, hash_ in line.heads:
                    mine.setdefault(order, []).append((version, hash_, line.at))
        self._found: list[Difference] = []

    def see(self, stored: StoredOrder) -> None:
        """Compare an order as it is now."""
        for version, hash_, at in self._left.get(stored.account_id, {}).pop(stored.id, ()):
            if version > len(stored.facts):
                reason = f"the root kept at {instant(at)} has it at version {version}, and it has {len(stored.facts)} facts"
            elif stored.facts[version - 1].hash != hash_:
                reason = f"version {version} is another than the root kept at {instant(at)} has: its history was rewritten"
            else:
                continue
            self._found.append(Difference(account_id=stored.account_id, order=stored.id, version=version, reason=reason))
            return

    def pass_over(self, account_id: str, order: str) -> None:
        """Count an order as unchanged since it was kept: its head is known to be the same."""
        self._left[account_id].pop(order, None)

    def differences(self, log: Mapping[int, str]) -> Iterator[Difference]:
        """Yield what differs in the orders that passed, then those that did not pass, and where the log is another.

        ``log`` is what ``hashes_of`` returns of it.
        """
        yield from self._found
        for account_id, orders in self._left.items():
            for order, points in orders.items():
                version, _, at = points[-1]
                reason = f"it is gone: the root kept at {instant(at)} has it at version {version}"
                yield Difference(account_id=account_id, order=order, reason=reason)
        for line in sorted((line for state in self._accounts.values() for line in state.lines), key=lambda line: line.at):
            if line.acts and log.get(line.acts) != line.log:
                reason = f"act {line.acts} is gone or another than the root kept at {instant(line.at)} has"
                yield Difference(about="log of administration", reason=reason)
                return
