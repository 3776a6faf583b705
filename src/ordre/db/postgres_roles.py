"""The rights of roles in a PostgreSQL database: one that serves, and one that makes backups."""

from ordre.db.postgres_pool import Connection

_GRANTS = (
    "grant usage on schema public to {name}",
    "revoke all on all tables in schema public from {name}",
    "grant select, insert, update on all tables in schema public to {name}",
    "grant delete on order_terms, draft_terms, found_orders, found_drafts, recorded_terms to {name}",
    "grant delete on draft_events, drafts, idempotency, tallies, deliveries to {name}",
    "revoke update on facts, acts, erased_drafts, tallies, feed from {name}",
    "grant update (ref, data, document, event, salt, packed, size) on facts to {name}",
    "revoke insert, update on schema_migrations from {name}",
    "grant update (applied_at) on schema_migrations to {name}",
)
"""What a server needs, erasing with it: no order, fact or body is ever deleted, and of a fact only its texts are taken away."""
_ADMITTED_ROLES = """
select distinct r.rolname from pg_class c cross join aclexplode(c.relacl) a join pg_roles r on r.oid = a.grantee
where c.oid = 'facts'::regclass and a.privilege_type = 'INSERT' and a.grantee <> c.relowner
"""
_BACKUP_GRANTS = ("grant usage on schema public to {name}", "grant select on all tables in schema public to {name}")
_BOUND_TABLES = """
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = 'public' and c.relkind = 'r' and c.relrowsecurity order by c.relname
"""
_BACKUP_POLICY = "backup of "
"""Begins the name of the policy that admits every row to a role, which is named behind it."""
_BACKUP_ROLES = """
select distinct r.rolname from pg_policy p join pg_roles r on r.oid = any (p.polroles) where starts_with(p.polname, $1)
"""


async def admit(connection: Connection, role: str) -> None:
    """Grant a role read and write access to the rows that the policy admits, and nothing more."""
    for sql in _GRANTS:
        await connection.execute(sql.format(name=_quoted(role)))


async def admit_again(connection: Connection) -> None:
    """Grant the roles that were admitted before exactly the rights of now, on new tables too."""
    for (role,) in await connection.fetch(_ADMITTED_ROLES):
        await admit(connection, role)


async def admit_backup(connection: Connection, role: str) -> None:
    """Grant a role read access to every row of every table."""
    for sql in _BACKUP_GRANTS:
        await connection.execute(sql.format(name=_quoted(role)))
    policy = _quoted(_BACKUP_POLICY + role)
    for (table,) in await connection.fetch(_BOUND_TABLES):
        await connection.execute(f"drop policy if exists {policy} on {_quoted(table)}")
        await connection.execute(f"create policy {policy} on {_quoted(table)} for select to {_quoted(role)} using (true)")


async def admit_backups_again(connection: Connection) -> None:
    """Admit those roles to new tables that were admitted to the others: a dump without a table would look as good as any."""
    for (role,) in await connection.fetch(_BACKUP_ROLES, _BACKUP_POLICY):
        await admit_backup(connection, role)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
