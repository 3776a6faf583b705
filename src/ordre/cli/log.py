"""`ordre log`."""

import json as jsons
from collections.abc import Sequence
from typing import Any

from ordre.api.wire.common import instant
from ordre.application.accounts import known_account
from ordre.application.directory import Act
from ordre.application.store import Access, Store
from ordre.cli.options import Database, Json, with_store
from ordre.cli.output import print_rows


def log(account: str | None = None, /, *, database: Database = None, json: Json = False) -> None:
    """Print the log of administration: who made or changed which account, client, key or schema, and when.

    Secrets stand in it by no more than that they changed. `ordre verify` tells whether it is whole.

    Args:
        account: Only acts on this account and its clients.
    """

    async def work(store: Store) -> Sequence[Act]:
        if account is not None:
            await known_account(store, account)
        return await store.acts(account)

    found = with_store(database, work, Access.READ)
    print_rows([_fields(act) if json else _shown(act) for act in found], json=json)


def _fields(act: Act) -> dict[str, Any]:
    return {
        "number": act.number,
        "at": instant(act.at),
        "by": act.by,
        "act": act.act,
        "kind": act.kind,
        "account_id": act.account_id or None,
        "id": act.subject,
        "detail": jsons.loads(act.detail),
        "hash": act.hash,
    }


def _shown(act: Act) -> dict[str, Any]:
    details = [f"{name}: {_said(name, value)}" for name, value in jsons.loads(act.detail).items()]
    return {
        "at": instant(act.at),
        "by": act.by,
        "what": f"{act.kind} {act.act}",
        "account": act.account_id or None,
        "id": act.subject,
        "detail": "; ".join(details) or None,
    }


def _said(name: str, value: object) -> str:
    if isinstance(value, list):
        return " -> ".join(_said(name, one) for one in value)
    if isinstance(value, int) and name.endswith(("_at", "_until")):
        return instant(value)
    return "-" if value is None else str(value)
