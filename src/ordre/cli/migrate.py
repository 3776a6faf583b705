"""`ordre migrate`."""

import asyncio
from collections.abc import Sequence

from ordre import bootstrap
from ordre.cli.options import By, Database, settings_with, system_user


def migrate(*, grant: str | None = None, backup_role: str | None = None, by: By = None, database: Database = None) -> None:
    """Bring the database's schema up to this version.

    Args:
        grant: Also give this PostgreSQL role what a server needs. Serve as a role that owns nothing: row-level security
            then binds it.
        backup_role: Also let this PostgreSQL role read every row of every account, and write nothing: for backups.
    """

    async def work() -> Sequence[str]:
        store = bootstrap.make_store(settings_with(database=database), by=by or system_user())
        try:
            names = await store.migrate()
            if grant is not None:
                await store.grant(grant)
            if backup_role is not None:
                await store.grant_backup(backup_role)
            return names
        finally:
            await store.close()

    names = asyncio.run(work())
    print("\n".join(f"applied {name}" for name in names) or "the schema is up to date")
    if grant is not None:
        print(f"the role {grant} may do what a server does")
    if backup_role is not None:
        print(f"the role {backup_role} may read every row, for backups")
