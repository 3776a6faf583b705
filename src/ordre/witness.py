"""A witness: roots that are signed again and again, and kept where whoever writes to the database cannot reach them.

The first root of an account is over orders that were all verified. For a later one those are verified that changed since, and the
others have to end where they did. Accounts, clients and keys have to be as the log of administration says. Where anything of an
account differs, no root of it is signed.
"""

import errno
import fcntl
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ordre import bootstrap
from ordre.api.wire.search import TERMS
from ordre.application.accounts import known_account
from ordre.audit import head_of, signing_key
from ordre.db.tally import Tally
from ordre.db.transaction import Transaction
from ordre.db.verify import Difference, differences
from ordre.db.verify_acts import administered
from ordre.db.verify_all import tallies_of
from ordre.db.verify_rest import Rest, strangers
from ordre.domain.merkle import Head
from ordre.kept import BadKept, Comparison, Kept, State, hashes_of, line_of, read_kept, signed_kept
from ordre.settings import Settings

_MODE = 0o600


@dataclass(slots=True)
class Round:
    """The result of one look at the database: a root for each account in which nothing differs."""

    roots: list[Kept] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)


async def look(settings: Settings, account_id: str | None, before: Mapping[str, State], at: int) -> Round:
    """Return a root for each account, or for one; ``before`` is what is kept of each so far, ``at`` now in milliseconds.

    However many accounts there are, the log of administration is read once, and rows of no account are looked for once at most:
    before the first root of an account.

    Raises:
        Refused: There is no such account.
        StoreUnavailable: The database is not there, or there is no key to sign with.
    """
    found = Round()
    async with bootstrap.snapshot(settings) as database:
        key, acts = await signing_key(settings, database), await database.acts()
        log = hashes_of(acts)
        if account_id is not None and account_id not in before:
            await known_account(database, account_id)
        accounts = [account_id] if account_id is not None else sorted({*await database.account_ids(), *before})
        administration = [one async for one in administered(database, acts, accounts)]
        of_nobody = [] if before.keys() >= set(accounts) else [one async for one in strangers(database)]
        for one in accounts:
            state = before.get(one)
            heads, differing = await (_all(database, one) if state is None else _news(database, one, state, log))
            differing += of_nobody if state is None else []
            differing += [difference for difference in administration if difference.account_id in ("", one)]
            found.differences += [difference for difference in differing if difference not in found.differences]
            if not differing:
                found.roots.append(signed_kept(key, one, heads, acts, at, state or State()))
    return found


async def _all(database: Transaction, account_id: str) -> tuple[Sequence[Head], list[Difference]]:
    """Verify everything that an account holds; return its heads, and what differs."""
    heads, facts, found = list[Head](), Tally(), list[Difference]()
    async for stored in database.stored_orders(account_id):
        heads.append(head_of(stored))
        facts.add(tallies_of([stored])[account_id])
        found += differences(stored, TERMS)
    return heads, [*found, *[one async for one in Rest(database, account_id, facts).differences()]]


async def _news(
    database: Transaction, account_id: str, state: State, log: Mapping[int, str]
) -> tuple[Sequence[Head], list[Difference]]:
    """Verify the orders of an account that changed since it was kept; return all heads, and what differs."""
    heads = await database.heads(account_id)
    compared = Comparison({account_id: state.as_last()})
    found: list[Difference] = []
    for head in heads:
        if state.heads.get(head.order) == (head.version, head.hash):
            compared.pass_over(account_id, head.order)
        else:
            stored = await database.stored_order(account_id, head.order)
            if stored is not None:
                found += differences(stored, TERMS)
                compared.see(stored)
    return heads, [*found, *compared.differences(log)]


class Log:
    """A file that roots are appended to, each durable before the next; one process at a time."""

    def __init__(self, file: Path, handle: int) -> None:
        self._file, self._handle = file, handle
        content = file.read_bytes()
        self.kept = read_kept(file, content)
        self._torn = content != b"" and not content.endswith(b"\n")

    def add(self, roots: Sequence[Kept]) -> None:
        """Append roots; they are on the disk when this returns.

        Raises:
            OSError: They cannot be written.
        """
        write(self._handle, (b"\n" if self._torn else b"") + b"".join(line_of(root) for root in roots))
        self._torn = False
        for root in roots:
            self.kept.accounts.setdefault(root.account_id, State()).go_on(root)


@contextmanager
def appending(file: Path) -> Iterator[Log]:
    """Open a file of roots, or make it for its owner alone; nobody else is to append to it meanwhile.

    Raises:
        BadKept: It holds something else, or another process appends to it.
        OSError: It cannot be opened.
    """
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, _MODE)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadKept(f"{file} is being written by another process") from error
        folder = os.open(file.parent, os.O_RDONLY)
        os.fsync(folder)  # so that its name outlives a power failure, too
        os.close(folder)
        yield Log(file, handle)
    finally:
        os.close(handle)


def write(handle: int, content: bytes) -> None:
    """Write everything, and wait until it is durable where the handle is of a file.

    Raises:
        OSError: It cannot be written.
    """
    while content:
        content = content[os.write(handle, content) :]
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a pipe or a terminal keeps nothing
            raise
