"""Faults of PostgreSQL, or of the connection to it, as faults of the store: which it is, and whether anything was written."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from ordre.application.troubles import StoreUnavailable, Trouble

UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, TimeoutError)
"""What connecting may end in."""
_ENDED = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError)
"""The connection is at its end: what was asked last may have been done."""
_TROUBLES: dict[type[asyncpg.PostgresError], Trouble] = {
    asyncpg.DiskFullError: Trouble.FULL,
    asyncpg.PostgresIOError: Trouble.FULL,
    asyncpg.ReadOnlySQLTransactionError: Trouble.READ_ONLY,
    asyncpg.CannotConnectNowError: Trouble.AWAY,
    asyncpg.AdminShutdownError: Trouble.AWAY,
    asyncpg.CrashShutdownError: Trouble.AWAY,
    asyncpg.PostgresConnectionError: Trouble.AWAY,
    asyncpg.IdleInTransactionSessionTimeoutError: Trouble.AWAY,
    asyncpg.TooManyConnectionsError: Trouble.BUSY,
    asyncpg.LockNotAvailableError: Trouble.BUSY,
}
"""What PostgreSQL says -> what is told of it."""


class LockedOut(StoreUnavailable):
    """Somebody else has locked something, for longer than it is waited for."""


class StatementRefused(StoreUnavailable):
    """PostgreSQL refuses this very statement, and may take another one."""


@contextmanager
def explained(*, in_doubt: bool = False) -> Iterator[None]:
    """Raise a fault of the database as one of the store; those of a lost race as they are.

    ``in_doubt`` says that what is asked may have been done though its answer was lost.
    """
    try:
        yield
    except TimeoutError as error:
        reason = "no connection was free, or the database did not answer, in time"
        raise StoreUnavailable(reason, Trouble.BUSY, unsure=in_doubt) from error
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise StoreUnavailable(f"the database does not answer: {error}", Trouble.AWAY, unsure=in_doubt) from error
    except asyncpg.PostgresError as error:
        if isinstance(error, asyncpg.IntegrityConstraintViolationError | asyncpg.DeadlockDetectedError):
            raise
        raise _unavailable(error, in_doubt=in_doubt) from error


def _unavailable(error: asyncpg.PostgresError, *, in_doubt: bool) -> StoreUnavailable:
    reason = f"the database refuses: {error}"
    if isinstance(error, asyncpg.LockNotAvailableError):
        return LockedOut(reason, Trouble.BUSY)
    trouble = next((one for kind, one in _TROUBLES.items() if isinstance(error, kind)), None)
    if trouble is None:
        return StatementRefused(reason)
    return StoreUnavailable(reason, trouble, unsure=in_doubt and isinstance(error, _ENDED))
