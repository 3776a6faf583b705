"""Whose rows a statement sees on PostgreSQL: those of the accounts that it admits (docs/decisions/0014)."""

from functools import lru_cache


def _admit(accounts: str) -> str:
    return f"select set_config('ordre.accounts', {accounts}, true)"


ADMIT = _admit("$1")
"""Admits the accounts, with commas between, to the policy on rows, until the transaction ends."""
ADMIT_ALL = _admit("coalesce((select string_agg(account_id, ',') from accounts), '')")
"""The same of every account that is there."""


def admits(parameter: int) -> str:
    """Return the condition by which a statement that has no transaction around it admits the accounts that a parameter names.

    It comes before everything else: no column stands in it, so it is asked once, before any row is looked for. If it were asked
    later, no row would be found.
    """
    return f"({_admit(f'${parameter}::text')}) is not null"


@lru_cache(maxsize=512)
def admitted(sql: str) -> str:
    """Return a query that admits the account that is its first parameter."""
    return f"select found.* from ({sql}) found where {admits(1)}"
