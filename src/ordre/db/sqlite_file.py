"""The file of an SQLite database: made for its owner alone, and rid of what was erased.

SQLite makes the log, the index of the log and the journal with the mode of the file itself, so it is the file that is made.
"""

import contextlib
import os
import shutil
import sqlite3
import time
from pathlib import Path

from ordre.application.troubles import StoreUnavailable, Trouble

BUSY_SECONDS = 10.0
_CHECKPOINT_SECONDS = 0.05
"""How long each attempt to cut the log off waits for whoever reads: writers wait as long."""
_CHECKPOINT_PAUSE = 0.2
"""Seconds between attempts, in which writers write."""
_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps of one database, by what follows the file's name."""
_KEPT = ("", "-wal", "-shm")
"""Those of them that stay the same files while anybody has the database open."""
LEAST_ROOM_BYTES = 4 * 1024 * 1024
"""With less room on its disk than a few large orders take, a database counts as full."""
_OTHERS = 0o077
"""Permissions of anybody but the owner."""
_PASSABLE = 0o011
"""The permission that a folder has to give others before they come to its files."""


def make_private(path: Path) -> None:
    """Make the file and its folder, where they are not there yet, so that nobody but their owner reads them, whatever the umask.

    What is there already stays as it is: see ``readable_by_others``.
    """
    if not path.parent.exists():
        path.parent.parent.mkdir(parents=True, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def remove(path: Path) -> None:
    """Remove every file of the database."""
    for end in _BESIDE:
        path.with_name(path.name + end).unlink(missing_ok=True)


def readable_by_others(path: Path) -> list[Path]:
    """Return those files of the database that somebody else on this machine may read or write."""
    if os.name != "posix" or path.parent.stat().st_mode & _PASSABLE == 0:
        return []
    found = (path.with_name(path.name + end) for end in _BESIDE)
    return [one for one in found if one.exists() and one.stat().st_mode & _OTHERS]


class Held:
    """The files of a database that this process writes to. ``check`` tells whether they are still those of its name.

    Where somebody moved or replaced one, SQLite goes on to write to what nobody will find. It is made once the log is there.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._files = path, [path.with_name(path.name + end) for end in _KEPT]
        self._before = self._state()

    def check(self) -> None:
        """Raise ``StoreUnavailable`` if a file of the database was moved, removed or replaced."""
        if self._state() != self._before:
            raise StoreUnavailable(
                f"{self._path}, or the log beside it, was moved or replaced while it was open: put it back or restart the server",
                Trouble.MOVED,
            )

    def check_room(self) -> None:
        """Raise ``StoreUnavailable`` if its disk has hardly any room left."""
        if shutil.disk_usage(self._path.parent).free < LEAST_ROOM_BYTES:
            raise StoreUnavailable(f"the disk of {self._path} is full", Trouble.FULL)

    def _state(self) -> list[tuple[int, int] | None]:
        """Return the identity of each of the files."""
        return [_identity(file) for file in self._files]


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Reading:
    """A file that is read and in no way changed, by as many connections as asked for.

    Where nobody has it open, there is no log beside it, and SQLite would make one, which the user who serves might not be able to
    write to later: so it is opened as a file that nobody changes. ``check`` tells whether that held.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise StoreUnavailable(f"there is no database at {path}")
        self._before = self._state()
        self._immutable = not self._wal.exists()

    @property
    def _wal(self) -> Path:
        return self._path.with_name(f"{self._path.name}-wal")

    def connect(self) -> sqlite3.Connection:
        """Open the file for reading alone."""
        how = "immutable=1" if self._immutable else "mode=ro"
        uri = f"{self._path.absolute().as_uri()}?{how}"
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)

    def check(self) -> None:
        """Raise ``StoreUnavailable`` if somebody began to write to a file that was read as one that nobody changes."""
        if self._immutable and (self._wal.exists() or self._state() != self._before):
            raise StoreUnavailable(
                f"somebody began to write to {self._path} while it was being read: run the command again", Trouble.BUSY
            )

    def _state(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size


def count_erasure(connection: sqlite3.Connection) -> None:
    """Count in the file's header that something was erased, in the transaction that does it."""
    connection.execute(f"pragma user_version = {_erasures(connection) + 1}")


def settle(path: Path, most_bytes: int | None) -> None:
    """Write the log into the file and cut it off; after an erasure write the file anew, if it is no larger than ``most_bytes``.

    Raises:
        sqlite3.Error: The file cannot be written.
        StoreUnavailable: Somebody reads on, so that the log cannot be cut off.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"  # a file that was moved away is not made anew
    with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        erased = _erasures(connection)
        if erased and (most_bytes is None or path.stat().st_size <= most_bytes):
            connection.execute("vacuum")
            _forget_erasures(connection, erased)
        _checkpoint(connection)


def _erasures(connection: sqlite3.Connection) -> int:
    """Return the number of erasures since the file was last rewritten: the file counts them in its header."""
    count: int = connection.execute("pragma user_version").fetchone()[0]
    return count


def _forget_erasures(connection: sqlite3.Connection, counted: int) -> None:
    """Set the count to zero, unless there was another erasure meanwhile."""
    connection.execute("begin immediate")
    if _erasures(connection) == counted:
        connection.execute("pragma user_version = 0")
    connection.execute("commit")


def _checkpoint(connection: sqlite3.Connection) -> None:
    """Try for a while: somebody who reads for long, as `ordre verify` and `ordre backup` do, may be in the way."""
    connection.execute(f"pragma busy_timeout = {int(_CHECKPOINT_SECONDS * 1000)}")
    until = time.monotonic() + BUSY_SECONDS
    while True:
        busy, *_ = connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        if not busy:
            return
        if time.monotonic() > until:
            raise StoreUnavailable("the log is in use; what was erased may still stand in it", Trouble.BUSY)
        time.sleep(_CHECKPOINT_PAUSE)
