"""`ordre demo`."""

from dataclasses import asdict

from ordre.application.store import Access
from ordre.cli.options import Database, Json, now, with_store
from ordre.cli.output import print_fields


def demo(*, database: Database = None, json: Json = False) -> None:
    """Fill a new account with orders in every state, and print the id and secret of a client that can read them."""
    from ordre.demo import make_demo  # noqa: PLC0415 - help and completion need nothing of what it loads

    made = with_store(database, lambda store: make_demo(store, now()), Access.MAKE)
    print_fields(asdict(made), json=json)
