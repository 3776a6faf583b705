"""Whose rows a statement sees on PostgreSQL: those of the accounts that it admits (docs/decisions/0014)."""

from functools import lru_cache

ADMIT = "select set_config('ordre.accounts', $1, true)"
"""Admits the accounts, with commas between, to the policy on rows, until the transaction ends.

Where a statement has no transaction around it, it admits them itself, by a condition that comes before everything else: no column
stands in it, so it is asked once, before any row is looked for. If it were asked later, no row would be found.
"""


@lru_cache(maxsize=512)
def admitted(sql: str) -> str:
    """Return a query that admits the account that is its first parameter."""
    return f"select found.* from ({sql}) found where (select set_config('ordre.accounts', $1::text, true)) is not null"
