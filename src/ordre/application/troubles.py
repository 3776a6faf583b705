"""Why a store cannot answer."""

from enum import StrEnum


class Trouble(StrEnum):
    """A reason why a store cannot answer, in words for anybody; the details go to the log."""

    AWAY = "The database cannot be reached"
    FULL = "The disk of the database is full, or cannot be written"
    READ_ONLY = "The database is read-only"
    BUSY = "The database is busy"
    MOVED = "The database file was moved or replaced"
    SCHEMA = "The database schema is that of another version of Ordre"
    OTHER = "The database cannot answer"


class StoreUnavailable(Exception):  # noqa: N818 - it is named for the state it tells of
    """The store cannot answer now: the database is away, full, read-only or busy.

    Nothing was written, and nothing will be; or (``unsure``) nobody can tell whether it was, since the answer was lost.
    """

    def __init__(self, message: str, trouble: Trouble = Trouble.OTHER, *, unsure: bool = False) -> None:
        super().__init__(message)
        self.trouble, self.unsure = trouble, unsure


class KeysUnreadable(StoreUnavailable):
    """The keys that sign tokens are encrypted, and the secret that this process was given does not decrypt them."""
